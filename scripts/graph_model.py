"""docs/graph-model.md, generated from the declared model: `python -m scripts.graph_model > docs/graph-model.md`."""

import sys
from collections.abc import Iterator

from scripts.queries import QUERIES
from transforms.model.cypher import schema_statements
from transforms.model.graph import NODES, RELATIONSHIPS, TENANT_KEY
from transforms.model.kinds import KINDS

INTRODUCTION = """\
# The graph

Generated from `transforms/model/` by `python -m scripts.graph_model`; a test compares the two. Every node and every
relationship carries `client_id`, its tenant; no relationship crosses tenants. What people query is live: tombstones and the
versions of the dead stand apart under `:Tombstone`.
"""

PROPERTIES = """\
A `:Resource` has `rid` (`kind:namespace:name`, `kind::name` when cluster-scoped), `kind`, `ns`, `name`, `uid`, `api_version`,
`labels` and `selector` (lists of `key=value`), `owners` (`Kind/name`), `node`, `pod_ip`, `image`, `replicas`, `service_ips` and
`status` (JSON text). `stub: true` marks an object that only its relationships speak for. An `:Episodic` has `eid`, `etype`,
`severity_raw`, `severity` (DEBUG, INFO, WARNING, ERROR, FATAL, UNKNOWN), `reason`, `message`, `event_time`, `count` and
`subject` (the rid that it is about); an episode of an alert has `alert`, one that counts may have `count_capped`. An episode of
etype `k8s.log` is about a Pod and counts its lines of one UTC minute that say the same; it may have `container`, and its `reason` is one of
the families of failures (docs/records.md). `ver`, `hash`,
`implies` and `seen` order and compare writes; do not query or change them.
"""

DERIVED = """\
`RUNS_ON`, `SELECTS` and `CONTROLS` come from topology records (`edge_id` and `ver` name the one that speaks) and from the
resources themselves (`derived: true`): a Pod's node, a Service's selector against the labels of its namespace's Pods, owner
references. Either keeps the relationship alive.
"""


def document() -> Iterator[str]:
    """The lines of the document."""
    yield INTRODUCTION
    yield "```mermaid\nflowchart LR"
    for relationship in RELATIONSHIPS:
        yield f"  {relationship.source.label} -->|{relationship.type}| {relationship.target.label}"
    yield "```\n\n## Nodes\n\n| label | key | also found by |\n|---|---|---|"
    for node in NODES:
        indexes = ", ".join(f"`{name}`" for name in node.indexes)
        yield f"| `:{node.label}` | {', '.join(f'`{name}`' for name in node.key_properties)} | {indexes} |"
    yield f"\n{PROPERTIES}\n## Kinds\n\nA kind that is not listed is a `:Resource` without a label of its own.\n"
    yield "| label | API groups | scope | properties lifted out of the status |\n|---|---|---|---|"
    for kind in KINDS:
        groups = ", ".join(group or "core" for group in kind.groups)
        yield f"| `:{kind.name}` | {groups} | {kind.scope.value} | {', '.join(f'`{one.name}`' for one in kind.status)} |"
    yield "\n## Relationships\n\n| type | from | to |\n|---|---|---|"
    for relationship in RELATIONSHIPS:
        yield f"| `{relationship.type}` | `:{relationship.source.label}` | `:{relationship.target.label}` |"
    yield f"\n{DERIVED}\n## Questions to ask\n\nEach asks one tenant, `${TENANT_KEY}`.\n"
    for number, query in enumerate(QUERIES, start=1):
        yield f"{number}. {query.question}\n\n   ```cypher"
        yield "\n".join(f"   {line}" for line in query.cypher.splitlines())
        yield "   ```\n"
    yield "## Constraints and indexes\n\n```cypher"
    yield "\n".join(f"{statement};" for statement in schema_statements())
    yield "```"


if __name__ == "__main__":
    sys.stdout.write("\n".join(document()) + "\n")
