"""The statements that take away what is too old to matter, generated from the model as the others are."""

from typing import Final

from transforms.model.graph import CLUSTER, EPISODIC, INCIDENT, RESOURCE, TENANT_KEY, TOMBSTONE, NodeLabel

# Each statement takes the tenant's lock and counts as a write, so that no mirror outlives it.
_SWEEPING: Final = f"MATCH (c:{CLUSTER.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\nSET c.writes = coalesce(c.writes, 0) + 1"


def _raised(name: str) -> str:
    return f"c.{name} = CASE WHEN c.{name} >= ${name} THEN c.{name} ELSE ${name} END"


RAISE_FLOORS: Final = (
    f"{_SWEEPING},\n    {_raised('swept')},\n    {_raised('episode_floor')}\nRETURN c.swept AS swept, c.episode_floor AS episode_floor"
)


def _sweep(node: NodeLabel) -> str:
    """Up to `$most` nodes whose newest word is at or below `$floor`; those without a version of their own stay."""
    return (
        f"{_SWEEPING}\nWITH c\nMATCH (n:{node.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\nWHERE n.ver > '' AND n.ver <= $floor\n"
        "WITH n LIMIT $most\nDETACH DELETE n\nRETURN count(*) AS gone"
    )


SWEEP_EPISODES: Final = _sweep(EPISODIC)
# Incidents that were over before the time, in microseconds since 1970; what still holds stays, however old.
_OLD_INCIDENTS: Final = (
    f"MATCH (i:{INCIDENT.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\n"
    f"WHERE i.{INCIDENT.key} > '' AND i.resolved.epochSeconds * 1000000 + i.resolved.microsecond <= $before_us"
)
SWEEP_INCIDENTS: Final = f"{_SWEEPING}\nWITH c\n{_OLD_INCIDENTS}\nWITH i LIMIT $most\nDETACH DELETE i\nRETURN count(*) AS gone"
COUNT_OLD_INCIDENTS: Final = f"{_OLD_INCIDENTS}\nRETURN count(*) AS number"
# Those that are to be swept; what they say is kept elsewhere before they go, in the same transaction (`planning/swept.py`).
OLD_TOMBSTONES: Final = (
    f"{_SWEEPING}\nWITH c\nMATCH (n:{TOMBSTONE.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\nWHERE n.ver > '' AND n.ver <= $floor\n"
    "RETURN n.key AS key, n.ver AS ver, n.payload AS payload, n.ref_a AS ref_a, n.ref_b AS ref_b LIMIT $most"
)
# In the order of the index, which the hint makes the server keep to: its other comparisons of texts give another order, and pages
# would overlap or leave something out.
SWEEP_STUBS: Final = (
    f"{_SWEEPING}\nWITH c\nMATCH (n:{RESOURCE.label})\nUSING INDEX n:{RESOURCE.label}({TENANT_KEY}, {RESOURCE.key})\n"
    f"WHERE n.{TENANT_KEY} = ${TENANT_KEY} AND n.{RESOURCE.key} > $after\n"
    f"WITH n ORDER BY n.{TENANT_KEY}, n.{RESOURCE.key} LIMIT $most\n"
    f"WITH collect(n) AS page, last(collect(n.{RESOURCE.key})) AS last\n"
    "CALL (page) {\n  UNWIND page AS n\n  WITH n WHERE n.stub AND NOT EXISTS { (n)--() }\n  DELETE n\n  RETURN count(*) AS gone\n}\n"
    "RETURN last, gone"
)
COUNT_OLD: Final = {
    node.label: (f"MATCH (n:{node.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\nWHERE n.ver > '' AND n.ver <= $floor\nRETURN count(*) AS number")
    for node in (EPISODIC, TOMBSTONE)
}
SERVER_TIME: Final = "RETURN timestamp() AS ms"
