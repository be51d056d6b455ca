"""The statements that take a tenant's whole graph away and that begin a new generation of it, generated from the model.

Each takes the tenant's lock with its first words and counts as a write, so that no mirror outlives it; what it then
reads of the `:Cluster` is what holds while it runs. `$started` names the purge: a slice of one that has ended finds
nothing, so that a process that was held up never takes away what a later generation wrote.
"""

from typing import Final

from transforms.model.graph import (
    BACKFILL,
    BACKFILL_SLICE,
    BUS,
    CLUSTER,
    CLUSTER_EPISODE,
    LEASE,
    NODES,
    RELATIONSHIPS,
    SCHEMA,
    TENANT_KEY,
    NodeLabel,
)

# What lasts: the cluster with its floors, what happened to it, and what is no tenant's.
KEPT: Final = (CLUSTER, CLUSTER_EPISODE, LEASE, BUS, BACKFILL, BACKFILL_SLICE, SCHEMA)
PURGED: Final = tuple(node for node in NODES if node not in KEPT)
SOURCES: Final = tuple(node for node in PURGED if any(relationship.source is node for relationship in RELATIONSHIPS))

PURGE_EPISODE: Final = "cluster.purge"
RESTORE_EPISODE: Final = "cluster.restore"
GENERATION_EPISODE: Final = "cluster.generation"

_LOCK: Final = f"MATCH (c:{CLUSTER.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\nSET c.writes = coalesce(c.writes, 0) + 1"
_LOCK_PURGE: Final = f"{_LOCK}\nWITH c\nWHERE c.purging AND c.purge_started = $started"


def _all(node: NodeLabel) -> str:
    """All of a tenant's nodes of a label; the second predicate lets the planner use the key's index."""
    return f"MATCH (n:{node.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\nWHERE n.{node.key} >= ''"


def _raised(name: str) -> str:
    """A floor of the future, which older versions could set, would supersede all that is still to come: it is set anew."""
    return f"c.{name} = CASE WHEN c.{name} >= $floor AND c.{name} <= $latest THEN c.{name} ELSE $floor END"


# Who is there. The tenants, all or one, with the time by the server's clock.
TENANTS_STANDING: Final = f"MATCH (c:{CLUSTER.label})\nRETURN properties(c) AS props, timestamp() AS now_ms ORDER BY c.{TENANT_KEY}"
TENANT_STANDING: Final = f"MATCH (c:{CLUSTER.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\nRETURN properties(c) AS props, timestamp() AS now_ms"
BUS_CLOCK: Final = f"MATCH (b:{BUS.label} {{{TENANT_KEY}: ${TENANT_KEY}, {BUS.key}: $name}})\nRETURN b.clock_ms AS clock_ms"
CLUSTER_EPISODES: Final = (
    f"MATCH (e:{CLUSTER_EPISODE.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\nWHERE e.{CLUSTER_EPISODE.key} >= ''\n"
    "RETURN properties(e) AS props ORDER BY e.at_ms DESC, e.eid DESC LIMIT $most"
)
COUNT_NODES: Final = {node.label: f"{_all(node)}\nRETURN count(*) AS number" for node in PURGED}
COUNT_RELATIONSHIPS: Final = {node.label: f"{_all(node)}\nMATCH (n)-[r]->()\nRETURN count(r) AS number" for node in SOURCES}

# Beginning, all in one transaction: the lock, the greatest version that is stored and no later than `$latest`, then the floors and
# that it is begun.
LOCK_STANDING: Final = f"{_LOCK}\nRETURN properties(c) AS props, timestamp() AS now_ms"
GREATEST_OF_NODES: Final = {node.label: f"{_all(node)} AND n.ver <= $latest\nRETURN max(n.ver) AS ver" for node in PURGED}
GREATEST_OF_RELATIONSHIPS: Final = {
    node.label: f"{_all(node)}\nMATCH (n)-[r]->()\nWHERE r.ver <= $latest\nRETURN max(r.ver) AS ver" for node in SOURCES
}
BEGIN_PURGE: Final = (
    f"{_LOCK},\n    {_raised('floor')},\n    {_raised('episode_floor')},\n"
    "    c.purging = true, c.purge_by = $by, c.purge_reason = $reason, c.purge_started = $now_ms,\n"
    "    c.purge_nodes = 0, c.purge_relationships = 0"
)

# Relationships that begin at nodes from `$at` on, in the order of their key; told with the tenant, it is the index's own, and
# nothing beyond the slice is looked at. A node without any takes a row too, so that a
# slice is bounded either way; `rows` below `$most` says that the label is through. `$most` is at least 2: then a full slice
# has either come to another node or taken relationships away.
PURGE_RELATIONSHIPS: Final = {
    node.label: (
        f"{_LOCK_PURGE}\nCALL () {{\n"
        f"  MATCH (n:{node.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\n  WHERE n.{node.key} >= $at\n"
        f"  WITH n ORDER BY n.{TENANT_KEY}, n.{node.key} LIMIT $most\n  OPTIONAL MATCH (n)-[r]->()\n"
        f"  WITH n, r ORDER BY n.{TENANT_KEY}, n.{node.key} LIMIT $most\n"
        f"  WITH max(n.{node.key}) AS last, count(*) AS rows, collect(r) AS found\n"
        "  FOREACH (r IN found | DELETE r)\n  RETURN last, rows, size(found) AS gone\n}\n"
        "SET c.purge_relationships = c.purge_relationships + gone\nRETURN last, rows, gone"
    )
    for node in SOURCES
}
# Whatever else may be tied to a node, by hand or from another tenant, goes with it.
PURGE_NODES: Final = {
    node.label: (
        f"{_LOCK_PURGE}\nCALL () {{\n"
        f"  MATCH (n:{node.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\n  WHERE n.{node.key} >= ''\n"
        "  WITH n LIMIT $most\n  DETACH DELETE n\n  RETURN count(*) AS gone\n}\n"
        "SET c.purge_nodes = c.purge_nodes + gone\nRETURN gone"
    )
    for node in PURGED
}

_EPISODE: Final = f"MERGE (e:{CLUSTER_EPISODE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {CLUSTER_EPISODE.key}: eid}})\nSET e += episode"
# The end. What the registry said goes with a tenant that is deregistered; who is registered, or is again, keeps it. The version
# of the registry's record stays: an older one must not come back.
END_PURGE: Final = (
    f"{_LOCK_PURGE}\nWITH c, timestamp() AS now, 'purge ' + toString(c.purge_started) AS eid,\n"
    "    c.purge_nodes AS nodes, c.purge_relationships AS relationships\n"
    f"WITH c, now, eid, {{etype: '{PURGE_EPISODE}', reason: c.purge_reason, at_ms: now, by: c.purge_by, ended_by: $by,\n"
    "    began_ms: c.purge_started, generation: coalesce(c.generation, 1), nodes: nodes, relationships: relationships,\n"
    "    message: 'purged ' + toString(nodes) + ' nodes and ' + toString(relationships) + ' relationships'} AS episode\n"
    f"{_EPISODE}\n"
    "SET c.state = 'PURGED', c.state_since = now, c.purged_at = now,\n"
    "    c.generation = episode.generation, c.purged_generation = episode.generation\n"
    "REMOVE c.purging, c.purge_by, c.purge_reason, c.purge_started, c.purge_nodes, c.purge_relationships,\n"
    "    c.resync_needed, c.generation_from, c.dead_clock_ms, c.quarantined_at, c.quarantine_reason\n"
    "FOREACH (_ IN CASE WHEN c.deregistered_at IS NULL THEN [] ELSE [1] END |\n"
    "  SET c.registered = false\n  REMOVE c.cluster, c.labels, c.registered_at, c.deregistered_at)\n"
    "RETURN episode AS purged"
)
PURGE_TOLD: Final = (
    f"MATCH (e:{CLUSTER_EPISODE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {CLUSTER_EPISODE.key}: 'purge ' + toString($started)}})\n"
    "RETURN properties(e) AS purged"
)

# The way back: what is past may be read again. Only once no purge is under way, which needs the floors.
RESTORE: Final = (
    f"{_LOCK}\nWITH c, timestamp() AS now, c.floor AS floor\nWHERE floor IS NOT NULL AND NOT coalesce(c.purging, false)\n"
    "WITH c, floor, 'restore ' + toString(now) AS eid,\n"
    f"    {{etype: '{RESTORE_EPISODE}', reason: 'asked for', at_ms: now, by: $by, floor: floor,\n"
    "    message: 'records from before the purge are taken in again, where they are read again'} AS episode\n"
    f"{_EPISODE}\nREMOVE c.floor, c.episode_floor\nRETURN floor"
)

# A life after a purge. The lock is held already, by the batch that begins it.
BEGIN_GENERATION: Final = (
    f"MATCH (c:{CLUSTER.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\n"
    "SET c.generation = coalesce(c.generation, 1) + 1, c.generation_from = $from_ms, c.resync_needed = true,\n"
    "    c.state = 'ACTIVE', c.state_since = timestamp()\n"
    "REMOVE c.purged_generation\n"
    "WITH c, 'generation ' + toString(c.generation) AS eid,\n"
    f"    {{etype: '{GENERATION_EPISODE}', reason: 'life after a purge', at_ms: timestamp(), by: $by, generation: c.generation,\n"
    "    message: 'generation ' + toString(c.generation) + ' began; a snapshot or full resync is needed'} AS episode\n"
    f"{_EPISODE}"
)
END_RESYNC: Final = f"MATCH (c:{CLUSTER.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\nSET c.resync_needed = false"
