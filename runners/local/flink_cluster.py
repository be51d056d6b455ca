"""The local Flink cluster as a whole: up, down, status; idempotent, and able to mend one that lost a process."""

import shutil
import time
from dataclasses import fields
from pathlib import Path
from typing import Final

import msgspec

from runners.flink.settings import FlinkAddresses
from runners.local.endpoints import stack_dir
from runners.local.flink import BeamServices, FlinkHome, JobManager, PythonPool, TaskManager
from runners.local.flink_conf import FlinkPorts, FlinkShape
from runners.local.service import (
    HOST,
    Service,
    ServiceStatus,
    alone,
    ask_services,
    await_services,
    free_ports,
    start_services,
    stop_services,
)

_HUNG_S: Final = 45.0
_POLL_S: Final = 0.2


def free_flink_ports() -> FlinkPorts:
    """Ports for a cluster beside others."""
    return FlinkPorts(*free_ports(len(fields(FlinkPorts))))


def flink_dir() -> Path:
    """The folder of the local cluster, within that of the stack."""
    return stack_dir() / "flink"


class RunningCluster(msgspec.Struct, frozen=True):
    """What was started, as `up` wrote it down."""

    ports: FlinkPorts
    shape: FlinkShape


def read_running() -> RunningCluster | None:
    """The local cluster that is up, or None."""
    try:
        return msgspec.json.decode(_running_file(flink_dir()).read_bytes(), type=RunningCluster)
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_addresses() -> FlinkAddresses | None:
    """Where the local cluster answers, or None where none is up."""
    running = read_running()
    return addresses_of(running.ports) if running else None


def addresses_of(ports: FlinkPorts) -> FlinkAddresses:
    return FlinkAddresses(*(f"{HOST}:{port}" for port in (ports.rest, ports.job_service, ports.expansion, ports.worker_pool)))


def _running_file(folder: Path) -> Path:
    return folder / "running.json"


class FlinkCluster:
    """The cluster's processes with their configuration, checkpoints and logs in one folder.

    Four of them: JobManager, TaskManager, Beam's services, Python pool; the small form has two, the first three being one.
    jars: where fetched jars are kept; shared by clusters, since they are the same for all.
    """

    def __init__(self, folder: Path, ports: FlinkPorts, shape: FlinkShape = FlinkShape(), jars: Path | None = None) -> None:  # noqa: B008
        home = FlinkHome(folder, jars or folder.parent / "java", ports, shape)
        self.folder, self.ports, self.shape = folder, ports, shape
        self.jobmanager, self.taskmanager = JobManager(home), TaskManager(home)
        self.beam, self.pool = BeamServices(home), PythonPool(home)
        java: tuple[Service, ...] = (self.beam,) if shape.small else (self.jobmanager, self.taskmanager, self.beam)
        self.services: tuple[Service, ...] = (*java, self.pool)
        other = BeamServices(FlinkHome(folder, jars or folder.parent / "java", ports, FlinkShape(small=not shape.small)))
        self._other: tuple[Service, ...] = (self.jobmanager, self.taskmanager, other) if shape.small else (other,)

    def up(self) -> FlinkAddresses:
        """Return when every process answers; what runs already is kept, what died, or says nothing for 45 s, is started anew.

        A job survives the loss of its TaskManager, of Beam's services and of the pool, but not that of the JobManager.
        """
        with alone(self.folder):
            stop_services(self._other)
            missing = [service for service in self.services if service.process.find() is None]
            if self.jobmanager in missing and self.taskmanager not in missing and not self.shape.small:
                # Its jobs are gone with the JobManager, and it would take most of a minute to find the new one.
                missing.append(self.taskmanager)
            start_services(missing)
            # One that runs is asked for a while before it is taken for dead: with a JobManager that is only busy, jobs would end.
            start_services([service for service in self.services if service not in missing and not _answers(service)])
            await_services(self.services)
            _running_file(self.folder).write_bytes(msgspec.json.encode(RunningCluster(self.ports, self.shape)))
        return self.addresses()

    def addresses(self) -> FlinkAddresses:
        return addresses_of(self.ports)

    def down(self) -> list[str]:
        """Stop what runs, in either form; the names of what was stopped. Checkpoints and savepoints stay, jobs do not."""
        with alone(self.folder):
            _running_file(self.folder).unlink(missing_ok=True)
            return stop_services((*self.services, *self._other))

    def status(self) -> list[ServiceStatus]:
        """Each process, asked now."""
        return ask_services(self.services)

    def reset(self) -> None:
        """Stop everything and delete configuration, checkpoints, savepoints and logs; fetched jars stay."""
        self.down()
        shutil.rmtree(self.folder, ignore_errors=True)


def _answers(service: Service) -> bool:
    limit = time.monotonic() + _HUNG_S
    while service.process.find() is not None and time.monotonic() < limit:
        if service.is_ready():
            return True
        time.sleep(_POLL_S)
    return False
