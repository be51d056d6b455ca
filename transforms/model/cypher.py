"""Every statement the job sends, generated from the declared model.

Identifiers come only from the model; every value is bound. Statements are constants: the same input never makes
a new one, so the server's plan cache holds them all. Parameters: `$client_id`, the tenant, in each; `$rows` or
`$keys`, a list, sorted by key by the caller.
"""

from typing import Final

from transforms.model.graph import (
    ALERTING,
    BARE,
    BETWEEN_RESOURCES,
    CAPPED_PROPERTIES,
    CLUSTER,
    EMITS,
    EPISODIC,
    LEASE,
    NODES,
    REFERRERS,
    REFERS,
    RESOURCE,
    RULE,
    SELECTED,
    SELECTING,
    SUBJECT_NAMED,
    SUBJECT_UID,
    TENANT_KEY,
    TOMBSTONE,
    TOMBSTONE_REFS,
    TOPOLOGY,
    NodeLabel,
    Relationship,
)
from transforms.model.kinds import GENERIC_LABEL, KINDS
from transforms.model.schema import schema
from transforms.model.tenancy import birth

AWAIT_INDEXES: Final = "CALL db.awaitIndexes($seconds)"

# What a batch may make between two nodes.
_WRITTEN: Final = (*BETWEEN_RESOURCES, *REFERS.values(), EMITS)
_RESOURCE_LABELS: Final = (GENERIC_LABEL, *(kind.name for kind in KINDS))
_TYPES: Final = "|".join(relationship.type for relationship in BETWEEN_RESOURCES)


def schema_statements() -> list[str]:
    """Uniqueness constraints and indexes, each idempotent."""
    return [one.statement for one in schema()]


def _at(variable: str, node: NodeLabel, value: str) -> str:
    return f"({variable}:{node.label} {{{TENANT_KEY}: ${TENANT_KEY}, {node.key}: {value}}})"


# Writes. The first statement of every transaction on a tenant, whatever it writes: it creates the tenant on its first
# valid record, takes the lock that makes the transaction the tenant's only writer until it ends, and counts it.
LOCK_TENANT: Final = (
    f"MERGE (c:{CLUSTER.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\n"
    f"ON CREATE SET {birth('$seen')}\n"
    "SET c.writes = coalesce(c.writes, 0) + 1, c.written_at = timestamp()\n"
    "RETURN c.floor AS floor, c.episode_floor AS episode_floor, c.swept AS swept, c.writes AS writes, c.purging AS purging,\n"
    "    c.purged_generation AS purged_generation, c.resync_needed AS resync_needed, c.generation_from AS generation_from"
)


def _label(label: str) -> str:
    return f", n:{label}" if label else ""


UPSERT_RESOURCE: Final = {
    label: f"UNWIND $rows AS row\nMERGE {_at('n', RESOURCE, 'row.rid')}\nSET n = row.props{_label(label)}" for label in _RESOURCE_LABELS
}
CREATE_STUB: Final = {
    label: f"UNWIND $rows AS row\nMERGE {_at('n', RESOURCE, 'row.rid')}\nON CREATE SET n = row.props{_label(label)}"
    for label in _RESOURCE_LABELS
}
CLEAR_RESOURCE: Final = f"UNWIND $rows AS row\nMATCH {_at('n', RESOURCE, 'row.rid')}\nSET n = row.props"
PRUNE_STUB: Final = (
    f"UNWIND $keys AS key\nMATCH {_at('n', RESOURCE, 'key')}\nWHERE n.stub AND NOT EXISTS {{ (n)--() }}\nDELETE n\nRETURN key AS rid"
)
UPSERT_REFERRER: Final = {
    label: f"UNWIND $rows AS row\nMERGE {_at('n', node, 'row.key')}\nSET n = row.props" for label, node in REFERRERS.items()
}
CAP_RESOURCE: Final = f"UNWIND $rows AS row\nMATCH {_at('n', RESOURCE, 'row.key')}\nSET n += row.props"
COUNT_REFERRER: Final = {
    node.label: f"UNWIND $rows AS row\nMATCH {_at('n', node, 'row.key')}\nSET n += row.props" for node in (EPISODIC, RULE)
}
DROP_REFERRER: Final = {label: f"UNWIND $keys AS key\nMATCH {_at('n', node, 'key')}\nDETACH DELETE n" for label, node in REFERRERS.items()}
PUT_TOMBSTONE: Final = f"UNWIND $rows AS row\nMERGE {_at('n', TOMBSTONE, 'row.key')}\nSET n = row.props"
DROP_TOMBSTONE: Final = f"UNWIND $keys AS key\nMATCH {_at('n', TOMBSTONE, 'key')}\nDELETE n"


def _set_ver(node: NodeLabel) -> str:
    return f"UNWIND $rows AS row\nMATCH {_at('n', node, 'row.key')}\nSET n.ver = row.ver"


TOUCH_RESOURCE: Final = _set_ver(RESOURCE)
TOUCH_REFERRER: Final = {label: _set_ver(node) for label, node in REFERRERS.items()}


def _ends(relationship: Relationship) -> str:
    return f"MATCH {_at('a', relationship.source, 'row.source')}\nMATCH {_at('b', relationship.target, 'row.target')}"


PUT_RELATIONSHIP: Final = {
    relationship.type: f"UNWIND $rows AS row\n{_ends(relationship)}\nMERGE (a)-[r:{relationship.type}]->(b)\nSET r = row.props"
    for relationship in _WRITTEN
}
TOUCH_RELATIONSHIP: Final = {
    relationship.type: (
        f"UNWIND $rows AS row\nMATCH ()-[r:{relationship.type} {{{TENANT_KEY}: ${TENANT_KEY}, edge_id: row.key}}]->()\nSET r.ver = row.ver"
    )
    for relationship in TOPOLOGY
}
DROP_RELATIONSHIP: Final = {
    relationship.type: f"UNWIND $rows AS row\n{_ends(relationship)}\nMATCH (a)-[r:{relationship.type}]->(b)\nDELETE r"
    for relationship in _WRITTEN
}
DROP_EMITS: Final = {node.label: f"UNWIND $keys AS key\nMATCH {_at('n', node, 'key')}-[r:{EMITS.type}]-()\nDELETE r" for node in ALERTING}
# A rule and all episodes of its alert, which never leave the server: there may be any number.
JOIN_EPISODES: Final = (
    f"UNWIND $rows AS row\nMATCH {_at('a', RULE, 'row.key')}\n"
    f"MATCH (b:{EPISODIC.label} {{{TENANT_KEY}: ${TENANT_KEY}, alert: row.alert}})\n"
    f"MERGE (a)-[r:{EMITS.type}]->(b)\nSET r = row.props"
)

# Reads, all inside the transaction that then writes.
_NODE_ROW: Final = (
    "n.rid AS rid, n.uid AS uid, n.ver AS ver, n.hash AS hash, n.implies AS implies, n.labels AS labels, n.selector AS selector"
    + "".join(f", n.{name} AS {name}" for name in CAPPED_PROPERTIES)
)
READ_NODES: Final = f"UNWIND $keys AS key\nMATCH {_at('n', RESOURCE, 'key')}\nRETURN {_NODE_ROW}"
READ_NODE_PROPS: Final = f"UNWIND $keys AS key\nMATCH {_at('n', RESOURCE, 'key')}\nRETURN n.rid AS rid, properties(n) AS props"
READ_RIDS_OF_UIDS: Final = (
    f"UNWIND $keys AS key\nMATCH (n:{RESOURCE.label} {{{TENANT_KEY}: ${TENANT_KEY}, uid: key}})\nRETURN key AS uid, n.rid AS rid"
)
READ_RIDS_OF_BARES: Final = (
    f"UNWIND $keys AS key\nMATCH (n:{RESOURCE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {BARE}: key}})\nWHERE n.ver IS NOT NULL\n"
    "RETURN key AS bare, n.rid AS rid"
)
READ_RIDS_OF_KIND: Final = (
    f"MATCH (n:{RESOURCE.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\nWHERE n.{RESOURCE.key} STARTS WITH $prefix\n"
    f"RETURN n.{RESOURCE.key} AS rid, n.uid AS uid"
)
READ_HIDDEN_OF_KIND: Final = (
    f"MATCH (n:{TOMBSTONE.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\n"
    "WHERE n.key STARTS WITH $prefix AND n.key CONTAINS $kind\nRETURN n.key AS key"
)
_TOMBSTONE_ROW: Final = "n.key AS key, n.ver AS ver, n.payload AS payload, n.ref_a AS ref_a, n.ref_b AS ref_b"
READ_TOMBSTONES: Final = f"UNWIND $keys AS key\nMATCH {_at('n', TOMBSTONE, 'key')}\nRETURN {_TOMBSTONE_ROW}"
READ_TOMBSTONES_BY_REF: Final = "\nUNION\n".join(
    f"UNWIND $keys AS key\nMATCH (n:{TOMBSTONE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {ref}: key}})\nRETURN {_TOMBSTONE_ROW}"
    for ref in TOMBSTONE_REFS
)
_EDGE_ROW: Final = (
    "type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named"
)
READ_EDGES: Final = {
    relationship.type: (
        f"UNWIND $keys AS key\nMATCH (a)-[r:{relationship.type} {{{TENANT_KEY}: ${TENANT_KEY}, edge_id: key}}]->(b)\nRETURN {_EDGE_ROW}"
    )
    for relationship in TOPOLOGY
}
READ_EDGES_AT: Final = (
    f"UNWIND $keys AS key\nMATCH {_at('n', RESOURCE, 'key')}-[r:{_TYPES}]-(:{RESOURCE.label})\n"
    f"WITH DISTINCT r, startNode(r) AS a, endNode(r) AS b\nRETURN {_EDGE_ROW}"
)
READ_EDGES_OF_TRIPLES: Final = {
    relationship.type: f"UNWIND $rows AS row\n{_ends(relationship)}\nMATCH (a)-[r:{relationship.type}]->(b)\nRETURN {_EDGE_ROW}"
    for relationship in BETWEEN_RESOURCES
}


def _read_pairs(label: str, name: str) -> str:
    """A property of the live nodes of one kind in `$keys`, namespaces."""
    return (
        f"UNWIND $keys AS key\nMATCH (n:{label} {{{TENANT_KEY}: ${TENANT_KEY}, ns: key}})\nWHERE n.ver IS NOT NULL\n"
        f"RETURN n.{RESOURCE.key} AS rid, coalesce(n.{name}, []) AS pairs"
    )


READ_SELECTORS: Final = "\nUNION\n".join(_read_pairs(label, "selector") for label in SELECTING)
READ_LABELS: Final = _read_pairs(SELECTED, "labels")


def _referrer_row(node: NodeLabel) -> str:
    own = {"seen": "seen", "named": SUBJECT_NAMED, "subject_uid": SUBJECT_UID}
    optional = ", ".join(f"{f'n.{held}' if node is EPISODIC else 'NULL'} AS {name}" for name, held in own.items())
    alert = "n.alert AS alert" if node in ALERTING else "NULL AS alert"
    stands = f"EXISTS {{ (n)-[:{REFERS[node.label].type}]->(:{RESOURCE.label}) }} AS stands"
    return f"n.{node.key} AS key, n.ver AS ver, n.hash AS hash, n.subject AS subject, {stands}, {optional}, {alert}"


READ_REFERRERS: Final = {
    label: f"UNWIND $keys AS key\nMATCH {_at('n', node, 'key')}\nRETURN {_referrer_row(node)}" for label, node in REFERRERS.items()
}
READ_REFERRERS_OF_SUBJECTS: Final = {
    label: f"UNWIND $keys AS key\nMATCH (n:{label} {{{TENANT_KEY}: ${TENANT_KEY}, subject: key}})\nRETURN {_referrer_row(node)}"
    for label, node in REFERRERS.items()
}
READ_REFERRERS_OF_UIDS: Final = {
    EPISODIC.label: (
        f"UNWIND $keys AS key\nMATCH (n:{EPISODIC.label} {{{TENANT_KEY}: ${TENANT_KEY}, {SUBJECT_UID}: key}})\n"
        f"RETURN {_referrer_row(EPISODIC)}"
    )
}
READ_ALERTING: Final = {
    node.label: (
        f"UNWIND $keys AS key\nMATCH (n:{node.label} {{{TENANT_KEY}: ${TENANT_KEY}, alert: key}})\nRETURN n.{node.key} AS key, key AS alert"
    )
    for node in ALERTING
}
COUNT_EPISODES: Final = (
    f"UNWIND $keys AS key\nMATCH (n:{EPISODIC.label} {{{TENANT_KEY}: ${TENANT_KEY}, alert: key}})\nRETURN key AS alert, count(n) AS number"
)


def _all(variable: str, node: NodeLabel) -> str:
    """All of a tenant's nodes of a label; the second predicate lets the planner use the key's index."""
    return f"({variable}:{node.label} {{{TENANT_KEY}: ${TENANT_KEY}}}) WHERE {variable}.{node.key} > ''"


READ_ALL_NODES: Final = f"MATCH {_all('n', RESOURCE)}\nRETURN {_NODE_ROW} LIMIT $most"
READ_ALL_EDGES: Final = f"MATCH {_all('a', RESOURCE)}\nMATCH (a)-[r:{_TYPES}]->(b:{RESOURCE.label})\nRETURN {_EDGE_ROW} LIMIT $most"
READ_ALL_TOMBSTONES: Final = f"MATCH {_all('n', TOMBSTONE)}\nRETURN {_TOMBSTONE_ROW} LIMIT $most"

# The digest: pages of a tenant's live nodes in key order, each with what begins at them.
PAGE_SIZE: Final = 2000


def digest_page(node: NodeLabel, *, of_types: bool = False) -> str:
    """A page of nodes after `$after`, each with its outgoing relationships and whether it counts in the digest.

    Stubs count only where something refers to them; of_types: by a relationship of one of `$types`.
    Keys come in the order of their code points, as the index has them, and Python too. Without the hint the server may compare and sort
    texts itself, which it does in more than one way: pages would overlap. Ordered as the index is, nothing is sorted at all.
    """
    stands = "EXISTS { (n)-[r]-() WHERE type(r) IN $types }" if of_types else "EXISTS { (n)--() }"
    counted = [other for other in NODES if other.digest]
    labels = " ".join(f"WHEN m:{other.label} THEN '{other.label}'" for other in counted)
    keys = " ".join(f"WHEN m:{other.label} THEN m.{other.key}" for other in counted)
    return (
        f"MATCH (n:{node.label})\nUSING INDEX n:{node.label}({TENANT_KEY}, {node.key})\n"
        f"WHERE n.{TENANT_KEY} = ${TENANT_KEY} AND n.{node.key} > $after\n"
        f"WITH n ORDER BY n.{TENANT_KEY}, n.{node.key} LIMIT {PAGE_SIZE}\n"
        f"RETURN n.{node.key} AS key, properties(n) AS props, n.stub IS NULL OR {stands} AS counts,\n"
        f"  [(n)-[r]->(m) | [type(r), CASE {labels} END, CASE {keys} END, m.{TENANT_KEY}]] AS out"
    )


WRITES_OF_TENANT: Final = f"MATCH (c:{CLUSTER.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\nRETURN c.writes AS writes"
TENANTS: Final = f"MATCH (c:{CLUSTER.label}) RETURN c.{TENANT_KEY} AS {TENANT_KEY} ORDER BY {TENANT_KEY}"

# The lease of a consumer group: who holds it, and until when by the server's clock. Its first write takes the lock, so
# that of two who ask at once, one is refused.
TAKE_LEASE: Final = (
    f"MERGE (l:{LEASE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {LEASE.key}: $name}})\n"
    "SET l.asked = timestamp()\n"
    "WITH l, l.holder AS before, l.holder IS NULL OR l.holder IN [$holder, $replaces] OR l.expires <= timestamp() AS free\n"
    "SET l.holder = CASE WHEN free THEN $holder ELSE l.holder END,\n"
    "    l.expires = CASE WHEN free THEN timestamp() + $ttl_ms ELSE l.expires END\n"
    "RETURN free, before, l.holder AS holder, l.expires AS expires, l.expires - timestamp() AS left_ms"
)
DROP_LEASE: Final = f"MATCH (l:{LEASE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {LEASE.key}: $name}})\nWHERE l.holder = $holder\nDELETE l"
LOOK_AT_LEASE: Final = (
    f"MATCH (l:{LEASE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {LEASE.key}: $name}})\n"
    "RETURN l.holder AS holder, l.expires - timestamp() AS left_ms"
)
# Where a group stands, in columns; only the holder of its lease may say.
KEEP_OFFSETS: Final = (
    f"MATCH (l:{LEASE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {LEASE.key}: $name}})\nWHERE l.holder = $holder\n"
    f"MERGE (o:{LEASE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {LEASE.key}: $kept}})\n"
    "SET o.kept_at = timestamp(), o.topics = $topics, o.partitions = $partitions, o.ids = $ids, o.offsets = $offsets"
)
READ_KEPT_OFFSETS: Final = (
    f"MATCH (o:{LEASE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {LEASE.key}: $kept}})\n"
    "RETURN o.topics AS topics, o.partitions AS partitions, o.ids AS ids, o.offsets AS offsets, timestamp() - o.kept_at AS age_ms"
)
# Asks for the right to write: for a transaction that is rolled back.
TRY_TO_WRITE: Final = f"CREATE (l:{LEASE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {LEASE.key}: $name}})"
