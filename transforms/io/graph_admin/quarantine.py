"""Which tenants are in quarantine: as the graph has it, and as this process knows before the graph could be told.

The graph is what counts: a tenant that is released there is taken in again, without a restart. Only where a tenant cannot
even be marked, since somebody holds its lock, does this process keep it aside by itself, until the mark is made.
"""

import functools
import threading
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import structlog

from transforms.io.neo4j.errors import RowRefused, TenantFault
from transforms.io.neo4j.store import process_store
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.neo4j.time_limits import TimeLimits
from transforms.model import quarantine
from transforms.model.graph import TENANT_KEY

_LOG = structlog.get_logger("quarantine")
# A mark is one property of one node: what takes longer waits for a lock, and need not be waited for.
MARK_S: Final = 5.0
# A tenant that could not be marked is left alone for so long: others wait meanwhile.
_MARK_AGAIN_S: Final = 60.0
# Kept in the graph and in every letter.
_CAUSE_CHARACTERS: Final = 300


class MarkStore(Protocol):
    """What keeping marks needs of a store."""

    def ask(self, statement: str, **parameters: Any) -> list[dict[str, Any]]: ...

    def ask_tenant(self, statement: str, client_id: str, timeout_s: float, **parameters: Any) -> list[dict[str, Any]]: ...


class QuarantinedTenant(NamedTuple):
    """A tenant that is in quarantine. at_ms, now_ms: since when, and when that was asked, by the graph server's clock; since 1970."""

    client_id: str
    cause: str
    at_ms: int
    now_ms: int


def read_quarantined(store: MarkStore) -> list[QuarantinedTenant]:
    """The tenants that the graph has in quarantine, in order."""
    rows = store.ask(quarantine.READ_QUARANTINED)
    return [QuarantinedTenant(row[TENANT_KEY], row["reason"] or "", int(row["at"]), int(row["now"])) for row in rows]


def release(store: MarkStore, client_id: str, timeout_s: float = MARK_S) -> bool:
    """Take the mark away; whether there was one. TenantFault where the tenant is locked for so long."""
    return bool(store.ask_tenant(quarantine.RELEASE, client_id, timeout_s))


class Quarantine:
    """Consecutive failures by tenant, and the tenants that this process quarantined. Safe to use from several threads."""

    def __init__(self, store: MarkStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._next_mark: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._here: dict[str, str] = {}
        self._unmarked: set[str] = set()
        self._marking = threading.Lock()

    def succeeded(self, client_id: str) -> None:
        """A transaction of the tenant went through."""
        self._failures.pop(client_id, None)

    def failed(self, client_id: str) -> int:
        """Count a failure that no row explains; how many there were in a row."""
        self._failures[client_id] = failures = self._failures.get(client_id, 0) + 1
        return failures

    def set_aside(self, client_id: str, cause: str) -> None:
        """Set the tenant aside, here at once, and in the graph if that can be."""
        failures = self._failures.pop(client_id, 0)
        self._here[client_id] = cause[:_CAUSE_CHARACTERS]
        self._unmarked.add(client_id)
        self._next_mark.pop(client_id, None)
        _LOG.error("tenant quarantined", client_id=client_id, failures=failures, cause=cause)
        self.mark()

    def mark(self) -> None:
        """Tell the graph of those that it could not be told of before; those whose lock is still held stay for the next time."""
        with self._marking:
            self._unmarked -= {client_id for client_id in sorted(self._unmarked) if self._is_marked(client_id)}

    def _is_marked(self, client_id: str) -> bool:
        if self._clock() < self._next_mark.get(client_id, 0.0):
            return False
        try:
            return bool(self._store.ask_tenant(quarantine.SET_ASIDE, client_id, MARK_S, reason=self._here[client_id]))
        except (RowRefused, TenantFault) as error:
            self._next_mark[client_id] = self._clock() + _MARK_AGAIN_S
            _LOG.warning("tenant is quarantined in this process alone for now", client_id=client_id, detail=str(error))
            return False

    def causes(self, *, released: bool) -> dict[str, str]:
        """The causes of all that are in quarantine, by tenant, as of now.

        released: of those only that this process quarantined itself, whatever the graph has: a replay takes in what is held.
        """
        if released:
            return dict(self._here)
        marked = {one.client_id: one.cause for one in read_quarantined(self._store)}
        return marked | {client_id: self._here[client_id] for client_id in self._unmarked}


@functools.cache
def process_quarantine(target: Neo4jTarget, limits: TimeLimits) -> Quarantine:
    """What all steps of this process share."""
    return Quarantine(process_store(target, limits))
