"""The graph in Neo4j: batches written under the tenant's lock, read back for planning in the same transaction."""

import atexit
import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import neo4j
import structlog
from neo4j.exceptions import DriverError, Neo4jError

from transforms.io.faults import InfrastructureFault
from transforms.io.neo4j.digest import GraphDigest
from transforms.io.neo4j.lock_watch import LockWatch
from transforms.io.neo4j.pages import pages
from transforms.io.neo4j.purge import Ask, end_under_way
from transforms.io.neo4j.spelling import bring_over
from transforms.io.neo4j.target import Neo4jTarget, is_lock_fault, is_out_of_time, is_row_fault, is_transaction_fault
from transforms.io.neo4j.tenant_graph_cache import TENANT_FACTS, TenantGraphCache
from transforms.io.neo4j.tenant_transaction import Mirrored, TenantTransaction, Unsendable
from transforms.io.neo4j.time_limits import DEFAULT_LIMITS, TimeLimits
from transforms.io.unforeseen import unforeseen
from transforms.model import cypher, inspection, quarantine, renaming
from transforms.model.graph import NODES, TENANT_KEY, NodeLabel
from transforms.model.limits import MOST_JOINED
from transforms.planning.facts.changes import Changes, Plan, TooMany, Written
from transforms.planning.facts.mutations import Mutation
from transforms.planning.lifecycle.generations import begun, is_resynced, must_wait
from transforms.planning.merge.plan import plan_batch
from transforms.records.outcomes import NO_TENANT, Outcome
from transforms.records.rejects import Step

SCHEMA_AWAIT_S: Final = 120
# Who ends a purge and begins a generation, where it is no command that somebody gave.
_WRITER: Final = "writer"
# Statements of the job's own: a lease, a mark, a page of a sweep or a purge.
ASK_TIMEOUT_S: Final = 60.0
# Populating a new constraint's index reads all that is there.
SCHEMA_TIMEOUT_S: Final = 600.0
# Locking and loading a tenant is a small part of what a batch may do; no part of a batch has less time.
_LEAST_PART: Final = 0.25
_PROBE: Final = "write probe"
# What stored state raises that is not what the model says: a number where a text should be, a version of another form.
_UNREADABLE: Final = (TypeError, ValueError, LookupError, AttributeError)

_LOG = structlog.get_logger("graph")
T = TypeVar("T")


class RowRefused(Exception):
    """The batch cannot be written for what is in it; the message is the server's or the driver's, without values.

    is_internal: nobody refused it; this job failed at it.
    """

    def __init__(self, said: str, *, is_internal: bool = False) -> None:
        super().__init__(said)
        self.is_internal = is_internal


class _PurgeUnderWay(Exception):
    """The batch holds a life after the purge that is taking the tenant's graph away; nothing of it was written."""


class TenantFault(Exception):
    """A transaction of one tenant failed, for its rows or for none of them; the server may serve the others.

    The message is the cause in a few words, without values. is_internal: the server had no part in it.
    """

    def __init__(self, said: str, *, is_internal: bool = False) -> None:
        super().__init__(said)
        self.is_internal = is_internal


class TenantLocked(TenantFault):
    """The transaction did nothing but wait for a lock that somebody else holds: no row is at fault."""


class TenantOutOfTime(TenantFault):
    """The transaction reached its time limit while it was at work."""


class _Undone(Exception):
    """Ends a transaction that is to leave nothing behind."""


_FORESEEN: Final = (InfrastructureFault, RowRefused, TenantFault, TooMany, _PurgeUnderWay, _Undone)


class Neo4jGraphStore:
    """Writes and reads tenants' graphs. One driver for its life; open and close it with the owner.

    The driver's managed transactions are the only retry layer: what they give up on is a tenant's fault or the
    infrastructure's. Different tenants may be written from several threads at once.

    limits: of a tenant's transaction. Every other transaction has a limit of its own.
    """

    def __init__(self, target: Neo4jTarget, limits: TimeLimits = DEFAULT_LIMITS) -> None:
        self._target = target
        self._limits = limits
        self._unreadable: set[str] = set()
        self._capped: set[str] = set()
        self._driver = target.open()
        self._locks = LockWatch(self._driver, target.database, self._limits.lock_s)
        self._mirrors = TenantGraphCache()

    def close(self) -> None:
        self._locks.close()
        self._driver.close()

    def _session(self) -> neo4j.Session:
        return self._driver.session(database=self._target.database)

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (Neo4jError, DriverError) as error:
            if is_row_fault(error):
                raise RowRefused(f"{getattr(error, 'code', '')}") from error
            raise self._target.fault(error) from error

    def _of_tenant(self, work: Callable[[neo4j.ManagedTransaction], T], timeout_s: float) -> T:
        """A transaction on one tenant: what ends it alone is a TenantFault, a defect of this job a row's fault until it is found."""

        def run() -> T:
            with self._locks.watching() as mark:
                limited = neo4j.unit_of_work({inspection.TRANSACTION_MARK: mark}, timeout_s)(work)
                try:
                    with self._session() as session:
                        return session.execute_write(limited)
                except Neo4jError as error:
                    if is_row_fault(error) or not is_transaction_fault(error):
                        raise
                    raise _tenant_fault(error, self._locks.blocker(mark)) from error
                except Unsendable as error:
                    raise RowRefused(str(error)) from error
                except (*_FORESEEN, DriverError):
                    raise
                except Exception as error:
                    raise RowRefused(unforeseen(error, Step.WRITE).detail, is_internal=True) from error

        return self._guarded(run)

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

    def ask(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run one statement of the model's in a transaction of its own, within `ASK_TIMEOUT_S`; its rows."""

        return self._guarded(lambda: self._in_transaction(lambda ask: ask(statement, **parameters)))

    def transact(self, work: Callable[[Ask], T]) -> T:
        """Run statements that bind nothing of a record's in one transaction, within `ASK_TIMEOUT_S`; what `work` makes of their rows.

        work: is given what runs a statement; may be run again. Whatever the server refuses is an InfrastructureFault.
        """

        try:
            return self._guarded(lambda: self._in_transaction(work))
        except RowRefused as refused:
            raise InfrastructureFault(
                f"Neo4j at {self._target.address} refused a statement of the job's own ({refused}); see its log, then run again."
            ) from refused

    def _in_transaction(self, work: Callable[[Ask], T]) -> T:
        with self._session() as session:
            return session.execute_write(neo4j.unit_of_work(timeout=ASK_TIMEOUT_S)(_asking(work)))

    def ask_tenant(self, statement: str, client_id: str, timeout_s: float, **parameters: Any) -> list[dict[str, Any]]:
        """As `ask`, of one tenant; TenantFault where the server ends the transaction, as after `timeout_s` in front of a lock."""
        return self._of_tenant(_rows_of(statement, {TENANT_KEY: client_id, **parameters}), timeout_s)

    def ensure_schema(self) -> None:
        """Make every constraint and index that is missing, wait until all are online, and bring older graphs over; safe to repeat."""

        def work() -> None:
            with self._session() as session:
                for statement in cypher.schema_statements():
                    session.run(neo4j.Query(statement, timeout=SCHEMA_TIMEOUT_S)).consume()
                session.run(neo4j.Query(cypher.AWAIT_INDEXES, timeout=SCHEMA_TIMEOUT_S), seconds=SCHEMA_AWAIT_S).consume()

        self._guarded(work)
        for row in self.ask(renaming.TENANTS_TO_SPELL):
            self._bring_over(row[TENANT_KEY])

    def _bring_over(self, client_id: str) -> None:
        """One tenant's failure is no other's: what could not be done is tried again by the next run."""

        def ask(statement: str, **parameters: Any) -> list[dict[str, Any]]:
            return self.ask_tenant(statement, client_id, self._limits.transaction_s, **parameters)

        try:
            renamed = bring_over(ask)
        except (RowRefused, TenantFault) as error:
            _LOG.warning("graph not brought over", client_id=client_id, cause=str(error), detail="the next run tries again (docs/adr/024)")
            return
        if renamed:
            _LOG.info("custom resources have their API group in their rid now", client_id=client_id, renamed=renamed)

    def write_batch(self, client_id: str, mutations: Sequence[Mutation], first_seen: int | None = None, part: float = 1.0) -> Written:
        """Write one tenant's batch in one transaction; what it came to, once committed.

        Where the tenant is being purged and the batch holds a life after that, the purge is ended first, so that generations never mix.
        first_seen: when the broker got the first of its records, in milliseconds since 1970; None where it does not say.
        part: of a transaction's time, where the batch is a part of one that was out of time; a quarter is the least.
        Raises RowRefused where the rows are at fault, TenantFault where it may be more of the tenant, InfrastructureFault
        where the server cannot be used; TooMany, with nothing written, where its relationships are to be cut.
        """
        while True:
            try:
                return self._write_batch(client_id, mutations, first_seen, part)
            except _PurgeUnderWay:
                _LOG.info("ending a purge before the new life is written", client_id=client_id)
                end_under_way(_OneTenant(self._of_tenant), client_id, _WRITER)

    def _write_batch(self, client_id: str, mutations: Sequence[Mutation], first_seen: int | None, part: float) -> Written:
        def work(tx: neo4j.ManagedTransaction) -> tuple[int, Plan, int]:
            transaction = TenantTransaction(tx, client_id)
            was, writes = transaction.lock(first_seen)
            if must_wait(was, mutations):
                raise _PurgeUnderWay
            if was.purging:
                # All of it is past; what is being taken away is neither read nor mirrored.
                return writes, Plan(Changes(), [Outcome.SUPERSEDED] * len(mutations)), 0

            def planned() -> Plan:
                known = self._mirrors.get(client_id, writes, len(mutations), transaction.load)
                return plan_batch(transaction if known is None else Mirrored(known, transaction), client_id, mutations, was.floors)

            plan = self._readable(client_id, planned)
            now = begun(was, mutations)
            rows = transaction.write(plan.changes)
            transaction.settle(was, now, _WRITER, is_resynced=is_resynced(now, mutations, plan.outcomes))
            return writes, plan, rows

        try:
            writes, plan, rows = self._of_tenant(work, self._limits.transaction_s * max(part, _LEAST_PART))
        except TooMany:
            # Nothing was written, the count of transactions included: what is mirrored is as true as before.
            raise
        except BaseException:
            self._mirrors.drop(client_id)
            raise
        self._warn_of_caps(client_id, plan.changes)
        self._mirror(client_id, writes, plan.changes)
        return Written(plan.outcomes, rows)

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
            transaction = TenantTransaction(tx, client_id)
            transaction.lock(None)
            self._readable(client_id, lambda: transaction.load(TENANT_FACTS))
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
        found: T = self._of_tenant(_asking(work), ASK_TIMEOUT_S)
        return found


@functools.cache
def process_store(target: Neo4jTarget, limits: TimeLimits) -> Neo4jGraphStore:
    """The store that all writing in this process shares, with its connections and mirrors; open until the process ends."""
    store = Neo4jGraphStore(target, limits)
    atexit.register(store.close)
    return store


def _tenant_fault(error: Neo4jError, blocker: str) -> TenantFault:
    """blocker: what the server said the transaction was blocked by; "" where nobody asked."""
    if blocker or is_lock_fault(error):
        said = f", {blocker[0].lower()}{blocker[1:]}" if blocker else ""
        return TenantLocked(f"another session holds a lock of the tenant's{said} ({error.code})")
    return TenantOutOfTime(str(error.code)) if is_out_of_time(error) else TenantFault(str(error.code))


def _asking(work: Callable[[Ask], T]) -> Callable[[neo4j.ManagedTransaction], T]:
    return lambda tx: work(lambda statement, **parameters: [row.data() for row in tx.run(statement, parameters)])


def _rows_of(statement: str, parameters: dict[str, Any]) -> Callable[[neo4j.ManagedTransaction], list[dict[str, Any]]]:
    return lambda tx: [row.data() for row in tx.run(statement, parameters)]


def _add_label(session: neo4j.Session, client_id: str, node: NodeLabel, digest: GraphDigest) -> None:
    """Add a tenant's nodes of one label, with what begins at them, to its digest."""
    for page in pages(session, cypher.digest_page(node), client_id):
        for one in page:
            if one.counts:
                digest.add_node(node, one.key, one.props)
            for begins in one.out:
                digest.add_relationship(begins.type, node.label, one.key, begins.label, begins.key)
