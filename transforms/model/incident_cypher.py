"""The statements that read a tenant's neighbourhood for the search for causes, and write its incidents; generated from the model."""

from typing import Final

from transforms.model.graph import (
    AFFECTS,
    AILING,
    CALLS,
    CLAIMS,
    CLUSTER,
    CONTROLS,
    EPISODIC,
    FINDING,
    INCIDENT,
    MOUNTS,
    PART_OF,
    POTENTIAL_CAUSE,
    PROM_TARGET,
    QUIET,
    RESOURCE,
    RULE,
    RUNS_ON,
    SELECTS,
    TENANT_KEY,
    TOMBSTONE,
    USES,
    NodeLabel,
)
from transforms.model.limits import READ_MESSAGE_CHARACTERS, READ_STATUS_CHARACTERS

# Every statement takes rows of many tenants, so that many are analysed in as many round trips as one.
_ROWS: Final = "UNWIND $rows AS row"
_TENANT: Final = f"{TENANT_KEY}: row.{TENANT_KEY}"
_OWNER: Final = f"row.{TENANT_KEY} AS {TENANT_KEY}"


def _all(variable: str, node: NodeLabel) -> str:
    return f"MATCH ({variable}:{node.label} {{{_TENANT}}})"


def _at(variable: str, node: NodeLabel, value: str) -> str:
    return f"({variable}:{node.label} {{{_TENANT}, {node.key}: {value}}})"


def _each(*parts: str) -> str:
    """Sub-queries of a row, one after the other."""
    return "\n".join(f"CALL (row) {{\n  {one}\n}}" for one in parts)


def _scanned(node: NodeLabel, name: str, more: str = "") -> str:
    return f"{_all('n', node)} WHERE n.{node.key} > ''\n  RETURN max(n.ver) AS {name}{more}"


def _indexed(node: NodeLabel, name: str) -> str:
    return (
        f"{_all('n', node)} WHERE n.ver > ''\n  WITH n.ver AS ver ORDER BY n.{TENANT_KEY} DESC, n.ver DESC LIMIT 1\n"
        f"  RETURN max(ver) AS {name}"
    )


# The greatest version of each label, how many resources there are, and the number of the newest write. No row: no tenant, or one
# that is being purged.
VERSIONS: Final = ("of_resources", "of_targets", "of_rules", "of_episodes", "of_tombstones")
READ_HEADS: Final = (
    f"{_ROWS}\nMATCH (c:{CLUSTER.label} {{{_TENANT}}})\nWHERE NOT coalesce(c.purging, false)\nWITH row, c.writes AS writes\n"
    + _each(
        _scanned(RESOURCE, VERSIONS[0], ", count(n) AS resources"),
        _scanned(PROM_TARGET, VERSIONS[1]),
        _scanned(RULE, VERSIONS[2]),
        _indexed(EPISODIC, VERSIONS[3]),
        _indexed(TOMBSTONE, VERSIONS[4]),
    )
    + f"\nRETURN {_OWNER}, writes, resources, {', '.join(VERSIONS)}"
)

_SINCE: Final = f"{_all('n', EPISODIC)} WHERE n.ver > row.episodes"
_TELLING: Final = f"{_SINCE} AND n.{FINDING} IS NULL AND (NOT n.severity IN $harmless OR n.reason IN $telling)"
# The hint keeps the server from looking at all that happened in a day.
_FINDINGS: Final = (
    f"MATCH (n:{EPISODIC.label})\n    USING INDEX n:{EPISODIC.label}({TENANT_KEY}, {FINDING})\n"
    f"    WHERE n.{TENANT_KEY} = row.{TENANT_KEY} AND n.{FINDING} > '' AND n.ver > row.findings"
)
_DOWN: Final = f"{_all('n', PROM_TARGET)} WHERE n.tid > '' AND n.health = 'down'"
_AILING: Final = f"{_all('n', RESOURCE)} WHERE n.{AILING} = true"
# How much there is to read: nothing at all where nothing ails and nothing happened.
READ_SIZES: Final = (
    f"{_ROWS}\n"
    + _each(
        f"{_SINCE}\n  WITH n LIMIT $most\n  RETURN count(n) AS told",
        f"{_FINDINGS}\n  WITH n LIMIT $most\n  RETURN count(n) AS found",
        f"{_DOWN}\n  RETURN count(n) AS down",
        f"{_AILING}\n  RETURN count(n) AS ailing",
    )
    + f"\nRETURN {_OWNER}, told, found, down, ailing"
)

EPISODE: Final = ("eid", "etype", "reason", "message", "subject", "severity", "count", "ver", "value", "state", "owner")
# Moments as microseconds since 1970: the driver's own take ten times as long to read.
EPISODE_TIMES: Final = ("event_time", "first_time")


def _read(name: str) -> str:
    """A property, as far as an analysis reads it."""
    if name == "message":
        return f"left(p.message, {READ_MESSAGE_CHARACTERS})"
    return f"CASE WHEN size(p.status) <= {READ_STATUS_CHARACTERS} THEN p.status END" if name == "status" else f"p.{name}"


def _us(name: str) -> str:
    return f"p.{name}.epochSeconds * 1000000 + p.{name}.microsecond"


# Whole lists, not a row each: what the driver does for a row costs more than what is in it. Properties are taken from their map, for
# which a node is read once; the server walks through all of them for each that is named.
READ_EPISODES: Final = (
    f"{_ROWS}\nCALL (row) {{\n  CALL (row) {{\n    {_TELLING}\n    RETURN n\n    UNION ALL\n    WITH row\n    {_FINDINGS}\n"
    "    RETURN n\n  }\n  WITH n ORDER BY n.ver DESC, n.eid LIMIT $most\n  WITH properties(n) AS p\n"
    f"  RETURN collect([{', '.join(map(_read, EPISODE))}, {', '.join(map(_us, EPISODE_TIMES))}]) AS values\n}}\n"
    f"RETURN {_OWNER}, values"
)
READ_AILING: Final = (
    f"{_ROWS}\nCALL (row) {{\n  {_AILING}\n  WITH n.rid AS rid ORDER BY rid LIMIT $most\n  RETURN collect(rid) AS values\n}}\n"
    f"RETURN {_OWNER}, values"
)
READ_SPACES_ON: Final = (
    f"{_ROWS}\nUNWIND row.nodes AS rid\nMATCH {_at('n', RESOURCE, 'rid')}<-[:{RUNS_ON.type}]-(p)\nRETURN DISTINCT {_OWNER}, p.ns AS ns"
)
READ_SPACES_CALLED: Final = (
    f"{_ROWS}\n{_all('w', RESOURCE)} WHERE w.rid > '' AND w.ns IN row.spaces\n"
    f"MATCH (w)-[:{CALLS.type}]->(s)\nRETURN DISTINCT {_OWNER}, s.ns AS ns"
)
OBJECT: Final = (
    *("rid", "kind", "ns", "name", "labels", "selector", "node", "pod_ip", "replicas", "service_ips", "status", "facts", "ver"),
    *("stub", "phase", "taints", "unschedulable", "volume", "storage_class", "storage_request", "access_modes", "capacity", "claim"),
)
OBJECT_TIMES: Final = ("created", "changed")
# What joins resources for the analysis: by where it begins, and who owns or calls them from elsewhere.
BEGINNING: Final = tuple(one.type for one in (CONTROLS, RUNS_ON, SELECTS, MOUNTS, USES, CALLS, CLAIMS))
ENDING: Final = tuple(one.type for one in (CONTROLS, CALLS))
READ_RESOURCES: Final = (
    f"{_ROWS}\nCALL (row) {{\n  {_all('n', RESOURCE)} WHERE n.rid > '' AND n.kind IN row.kinds\n"
    "    AND (n.ns IN row.spaces OR n.kind IN row.cluster_kinds)\n"
    f"  WITH n, CASE WHEN n.{AILING} THEN 0 ELSE row.ranks[n.kind] END AS rank ORDER BY rank, n.rid LIMIT $most\n"
    "  WITH n, properties(n) AS p\n"
    f"  RETURN collect([{', '.join(map(_read, OBJECT))}, {', '.join(map(_us, OBJECT_TIMES))},\n"
    f"    [(n)-[r:{'|'.join(BEGINNING)}]->(m) | [type(r), m.{RESOURCE.key}]],\n"
    f"    [(n)<-[r:{'|'.join(ENDING)}]-(m) | [type(r), m.{RESOURCE.key}]]]) AS values\n}}\n"
    f"RETURN {_OWNER}, values"
)
READ_TARGETS_DOWN: Final = (
    f"{_ROWS}\nCALL (row) {{\n  {_DOWN}\n  RETURN properties(n) AS props ORDER BY n.tid LIMIT 1000\n}}\nRETURN {_OWNER}, props"
)

# An analysis of another takes no lock where nothing differs, so that nothing tells who was analysed since.
READ_RESTLESS: Final = (
    f"MATCH (c:{CLUSTER.label}) WHERE c.{TENANT_KEY} > '' AND NOT coalesce(c.{QUIET}, false) AND NOT coalesce(c.purging, false)\n"
    f"RETURN c.{TENANT_KEY} AS {TENANT_KEY} ORDER BY {TENANT_KEY}"
)

# Takes the tenants' locks in the order of the rows and counts as no write, since it changes nothing that is mirrored.
LOCK_ANALYSIS: Final = (
    f"{_ROWS}\nMATCH (c:{CLUSTER.label} {{{_TENANT}}})\nWHERE NOT coalesce(c.purging, false)\n"
    f"SET c.analysed_at = timestamp()\nRETURN {_OWNER}, c.writes AS writes"
)
# Nothing is wrong with these, and nothing will be until a write says so (`WAKE` in model/cypher.py).
SET_QUIET: Final = f"{_ROWS}\nMATCH (c:{CLUSTER.label} {{{_TENANT}}})\nSET c.{QUIET} = true"
READ_HELD: Final = f"{_ROWS}\n{_all('i', INCIDENT)} WHERE i.iid > ''\nRETURN {_OWNER}, i.iid AS iid, i.hash AS hash"
DROP_INCIDENTS: Final = f"{_ROWS}\nMATCH {_at('i', INCIDENT, 'row.iid')}\nDETACH DELETE i"
PUT_INCIDENTS: Final = f"{_ROWS}\nMERGE {_at('i', INCIDENT, 'row.iid')}\nSET i = row.props, i.{TENANT_KEY} = row.{TENANT_KEY}"
# Links between episodes are no incident's to take along; they name theirs.
UNJOIN: Final = (
    f"{_ROWS}\nMATCH {_at('i', INCIDENT, 'row.iid')}<-[:{PART_OF.type}]-(e:{EPISODIC.label})-[r:{POTENTIAL_CAUSE.type}]-()\n"
    "WHERE r.incident = row.iid\nWITH DISTINCT r\nDELETE r"
)
UNJOIN_OWN: Final = f"{_ROWS}\nMATCH {_at('i', INCIDENT, 'row.iid')}-[r:{PART_OF.type}|{AFFECTS.type}]-()\nDELETE r"
JOIN_PART_OF: Final = (
    f"{_ROWS}\nMATCH {_at('e', EPISODIC, 'row.eid')}\nMATCH {_at('i', INCIDENT, 'row.iid')}\n"
    f"MERGE (e)-[r:{PART_OF.type}]->(i)\nSET r.{TENANT_KEY} = row.{TENANT_KEY}, r.severity = row.severity"
)
JOIN_AFFECTS: Final = (
    f"{_ROWS}\nMATCH {_at('i', INCIDENT, 'row.iid')}\nMATCH {_at('n', RESOURCE, 'row.rid')}\n"
    f"MERGE (i)-[r:{AFFECTS.type}]->(n)\nSET r.{TENANT_KEY} = row.{TENANT_KEY}, r.role = row.role"
)
JOIN_CAUSES: Final = (
    f"{_ROWS}\nMATCH {_at('a', EPISODIC, 'row.source')}\nMATCH {_at('b', EPISODIC, 'row.target')}\n"
    f"MERGE (a)-[r:{POTENTIAL_CAUSE.type} {{{TENANT_KEY}: row.{TENANT_KEY}, incident: row.props.incident}}]->(b)\n"
    f"SET r = row.props, r.{TENANT_KEY} = row.{TENANT_KEY}"
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
READ_OBJECT: Final = f"MATCH (n:{RESOURCE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {RESOURCE.key}: $rid}})\nRETURN n.rid AS rid"
