"""The graph in Neo4j: batches written under the tenant's lock, read back for planning in the same transaction."""

import atexit
import contextlib
import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, TypeVar

import neo4j
import structlog
from neo4j.exceptions import DriverError, Neo4jError

from transforms.io.faults import InfrastructureFault
from transforms.io.graph_digest import GraphDigest
from transforms.io.graph_pages import pages
from transforms.io.graph_purge import Ask, end_under_way
from transforms.io.graph_rows import writes
from transforms.io.neo4j_target import Neo4jTarget, is_row_fault, is_transaction_fault
from transforms.io.tenant_mirrors import TENANT_FACTS, TenantMirrors
from transforms.model import cypher, purge, quarantine
from transforms.model.graph import BETWEEN_RESOURCES, NODES, RESOURCE, TENANT_KEY, VERSION_PROPERTIES, NodeLabel
from transforms.planning.changes import Changes, Plan, Written
from transforms.planning.generations import Generation, begun, generation_of, is_resynced, must_wait
from transforms.planning.known import KnownGraph, node_of
from transforms.planning.mutations import Mutation, ReferrerKey
from transforms.planning.plan import plan_batch
from transforms.planning.stored import StoredEdge, StoredNode, StoredReferrer, StoredTombstone, Triple
from transforms.records.outcomes import NO_TENANT, Outcome

SCHEMA_AWAIT_S: Final = 120
# Who ends a purge and begins a generation, where it is no command that somebody gave.
_WRITER: Final = "writer"
WRITE_TIMEOUT_S: Final = 120.0
# Locking and loading a tenant is a small part of what a batch may do.
_PROBE_PART: Final = 4
_PROBE: Final = "write probe"
# What stored state raises that is not what the model says: a number where a text should be, a version of another form.
_UNREADABLE: Final = (TypeError, ValueError, LookupError, AttributeError)

_LOG = structlog.get_logger("graph")
T = TypeVar("T")


class RowRefused(Exception):
    """Neo4j refused the batch for what is in it; the message is the server's, without values."""


class _PurgeUnderWay(Exception):
    """The batch holds a life after the purge that is taking the tenant's graph away; nothing of it was written."""


class TenantFault(Exception):
    """A transaction of one tenant failed, for its rows or for none of them; the server may serve the others.

    The message is the cause in a few words, without values.
    """


class _Undone(Exception):
    """Ends a transaction that is to leave nothing behind."""


class _Transaction:
    """One tenant's graph within one transaction; answers as `GraphReader` does."""

    def __init__(self, tx: neo4j.ManagedTransaction, client_id: str) -> None:
        self._tx = tx
        self._client_id = client_id

    def _run(self, statement: str, **parameters: Any) -> list[neo4j.Record]:
        return list(self._tx.run(statement, {TENANT_KEY: self._client_id, **parameters}))

    def _by_keys(self, statement: str, keys: Iterable[str]) -> list[neo4j.Record]:
        wanted = sorted(keys)
        return self._run(statement, keys=wanted) if wanted else []

    def lock(self, first_seen: int | None) -> tuple[Generation, int]:
        """Become the tenant's only writer until the transaction ends; the tenant's generation and the transaction's number."""
        row = self._run(cypher.LOCK_TENANT, seen=first_seen)[0]
        return generation_of(row), row["writes"]

    def settle(self, was: Generation, now: Generation, *, is_resynced: bool) -> None:
        """Note that a generation has begun with this transaction, or has come whole."""
        if now != was:
            self._run(purge.BEGIN_GENERATION, from_ms=now.from_ms, by=_WRITER)
        if is_resynced:
            self._run(purge.END_RESYNC)

    def load(self, most: int) -> KnownGraph | None:
        """All of the tenant that planning may ask for; None where that is more than `most` facts."""
        found: list[list[neo4j.Record]] = []
        left = most
        for statement in (cypher.READ_ALL_NODES, cypher.READ_ALL_EDGES, cypher.READ_ALL_TOMBSTONES):
            found.append(self._run(statement, most=left + 1))
            left -= len(found[-1])
            if left < 0:
                return None
        return KnownGraph(map(_node, found[0]), map(_edge, found[1]), map(_tombstone, found[2]))

    def nodes(self, rids: Collection[str]) -> dict[str, StoredNode]:
        rows = self._by_keys(cypher.READ_NODES, rids)
        return {row["rid"]: _node(row) for row in rows}

    def node_props(self, rids: Collection[str]) -> dict[str, dict[str, Any]]:
        left_out = {TENANT_KEY, RESOURCE.key, *VERSION_PROPERTIES}
        rows = self._by_keys(cypher.READ_NODE_PROPS, rids)
        return {row["rid"]: {key: value for key, value in row["props"].items() if key not in left_out} for row in rows}

    def rids_of_uids(self, uids: Collection[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for row in self._by_keys(cypher.READ_RIDS_OF_UIDS, uids):
            found.setdefault(row["uid"], set()).add(row["rid"])
        return found

    def rids_of_kind(self, kind: str) -> set[str]:
        return {row["rid"] for row in self._run(cypher.READ_RIDS_OF_KIND, prefix=f"{kind}:")}

    def tombstones(self, keys: Collection[str]) -> dict[str, StoredTombstone]:
        return {row["key"]: _tombstone(row) for row in self._by_keys(cypher.READ_TOMBSTONES, keys)}

    def tombstones_by_ref(self, refs: Collection[str]) -> list[StoredTombstone]:
        return [_tombstone(row) for row in self._by_keys(cypher.READ_TOMBSTONES_BY_REF, refs)]

    def edges(self, edge_ids: Collection[str]) -> dict[str, StoredEdge]:
        found = (_edge(row) for statement in cypher.READ_EDGES.values() for row in self._by_keys(statement, edge_ids))
        return {edge.edge_id: edge for edge in found}

    def edges_at(self, rids: Collection[str]) -> list[StoredEdge]:
        return [_edge(row) for row in self._by_keys(cypher.READ_EDGES_AT, rids)]

    def edges_of_triples(self, triples: Collection[Triple]) -> dict[Triple, StoredEdge]:
        found: dict[Triple, StoredEdge] = {}
        for relationship in BETWEEN_RESOURCES:
            places = sorted(triple[1:] for triple in triples if triple.type == relationship.type)
            if places:
                rows = [{"source": source, "target": target} for source, target in places]
                edges = map(_edge, self._run(cypher.READ_EDGES_OF_TRIPLES[relationship.type], rows=rows))
                found.update((edge.triple, edge) for edge in edges)
        return found

    def selectors(self, namespaces: Collection[str]) -> dict[str, list[str]]:
        return {row["rid"]: row["pairs"] for row in self._by_keys(cypher.READ_SELECTORS, namespaces)}

    def labels(self, namespaces: Collection[str]) -> dict[str, list[str]]:
        return {row["rid"]: row["pairs"] for row in self._by_keys(cypher.READ_LABELS, namespaces)}

    def referrers(self, label: str, keys: Collection[str]) -> dict[str, StoredReferrer]:
        return {row["key"]: _referrer(label, row) for row in self._by_keys(cypher.READ_REFERRERS[label], keys)}

    def referrers_of_subjects(self, label: str, rids: Collection[str]) -> list[StoredReferrer]:
        return [_referrer(label, row) for row in self._by_keys(cypher.READ_REFERRERS_OF_SUBJECTS[label], rids)]

    def alerting(self, label: str, alerts: Collection[str]) -> list[tuple[str, str]]:
        return [(row["key"], row["alert"]) for row in self._by_keys(cypher.READ_ALERTING[label], alerts)]

    def write(self, changes: Changes) -> int:
        """Write the changes, and note in them which stubs are gone; the number of rows."""
        rows = 0
        for one in writes(self._client_id, changes):
            if one.values:
                rows += len(one.values)
                answer = self._run(one.statement, **{one.parameter: one.values})
                if one.statement == cypher.PRUNE_STUB:
                    changes.pruned = {row["rid"] for row in answer}
        return rows


class _Mirrored:
    """A tenant's graph by its mirror; what the mirror does not keep is read in the transaction."""

    def __init__(self, known: KnownGraph, transaction: _Transaction) -> None:
        self.nodes = known.nodes
        self.rids_of_uids = known.rids_of_uids
        self.rids_of_kind = known.rids_of_kind
        self.tombstones = known.tombstones
        self.tombstones_by_ref = known.tombstones_by_ref
        self.edges = known.edges
        self.edges_at = known.edges_at
        self.edges_of_triples = known.edges_of_triples
        self.selectors = known.selectors
        self.labels = known.labels
        self.node_props = transaction.node_props
        self.referrers = transaction.referrers
        self.referrers_of_subjects = transaction.referrers_of_subjects
        self.alerting = transaction.alerting


def _node(row: neo4j.Record) -> StoredNode:
    return node_of(row["rid"], dict(row))


def _tombstone(row: neo4j.Record) -> StoredTombstone:
    refs = tuple(ref for ref in (row["ref_a"], row["ref_b"]) if ref is not None)
    return StoredTombstone(row["key"], row["ver"], bytes(row["payload"] or b""), refs)


def _edge(row: neo4j.Record) -> StoredEdge:
    triple = Triple(row["type"], row["source"], row["target"])
    return StoredEdge(triple, row["edge_id"] or "", row["ver"] or "", bool(row["derived"]))


def _referrer(label: str, row: neo4j.Record) -> StoredReferrer:
    more = (bytes(row["seen"] or b""), row["alert"] or "")
    return StoredReferrer(ReferrerKey(label, row["key"]), row["ver"], bytes(row["hash"]), row["subject"] or "", row["stands"], *more)


class Neo4jGraphStore:
    """Writes and reads tenants' graphs. One driver for its life; open and close it with the owner.

    The driver's managed transactions are the only retry layer: what they give up on is a tenant's fault or the
    infrastructure's. Different tenants may be written from several threads at once.

    write_timeout_s: when the server ends a tenant's transaction, also one that waits for a lock.
    """

    def __init__(self, target: Neo4jTarget, write_timeout_s: float = WRITE_TIMEOUT_S) -> None:
        self._target = target
        self._write_timeout_s = write_timeout_s
        self._unreadable: set[str] = set()
        self._driver = target.open()
        self._mirrors = TenantMirrors()

    def close(self) -> None:
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
        """A transaction on one tenant: what ends it alone is a TenantFault."""

        def run() -> T:
            try:
                with self._session() as session:
                    return session.execute_write(neo4j.unit_of_work(timeout=timeout_s)(work))
            except Neo4jError as error:
                if is_row_fault(error) or not is_transaction_fault(error):
                    raise
                raise TenantFault(str(error.code)) from error

        return self._guarded(run)

    def _readable(self, client_id: str, work: Callable[[], T]) -> T:
        """What reads stored state or plans on it: where that cannot be understood, a TenantFault; its traceback is logged once."""
        try:
            return work()
        except _UNREADABLE as error:
            if client_id not in self._unreadable:
                self._unreadable.add(client_id)
                _LOG.exception("stored graph cannot be understood", client_id=client_id)
            raise TenantFault(f"the stored graph cannot be understood ({type(error).__name__}: {error})"[:300]) from error

    def ask(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run one statement of the model's in a transaction of its own; its rows."""

        return self._guarded(lambda: self._in_transaction(lambda ask: ask(statement, **parameters)))

    def transact(self, work: Callable[[Ask], T]) -> T:
        """Run statements that bind nothing of a record's in one transaction; what `work` makes of their rows.

        work: is given what runs a statement; may be run again. Whatever the server refuses is an InfrastructureFault.
        """

        try:
            return self._guarded(lambda: self._in_transaction(work))
        except RowRefused as refused:
            raise InfrastructureFault(
                f"Neo4j at {self._target.uri} refused a statement of the job's own ({refused}); see its log, then run again."
            ) from refused

    def _in_transaction(self, work: Callable[[Ask], T]) -> T:
        def run(tx: neo4j.ManagedTransaction) -> T:
            return work(lambda statement, **parameters: [row.data() for row in tx.run(statement, parameters)])

        with self._session() as session:
            return session.execute_write(run)

    def ask_tenant(self, statement: str, client_id: str, timeout_s: float, **parameters: Any) -> list[dict[str, Any]]:
        """As `ask`, of one tenant; TenantFault where the server ends the transaction, as after `timeout_s` in front of a lock."""
        return self._of_tenant(_rows_of(statement, {TENANT_KEY: client_id, **parameters}), timeout_s)

    def ensure_schema(self) -> None:
        """Make every constraint and index that is missing, and wait until all are online; safe to repeat."""

        def work() -> None:
            with self._session() as session:
                for statement in cypher.schema_statements():
                    session.run(statement).consume()
                session.run(cypher.AWAIT_INDEXES, seconds=SCHEMA_AWAIT_S).consume()

        self._guarded(work)

    def write_batch(self, client_id: str, mutations: Sequence[Mutation], first_seen: int | None = None) -> Written:
        """Write one tenant's batch in one transaction; what it came to, once committed.

        Where the tenant is being purged and the batch holds a life after that, the purge is ended first, so that generations never mix.
        first_seen: when the broker got the first of its records, in milliseconds since 1970; None where it does not say.
        Raises RowRefused where the rows are at fault, TenantFault where it may be more of the tenant, InfrastructureFault
        where the server cannot be used.
        """
        while True:
            try:
                return self._write_batch(client_id, mutations, first_seen)
            except _PurgeUnderWay:
                _LOG.info("ending a purge before the new life is written", client_id=client_id)
                end_under_way(self, client_id, _WRITER)

    def _write_batch(self, client_id: str, mutations: Sequence[Mutation], first_seen: int | None) -> Written:
        def work(tx: neo4j.ManagedTransaction) -> tuple[int, Plan, int]:
            transaction = _Transaction(tx, client_id)
            was, writes = transaction.lock(first_seen)
            if must_wait(was, mutations):
                raise _PurgeUnderWay
            if was.purging:
                # All of it is past; what is being taken away is neither read nor mirrored.
                return writes, Plan(Changes(), [Outcome.SUPERSEDED] * len(mutations)), 0

            def planned() -> Plan:
                known = self._mirrors.get(client_id, writes, transaction.load)
                return plan_batch(transaction if known is None else _Mirrored(known, transaction), client_id, mutations, was.floors)

            plan = self._readable(client_id, planned)
            now = begun(was, mutations)
            rows = transaction.write(plan.changes)
            transaction.settle(was, now, is_resynced=is_resynced(now, mutations, plan.outcomes))
            return writes, plan, rows

        try:
            writes, plan, rows = self._of_tenant(work, self._write_timeout_s)
        except BaseException:
            self._mirrors.drop(client_id)
            raise
        self._mirrors.committed(client_id, writes, plan.changes)
        return Written(plan.outcomes, rows)

    def probe_tenant(self, client_id: str) -> None:
        """Return where a transaction of the tenant goes through that has no row: lock and load, and nothing is left behind.

        Raises as `write_batch` does. Of a tenant that is too large for a mirror only the lock is tried.
        """

        def work(tx: neo4j.ManagedTransaction) -> None:
            transaction = _Transaction(tx, client_id)
            transaction.lock(None)
            self._readable(client_id, lambda: transaction.load(TENANT_FACTS))
            raise _Undone

        with contextlib.suppress(_Undone):
            self._of_tenant(work, self._write_timeout_s / _PROBE_PART)

    def probe_server(self) -> None:
        """Return where the server takes a write of no tenant's; InfrastructureFault otherwise."""
        try:
            self.ask_tenant(quarantine.TRY_SERVER, NO_TENANT, self._write_timeout_s, name=_PROBE)
        except (RowRefused, TenantFault) as error:
            raise InfrastructureFault(
                f"Neo4j at {self._target.uri} answers and takes no write ({error}); see its log, and the room on its disk, then run again."
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


@functools.cache
def process_store(target: Neo4jTarget, write_timeout_s: float = WRITE_TIMEOUT_S) -> Neo4jGraphStore:
    """The store that all writing in this process shares, with its connections and mirrors; open until the process ends."""
    store = Neo4jGraphStore(target, write_timeout_s)
    atexit.register(store.close)
    return store


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
