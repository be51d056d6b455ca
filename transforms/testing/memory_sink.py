"""A graph in this process to run the whole flow on: its store, its marks of quarantine, its registry of tenants."""

import time
from dataclasses import dataclass
from typing import Any

from transforms.io.graph_admin.quarantine import Quarantine
from transforms.io.neo4j.time_limits import TimeLimits
from transforms.model import quarantine
from transforms.model.graph import TENANT_KEY
from transforms.planning.lifecycle.liveness import Limits
from transforms.records.liveness_signals import LivenessSignals, Registered
from transforms.records.tenancy.directory import ClusterEntry, Directory, directory_of
from transforms.testing.memory_graph import MemoryGraphStore
from transforms.testing.memory_incidents import MemoryIncidents


class MemoryStore(MemoryGraphStore):
    """The store with all that the flow asks of one; nothing in it is ever locked or refused."""

    def __init__(self) -> None:
        super().__init__()
        self.marks: dict[str, str] = {}
        self.has_schema = False

    def probe_tenant(self, client_id: str) -> None:
        """It can be written."""

    def probe_server(self) -> None:
        """It answers."""

    def ensure_schema(self) -> None:
        self.has_schema = True

    def ask(self, statement: str, **_parameters: Any) -> list[dict[str, Any]]:
        """The tenants in quarantine; no other statement is understood."""
        assert statement == quarantine.READ_QUARANTINED
        return [{TENANT_KEY: client_id, "at": 0, "reason": cause, "now": 0} for client_id, cause in sorted(self.marks.items())]

    def ask_tenant(self, statement: str, client_id: str, timeout_s: float, **parameters: Any) -> list[dict[str, Any]]:
        """Mark a tenant, or take its mark away; no other statement is understood."""
        assert timeout_s > 0
        if statement == quarantine.RELEASE:
            return [{"at": 0}] if self.marks.pop(client_id, None) is not None else []
        assert statement == quarantine.SET_ASIDE
        self.marks[client_id] = parameters["reason"]
        return [{"at": 0}]


class MemoryTenants:
    """The registry of tenants: whoever was heard is known, and the newest word of a registration counts."""

    def __init__(self) -> None:
        self._created_ms: dict[str, int] = {}
        self.registered: dict[str, Registered] = {}

    def directory(self) -> Directory:
        return directory_of((self._entry(one, at) for one, at in self._created_ms.items()), _now_ms())

    def _entry(self, client_id: str, created_ms: int) -> ClusterEntry:
        said = self.registered.get(client_id)
        body = said.registration if said else None
        return ClusterEntry(client_id, body is not None, (body.cluster or "") if body else "", created_ms)

    def take_in(self, signs: LivenessSignals, limits: Limits) -> set[str]:
        del limits
        for client_id in {*signs.seen, *signs.greeted}:
            self._created_ms.setdefault(client_id, _now_ms())
        for client_id, said in signs.registered.items():
            known = self.registered.get(client_id)
            if known is None or said.ver > known.ver:
                self.registered[client_id] = said
        return set()


class MemoryGraph:
    """What equal sinks share."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.quarantine = Quarantine(self.store)
        self.tenants = MemoryTenants()


_GRAPHS: dict[str, MemoryGraph] = {}


@dataclass(frozen=True, slots=True)
class MemorySink:
    """A graph in this process by its name: a runner that works elsewhere has another one."""

    name: str

    @property
    def graph(self) -> MemoryGraph:
        return _GRAPHS.setdefault(self.name, MemoryGraph())

    def clear(self) -> None:
        """Begin with an empty graph."""
        _GRAPHS.pop(self.name, None)

    def store(self, limits: TimeLimits) -> MemoryStore:
        del limits
        return self.graph.store

    def quarantine(self, limits: TimeLimits) -> Quarantine:
        del limits
        return self.graph.quarantine

    def tenants(self) -> MemoryTenants:
        return self.graph.tenants

    def incidents(self, limits: TimeLimits) -> MemoryIncidents:
        del limits
        return MemoryIncidents(self.graph.store)


def _now_ms() -> int:
    return int(time.time() * 1000)
