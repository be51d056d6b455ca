"""Every statement the job sends, generated from the declared model.

Identifiers come only from the model; every value is bound. Statements are constants: the same input never makes
a new one, so the server's plan cache holds them all. Those of the write path are run over `$rows`, of any number of
tenants, sorted by tenant and key by the caller; each row binds its own `client_id`. The others have the tenant as
`$client_id`.
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
    QUIET,
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
from transforms.model.schema import schema
from transforms.model.tenancy import birth

AWAIT_INDEXES: Final = "CALL db.awaitIndexes($seconds)"

# What a batch may make between two nodes.
_WRITTEN: Final = (*BETWEEN_RESOURCES, *REFERS.values(), EMITS)
_TYPES: Final = "|".join(relationship.type for relationship in BETWEEN_RESOURCES)


def schema_statements() -> list[str]:
    """Uniqueness constraints and indexes, each idempotent."""
    return [one.statement for one in schema()]


# What a statement of the write path is run over, in one go: rows of any number of tenants, each row with its tenant.
_ROWS: Final = "UNWIND $rows AS row"
_OWNER: Final = f"row.{TENANT_KEY} AS {TENANT_KEY}"


def _at(variable: str, node: NodeLabel, value: str) -> str:
    return f"({variable}:{node.label} {{{TENANT_KEY}: row.{TENANT_KEY}, {node.key}: {value}}})"


# Writes. The first statement of every transaction on tenants, whatever it writes: it creates a tenant on its first valid
# record, takes the lock that makes the transaction the tenant's only writer until it ends, and counts it.
LOCK_TENANTS: Final = (
    f"{_ROWS}\nMERGE (c:{CLUSTER.label} {{{TENANT_KEY}: row.{TENANT_KEY}}})\n"
    f"ON CREATE SET {birth('row.seen')}\n"
    "SET c.writes = coalesce(c.writes, 0) + 1, c.written_at = timestamp()\n"
    f"RETURN {_OWNER}, c.floor AS floor, c.episode_floor AS episode_floor, c.swept AS swept, c.writes AS writes, c.purging AS purging,\n"
    "    c.purged_generation AS purged_generation, c.resync_needed AS resync_needed, c.generation_from AS generation_from,\n"
    f"    c.{QUIET} AS {QUIET}"
)
# Of quiet tenants into which something was written that the search for causes begins at.
WAKE: Final = f"{_ROWS}\nMATCH (c:{CLUSTER.label} {{{TENANT_KEY}: row.{TENANT_KEY}}})\nREMOVE c.{QUIET}"


# The label of a kind is a parameter, taken from the closed map of kinds (`identity.label_of`) and never from a record: a statement for
# each kind would be a round trip for each, and be planned for each.
UPSERT_RESOURCE: Final = f"{_ROWS}\nMERGE {_at('n', RESOURCE, 'row.rid')}\nSET n = row.props, n:$(row.kinds)"
CREATE_STUB: Final = f"{_ROWS}\nMERGE {_at('n', RESOURCE, 'row.rid')}\nON CREATE SET n = row.props, n:$(row.kinds)"
CLEAR_RESOURCE: Final = f"{_ROWS}\nMATCH {_at('n', RESOURCE, 'row.rid')}\nSET n = row.props"
PRUNE_STUB: Final = (
    f"{_ROWS}\nMATCH {_at('n', RESOURCE, 'row.key')}\nWHERE n.stub AND NOT EXISTS {{ (n)--() }}\nDELETE n\nRETURN {_OWNER}, row.key AS rid"
)
UPSERT_REFERRER: Final = {label: f"{_ROWS}\nMERGE {_at('n', node, 'row.key')}\nSET n = row.props" for label, node in REFERRERS.items()}
CAP_RESOURCE: Final = f"{_ROWS}\nMATCH {_at('n', RESOURCE, 'row.key')}\nSET n += row.props"
COUNT_REFERRER: Final = {node.label: f"{_ROWS}\nMATCH {_at('n', node, 'row.key')}\nSET n += row.props" for node in (EPISODIC, RULE)}
DROP_REFERRER: Final = {label: f"{_ROWS}\nMATCH {_at('n', node, 'row.key')}\nDETACH DELETE n" for label, node in REFERRERS.items()}
PUT_TOMBSTONE: Final = f"{_ROWS}\nMERGE {_at('n', TOMBSTONE, 'row.key')}\nSET n = row.props"
DROP_TOMBSTONE: Final = f"{_ROWS}\nMATCH {_at('n', TOMBSTONE, 'row.key')}\nDELETE n"


def _set_ver(node: NodeLabel) -> str:
    return f"{_ROWS}\nMATCH {_at('n', node, 'row.key')}\nSET n.ver = row.ver"


TOUCH_RESOURCE: Final = _set_ver(RESOURCE)
TOUCH_REFERRER: Final = {label: _set_ver(node) for label, node in REFERRERS.items()}


def _ends(relationship: Relationship) -> str:
    return f"MATCH {_at('a', relationship.source, 'row.source')}\nMATCH {_at('b', relationship.target, 'row.target')}"


PUT_RELATIONSHIP: Final = {
    relationship.type: f"{_ROWS}\n{_ends(relationship)}\nMERGE (a)-[r:{relationship.type}]->(b)\nSET r = row.props"
    for relationship in _WRITTEN
}
TOUCH_RELATIONSHIP: Final = {
    relationship.type: (
        f"{_ROWS}\nMATCH ()-[r:{relationship.type} {{{TENANT_KEY}: row.{TENANT_KEY}, edge_id: row.key}}]->()\nSET r.ver = row.ver"
    )
    for relationship in TOPOLOGY
}
DROP_RELATIONSHIP: Final = {
    relationship.type: f"{_ROWS}\n{_ends(relationship)}\nMATCH (a)-[r:{relationship.type}]->(b)\nDELETE r" for relationship in _WRITTEN
}
DROP_EMITS: Final = {node.label: f"{_ROWS}\nMATCH {_at('n', node, 'row.key')}-[r:{EMITS.type}]-()\nDELETE r" for node in ALERTING}
# A rule and all episodes of its alert, which never leave the server: there may be any number.
JOIN_EPISODES: Final = (
    f"{_ROWS}\nMATCH {_at('a', RULE, 'row.key')}\n"
    f"MATCH (b:{EPISODIC.label} {{{TENANT_KEY}: row.{TENANT_KEY}, alert: row.alert}})\n"
    f"MERGE (a)-[r:{EMITS.type}]->(b)\nSET r = row.props"
)

# The place of each statement that writes: what goes, nodes, relationships, tombstones, then stubs that are left over.
WRITE_ORDER: Final = {
    statement: place
    for place, statement in enumerate(
        (
            *DROP_RELATIONSHIP.values(),
            *DROP_EMITS.values(),
            *DROP_REFERRER.values(),
            CLEAR_RESOURCE,
            UPSERT_RESOURCE,
            CREATE_STUB,
            TOUCH_RESOURCE,
            CAP_RESOURCE,
            *UPSERT_REFERRER.values(),
            *COUNT_REFERRER.values(),
            *TOUCH_REFERRER.values(),
            *PUT_RELATIONSHIP.values(),
            *TOUCH_RELATIONSHIP.values(),
            JOIN_EPISODES,
            DROP_TOMBSTONE,
            PUT_TOMBSTONE,
            PRUNE_STUB,
        )
    )
}

# Reads, all inside the transaction that then writes.
_NODE_ROW: Final = (
    "n.rid AS rid, n.uid AS uid, n.ver AS ver, n.hash AS hash, n.implies AS implies, n.labels AS labels, n.selector AS selector"
    + "".join(f", n.{name} AS {name}" for name in CAPPED_PROPERTIES)
)
READ_NODES: Final = f"{_ROWS}\nMATCH {_at('n', RESOURCE, 'row.key')}\nRETURN {_OWNER}, {_NODE_ROW}"
READ_NODE_PROPS: Final = f"{_ROWS}\nMATCH {_at('n', RESOURCE, 'row.key')}\nRETURN {_OWNER}, n.rid AS rid, properties(n) AS props"
READ_RIDS_OF_UIDS: Final = (
    f"{_ROWS}\nMATCH (n:{RESOURCE.label} {{{TENANT_KEY}: row.{TENANT_KEY}, uid: row.key}})\nRETURN {_OWNER}, row.key AS uid, n.rid AS rid"
)
READ_RIDS_OF_BARES: Final = (
    f"{_ROWS}\nMATCH (n:{RESOURCE.label} {{{TENANT_KEY}: row.{TENANT_KEY}, {BARE}: row.key}})\nWHERE n.ver IS NOT NULL\n"
    f"RETURN {_OWNER}, row.key AS bare, n.rid AS rid"
)
READ_RIDS_OF_KIND: Final = (
    f"{_ROWS}\nMATCH (n:{RESOURCE.label} {{{TENANT_KEY}: row.{TENANT_KEY}}})\nWHERE n.{RESOURCE.key} STARTS WITH row.key\n"
    f"RETURN {_OWNER}, n.{RESOURCE.key} AS rid, n.uid AS uid"
)
READ_HIDDEN_OF_KIND: Final = (
    f"{_ROWS}\nMATCH (n:{TOMBSTONE.label} {{{TENANT_KEY}: row.{TENANT_KEY}}})\n"
    f"WHERE n.key STARTS WITH row.key AND n.key CONTAINS row.kind\nRETURN {_OWNER}, n.key AS key"
)
_TOMBSTONE_ROW: Final = "n.key AS key, n.ver AS ver, n.payload AS payload, n.ref_a AS ref_a, n.ref_b AS ref_b"
READ_TOMBSTONES: Final = f"{_ROWS}\nMATCH {_at('n', TOMBSTONE, 'row.key')}\nRETURN {_OWNER}, {_TOMBSTONE_ROW}"
READ_TOMBSTONES_BY_REF: Final = "\nUNION\n".join(
    f"{_ROWS}\nMATCH (n:{TOMBSTONE.label} {{{TENANT_KEY}: row.{TENANT_KEY}, {ref}: row.key}})\nRETURN {_OWNER}, {_TOMBSTONE_ROW}"
    for ref in TOMBSTONE_REFS
)
_EDGE_ROW: Final = (
    "type(r) AS type, a.rid AS source, b.rid AS target, r.edge_id AS edge_id, r.ver AS ver, r.derived AS derived, r.named AS named"
)
READ_EDGES: Final = {
    relationship.type: (
        f"{_ROWS}\nMATCH (a)-[r:{relationship.type} {{{TENANT_KEY}: row.{TENANT_KEY}, edge_id: row.key}}]->(b)\n"
        f"RETURN {_OWNER}, {_EDGE_ROW}"
    )
    for relationship in TOPOLOGY
}
READ_EDGES_AT: Final = (
    f"{_ROWS}\nMATCH {_at('n', RESOURCE, 'row.key')}-[r:{_TYPES}]-(:{RESOURCE.label})\n"
    f"WITH DISTINCT {_OWNER}, r, startNode(r) AS a, endNode(r) AS b\nRETURN {TENANT_KEY}, {_EDGE_ROW}"
)
READ_EDGES_OF_TRIPLES: Final = {
    relationship.type: f"{_ROWS}\n{_ends(relationship)}\nMATCH (a)-[r:{relationship.type}]->(b)\nRETURN {_OWNER}, {_EDGE_ROW}"
    for relationship in BETWEEN_RESOURCES
}


def _read_pairs(label: str, name: str) -> str:
    """A property of the live nodes of one kind in `$keys`, namespaces."""
    return (
        f"{_ROWS}\nMATCH (n:{label} {{{TENANT_KEY}: row.{TENANT_KEY}, ns: row.key}})\nWHERE n.ver IS NOT NULL\n"
        f"RETURN {_OWNER}, n.{RESOURCE.key} AS rid, coalesce(n.{name}, []) AS pairs"
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
    label: f"{_ROWS}\nMATCH {_at('n', node, 'row.key')}\nRETURN {_OWNER}, {_referrer_row(node)}" for label, node in REFERRERS.items()
}
READ_REFERRERS_OF_SUBJECTS: Final = {
    label: f"{_ROWS}\nMATCH (n:{label} {{{TENANT_KEY}: row.{TENANT_KEY}, subject: row.key}})\nRETURN {_OWNER}, {_referrer_row(node)}"
    for label, node in REFERRERS.items()
}
READ_REFERRERS_OF_UIDS: Final = {
    EPISODIC.label: (
        f"{_ROWS}\nMATCH (n:{EPISODIC.label} {{{TENANT_KEY}: row.{TENANT_KEY}, {SUBJECT_UID}: row.key}})\n"
        f"RETURN {_OWNER}, {_referrer_row(EPISODIC)}"
    )
}
READ_ALERTING: Final = {
    node.label: (
        f"{_ROWS}\nMATCH (n:{node.label} {{{TENANT_KEY}: row.{TENANT_KEY}, alert: row.key}})\n"
        f"RETURN {_OWNER}, n.{node.key} AS key, row.key AS alert"
    )
    for node in ALERTING
}
COUNT_EPISODES: Final = (
    f"{_ROWS}\nMATCH (n:{EPISODIC.label} {{{TENANT_KEY}: row.{TENANT_KEY}, alert: row.key}})\n"
    f"RETURN {_OWNER}, row.key AS alert, count(n) AS number"
)


def _all(variable: str, node: NodeLabel) -> str:
    """All of a tenant's nodes of a label; the second predicate lets the planner use the key's index."""
    return f"({variable}:{node.label} {{{TENANT_KEY}: row.{TENANT_KEY}}}) WHERE {variable}.{node.key} > ''"


def _each(matched: str, row: str) -> str:
    """At most `$most` rows of each tenant."""
    names = ", ".join(column.rsplit(" AS ", 1)[1] for column in row.split(", "))
    return f"{_ROWS}\nCALL (row) {{\n  {matched}\n  RETURN {row} LIMIT $most\n}}\nRETURN {_OWNER}, {names}"


READ_ALL_NODES: Final = _each(f"MATCH {_all('n', RESOURCE)}", _NODE_ROW)
READ_ALL_EDGES: Final = _each(f"MATCH {_all('a', RESOURCE)}\n  MATCH (a)-[r:{_TYPES}]->(b:{RESOURCE.label})", _EDGE_ROW)
READ_ALL_TOMBSTONES: Final = _each(f"MATCH {_all('n', TOMBSTONE)}", _TOMBSTONE_ROW)

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
