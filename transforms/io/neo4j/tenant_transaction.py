"""Several tenants' graphs within one transaction: locked, read for planning, written."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any, Final, NamedTuple, TypeVar

import neo4j
from neo4j.time import DateTime

from transforms.io.neo4j.rounds import Ask, Question, Rows, by_tenant, in_rounds, merged
from transforms.io.neo4j.rows import together, tombstone_of
from transforms.model import cypher, purge
from transforms.model.graph import BETWEEN_RESOURCES, CAPPED_PROPERTIES, QUIET, RESOURCE, TENANT_KEY, VERSION_PROPERTIES
from transforms.planning.facts.changes import Changes
from transforms.planning.facts.mutations import ReferrerKey
from transforms.planning.facts.stored import StoredEdge, StoredNode, StoredReferrer, StoredTombstone, Triple
from transforms.planning.lifecycle.generations import Generation, generation_of
from transforms.planning.merge.tenant_graph import LIFE, KnownGraph, hidden_rids, node_of

T = TypeVar("T")


class Unsendable(Exception):
    """The driver cannot send a value of the batch; the message is why, without values."""


# What the driver raises for a value that its protocol has no form for: an integer beyond 64 bits, text that is no UTF-8, a type.
_UNSENDABLE: Final = (OverflowError, ValueError, TypeError)


class Locked(NamedTuple):
    """A tenant under its lock: its generation, the number of the transaction among those on it, and whether it is quiet."""

    generation: Generation
    writes: int
    is_quiet: bool = False


class TenantsTransaction:
    """Graphs of tenants within one transaction."""

    def __init__(self, tx: neo4j.ManagedTransaction) -> None:
        self._tx = tx

    def _run(self, statement: str, **parameters: Any) -> list[neo4j.Record]:
        try:
            result = self._tx.run(statement, parameters)
        except _UNSENDABLE as error:
            raise Unsendable(f"the driver cannot send a value ({type(error).__name__})") from error
        return list(result)

    def lock(self, first_seen: Mapping[str, int | None]) -> dict[str, Locked]:
        """Become the only writer of the tenants until the transaction ends. first_seen: by tenant, as in `TenantBatch`.

        Locks are taken in the order of the ids: two who want the same tenants never wait for each other.
        """
        rows = [{TENANT_KEY: client_id, "seen": first_seen[client_id]} for client_id in sorted(first_seen)]
        found = self._run(cypher.LOCK_TENANTS, rows=rows)
        return {row[TENANT_KEY]: Locked(generation_of(row), row["writes"], bool(row[QUIET])) for row in found}

    def wake(self, client_ids: Sequence[str]) -> None:
        """Note of quiet tenants that an analysis may find something now."""
        if client_ids:
            self._run(cypher.WAKE, rows=[{TENANT_KEY: client_id} for client_id in client_ids])

    def planned(self, works: Mapping[str, Callable[["TenantReader"], T]]) -> dict[str, T | Exception]:
        """What each tenant's work comes to that asks its graph, or the exception that it ended with; what they ask is asked together."""

        def of(client_id: str, work: Callable[[TenantReader], T]) -> Callable[[Ask], T]:
            return lambda ask: work(TenantReader(client_id, ask))

        return in_rounds({client_id: of(client_id, work) for client_id, work in works.items()}, self._answer)

    def _answer(self, questions: Mapping[str, Question]) -> dict[str, Rows]:
        found: dict[str, Rows] = {}
        for (statement, most), rows in merged(questions).items():
            answer = self._run(statement, rows=rows, most=most) if most else self._run(statement, rows=rows)
            found.update(by_tenant(answer, TENANT_KEY))
        return {client_id: found.get(client_id, []) for client_id in questions}

    def write(self, tenants: Sequence[tuple[str, Changes]]) -> dict[str, int]:
        """Write the changes, and note in them which stubs are gone; the number of rows by tenant. tenants: in the order of their ids."""
        numbers = dict.fromkeys((client_id for client_id, _ in tenants), 0)
        for statement, rows in together(tenants):
            for row in rows:
                numbers[row[TENANT_KEY]] += 1
            answer = self._run(statement, rows=rows)
            if statement == cypher.PRUNE_STUB:
                gone = by_tenant(answer, TENANT_KEY)
                for client_id, changes in tenants:
                    changes.pruned = {row["rid"] for row in gone.get(client_id, ())}
        return numbers

    def settle(self, client_id: str, was: Generation, now: Generation, by: str, *, is_resynced: bool) -> None:
        """Note that a generation has begun with this transaction, or has come whole. by: who began it."""
        tenant = {TENANT_KEY: client_id}
        if now != was:
            self._run(purge.BEGIN_GENERATION, **tenant, from_ms=now.from_ms, by=by)
        if is_resynced:
            self._run(purge.END_RESYNC, **tenant)


class TenantReader:
    """One tenant's graph within a transaction; answers as `GraphReader` does."""

    def __init__(self, client_id: str, ask: Ask) -> None:
        self._client_id = client_id
        self._ask = ask

    def _by_rows(self, statement: str, rows: Iterable[dict[str, Any]], most: int = 0) -> Rows:
        return self._ask(Question(statement, [{TENANT_KEY: self._client_id, **row} for row in rows], most))

    def _by_keys(self, statement: str, keys: Iterable[str]) -> Rows:
        wanted = sorted(keys)
        return self._by_rows(statement, ({"key": key} for key in wanted)) if wanted else []

    def load(self, most: int) -> KnownGraph | None:
        """All of the tenant that planning may ask for; None where that is more than `most` facts."""
        found: list[Rows] = []
        left = most
        for statement in (cypher.READ_ALL_NODES, cypher.READ_ALL_EDGES, cypher.READ_ALL_TOMBSTONES):
            found.append(self._by_rows(statement, ({},), _rounded(left + 1)))
            left -= len(found[-1])
            if left < 0:
                return None
        return KnownGraph(map(_node, found[0]), map(_edge, found[1]), map(tombstone_of, found[2]))

    def nodes(self, rids: Collection[str]) -> dict[str, StoredNode]:
        rows = self._by_keys(cypher.READ_NODES, rids)
        return {row["rid"]: _node(row) for row in rows}

    def node_props(self, rids: Collection[str]) -> dict[str, dict[str, Any]]:
        left_out = {TENANT_KEY, RESOURCE.key, *VERSION_PROPERTIES, *CAPPED_PROPERTIES}
        rows = self._by_keys(cypher.READ_NODE_PROPS, rids)
        return {row["rid"]: {key: _native(value) for key, value in row["props"].items() if key not in left_out} for row in rows}

    def rids_of_uids(self, uids: Collection[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for row in self._by_keys(cypher.READ_RIDS_OF_UIDS, uids):
            found.setdefault(row["uid"], set()).add(row["rid"])
        return found

    def rids_of_bares(self, bares: Collection[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for row in self._by_keys(cypher.READ_RIDS_OF_BARES, bares):
            found.setdefault(row["bare"], set()).add(row["rid"])
        return found

    def rids_of_kind(self, kind: str) -> set[str]:
        return {row["rid"] for row in self._by_keys(cypher.READ_RIDS_OF_KIND, [f"{kind}:"])}

    def uids_of_kind(self, kind: str) -> dict[str, str]:
        return {row["rid"]: row["uid"] or "" for row in self._by_keys(cypher.READ_RIDS_OF_KIND, [f"{kind}:"])}

    def hidden_of_kind(self, kind: str) -> set[str]:
        rows = self._by_rows(cypher.READ_HIDDEN_OF_KIND, [{"key": LIFE, "kind": f":{kind}:"}])
        return hidden_rids((row["key"] for row in rows), kind)

    def tombstones(self, keys: Collection[str]) -> dict[str, StoredTombstone]:
        return {row["key"]: tombstone_of(row) for row in self._by_keys(cypher.READ_TOMBSTONES, keys)}

    def tombstones_by_ref(self, refs: Collection[str]) -> list[StoredTombstone]:
        return [tombstone_of(row) for row in self._by_keys(cypher.READ_TOMBSTONES_BY_REF, refs)]

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
                rows = ({"source": source, "target": target} for source, target in places)
                edges = map(_edge, self._by_rows(cypher.READ_EDGES_OF_TRIPLES[relationship.type], rows))
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

    def referrers_of_uids(self, label: str, uids: Collection[str]) -> list[StoredReferrer]:
        return [_referrer(label, row) for row in self._by_keys(cypher.READ_REFERRERS_OF_UIDS[label], uids)]

    def alerting(self, label: str, alerts: Collection[str]) -> list[tuple[str, str]]:
        return [(row["key"], row["alert"]) for row in self._by_keys(cypher.READ_ALERTING[label], alerts)]

    def count_episodes(self, alerts: Collection[str]) -> dict[str, int]:
        return {row["alert"]: row["number"] for row in self._by_keys(cypher.COUNT_EPISODES, alerts)}


class Mirrored:
    """A tenant's graph by its mirror; what the mirror does not keep is read in the reader."""

    def __init__(self, known: KnownGraph, reader: TenantReader) -> None:
        self.nodes = known.nodes
        self.rids_of_uids = known.rids_of_uids
        self.rids_of_bares = known.rids_of_bares
        self.rids_of_kind = known.rids_of_kind
        self.uids_of_kind = known.uids_of_kind
        self.hidden_of_kind = known.hidden_of_kind
        self.tombstones = known.tombstones
        self.tombstones_by_ref = known.tombstones_by_ref
        self.edges = known.edges
        self.edges_at = known.edges_at
        self.edges_of_triples = known.edges_of_triples
        self.selectors = known.selectors
        self.labels = known.labels
        self.node_props = reader.node_props
        self.referrers = reader.referrers
        self.referrers_of_subjects = reader.referrers_of_subjects
        self.referrers_of_uids = reader.referrers_of_uids
        self.alerting = reader.alerting
        self.count_episodes = reader.count_episodes


def _native(value: Any) -> Any:
    """A moment as records have it, not as the driver does: a life that is kept aside is encoded with it."""
    return value.to_native().astimezone(UTC) if isinstance(value, DateTime) else value


def _rounded(most: int) -> int:
    """The next power of two, so that tenants which ask for nearly as many rows are asked for together."""
    return 1 << (most - 1).bit_length()


def _node(row: neo4j.Record) -> StoredNode:
    return node_of(row["rid"], dict(row))


def _edge(row: neo4j.Record) -> StoredEdge:
    triple = Triple(row["type"], row["source"], row["target"])
    return StoredEdge(triple, row["edge_id"] or "", row["ver"] or "", bool(row["derived"]), tuple(row["named"] or ()))


def _referrer(label: str, row: neo4j.Record) -> StoredReferrer:
    more = (bytes(row["seen"] or b""), row["alert"] or "", row["named"] or "", row["subject_uid"] or "")
    return StoredReferrer(ReferrerKey(label, row["key"]), row["ver"], bytes(row["hash"]), row["subject"] or "", row["stands"], *more)
