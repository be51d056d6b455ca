"""Mirrors of tenants' stored graphs in this process, so that writing need not read back what it wrote itself.

A mirror is used only while it is proven to be true: every transaction on a tenant counts up the number `writes` on its
`:Cluster` under the tenant's lock, so a mirror of number n is exact for the transaction that is given n + 1, and for no
other. Whoever else writes the tenant makes the mirror stale, which costs reads and never correctness.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from transforms.planning.changes import Changes
from transforms.planning.known import KnownGraph

# About 1 KiB each; a process holds at most so many facts of all its tenants, and of one at most a quarter of them.
MOST_FACTS: Final = 120_000
TENANT_FACTS: Final = MOST_FACTS // 4
_IDLE_S: Final = 600.0


@dataclass(slots=True)
class _Mirror:
    graph: KnownGraph
    writes: int
    used: float


class TenantMirrors:
    """Mirrors by tenant. Safe to use from several threads."""

    def __init__(self, most_facts: int = MOST_FACTS, tenant_facts: int = TENANT_FACTS) -> None:
        self._most_facts = most_facts
        self._tenant_facts = tenant_facts
        self._mirrors: dict[str, _Mirror] = {}
        self._seen: set[str] = set()
        self._too_large: set[str] = set()
        self._lock = threading.Lock()

    def get(self, client_id: str, writes: int, load: Callable[[int], KnownGraph | None]) -> KnownGraph | None:
        """The tenant's graph as it is in the transaction that counted `writes`; None: read what you need.

        load: reads the whole tenant, None where it has more facts than its argument. Asked only for a tenant that comes
        a second time: most of what a process reads of a tenant once, it does not need again.
        """
        with self._lock:
            mirror = self._mirrors.get(client_id)
            if mirror is not None and mirror.writes + 1 == writes:
                mirror.used = time.monotonic()
                return mirror.graph
            self._mirrors.pop(client_id, None)
            if writes == 1:
                return self._hold(client_id, KnownGraph(), writes)
            is_first = client_id not in self._seen
            self._seen.add(client_id)
            if is_first or client_id in self._too_large or self._room() <= 0:
                return None
            room = min(self._tenant_facts, self._room())
        graph = load(room)
        with self._lock:
            if graph is None:
                self._too_large.add(client_id)
                return None
            return self._hold(client_id, graph, writes)

    def _hold(self, client_id: str, graph: KnownGraph, writes: int) -> KnownGraph:
        self._mirrors[client_id] = _Mirror(graph, writes - 1, time.monotonic())
        return graph

    def _room(self) -> int:
        """How many more facts may be held; mirrors that nobody used for long make place."""
        held = sum(len(mirror.graph) for mirror in self._mirrors.values())
        if held >= self._most_facts:
            limit = time.monotonic() - _IDLE_S
            self._mirrors = {client_id: mirror for client_id, mirror in self._mirrors.items() if mirror.used > limit}
            held = sum(len(mirror.graph) for mirror in self._mirrors.values())
        return self._most_facts - held

    def committed(self, client_id: str, writes: int, changes: Changes) -> None:
        """Take in what the transaction that counted `writes` has committed."""
        with self._lock:
            mirror = self._mirrors.get(client_id)
            if mirror is None:
                return
            if mirror.writes + 1 != writes:
                del self._mirrors[client_id]
                return
            mirror.graph.write(changes)
            mirror.writes = writes
            if len(mirror.graph) > self._tenant_facts:
                self._too_large.add(client_id)
                del self._mirrors[client_id]

    def drop(self, client_id: str) -> None:
        """Forget a tenant: a transaction failed, and what became of it is not known."""
        with self._lock:
            self._mirrors.pop(client_id, None)
