"""The statements by which people look at the graph, generated from the model; they change nothing.

Each binds the tenant, or the tenants that the reader may see (`$client_ids`), and returns at most `$most` rows in an order
that the graph alone decides.
"""

from typing import Final

from transforms.model.graph import (
    AFFECTS,
    BETWEEN_RESOURCES,
    CLUSTER,
    CLUSTER_EPISODE,
    EPISODIC,
    INCIDENT,
    PART_OF,
    POTENTIAL_CAUSE,
    PROM_TARGET,
    RESOURCE,
    RULE,
    TENANT_KEY,
    NodeLabel,
)
from transforms.model.health import ailment
from transforms.model.schema import RESOURCE_TEXT

_TYPES: Final = "|".join(one.type for one in BETWEEN_RESOURCES)
_BOUND: Final = f"{TENANT_KEY}: ${TENANT_KEY}"


def _of(variable: str, node: NodeLabel) -> str:
    """All of a tenant's nodes of a label; the second predicate lets the planner use the key's index."""
    return f"MATCH ({variable}:{node.label} {{{_BOUND}}})\nWHERE {variable}.{node.key} > ''"


def _at(variable: str, node: NodeLabel, key: str) -> str:
    return f"({variable}:{node.label} {{{_BOUND}, {node.key}: {key}}})"


def brief(variable: str) -> str:
    """A resource as lists and pictures show it."""
    names = ", ".join(f"{name}: {variable}.{name}" for name in ("rid", "kind", "ns", "name"))
    return f"{{{names}, stub: coalesce({variable}.stub, false), ails: {ailment(variable)}}}"


def _count(node: NodeLabel, name: str, more: str = "") -> str:
    return (
        f"CALL (c) {{\n  MATCH (n:{node.label} {{{TENANT_KEY}: c.{TENANT_KEY}}})\n  WHERE n.{node.key} > ''{more}\n"
        f"  RETURN count(n) AS {name}\n}}"
    )


# The clusters that the reader may see, each with how much there is; null for `$client_ids` is all of them.
FLEET: Final = (
    f"MATCH (c:{CLUSTER.label})\nWHERE $client_ids IS NULL OR c.{TENANT_KEY} IN $client_ids\n"
    f"WITH c ORDER BY c.{TENANT_KEY} LIMIT $most\n"
    f"{_count(RESOURCE, 'objects')}\n{_count(INCIDENT, 'incidents', ' AND n.resolved IS NULL')}\n"
    f"RETURN properties(c) AS props, timestamp() AS now_ms, objects, incidents ORDER BY c.{TENANT_KEY}"
)
CLUSTER_OF: Final = f"MATCH (c:{CLUSTER.label} {{{_BOUND}}})\nRETURN properties(c) AS props, timestamp() AS now_ms LIMIT $most"
HAPPENED: Final = (
    f"{_of('e', CLUSTER_EPISODE)}\nRETURN properties(e) AS props ORDER BY e.at_ms DESC, e.{CLUSTER_EPISODE.key} DESC LIMIT $most"
)

# How many objects there are by namespace, kind and state: what is folded away is counted from here.
CENSUS: Final = (
    f"{_of('n', RESOURCE)}\nWITH coalesce(n.ns, '') AS ns, n.kind AS kind, coalesce(n.stub, false) AS stub,\n"
    f"  {ailment('n')} IS NOT NULL AS sick\n"
    "RETURN ns, kind, stub, sick, count(*) AS number ORDER BY ns, kind, stub, sick LIMIT $most"
)
OBJECTS: Final = (
    f"{_of('n', RESOURCE)} AND ($namespaces IS NULL OR coalesce(n.ns, '') IN $namespaces)\n"
    f"WITH n ORDER BY n.{TENANT_KEY}, n.{RESOURCE.key} LIMIT $most\n"
    f"RETURN {brief('n')} AS object, [(o:{RESOURCE.label})-[:CONTROLS]->(n) | o.{RESOURCE.key}] AS owners,\n"
    f"  [(n)-[:RUNS_ON]->(o:{RESOURCE.label}) | o.{RESOURCE.key}] AS nodes"
)
# Kinds are found by how their keys begin.
OBJECTS_OF_KINDS: Final = (
    f"UNWIND $prefixes AS prefix\nMATCH (n:{RESOURCE.label} {{{_BOUND}}})\nWHERE n.{RESOURCE.key} STARTS WITH prefix\n"
    f"WITH n ORDER BY n.{RESOURCE.key} LIMIT $most\n"
    f"RETURN {brief('n')} AS object, n.replicas AS replicas, n.ready_replicas AS ready, n.number_ready AS number_ready,\n"
    f"  n.desired_number_scheduled AS desired, EXISTS {{ (n)<-[:CONTROLS]-(:{RESOURCE.label}) }} AS owned,\n"
    f"  COUNT {{ (n)<-[:RUNS_ON]-(:{RESOURCE.label}) }} AS runs, n.image AS image"
)
BARE_PODS: Final = (
    f"MATCH (n:{RESOURCE.label} {{{_BOUND}}})\nWHERE n.{RESOURCE.key} STARTS WITH 'pod:'\n"
    f"  AND NOT EXISTS {{ (n)<-[:CONTROLS]-(:{RESOURCE.label}) }}\n"
    f"WITH n ORDER BY n.{RESOURCE.key} LIMIT $most\nRETURN {brief('n')} AS object, n.image AS image"
)
SICK: Final = (
    f"{_of('n', RESOURCE)} AND ({ailment('n')}) IS NOT NULL\nWITH n ORDER BY n.{RESOURCE.key} LIMIT $most\nRETURN {brief('n')} AS object"
)
OBJECT: Final = f"MATCH {_at('n', RESOURCE, '$rid')}\nRETURN properties(n) AS props, {brief('n')} AS object LIMIT $most"
BRIEFS: Final = f"UNWIND $rids AS rid\nMATCH {_at('n', RESOURCE, 'rid')}\nRETURN {brief('n')} AS object ORDER BY rid LIMIT $most"

# Relationships at some objects: of each, the first `$each` of every type and direction, and how many there are in all.
EDGES_AT: Final = (
    f"UNWIND $rids AS rid\nMATCH {_at('n', RESOURCE, 'rid')}-[r:{_TYPES}]-(m:{RESOURCE.label})\nWHERE type(r) IN $types\n"
    f"WITH rid, type(r) AS type, startNode(r) = n AS outgoing, m ORDER BY m.{RESOURCE.key}\n"
    "WITH rid, type, outgoing, collect(m) AS found\n"
    f"RETURN rid, type, outgoing, [m IN found[..$each] | {brief('m')}] AS others, size(found) AS number\n"
    "ORDER BY rid, type, outgoing LIMIT $most"
)
EDGES_BETWEEN: Final = (
    f"UNWIND $rids AS rid\nMATCH {_at('a', RESOURCE, 'rid')}-[r:{_TYPES}]->(b:{RESOURCE.label})\nWHERE b.{RESOURCE.key} IN $rids\n"
    f"RETURN a.{RESOURCE.key} AS source, type(r) AS type, b.{RESOURCE.key} AS target ORDER BY source, type, target LIMIT $most"
)
OWNERS: Final = (
    f"MATCH p = {_at('n', RESOURCE, '$rid')}<-[:CONTROLS]-{{1,6}}(o:{RESOURCE.label})\nWITH o, min(length(p)) AS hops\n"
    f"RETURN {brief('o')} AS object, hops ORDER BY hops, o.{RESOURCE.key} LIMIT $most"
)
MEMBERS_OF_NAMESPACE: Final = (
    f"{_of('n', RESOURCE)} AND n.ns = $ns\nWITH n ORDER BY n.{RESOURCE.key} LIMIT $most\nRETURN {brief('n')} AS object"
)

_EPISODE: Final = "properties(e) AS props"
EPISODES: Final = (
    f"MATCH (e:{EPISODIC.label} {{{_BOUND}}})\nWHERE e.ver > ''\nRETURN {_EPISODE} ORDER BY e.{TENANT_KEY} DESC, e.ver DESC LIMIT $most"
)
EPISODES_ABOUT: Final = (
    f"UNWIND $rids AS rid\nMATCH (e:{EPISODIC.label} {{{_BOUND}, subject: rid}})\n"
    f"RETURN {_EPISODE} ORDER BY e.ver DESC, e.{EPISODIC.key} LIMIT $most"
)
REFERRERS_OF: Final = {
    node.label: f"MATCH (e:{node.label} {{{_BOUND}, subject: $rid}})\nRETURN {_EPISODE} ORDER BY e.{node.key} LIMIT $most"
    for node in (PROM_TARGET, RULE)
}

INCIDENTS: Final = (
    f"{_of('i', INCIDENT)} AND ($open IS NULL OR (i.resolved IS NULL) = $open) AND ($root IS NULL OR i.root = $root)\n"
    f"RETURN properties(i) AS props ORDER BY i.resolved IS NOT NULL, i.opened DESC, i.{INCIDENT.key} LIMIT $most"
)
INCIDENT_BY_ID: Final = (
    f"{_of('i', INCIDENT)} AND (i.{INCIDENT.key} = $iid OR $iid IN i.aliases)\n"
    f"RETURN properties(i) AS props ORDER BY i.{INCIDENT.key} <> $iid, i.{INCIDENT.key} LIMIT $most"
)
AFFECTED: Final = (
    f"MATCH {_at('i', INCIDENT, '$iid')}-[r:{AFFECTS.type}]->(n:{RESOURCE.label})\n"
    f"RETURN r.role AS role, {brief('n')} AS object ORDER BY role, n.{RESOURCE.key} LIMIT $most"
)
EPISODES_OF_INCIDENT: Final = (
    f"MATCH {_at('i', INCIDENT, '$iid')}<-[:{PART_OF.type}]-(e:{EPISODIC.label})\n"
    f"RETURN {_EPISODE} ORDER BY e.ver DESC, e.{EPISODIC.key} LIMIT $most"
)
CAUSES_OF_INCIDENT: Final = (
    f"MATCH {_at('i', INCIDENT, '$iid')}<-[:{PART_OF.type}]-(a:{EPISODIC.label})-[r:{POTENTIAL_CAUSE.type}]->(b:{EPISODIC.label})\n"
    f"WHERE r.incident = $iid\nRETURN properties(r) AS props, a.subject AS source, b.subject AS target\n"
    "ORDER BY r.rank, source, target LIMIT $most"
)
INCIDENTS_OF_OBJECT: Final = (
    f"MATCH {_at('n', RESOURCE, '$rid')}<-[r:{AFFECTS.type}]-(i:{INCIDENT.label})\n"
    f"RETURN properties(i) AS props, r.role AS role ORDER BY i.opened DESC, i.{INCIDENT.key} LIMIT $most"
)

# `$text` is a query of Lucene's that names the tenants itself; whatever it finds is held to them once more.
SEARCH: Final = (
    f"CALL db.index.fulltext.queryNodes('{RESOURCE_TEXT.name}', $text, {{limit: $scanned}}) YIELD node AS n, score\n"
    f"WHERE $client_ids IS NULL OR n.{TENANT_KEY} IN $client_ids\n"
    f"WITH n, score ORDER BY score DESC, n.{TENANT_KEY}, n.{RESOURCE.key} LIMIT $most\n"
    f"RETURN n.{TENANT_KEY} AS {TENANT_KEY}, {brief('n')} AS object, n.labels AS labels, n.image AS image, n.pod_ip AS pod_ip,\n"
    "  n.service_ips AS service_ips, n.uid AS uid"
)

WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet")
