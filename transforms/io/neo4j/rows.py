"""Changes as rows: the properties that each statement binds, sorted by key so that locks are taken in one order."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from transforms.model import cypher
from transforms.model.graph import EMITS, REFERRERS, REFERS, RESOURCE, TENANT_KEY, TOMBSTONE, TOMBSTONE_REFS
from transforms.model.identity import label_of
from transforms.model.kinds import KIND_OF_TOKEN
from transforms.planning.facts.changes import Changes, Row
from transforms.planning.facts.mutations import ReferrerKey
from transforms.planning.facts.stored import StoredEdge, StoredTombstone


class Write(NamedTuple):
    """One statement and the rows that it is run over, bound as `$rows`; each row has its tenant."""

    statement: str
    rows: list[Row]


def stub_props(rid: str) -> Row:
    """The properties of a node that only its relationships speak for: key fields, and that it is a stub."""
    token, namespace, name = rid.split(":", 2)
    declared = KIND_OF_TOKEN.get(token)
    props = {"kind": declared.name if declared else token, "ns": namespace, "name": name, "stub": True}
    return {key: value for key, value in props.items() if value != ""}


def together(tenants: Iterable[tuple[str, Changes]]) -> Iterator[Write]:
    """The statements of several tenants' batches, one for each kind of change, in the order of `cypher.WRITE_ORDER`.

    tenants: in the order of their ids, so that rows, and the locks that they take, are in one order too.
    """
    found: dict[str, list[Row]] = {}
    for client_id, changes in tenants:
        for statement, rows in writes(client_id, changes):
            found.setdefault(statement, []).extend(rows)
    for statement in sorted(found, key=cypher.WRITE_ORDER.__getitem__):
        yield Write(statement, found[statement])


def writes(client_id: str, changes: Changes) -> Iterator[Write]:
    """The statements of a batch in their order: what goes, nodes, relationships, then stubs that are left over; none without rows."""
    for one in _writes(client_id, changes):
        if one.rows:
            yield one


def _writes(client_id: str, changes: Changes) -> Iterator[Write]:
    tenant = {TENANT_KEY: client_id}

    def node(key: str, value: str, props: Row) -> Row:
        return {TENANT_KEY: client_id, key: value, "props": {**props, TENANT_KEY: client_id, key: value}}

    def resource(rid: str, props: Row) -> Row:
        label = label_of(rid)
        return {**node(RESOURCE.key, rid, props), "kinds": [label] if label else []}

    def keys(found: Iterable[str]) -> list[Row]:
        return [{TENANT_KEY: client_id, "key": key} for key in sorted(found)]

    def ends(statements: dict[str, str], rows: Iterable[tuple[str, str, str, Row]]) -> Iterator[Write]:
        return _relationships(statements, client_id, rows)

    yield from ends(cypher.DROP_RELATIONSHIP, ((t.type, t.source, t.target, {}) for t in changes.edges_gone))
    yield from ends(cypher.DROP_RELATIONSHIP, ((REFERS[at.label].type, at.key, rid, {}) for at, rid in changes.references_gone))
    yield from _by_referrer(cypher.DROP_EMITS, {at: tenant | {"key": at.key} for at in changes.emits_gone})
    yield from _by_referrer(cypher.DROP_REFERRER, {at: tenant | {"key": at.key} for at in changes.referrers_gone})
    yield Write(cypher.CLEAR_RESOURCE, [node(RESOURCE.key, rid, stub_props(rid)) for rid in sorted(changes.cleared)])
    yield Write(cypher.UPSERT_RESOURCE, [resource(rid, props) for rid, props in sorted(changes.nodes.items())])
    yield Write(cypher.CREATE_STUB, [resource(rid, stub_props(rid)) for rid in sorted(changes.stubs)])
    vers = sorted(changes.node_vers.items())
    yield Write(cypher.TOUCH_RESOURCE, [{TENANT_KEY: client_id, "key": key, "ver": ver} for key, ver in vers])
    capped = {rid: {name: is_capped or None for name, is_capped in known.items()} for rid, known in changes.capped.items()}
    yield Write(cypher.CAP_RESOURCE, [tenant | {"key": rid, "props": props} for rid, props in sorted(capped.items())])
    upserts = {at: tenant | {"key": at.key, "props": {**props, **_identity(client_id, at)}} for at, props in changes.referrers.items()}
    yield from _by_referrer(cypher.UPSERT_REFERRER, upserts)
    counts = {at: tenant | {"key": at.key, "props": props} for at, props in changes.referrer_counts.items()}
    yield from _by_referrer(cypher.COUNT_REFERRER, counts)
    touched = {at: tenant | {"key": at.key, "ver": ver} for at, ver in changes.referrer_vers.items()}
    yield from _by_referrer(cypher.TOUCH_REFERRER, touched)
    yield from ends(cypher.PUT_RELATIONSHIP, ((t.type, t.source, t.target, props | tenant) for t, props in changes.edges.items()))
    yield from _edge_vers(client_id, changes.edge_vers.values())
    yield from ends(cypher.PUT_RELATIONSHIP, ((REFERS[at.label].type, at.key, rid, tenant) for at, rid in changes.references))
    yield from ends(cypher.PUT_RELATIONSHIP, ((EMITS.type, *pair, tenant) for pair in changes.emits))
    raised = sorted(changes.raised.items())
    yield Write(cypher.JOIN_EPISODES, [tenant | {"key": rule, "alert": alert, "props": tenant} for rule, alert in raised])
    yield Write(cypher.DROP_TOMBSTONE, keys(changes.tombstones_gone))
    kept = sorted(changes.tombstones.items())
    yield Write(cypher.PUT_TOMBSTONE, [node(TOMBSTONE.key, key, tombstone_props(one)) for key, one in kept])
    yield Write(cypher.PRUNE_STUB, keys(changes.pruned))


def _identity(client_id: str, at: ReferrerKey) -> Row:
    return {TENANT_KEY: client_id, REFERRERS[at.label].key: at.key}


def _by_referrer(statements: dict[str, str], rows: dict[ReferrerKey, Row]) -> Iterator[Write]:
    groups: dict[str, list[Row]] = {}
    for at in sorted(rows):
        groups.setdefault(at.label, []).append(rows[at])
    for label in sorted(groups):
        yield Write(statements[label], groups[label])


def _edge_vers(client_id: str, edges: Iterable[StoredEdge]) -> Iterator[Write]:
    groups: dict[str, list[Row]] = {}
    for edge in sorted(edges, key=lambda edge: (edge.triple.type, edge.edge_id)):
        groups.setdefault(edge.triple.type, []).append({TENANT_KEY: client_id, "key": edge.edge_id, "ver": edge.ver})
    for kind, rows in groups.items():
        yield Write(cypher.TOUCH_RELATIONSHIP[kind], rows)


def _relationships(statements: dict[str, str], client_id: str, rows: Iterable[tuple[str, str, str, Row]]) -> Iterator[Write]:
    groups: dict[str, list[Row]] = {}
    for kind, source, target, props in sorted(rows, key=lambda row: row[:3]):
        groups.setdefault(kind, []).append({TENANT_KEY: client_id, "source": source, "target": target, "props": props})
    for kind in sorted(groups):
        yield Write(statements[kind], groups[kind])


def tombstone_props(tombstone: StoredTombstone) -> Row:
    """The properties of a tombstone's node, less the tenant."""
    props: Row = {TOMBSTONE.key: tombstone.key, "ver": tombstone.ver}
    if tombstone.payload:
        props["payload"] = tombstone.payload
    return props | dict(zip(TOMBSTONE_REFS, tombstone.refs, strict=False))


def tombstone_of(row: Any) -> StoredTombstone:
    """The tombstone that a row of a reading statement tells of."""
    refs = tuple(ref for ref in (row["ref_a"], row["ref_b"]) if ref is not None)
    return StoredTombstone(row["key"], row["ver"], bytes(row["payload"] or b""), refs)
