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

from transforms.planning.facts.changes import Changes
from transforms.planning.merge.tenant_graph import KnownGraph

# About 1 KiB each; a process holds at most so many facts of all its tenants, and of one at most half of them.
MOST_FACTS: Final = 250_000
TENANT_FACTS: Final = MOST_FACTS // 2
_IDLE_S: Final = 600.0
# To read a tenant whole costs as much as to read so many times fewer rows of it one by one; below the least it always pays.
_FACTS_PER_ROW: Final = 8
_LEAST_FACTS: Final = 5_000


@dataclass(slots=True)
class _Mirror:
    graph: KnownGraph
    writes: int
    used: float
    facts: int


class TenantGraphCache:
    """Mirrors by tenant. Safe to use from several threads."""

    def __init__(self, most_facts: int = MOST_FACTS, tenant_facts: int = TENANT_FACTS) -> None:
        self._most_facts = most_facts
        self._tenant_facts = tenant_facts
        self._mirrors: dict[str, _Mirror] = {}
        self._rows: dict[str, int] = {}
        self._tried: dict[str, int] = {}
        # Facts of all mirrors, and those that are being read for more of them: counted as they come and go.
        self._facts = 0
        self._promised = 0
        self._lock = threading.Lock()

    def get(self, client_id: str, writes: int, rows: int, load: Callable[[int], KnownGraph | None]) -> KnownGraph | None:
        """The tenant's graph as it is in the transaction that counted `writes`; None: read what you need.

        rows: that the transaction has. load: reads the whole tenant, None where it has more facts than its argument. Asked
        only for a tenant that comes a second time, and only for as many facts as the rows so far would have been worth: most
        of what a process reads of a tenant once, it does not need again.
        """
        with self._lock:
            mirror = self._mirrors.get(client_id)
            if mirror is not None and mirror.writes + 1 == writes:
                mirror.used = time.monotonic()
                return mirror.graph
            self._forget(client_id)
            if writes == 1:
                return self._hold(client_id, KnownGraph(), writes)
            most = self._worth(client_id, rows)
            self._promised += most
        graph = None
        try:
            graph = load(most) if most else None
        finally:
            with self._lock:
                self._promised -= most
        with self._lock:
            if graph is None:
                self._tried[client_id] = max(most, self._tried.get(client_id, 0))
                return None
            return self._hold(client_id, graph, writes)

    def _worth(self, client_id: str, rows: int) -> int:
        """How many facts may be read for the tenant now; 0: it does not pay, or was tried in vain with about as many."""
        before = self._rows.get(client_id, 0)
        self._rows[client_id] = before + rows
        most = min(self._tenant_facts, self._room())
        worth = min(max((before + rows) * _FACTS_PER_ROW, _LEAST_FACTS), most)
        tried = self._tried.get(client_id, 0)
        is_news = worth >= 2 * tried or worth == self._tenant_facts > tried
        return worth if before and worth > 0 and is_news else 0

    def _hold(self, client_id: str, graph: KnownGraph, writes: int) -> KnownGraph:
        self._forget(client_id)
        self._mirrors[client_id] = _Mirror(graph, writes - 1, time.monotonic(), len(graph))
        self._facts += len(graph)
        return graph

    def _forget(self, client_id: str) -> None:
        mirror = self._mirrors.pop(client_id, None)
        if mirror is not None:
            self._facts -= mirror.facts

    def _room(self) -> int:
        """How many more facts may be held; mirrors that nobody used for long make place."""
        if self._facts + self._promised >= self._most_facts:
            limit = time.monotonic() - _IDLE_S
            for client_id in [client_id for client_id, mirror in self._mirrors.items() if mirror.used <= limit]:
                self._forget(client_id)
        return self._most_facts - self._facts - self._promised

    def committed(self, client_id: str, writes: int, changes: Changes) -> None:
        """Take in what the transaction that counted `writes` has committed."""
        with self._lock:
            mirror = self._mirrors.get(client_id)
            if mirror is None:
                return
            if mirror.writes + 1 != writes:
                self._forget(client_id)
                return
            mirror.graph.write(changes)
            mirror.writes = writes
            self._facts += len(mirror.graph) - mirror.facts
            mirror.facts = len(mirror.graph)
            if mirror.facts > self._tenant_facts:
                self._tried[client_id] = self._tenant_facts
                self._forget(client_id)
            elif self._room() < 0:
                # It is read back where it is needed; to forget another one would only move that.
                self._forget(client_id)

    def drop(self, client_id: str) -> None:
        """Forget a tenant: a transaction failed, and what became of it is not known."""
        with self._lock:
            self._forget(client_id)
