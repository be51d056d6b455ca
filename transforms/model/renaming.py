"""The statements that bring graphs over whose rids had no API group for kinds that Kubernetes has not (docs/adr/024)."""

from typing import Final

from transforms.model.graph import BARE, CLUSTER, REFERS, RESOURCE, TENANT_KEY

# Which spelling of rids a tenant's graph has; absent on graphs from before there was more than one. New tenants begin with it.
SPELLING: Final = 2

_CLUSTER: Final = f"MATCH (c:{CLUSTER.label} {{{TENANT_KEY}: ${TENANT_KEY}}})"
_REFERS: Final = "|".join(relationship.type for relationship in REFERS.values())

TENANTS_TO_SPELL: Final = (
    f"MATCH (c:{CLUSTER.label})\nWHERE coalesce(c.spelling, 1) < {SPELLING}\nRETURN c.{TENANT_KEY} AS {TENANT_KEY} ORDER BY {TENANT_KEY}"
)
# Groups of others than Kubernetes hold a dot; which rids change is for the model to say.
READ_SPELT: Final = (
    f"MATCH (n:{RESOURCE.label} {{{TENANT_KEY}: ${TENANT_KEY}}})\n"
    f"WHERE n.{RESOURCE.key} > '' AND n.ver IS NOT NULL AND n.{BARE} IS NULL AND n.api_version CONTAINS '.'\n"
    f"RETURN n.{RESOURCE.key} AS rid, n.api_version AS api_version ORDER BY rid"
)
# Takes the tenant's lock and counts as a write, so that no mirror outlives it. A node that stands at the new rid already stays as it is.
SPELL: Final = (
    f"{_CLUSTER}\nSET c.writes = coalesce(c.writes, 0) + 1\nWITH c\nUNWIND $rows AS row\n"
    f"MATCH (n:{RESOURCE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {RESOURCE.key}: row.rid}})\n"
    f"WHERE NOT EXISTS {{ (:{RESOURCE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {RESOURCE.key}: row.now}}) }}\n"
    f"SET n.{RESOURCE.key} = row.now, n.{BARE} = row.rid\n"
    f"WITH n, row\nOPTIONAL MATCH (e)-[:{_REFERS}]->(n)\nSET e.subject = row.now\nRETURN count(DISTINCT n) AS renamed"
)
MARK_SPELT: Final = f"{_CLUSTER}\nSET c.spelling = {SPELLING}"
