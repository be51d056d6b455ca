"""One run per consumer group: a lease in the graph, renewed while the run goes on, judged by the server's clock.

The graph is right without it, since each tenant has one writer at a time; the lease spares two runs from reading the
same records and from committing past each other.
"""

import os
import socket
import threading
import time
from types import TracebackType
from typing import Any, Final, NamedTuple

import psutil
import structlog

from transforms.io.faults import InfrastructureFault
from transforms.io.neo4j_graph import Neo4jGraphStore
from transforms.model import cypher
from transforms.model.graph import TENANT_KEY
from transforms.records.outcomes import NO_TENANT

_LOG = structlog.get_logger("lease")
_RENEWALS: Final = 3
_LOOK_S: Final = 1.0


class Holder(NamedTuple):
    """A process that may hold a lease; told from another of the same number by when it started."""

    host: str
    pid: int
    started: int

    def __str__(self) -> str:
        return f"{self.host} pid {self.pid} started {self.started}"

    @classmethod
    def of_this_process(cls) -> "Holder":
        return cls(socket.gethostname(), os.getpid(), int(psutil.Process().create_time()))


def is_dead_here(text: str) -> bool:
    """True for a holder on this machine whose process is no more; False where that cannot be known."""
    match text.split(" "):
        case [host, "pid", pid, "started", started] if host == socket.gethostname():
            try:
                return int(psutil.Process(int(pid)).create_time()) != int(started)
            except psutil.NoSuchProcess:
                return True
            except psutil.Error:
                return False
    return False


class Lease:
    """The right to be the run of `group`, held from `__enter__` to `__exit__` and renewed in between.

    A holder that died is followed at once on the same machine, elsewhere when its lease has run out.
    ttl_s: how long the lease lasts unrenewed.
    """

    def __init__(self, store: Neo4jGraphStore, group: str, ttl_s: float) -> None:
        self._store = store
        self._group = group
        self._ttl_s = ttl_s
        self._holder = str(Holder.of_this_process())
        self._renewed = 0.0
        self._taken_by = ""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> "Lease":
        self._acquire()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        try:
            self._store.ask(cypher.DROP_LEASE, **self._key(), holder=self._holder)
        except InfrastructureFault:
            _LOG.warning("lease left to run out", group=self._group, seconds=self._ttl_s)

    def _key(self) -> dict[str, str]:
        return {TENANT_KEY: NO_TENANT, "name": self._group}

    def _take(self, replaces: str = "") -> dict[str, Any]:
        asked = time.monotonic()
        (found,) = self._store.ask(
            cypher.TAKE_LEASE, **self._key(), holder=self._holder, replaces=replaces or self._holder, ttl_ms=int(self._ttl_s * 1000)
        )
        if found["free"]:
            self._renewed = asked
        return found

    def _acquire(self) -> None:
        """Take the lease, or wait until whoever holds it has renewed it (and lives) or lets it run out."""
        found = self._take()
        if not found["free"] and is_dead_here(found["holder"]):
            found = self._take(replaces=found["holder"])
        seen = found["expires"]
        while not found["free"]:
            if found["expires"] != seen:
                raise InfrastructureFault(
                    f"Another run of the consumer group {self._group} is at work ({found['holder']}); stop it, wait for its end, "
                    "or give this run another --kafka_group."
                )
            _LOG.info("waiting for the lease", group=self._group, holder=found["holder"], seconds=found["left_ms"] / 1000)
            time.sleep(min(_LOOK_S, max(found["left_ms"] / 1000, 0.05)))
            found = self._take()

    def _keep(self) -> None:
        while not self._done.wait(self._ttl_s / _RENEWALS):
            try:
                found = self._take()
            except InfrastructureFault:
                continue
            if not found["free"]:
                self._taken_by = found["holder"]
                return

    def check(self) -> None:
        """Return while the lease is held; InfrastructureFault once another run may have taken it."""
        if not self._taken_by and time.monotonic() - self._renewed > self._ttl_s:
            found = self._take()
            self._taken_by = "" if found["free"] else found["holder"]
        if self._taken_by:
            raise InfrastructureFault(
                f"The lease of the consumer group {self._group} went to another run ({self._taken_by}) while this one was held up; "
                "nothing of this slice was committed: let one of them go on."
            )
