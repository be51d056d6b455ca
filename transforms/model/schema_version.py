"""Which version of the schema a graph has, kept in the graph itself (docs/adr/038).

The version goes up when a graph that an earlier version of the job wrote must be changed before this one may write it. Constraints and
indexes that are merely missing need no version: every start creates them.
"""

from typing import Final

from transforms.model.graph import SCHEMA, TENANT_KEY

# 1: graphs without a version, whose rids have no API groups. 2: rids carry the API group of kinds that Kubernetes has not (docs/adr/024).
VERSION: Final = 2
NAME: Final = "graph"

_NODE: Final = f"(s:{SCHEMA.label} {{{TENANT_KEY}: ${TENANT_KEY}, {SCHEMA.key}: $name}})"
READ_VERSION: Final = f"MATCH {_NODE}\nRETURN s.version AS version"
# Never lowers a version: whoever is older has refused before.
RAISE_VERSION: Final = (
    f"MERGE {_NODE}\nWITH s WHERE coalesce(s.version, 0) < $version\nSET s.before = s.version, s.version = $version, s.since = timestamp()"
)
