"""Servers of this machine that belong together: started, stopped and asked as one, by one command at a time."""

import fcntl
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from rich.table import Table

from runners.local.java import find_jdk
from runners.local.process import ServiceProcess, require_free_port

HOST: Final = "127.0.0.1"
_READY_S: Final = 120.0
# Takes a sentence on how far it is.
Tell = Callable[[str], None]


def _untold(_said: str) -> None:
    """Nobody wants to know."""


class Service(Protocol):
    """A server, with its ports by the flags that set them."""

    process: ServiceProcess
    ports: dict[str, int]

    def start(self) -> None: ...

    def is_ready(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What is known of one server; pid None: not running."""

    name: str
    ports: tuple[int, ...]
    pid: int | None
    ready: bool
    log: Path


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Two commands on one folder go one after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def free_ports(number: int) -> list[int]:
    """Ports of loopback that were free a moment ago."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]


def is_own_and_ready(service: Service) -> bool:
    """Whether it answers, and what answers on its ports is the process that was started, and no other's."""
    return service.process.listens_on(service.ports.values()) and service.is_ready()


def start_services(services: Sequence[Service], tell: Tell = _untold) -> None:
    """Start them anew, once every port is known to be free; does not wait. Raises StackFault. tell: told of each."""
    if services:
        find_jdk()
    stop_services(services)
    for service in services:
        for flag, port in service.ports.items():
            require_free_port(service.process.name, port, flag)
    for service in services:
        tell(f"Starting {service.process.name} (what it needs is fetched first, where it is not there) …")
        service.start()


def await_services(services: Sequence[Service], tell: Tell = _untold) -> None:
    """Return when each answers; StackFault where one does not. tell: told of each that answers."""
    began = time.monotonic()

    def wait(service: Service) -> None:
        service.process.await_ready(lambda: is_own_and_ready(service), _READY_S)
        tell(f"{service.process.name} answers, {time.monotonic() - began:.0f} s after its start.")

    if services:
        with ThreadPoolExecutor(len(services)) as pool:
            list(pool.map(wait, services))


def stop_services(services: Sequence[Service]) -> list[str]:
    """Stop those that run; their names. No process of any is left."""
    if not services:
        return []
    with ThreadPoolExecutor(len(services)) as pool:
        stopped = list(pool.map(lambda service: service.process.stop(), services))
    return [service.process.name for service, was_up in zip(services, stopped, strict=True) if was_up]


def ask_services(services: Iterable[Service]) -> list[ServiceStatus]:
    """Each server, asked now."""
    found = []
    for service in services:
        process = service.process.find()
        ready = is_own_and_ready(service)
        ports = tuple(service.ports.values())
        found.append(ServiceStatus(service.process.name, ports, process.pid if process else None, ready, service.process.log))
    return found


def status_table(called: str, found: Iterable[ServiceStatus]) -> Table:
    """A line each. called: what such a server is, as the heading says it."""
    table = Table(called, "ports", "pid", "answers", "log")
    for one in found:
        ports = ", ".join(map(str, one.ports)) or "-"
        table.add_row(one.name, ports, str(one.pid or "-"), "yes" if one.ready else "no", str(one.log))
    return table
