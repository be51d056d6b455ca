"""The statements about clusters themselves: what is known of them, signs of life, registrations, states.

Generated from the model as the others are. Times in milliseconds since 1970, by the server's clock unless a broker's.
"""

from typing import Final

from transforms.model.graph import BUS, CLUSTER, CLUSTER_EPISODE, TENANT_KEY
from transforms.model.renaming import SPELLING

_CLUSTER: Final = f"(c:{CLUSTER.label} {{{TENANT_KEY}: row.{TENANT_KEY}}})"
_BUS: Final = f"(b:{BUS.label} {{{TENANT_KEY}: ${TENANT_KEY}, {BUS.key}: $name}})"


def birth(seen: str) -> str:
    """What a cluster begins with. seen: when the broker got its first record, null where it does not say."""
    return (
        f"c.first_seen = coalesce({seen}, timestamp()), c.last_seen = coalesce({seen}, timestamp()),\n"
        "    c.heard = timestamp(), c.created = timestamp(), c.generation = 1, c.state = 'ACTIVE', c.state_since = timestamp(),\n"
        f"    c.spelling = {SPELLING}"
    )


READ_CLUSTERS: Final = (
    f"MATCH (c:{CLUSTER.label})\n"
    f"RETURN c.{TENANT_KEY} AS {TENANT_KEY}, coalesce(c.registered, false) AS is_registered, coalesce(c.cluster, '') AS cluster,\n"
    "  coalesce(c.created, 0) AS created_ms"
)
_BUS_ROW: Final = "coalesce(b.clock_ms, 0) AS clock_ms, coalesce(b.judged_ms, 0) AS judged_ms, coalesce(b.judged_at_ms, 0) AS judged_at_ms"
READ_BUS: Final = f"OPTIONAL MATCH {_BUS}\nRETURN timestamp() AS now_ms, {_BUS_ROW}"

# Its first write takes the lock: two runs never lose each other's word.
LOCK_BUS: Final = f"MERGE {_BUS}\nSET b.asked = timestamp()\nRETURN timestamp() AS now_ms, coalesce(b.spans, []) AS spans, {_BUS_ROW}"
WRITE_BUS: Final = f"MATCH {_BUS}\nSET b += $props"

GREET: Final = f"UNWIND $rows AS row\nMERGE {_CLUSTER}\nON CREATE SET {birth('row.seen')}"
HEAR: Final = (
    f"UNWIND $rows AS row\nMATCH {_CLUSTER}\nWITH c, coalesce(row.seen, timestamp()) AS seen\n"
    "SET c.heard = timestamp(),\n"
    "    c.first_seen = CASE WHEN c.first_seen <= seen THEN c.first_seen ELSE seen END,\n"
    "    c.last_seen = CASE WHEN c.last_seen >= seen THEN c.last_seen ELSE seen END"
)
REGISTER: Final = (
    f"UNWIND $rows AS row\nMATCH {_CLUSTER}\nWHERE c.registry_ver IS NULL OR c.registry_ver < row.ver\nSET c += row.props,\n"
    "    c.deregistered_at = CASE WHEN row.gone THEN coalesce(row.at, timestamp()) END"
)

READ_HEARD: Final = (
    f"MATCH (c:{CLUSTER.label})\n"
    f"RETURN c.{TENANT_KEY} AS {TENANT_KEY}, coalesce(c.state, 'ACTIVE') AS state, coalesce(c.heard, 0) AS heard_ms,\n"
    "  c.silent_clock_ms AS silent_clock_ms, c.dead_clock_ms AS dead_clock_ms"
)
# What was found is written only where nobody else has found otherwise meanwhile.
SET_STATE: Final = (
    f"UNWIND $rows AS row\nMATCH {_CLUSTER}\nWHERE c.state = row.before AND coalesce(c.heard, 0) = row.heard_ms\n"
    "SET c.silent_clock_ms = row.silent_clock_ms, c.dead_clock_ms = row.dead_clock_ms, c.state = row.state,\n"
    "    c.state_since = CASE WHEN row.state = row.before THEN c.state_since ELSE timestamp() END\n"
    f"RETURN c.{TENANT_KEY} AS {TENANT_KEY}"
)
TELL: Final = (
    f"UNWIND $rows AS row\nMERGE (e:{CLUSTER_EPISODE.label} {{{TENANT_KEY}: row.{TENANT_KEY}, {CLUSTER_EPISODE.key}: row.key}})\n"
    "ON CREATE SET e += row.props, e.at_ms = timestamp()"
)
COUNT_STATES: Final = f"MATCH (c:{CLUSTER.label})\nRETURN coalesce(c.state, 'ACTIVE') AS state, count(*) AS number"
