"""Where the flow writes: the graph, the marks of quarantine and the registry of tenants, which all steps of a process share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from transforms.io.graph_admin.quarantine import Quarantine, process_quarantine
from transforms.io.graph_admin.tenant_registry import process_tenant_registry
from transforms.io.incident_analyst import Incidents
from transforms.io.neo4j.incident_store import IncidentStore
from transforms.io.neo4j.store import process_store
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.neo4j.time_limits import TimeLimits
from transforms.planning.facts.changes import TenantBatch, Written
from transforms.planning.facts.mutations import Mutation
from transforms.planning.lifecycle.liveness import Limits
from transforms.records.commands import CommandTarget
from transforms.records.liveness_signals import LivenessSignals
from transforms.records.tenancy.directory import Directory


class BatchStore(Protocol):
    """What writing needs of a store. All raise RowRefused where rows are at fault, TenantFault where it may be more of the tenant.

    Writing raises TooMany, too, with nothing written, where it comes to more relationships or rows than a transaction should have;
    `write_group` NotTogether, likewise, where it is known which of the tenants are to be written alone.
    """

    def write_batch(self, client_id: str, mutations: Sequence[Mutation], first_seen: int | None = None, part: float = 1.0) -> Written: ...

    def write_group(self, batches: Sequence[TenantBatch]) -> list[Written]:
        """Write batches of different tenants in one transaction; what each came to, in their order."""
        ...

    def probe_tenant(self, client_id: str) -> None: ...

    def probe_server(self) -> None: ...


class GraphStore(BatchStore, CommandTarget, Protocol):
    """What the flow needs of a store."""


class TenantBook(Protocol):
    """What the flow needs of the registry of tenants; both raise InfrastructureFault where it cannot be used."""

    def directory(self) -> Directory:
        """What is known of all tenants now."""
        ...

    def take_in(self, signs: LivenessSignals, limits: Limits) -> set[str]:
        """Write what was heard; the tenants that are locked, of which nothing could be written."""
        ...


class GraphSink(Protocol):
    """A graph to write to. It travels to workers by pickling; equal sinks share what they open in a process."""

    def store(self, limits: TimeLimits) -> GraphStore: ...

    def quarantine(self, limits: TimeLimits) -> Quarantine: ...

    def tenants(self) -> TenantBook: ...

    def incidents(self, limits: TimeLimits) -> Incidents: ...


@dataclass(frozen=True, slots=True)
class Neo4jSink:
    """The graph in Neo4j."""

    target: Neo4jTarget

    def store(self, limits: TimeLimits) -> GraphStore:
        return process_store(self.target, limits)

    def quarantine(self, limits: TimeLimits) -> Quarantine:
        return process_quarantine(self.target, limits)

    def tenants(self) -> TenantBook:
        return process_tenant_registry(self.target)

    def incidents(self, limits: TimeLimits) -> Incidents:
        return IncidentStore(process_store(self.target, limits))
