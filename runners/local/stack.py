"""The local stack as a whole: up, down, status, reset; idempotent, and able to mend a half-started one."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import msgspec

from runners.local.endpoints import Endpoints, endpoints_file
from runners.local.faults import StackFault
from runners.local.service import (
    Service,
    ServiceStatus,
    Tell,
    alone,
    ask_services,
    await_services,
    free_ports,
    is_own_and_ready,
    start_services,
    stop_services,
)
from runners.local.services import NEO4J_USER, Connector, Kafka, Neo4j


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of the stack."""

    kafka: int = 19092
    kafka_controller: int = 19093
    neo4j: int = 17687
    connector: int = 18096


def known_ports(folder: Path) -> Ports | None:
    """The ports with which the stack in the folder was last started; None where it never was."""
    try:
        return msgspec.json.decode(_ports_file(folder).read_bytes(), type=Ports)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None


def _ports_file(folder: Path) -> Path:
    return folder / "ports.json"


def _told(ports: Ports | None) -> str:
    return ", ".join(f"{name} {port}" for name, port in asdict(ports).items()) if ports else "none"


def free_stack_ports() -> Ports:
    """Ports for a stack beside others."""
    return Ports(*free_ports(len(fields(Ports))))


class LocalStack:
    """The servers with all their data, logs and secrets in one folder.

    jars: where fetched jars are kept; shared by stacks, since they are the same for all. kafka: settings of its broker beside.
    """

    def __init__(self, folder: Path, ports: Ports, jars: Path | None = None, kafka: Mapping[str, str] | None = None) -> None:
        self._folder, self._ports = folder, ports
        jars = jars or folder / "java"
        self.kafka = Kafka(folder, jars, ports.kafka, ports.kafka_controller, kafka)
        self.neo4j = Neo4j(folder, jars, ports.neo4j)
        self.connector = Connector(folder, jars, ports.connector)
        self.services: tuple[Service, ...] = (self.neo4j, self.kafka, self.connector)

    def up(self, tell: Tell = lambda _said: None) -> Endpoints:
        """Return when every server answers; what runs already is kept, what is half-started is started anew. tell: told how far it is."""
        with alone(self._folder):
            self._must_be_on_known_ports()
            down = [service for service in self.services if not is_own_and_ready(service)]
            _ports_file(self._folder).write_bytes(msgspec.json.encode(self._ports))
            start_services(down, tell)
            await_services(down, tell)
            endpoints = self.endpoints()
            endpoints_file(self._folder).write_bytes(msgspec.json.encode(endpoints))
        return endpoints

    def _must_be_on_known_ports(self) -> None:
        """Return unless it runs on other ports; StackFault otherwise."""
        known = known_ports(self._folder)
        if known in (None, self._ports) or not any(service.process.find() for service in self.services):
            return
        raise StackFault(
            f"The stack in {self._folder} runs on other ports ({_told(known)}) than the ones given ({_told(self._ports)}); leave the "
            "ports out, or stop it with `scripts/stack down` before it is started on others. Its data stays."
        )

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
        with alone(self._folder):
            return self._down()

    def _down(self) -> list[str]:
        endpoints_file(self._folder).unlink(missing_ok=True)
        return stop_services(self.services)

    def status(self) -> list[ServiceStatus]:
        """Each server, asked now; StackFault where it runs on other ports."""
        self._must_be_on_known_ports()
        return ask_services(self.services)

    def reset(self) -> None:
        """Stop everything and delete data, logs and password; fetched jars stay."""
        with alone(self._folder):
            self._down()
            for service in self.services:
                shutil.rmtree(service.process.folder, ignore_errors=True)
            self.neo4j.password_file.unlink(missing_ok=True)
