"""docs/graph-model.md, generated from the declared model: `python -m scripts.graph_model > docs/graph-model.md`."""

import sys
from collections.abc import Iterator

from scripts.queries import QUERIES
from transforms.model.cypher import schema_statements
from transforms.model.graph import FROM_SPECS, NODES, RELATIONSHIPS, TENANT_KEY
from transforms.model.kinds import KINDS

INTRODUCTION = """\
# The graph

`python -m scripts.graph_model` generates this document from `transforms/model/`; a test compares the two. Every node
and every relationship carries `client_id`, its tenant. No relationship crosses tenants. The graph that people query
holds only what is live; tombstones and the versions of dead objects are kept apart under `:Tombstone`. The
[glossary](glossary.md) defines the terms.
"""

PROPERTIES = """\
A `:Resource` has these properties:

- `rid` (`kind:namespace:name`, `kind::name` when cluster-scoped), `kind`, `ns`, `name`, `uid`, `api_version`;
- `labels` and `selector` (lists of `key=value`), `owners` (`Kind/name`), `node`, `pod_ip`, `image`, `replicas`,
  `service_ips` and `status` (JSON text);
- `left_out`, which lists the properties whose text is larger than 64 KiB; these are not kept. Other nodes may have it
  too;
- `stub: true` if only relationships, and no resource record, describe the object.

An `:Episodic` has `eid`, `etype`, `severity_raw`, `severity` (DEBUG, INFO, WARNING, ERROR, FATAL, UNKNOWN), `reason`,
`message`, `event_time`, `count` and `subject` (the rid that it is about). An episode of an alert has `alert` and, if
Prometheus itself reported it, `state` (pending or firing, as last reported). An episode that counts may have
`count_capped`. An episode of etype `k8s.finding` is what an object's own record shows to be wrong; `finding` names it.
It has `event_time` only if the record says since when: the time of a condition's transition, or of a container's end.
Otherwise the first 18 digits of `ver` are the time of the latest record that shows it, in microseconds since 1970.
An episode of etype `k8s.log` is about a Pod and counts its lines of one UTC minute with the same
text. It may have `container`, and its `reason` is one of the families of failures (docs/records.md).

A `:PromTarget` has `tid`, `job`, `instance`, `ns`, `health`, `scrape_url`, `last_error`, `labels` and `subject` (the
rid that it scrapes). A `:Rule` has `rkey`, `group`, `name`, `type` (alerting or recording), `expr`, `duration_s`,
`severity_raw`, `severity`, `labels`, `annotations` (both lists of `key=value`), `subject` (the rid that it scopes)
and, if it is an alerting rule, `alert`.

A Pod has `services_capped` or `policies_capped` if more Services or NetworkPolicies select it than the 32 that it is
joined with. A rule has `emits_capped` if 32 other rules of its alert come before it. `ver`, `hash`, `implies`,
`seen`, `bare`, `subject_named` and `subject_uid` order, compare and find what the job writes. Do not change them;
`ver` names the record that the state comes from.

In a rid, a kind carries its API group if Kubernetes has the kind in another group, or not at all:
`gateway.networking.istio.io:mesh:public`. [ADR 024](adr/024-kinds-by-group.md) describes records that name no group.

A `:Cluster` is the tenant itself and outlives its graph. It has `state`, `first_seen` and `last_seen` (milliseconds
since 1970), `generation`, `resync_needed`, `registered`, `cluster` (the name that the cluster gives itself) and
`labels`. Its `:ClusterEpisode`s record what happened to it: `etype` (such as `cluster.purge`), `reason`, `message`,
`at_ms`, `by`.

A NetworkPolicy's `selector` may also hold expressions as kubectl writes them (`key in (a,b)`, `key notin (a,b)`,
`key`, `!key`). `*` selects every Pod of its namespace; such a policy is joined with the Namespace and not with the
Pods. `keys` are the names of a ConfigMap's or Secret's keys; their values never reach the graph. Addresses are ready
if traffic is sent to them.
"""

_LISTED = ", ".join(f"`{one.type}`" for one in FROM_SPECS)

DERIVED = """\
`RUNS_ON`, `SELECTS` and `CONTROLS` come from topology records (`edge_id` and `ver` name the one that counts) and from
the resources themselves (`derived: true`): from a Pod's node, from owner references, from the selectors of Services
and NetworkPolicies against the labels of the Pods of their namespace, and from the Service that an Endpoints or
EndpointSlice belongs to (`CONTROLS`). Either source keeps the relationship alive. If many Services select one Pod,
the first 32 by name are joined with it; the same holds for policies ([ADR 022](adr/022-products.md)). All of them
have `selector`, and the Pod has `labels`.

`ABOUT`, `SCRAPES` and `SCOPES` join a node with its `subject` unless the subject has died since. `EMITS` joins each
alerting rule with the episodes of the same `alert`, whichever came first. If an alert has many rules, the first 32 by
key are joined; all of them have the property `alert`.

The other relationships between resources are always derived from the references in specs: """

STUBS = """\
A claim is a PersistentVolumeClaim; a PersistentVolume `USES` its StorageClass too. An object that is referred to but
missing is a stub: `MATCH (p:Pod)-[:MOUNTS]->(s:Secret) WHERE s.stub` finds Pods that wait for a Secret, unless the
reference is optional or the cluster's agent does not report Secrets.
"""

ASKING = f"""\
Each question concerns one tenant, `${TENANT_KEY}`. `python -m scripts.questions --client_id af-10 --number {len(QUERIES)}` asks them
all of the local stack. To ask one of any Neo4j, the local stack's too, set `NEO4J_URI`, `NEO4J_USER` and `NEO4J_PASSWORD`
(`eval "$(scripts/stack env)"` does) and run this in the environment of `scripts/setup` (`. .venv/bin/activate`), with your
own Cypher:

```python
import os

import neo4j

login = (os.environ["NEO4J_USER"], os.environ["NEO4J_PASSWORD"])
with neo4j.GraphDatabase.driver(os.environ["NEO4J_URI"], auth=login) as driver:
    cypher = "MATCH (p:Pod {{{TENANT_KEY}: ${TENANT_KEY}}})-[:RUNS_ON]->(n) RETURN p.name AS pod, n.rid AS node"
    for record in driver.execute_query(cypher, {TENANT_KEY}="af-10").records:
        print(record.data())
```

If the password is in a file, read it: `open(os.environ["NEO4J_PASSWORD_FILE"]).read().strip()`. If you have Neo4j Browser or
`cypher-shell`, give the tenant once with `:param {TENANT_KEY} => 'af-10'`; the local stack has neither. On a small graph Neo4j
may warn that a relationship type such as `EMITS` does not exist; that is harmless, the graph has none of them yet.
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
    yield "| label | API groups | scope | properties from the status | from the spec |\n|---|---|---|---|---|"
    for kind in KINDS:
        groups = ", ".join(group or "core" for group in kind.groups)
        lifted = " | ".join(", ".join(f"`{name}`" for name in names) for names in ([one.name for one in kind.status], kind.spec))
        yield f"| `:{kind.name}` | {groups} | {kind.scope.value} | {lifted} |"
    yield "\n## Relationships\n\n| type | from | to | meaning |\n|---|---|---|---|"
    for relationship in RELATIONSHIPS:
        yield f"| `{relationship.type}` | `:{relationship.source.label}` | `:{relationship.target.label}` | {relationship.says} |"
    yield f"\n{DERIVED}{_LISTED}.\n\n{STUBS}\n## Questions to ask\n\n{ASKING}"
    for number, query in enumerate(QUERIES, start=1):
        yield f"{number}. {query.question}\n\n   ```cypher"
        yield "\n".join(f"   {line}" for line in query.cypher.splitlines())
        yield "   ```\n"
    yield "## Constraints and indexes\n\n```cypher"
    yield "\n".join(f"{statement};" for statement in schema_statements())
    yield "```"


if __name__ == "__main__":
    sys.stdout.write("\n".join(document()) + "\n")
