"""The statements that read a tenant's neighbourhood for the search for causes, and write its incidents; generated from the model."""

from typing import Final

from transforms.model.graph import (
    AFFECTS,
    AILING,
    CALLS,
    CLUSTER,
    EPISODIC,
    INCIDENT,
    PART_OF,
    POTENTIAL_CAUSE,
    PROM_TARGET,
    RESOURCE,
    RULE,
    RUNS_ON,
    TENANT_KEY,
    TOMBSTONE,
    NodeLabel,
)

_TENANT: Final = f"{TENANT_KEY}: ${TENANT_KEY}"


def _all(variable: str, node: NodeLabel) -> str:
    return f"MATCH ({variable}:{node.label} {{{_TENANT}}})"


def _at(variable: str, node: NodeLabel, value: str) -> str:
    return f"({variable}:{node.label} {{{_TENANT}, {node.key}: {value}}})"


# Takes the tenant's lock and counts as no write, since it changes nothing that is mirrored. No row: no tenant, or one that is purged.
LOCK_ANALYSIS: Final = (
    f"MATCH (c:{CLUSTER.label} {{{_TENANT}}})\nWHERE NOT coalesce(c.purging, false)\n"
    "SET c.analysed_at = timestamp()\nRETURN c.writes AS writes"
)

_SCANNED: Final = tuple(f"{_all('n', node)} WHERE n.{node.key} > ''\nRETURN max(n.ver) AS ver" for node in (RESOURCE, PROM_TARGET, RULE))
_INDEXED: Final = tuple(
    f"{_all('n', node)} WHERE n.ver > ''\nRETURN n.ver AS ver ORDER BY n.{TENANT_KEY} DESC, n.ver DESC LIMIT 1"
    for node in (EPISODIC, TOMBSTONE)
)
NEWEST: Final = dict(enumerate((*_SCANNED, *_INDEXED)))

_EPISODE: Final = ", ".join(
    f".{name}"
    for name in (
        "eid",
        "etype",
        "reason",
        "message",
        "subject",
        "severity",
        "count",
        "event_time",
        "first_time",
        "ver",
        "value",
        "state",
        "owner",
    )
)
READ_EPISODES: Final = (
    f"CALL () {{\n  {_all('n', EPISODIC)} WHERE n.ver > $episodes AND n.finding IS NULL\n"
    "    AND (NOT n.severity IN $harmless OR n.reason IN $telling)\n"
    f"  RETURN n\n  UNION ALL\n  {_all('n', EPISODIC)} WHERE n.finding > '' AND n.ver > $findings\n  RETURN n\n}}\n"
    f"RETURN n {{{_EPISODE}}} AS props ORDER BY n.ver DESC, n.eid LIMIT $most"
)
READ_AILING: Final = f"{_all('n', RESOURCE)} WHERE n.{AILING} = true\nRETURN n.rid AS rid ORDER BY rid LIMIT $most"
READ_SPACES_ON: Final = f"UNWIND $nodes AS rid\nMATCH {_at('n', RESOURCE, 'rid')}<-[:{RUNS_ON.type}]-(p)\nRETURN DISTINCT p.ns AS ns"
READ_SPACES_CALLED: Final = (
    f"{_all('w', RESOURCE)} WHERE w.rid > '' AND w.ns IN $spaces\nMATCH (w)-[:{CALLS.type}]->(s)\nRETURN DISTINCT s.ns AS ns"
)
_OBJECT: Final = ", ".join(
    f".{name}"
    for name in (
        *(
            "rid",
            "kind",
            "ns",
            "name",
            "labels",
            "selector",
            "node",
            "pod_ip",
            "replicas",
            "service_ips",
            "status",
            "facts",
            "created",
            "ver",
        ),
        *("stub", "phase", "taints", "unschedulable", "volume", "storage_class", "storage_request", "access_modes", "capacity", "claim"),
    )
)
READ_RESOURCES: Final = (
    f"{_all('n', RESOURCE)} WHERE n.rid > '' AND n.kind IN $kinds AND (n.ns IN $spaces OR n.kind IN $cluster_kinds)\n"
    f"RETURN n {{{_OBJECT}}} AS props ORDER BY n.rid LIMIT $most"
)
READ_EDGES: Final = (
    f"UNWIND $rids AS rid\nMATCH {_at('n', RESOURCE, 'rid')}-[r]-(:{RESOURCE.label})\nWHERE type(r) IN $types\n"
    "WITH DISTINCT type(r) AS type, startNode(r).rid AS source, endNode(r).rid AS target\n"
    "RETURN type, source, target ORDER BY type, source, target LIMIT $most"
)
READ_TARGETS_DOWN: Final = (
    f"{_all('n', PROM_TARGET)} WHERE n.tid > '' AND n.health = 'down'\nRETURN properties(n) AS props ORDER BY n.tid LIMIT 1000"
)

READ_HELD: Final = f"{_all('i', INCIDENT)} WHERE i.iid > ''\nRETURN i.iid AS iid, i.hash AS hash"
DROP_INCIDENTS: Final = f"UNWIND $iids AS iid\nMATCH {_at('i', INCIDENT, 'iid')}\nDETACH DELETE i"
PUT_INCIDENTS: Final = f"UNWIND $rows AS row\nMERGE {_at('i', INCIDENT, 'row.iid')}\nSET i = row.props"
# Links between episodes are no incident's to take along; they name theirs.
UNJOIN: Final = (
    f"UNWIND $iids AS iid\nMATCH {_at('i', INCIDENT, 'iid')}<-[:{PART_OF.type}]-(e:{EPISODIC.label})-[r:{POTENTIAL_CAUSE.type}]-()\n"
    "WHERE r.incident = iid\nWITH DISTINCT r\nDELETE r"
)
UNJOIN_OWN: Final = f"UNWIND $iids AS iid\nMATCH {_at('i', INCIDENT, 'iid')}-[r:{PART_OF.type}|{AFFECTS.type}]-()\nDELETE r"
JOIN_PART_OF: Final = (
    f"UNWIND $rows AS row\nMATCH {_at('e', EPISODIC, 'row.eid')}\nMATCH {_at('i', INCIDENT, 'row.iid')}\n"
    f"MERGE (e)-[r:{PART_OF.type}]->(i)\nSET r = row.props"
)
JOIN_AFFECTS: Final = (
    f"UNWIND $rows AS row\nMATCH {_at('i', INCIDENT, 'row.iid')}\nMATCH {_at('n', RESOURCE, 'row.rid')}\n"
    f"MERGE (i)-[r:{AFFECTS.type}]->(n)\nSET r = row.props"
)
JOIN_CAUSES: Final = (
    f"UNWIND $rows AS row\nMATCH {_at('a', EPISODIC, 'row.source')}\nMATCH {_at('b', EPISODIC, 'row.target')}\n"
    f"MERGE (a)-[r:{POTENTIAL_CAUSE.type} {{{TENANT_KEY}: row.props.{TENANT_KEY}, incident: row.props.incident}}]->(b)\nSET r = row.props"
)

LIST_INCIDENTS: Final = (
    f"MATCH (i:{INCIDENT.label}) WHERE ($client_id = '' OR i.{TENANT_KEY} = $client_id) AND ($state = '' OR i.state = $state)\n"
    "  AND i.last >= $since\nRETURN properties(i) AS props ORDER BY i.state, i.opened DESC, i.iid LIMIT $most"
)
SHOW_INCIDENT: Final = (
    f"MATCH (i:{INCIDENT.label}) WHERE (i.iid = $iid OR $iid IN coalesce(i.aliases, []))\n"
    f"  AND ($client_id = '' OR i.{TENANT_KEY} = $client_id)\n"
    f"RETURN properties(i) AS props, [(i)-[r:{AFFECTS.type}]->(n) | {{role: r.role, rid: n.rid}}] AS affects,\n"
    f"  [(e:{EPISODIC.label})-[:{PART_OF.type}]->(i) | e {{.eid, .reason, .message, .subject, .ver, .event_time}}] AS episodes\n"
    "ORDER BY i.iid LIMIT 10"
)
COUNT_INCIDENTS: Final = (
    f"MATCH (i:{INCIDENT.label}) WHERE i.state = 'open' AND ($client_id = '' OR i.{TENANT_KEY} = $client_id)\n"
    f"RETURN i.{TENANT_KEY} AS {TENANT_KEY}, i.kind AS kind, count(*) AS number ORDER BY {TENANT_KEY}, kind"
)
READ_OBJECT: Final = f"MATCH {_at('n', RESOURCE, '$rid')}\nRETURN n.rid AS rid"
