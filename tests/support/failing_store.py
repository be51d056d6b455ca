"""A store whose transactions end as a test says; it enters where the real one does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from transforms.model import quarantine
from transforms.model.graph import TENANT_KEY
from transforms.planning.facts.changes import TenantBatch, Written
from transforms.planning.facts.mutations import Mutation
from transforms.records.outcomes import Outcome

Answer = Exception | None


def _fine(*_: object) -> Answer:
    return None


@dataclass
class FailingStore:
    """Writes fail as `writes` says of the mutations, probes and marks as they say of the tenant; `tried` is what was asked.

    groups: how writing several tenants at once fails; None: as `writes` says of all their mutations.
    """

    writes: Callable[[Sequence[Mutation]], Answer] = _fine
    groups: Callable[[Sequence[TenantBatch]], Answer] | None = None
    probes: Callable[[str], Answer] = _fine
    server: Callable[[], Answer] = _fine
    marks: Callable[[str], Answer] = _fine
    tried: list[str] = field(default_factory=list)
    times: list[int | None] = field(default_factory=list)
    parts: list[float] = field(default_factory=list)
    written: list[Mutation] = field(default_factory=list)
    marked: dict[str, str] = field(default_factory=dict)

    def _answer(self, what: str, answer: Answer) -> None:
        self.tried.append(what)
        if answer is not None:
            raise answer

    def write_batch(self, client_id: str, mutations: Sequence[Mutation], first_seen: int | None = None, part: float = 1.0) -> Written:
        self.parts.append(part)
        self.times.append(first_seen)
        self._answer(f"write {len(mutations)}", self.writes(mutations))
        self.written += mutations
        return Written([Outcome.WRITTEN] * len(mutations), len(mutations))

    def write_group(self, batches: Sequence[TenantBatch]) -> list[Written]:
        mutations = [one for batch in batches for one in batch.mutations]
        self._answer(f"group {' '.join(one.client_id for one in batches)}", self.groups(batches) if self.groups else self.writes(mutations))
        self.times += [one.first_seen for one in batches]
        self.written += mutations
        return [Written([Outcome.WRITTEN] * len(one.mutations), len(one.mutations)) for one in batches]

    def probe_tenant(self, client_id: str) -> None:
        self._answer("probe", self.probes(client_id))

    def probe_server(self) -> None:
        self._answer("server", self.server())

    def ask(self, statement: str, **_parameters: Any) -> list[dict[str, Any]]:
        assert statement == quarantine.READ_QUARANTINED
        return [{TENANT_KEY: client_id, "at": 5, "reason": cause, "now": 7} for client_id, cause in sorted(self.marked.items())]

    def ask_tenant(self, statement: str, client_id: str, timeout_s: float, **parameters: Any) -> list[dict[str, Any]]:
        assert timeout_s > 0
        if statement == quarantine.RELEASE:
            return [{"at": 5}] if self.marked.pop(client_id, None) is not None else []
        assert statement == quarantine.SET_ASIDE
        self._answer("mark", self.marks(client_id))
        self.marked[client_id] = parameters["reason"]
        return [{"at": 5}]
