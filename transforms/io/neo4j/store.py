"""The graph in Neo4j: batches written under the tenant's lock, read back for planning in the same transaction."""

import atexit
import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import neo4j
import structlog

from transforms.io.faults import InfrastructureFault
from transforms.io.neo4j import schema
from transforms.io.neo4j.digest import GraphDigest
from transforms.io.neo4j.errors import NotTogether, RowRefused, TenantFault
from transforms.io.neo4j.pages import pages
from transforms.io.neo4j.purge import Ask, end_under_way
from transforms.io.neo4j.session import ASK_TIMEOUT_S, GraphSession, LeftUndone, asking
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.neo4j.tenant_graph_cache import TENANT_FACTS, TenantGraphCache
from transforms.io.neo4j.tenant_transaction import Locked, Mirrored, TenantReader, TenantsTransaction
from transforms.io.neo4j.time_limits import DEFAULT_LIMITS, TimeLimits
from transforms.io.unforeseen import unforeseen
from transforms.model import cypher, quarantine
from transforms.model.graph import NODES, TENANT_KEY, NodeLabel
from transforms.model.limits import MOST_GROUP_ROWS, MOST_JOINED
from transforms.planning.causes.neighbourhood import wakes
from transforms.planning.facts.changes import Changes, Plan, TenantBatch, TooMany, Written
from transforms.planning.facts.mutations import Mutation
from transforms.planning.lifecycle.generations import begun, is_resynced, must_wait
from transforms.planning.merge.plan import plan_batch
from transforms.records.outcomes import NO_TENANT, Outcome
from transforms.records.rejects import Step

# Who ends a purge and begins a generation, where it is no command that somebody gave.
_WRITER: Final = "writer"
# Locking and loading a tenant is a small part of what a batch may do; no part of a batch has less time.
_LEAST_PART: Final = 0.25
_PROBE: Final = "write probe"
# What stored state raises that is not what the model says: a number where a text should be, a version of another form.
_UNREADABLE: Final = (TypeError, ValueError, LookupError, AttributeError)

_LOG = structlog.get_logger("graph")
T = TypeVar("T")


class _PurgeUnderWay(LeftUndone):
    """The batch holds a life after the purge that is taking the tenant's graph away; nothing of it was written."""


class _Undone(LeftUndone):
    """Ends a transaction that is to leave nothing behind."""


class Neo4jGraphStore(GraphSession):
    """Writes tenants' graphs, a batch or batches of several tenants a transaction, planned under the tenants' locks."""

    def __init__(self, target: Neo4jTarget, limits: TimeLimits = DEFAULT_LIMITS) -> None:
        super().__init__(target, limits)
        self._unreadable: set[str] = set()
        self._capped: set[str] = set()
        self._mirrors = TenantGraphCache()

    def ensure_schema(self) -> None:
        """As `schema.ensure_schema`."""
        schema.ensure_schema(self)

    def create_schema(self) -> None:
        """As `schema.create_schema`."""
        schema.create_schema(self)

    def migrate(self) -> None:
        """As `schema.migrate`."""
        schema.migrate(self)

    def check_version(self) -> int:
        """As `schema.check_version`."""
        return schema.check_version(self)

    def _readable(self, client_id: str, work: Callable[[], T]) -> T:
        """What reads stored state or plans on it: where that cannot be understood, a TenantFault; its traceback is logged once."""
        try:
            return work()
        except _UNREADABLE as error:
            if client_id not in self._unreadable:
                self._unreadable.add(client_id)
                _LOG.exception("stored graph cannot be understood", client_id=client_id)
            said = f"the stored graph cannot be understood ({type(error).__name__}: {error})"[:300]
            raise TenantFault(said, is_internal=True) from error

    def write_batch(self, client_id: str, mutations: Sequence[Mutation], first_seen: int | None = None, part: float = 1.0) -> Written:
        """Write one tenant's batch in one transaction; what it came to, once committed.

        Where the tenant is being purged and the batch holds a life after that, the purge is ended first, so that generations never mix.
        first_seen: as in `TenantBatch`.
        part: of a transaction's time, where the batch is a part of one that was out of time; a quarter is the least.
        Raises RowRefused where the rows are at fault, TenantFault where it may be more of the tenant, InfrastructureFault
        where the server cannot be used; TooMany, with nothing written, where its relationships are to be cut.
        """
        batch = TenantBatch(client_id, mutations, first_seen)
        limits = self._limits._replace(transaction_s=self._limits.transaction_s * max(part, _LEAST_PART))
        while True:
            try:
                return self._write([batch], limits)[0]
            except _PurgeUnderWay:
                _LOG.info("ending a purge before the new life is written", client_id=client_id)
                end_under_way(_OneTenant(self._of_tenant), client_id, _WRITER)

    def write_group(self, batches: Sequence[TenantBatch]) -> list[Written]:
        """Write batches of different tenants in one transaction; what each came to, in their order, once committed.

        Raises NotTogether, with nothing written, where it is known which tenants are to be written alone: one that is being purged, one
        whose stored graph cannot be understood, one with too many relationships. Else as `write_batch`, and any of them may be at fault.
        Nobody's lock is waited for as long as a tenant's own transaction would, nor is anything else: the others are waiting.
        """
        return self._write(batches, self._limits.of_group(len(batches)))

    def _write(self, batches: Sequence[TenantBatch], limits: TimeLimits) -> list[Written]:
        """One batch or several, each of another tenant, in one transaction."""
        by_id = {one.client_id: one for one in sorted(batches, key=lambda one: one.client_id)}

        def work(tx: neo4j.ManagedTransaction) -> tuple[dict[str, Locked], dict[str, Plan], dict[str, int]]:
            transaction = TenantsTransaction(tx)
            locked = transaction.lock({client_id: one.first_seen for client_id, one in by_id.items()})
            plans = self._planned(transaction, by_id, locked)
            rows = transaction.write([(client_id, plan.changes) for client_id, plan in plans.items()])
            transaction.wake([client_id for client_id, plan in plans.items() if locked[client_id].is_quiet and wakes(plan.changes)])
            for client_id, one in by_id.items():
                was, mutations, plan = locked[client_id].generation, one.mutations, plans[client_id]
                if not was.purging:
                    now = begun(was, mutations)
                    is_whole = is_resynced(now, mutations, plan.outcomes)
                    transaction.settle(client_id, was, now, _WRITER, is_resynced=is_whole)
            return locked, plans, rows

        try:
            locked, plans, rows = self._of_tenant(work, limits.transaction_s, limits.lock_s)
        except (TooMany, NotTogether, _PurgeUnderWay):
            # Nothing was written, the count of transactions included: what is mirrored is as true as before.
            raise
        except BaseException:
            for client_id in by_id:
                self._mirrors.drop(client_id)
            raise
        quiet = set()
        for client_id, plan in plans.items():
            self._warn_of_caps(client_id, plan.changes)
            self._mirror(client_id, locked[client_id].writes, plan.changes)
            if locked[client_id].is_quiet and not wakes(plan.changes):
                quiet.add(client_id)
        of = [(one.client_id, plans[one.client_id]) for one in batches]
        return [Written(plan.outcomes, rows[client_id], plan.drift, client_id in quiet) for client_id, plan in of]

    def _planned(
        self, transaction: TenantsTransaction, batches: Mapping[str, TenantBatch], locked: Mapping[str, Locked]
    ) -> dict[str, Plan]:
        """What each batch changes, in the order of the tenants.

        What one batch fails with is raised; of several, NotTogether, or TooMany where they come to more rows than one transaction
        should have.
        """

        def of(one: TenantBatch) -> Callable[[TenantReader], Plan]:
            return lambda reader: self._readable(one.client_id, lambda: self._plan(one, locked[one.client_id], reader))

        found = transaction.planned({client_id: of(one) for client_id, one in batches.items()})
        failed = {client_id: plan for client_id, plan in found.items() if isinstance(plan, Exception)}
        if failed:
            cause = next(iter(failed.values()))
            if len(batches) == 1:
                raise cause
            raise NotTogether(frozenset(failed)) from cause
        plans = {client_id: plan for client_id, plan in found.items() if isinstance(plan, Plan)}
        if len(plans) > 1 and (rows := sum(plan.changes.size for plan in plans.values())) > MOST_GROUP_ROWS:
            raise TooMany(rows)
        return plans

    def _plan(self, batch: TenantBatch, locked: Locked, reader: TenantReader) -> Plan:
        mutations, generation = batch.mutations, locked.generation
        if must_wait(generation, mutations):
            raise _PurgeUnderWay
        if generation.purging:
            # All of it is past; what is being taken away is neither read nor mirrored.
            return Plan(Changes(), [Outcome.BELOW_FLOOR] * len(mutations))
        known = self._mirrors.get(batch.client_id, locked.writes, len(mutations), reader.load)
        return plan_batch(reader if known is None else Mirrored(known, reader), batch.client_id, mutations, generation.floors)

    def _mirror(self, client_id: str, writes: int, changes: Changes) -> None:
        """Keep up what is known of the tenant; what is committed stays so where that fails, and is read anew."""
        try:
            self._mirrors.committed(client_id, writes, changes)
        except Exception as error:  # noqa: BLE001 - the net
            self._mirrors.drop(client_id)
            unforeseen(error, Step.WRITE, client_id=client_id)

    def _warn_of_caps(self, client_id: str, changes: Changes) -> None:
        """Say once of each tenant that its graph joins fewer than select or raise."""
        if client_id in self._capped or not changes.caps:
            return
        self._capped.add(client_id)
        _LOG.warning(
            "more select one pod or raise one alert than are joined",
            client_id=client_id,
            most=MOST_JOINED,
            detail="the first by name are joined, and the property says that there are more; see docs/graph-model.md",
        )

    def probe_tenant(self, client_id: str) -> None:
        """Return where a transaction of the tenant goes through that has no row: lock and load, and nothing is left behind.

        Raises as `write_batch` does. Of a tenant that is too large for a mirror only the lock is tried.
        """

        def work(tx: neo4j.ManagedTransaction) -> None:
            transaction = TenantsTransaction(tx)
            transaction.lock({client_id: None})
            loaded = transaction.planned({client_id: lambda reader: self._readable(client_id, lambda: reader.load(TENANT_FACTS))})
            if isinstance(failed := loaded[client_id], Exception):
                raise failed
            raise _Undone

        with contextlib.suppress(_Undone):
            self._of_tenant(work, self._limits.transaction_s * _LEAST_PART)

    def probe_server(self) -> None:
        """Return where the server takes a write of no tenant's; InfrastructureFault otherwise."""
        try:
            self.ask_tenant(quarantine.TRY_SERVER, NO_TENANT, self._limits.transaction_s, name=_PROBE)
        except (RowRefused, TenantFault) as error:
            raise InfrastructureFault(
                f"Neo4j at {self._target.address} answers and takes no write ({error}); look at its log and its disk, then run again."
            ) from error

    def tenants(self) -> list[str]:
        """The ids of all tenants, sorted."""

        def work() -> list[str]:
            with self._session() as session:
                return [row[TENANT_KEY] for row in session.run(cypher.TENANTS)]

        return self._guarded(work)

    def digest(self, client_id: str) -> GraphDigest:
        """The digest of a tenant's live graph, read page by page in bounded memory.

        Exact where nothing writes the tenant meanwhile.
        """
        digest = GraphDigest()

        def work() -> None:
            with self._session() as session:
                for node in NODES:
                    if node.digest:
                        _add_label(session, client_id, node, digest)

        self._guarded(work)
        return digest


class _OneTenant:
    """Runs what a purge asks of a store as transactions of its tenant: what ends one is that tenant's fault and nobody else's."""

    def __init__(self, of_tenant: Callable[[Callable[[neo4j.ManagedTransaction], Any], float], Any]) -> None:
        self._of_tenant = of_tenant

    def transact(self, work: Callable[[Ask], T]) -> T:
        found: T = self._of_tenant(asking(work), ASK_TIMEOUT_S)
        return found


@functools.cache
def process_store(target: Neo4jTarget, limits: TimeLimits) -> Neo4jGraphStore:
    """The store that all writing in this process shares, with its connections and mirrors; open until the process ends."""
    store = Neo4jGraphStore(target, limits)
    atexit.register(store.close)
    return store


def _add_label(session: neo4j.Session, client_id: str, node: NodeLabel, digest: GraphDigest) -> None:
    """Add a tenant's nodes of one label, with what begins at them, to its digest."""
    for page in pages(session, cypher.digest_page(node), client_id):
        for one in page:
            if one.counts:
                digest.add_node(node, one.key, one.props)
            for begins in one.out:
                digest.add_relationship(begins.type, node.label, one.key, begins.label, begins.key)
