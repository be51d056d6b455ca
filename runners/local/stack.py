"""The local stack as a whole: up, down, status, reset; idempotent, and able to mend a half-started one."""

import fcntl
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runners.local.endpoints import Endpoints, endpoints_file
from runners.local.java import find_jdk
from runners.local.process import require_free_port
from runners.local.services import NEO4J_USER, Connector, Kafka, Neo4j, Service, await_service


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of the stack."""

    kafka: int = 19092
    kafka_controller: int = 19093
    neo4j: int = 17687
    connector: int = 18096


def free_ports() -> Ports:
    """Ports that were free a moment ago, for a stack beside others."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(4)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return Ports(*(one.getsockname()[1] for one in sockets))


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What is known of one server; pid None: not running."""

    name: str
    ports: tuple[int, ...]
    pid: int | None
    ready: bool
    log: Path


class LocalStack:
    """The servers with all their data, logs and secrets in one folder.

    jars: where fetched jars are kept; shared by stacks, since they are the same for all.
    """

    def __init__(self, folder: Path, ports: Ports, jars: Path | None = None) -> None:
        self._folder = folder
        jars = jars or folder / "java"
        self.kafka = Kafka(folder, jars, ports.kafka, ports.kafka_controller)
        self.neo4j = Neo4j(folder, jars, ports.neo4j)
        self.connector = Connector(folder, jars, ports.connector)
        self.services: tuple[Service, ...] = (self.neo4j, self.kafka, self.connector)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands on one stack go one after the other."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def up(self) -> Endpoints:
        """Return when every server answers; what runs already is kept, what is half-started is started anew."""
        with self._alone():
            down = [service for service in self.services if not (service.process.find() and service.is_ready())]
            if down:
                find_jdk()
            for service in down:
                service.process.stop()
            for service in down:
                for flag, port in service.ports.items():
                    require_free_port(service.process.name, port, flag)
            for service in down:
                service.start()
            with ThreadPoolExecutor(len(self.services)) as pool:
                list(pool.map(await_service, down))
            endpoints = self.endpoints()
            endpoints_file(self._folder).write_bytes(msgspec.json.encode(endpoints))
        return endpoints

    def endpoints(self) -> Endpoints:
        return Endpoints(
            self.kafka.brokers,
            self.neo4j.uri,
            NEO4J_USER,
            str(self.neo4j.password_file),
            self.connector.address,
        )

    def down(self) -> list[str]:
        """Stop what runs; the names of what was stopped. No process of the stack is left."""
        with self._alone():
            return self._down()

    def _down(self) -> list[str]:
        endpoints_file(self._folder).unlink(missing_ok=True)
        with ThreadPoolExecutor(len(self.services)) as pool:
            stopped = list(pool.map(lambda service: service.process.stop(), self.services))
        return [service.process.name for service, was_up in zip(self.services, stopped, strict=True) if was_up]

    def status(self) -> list[ServiceStatus]:
        """Each server, asked now."""
        found = []
        for service in self.services:
            process = service.process.find()
            ready = process is not None and service.is_ready()
            ports = tuple(service.ports.values())
            found.append(ServiceStatus(service.process.name, ports, process.pid if process else None, ready, service.process.log))
        return found

    def reset(self) -> None:
        """Stop everything and delete data, logs and password; fetched jars stay."""
        with self._alone():
            self._down()
            for service in self.services:
                shutil.rmtree(service.process.folder, ignore_errors=True)
            self.neo4j.password_file.unlink(missing_ok=True)
