"""The local Flink cluster as a whole: up, down, status; idempotent, and able to mend one that lost a process."""

import fcntl
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Final

import msgspec

from runners.flink.settings import FlinkAddresses
from runners.local.endpoints import stack_dir
from runners.local.flink import BeamServices, FlinkHome, JobManager, PythonPool, TaskManager
from runners.local.flink_conf import HOST, FlinkPorts, FlinkShape
from runners.local.java import find_jdk
from runners.local.process import require_free_port
from runners.local.services import Service, await_service
from runners.local.stack import ServiceStatus

_HUNG_S: Final = 45.0
_POLL_S: Final = 0.2


def free_flink_ports() -> FlinkPorts:
    """Ports that were free a moment ago, for a cluster beside others."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in fields(FlinkPorts)]
        for one in sockets:
            one.bind((HOST, 0))
        return FlinkPorts(*(one.getsockname()[1] for one in sockets))


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

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands on one cluster go one after the other."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def up(self) -> FlinkAddresses:
        """Return when every process answers; what runs already is kept, what died, or says nothing for 45 s, is started anew.

        A job survives the loss of its TaskManager, of Beam's services and of the pool, but not that of the JobManager.
        """
        with self._alone():
            _stop(self._other)
            missing = [service for service in self.services if service.process.find() is None]
            if self.jobmanager in missing and self.taskmanager not in missing and not self.shape.small:
                # Its jobs are gone with the JobManager, and it would take most of a minute to find the new one.
                missing.append(self.taskmanager)
            _start(missing)
            # One that runs is asked for a while before it is taken for dead: with a JobManager that is only busy, jobs would end.
            _start([service for service in self.services if service not in missing and not _answers(service)])
            with ThreadPoolExecutor(len(self.services)) as pool:
                list(pool.map(await_service, self.services))
            _running_file(self.folder).write_bytes(msgspec.json.encode(RunningCluster(self.ports, self.shape)))
        return self.addresses()

    def addresses(self) -> FlinkAddresses:
        return addresses_of(self.ports)

    def down(self) -> list[str]:
        """Stop what runs, in either form; the names of what was stopped. Checkpoints and savepoints stay, jobs do not."""
        with self._alone():
            _running_file(self.folder).unlink(missing_ok=True)
            return _stop((*self.services, *self._other))

    def status(self) -> list[ServiceStatus]:
        """Each process, asked now."""
        found = []
        for service in self.services:
            process = service.process.find()
            ready = process is not None and service.is_ready()
            ports = tuple(service.ports.values())
            found.append(ServiceStatus(service.process.name, ports, process.pid if process else None, ready, service.process.log))
        return found

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


def _start(services: list[Service]) -> None:
    if services:
        find_jdk()
    _stop(services)
    for service in services:
        for flag, port in service.ports.items():
            require_free_port(service.process.name, port, flag)
    for service in services:
        service.start()


def _stop(services: Sequence[Service]) -> list[str]:
    if not services:
        return []
    with ThreadPoolExecutor(len(services)) as pool:
        stopped = list(pool.map(lambda service: service.process.stop(), services))
    return [service.process.name for service, was_up in zip(services, stopped, strict=True) if was_up]
