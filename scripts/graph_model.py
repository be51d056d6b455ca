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
`status` (JSON text). `left_out` lists the properties whose text is larger than 64 KiB: those are not kept; other nodes may have it
too. `stub: true` marks an object that only its relationships speak for. An `:Episodic` has `eid`, `etype`,
`severity_raw`, `severity` (DEBUG, INFO, WARNING, ERROR, FATAL, UNKNOWN), `reason`, `message`, `event_time`, `count` and
`subject` (the rid that it is about); an episode of an alert has `alert` and, where Prometheus itself told of it, `state` (pending or
firing, as last told), one that counts may have `count_capped`. An episode of
etype `k8s.log` is about a Pod and counts its lines of one UTC minute that say the same; it may have `container`, and its `reason` is one
of the families of failures (docs/records.md). A `:PromTarget` has `tid`, `job`, `instance`, `ns`, `health`,
`scrape_url`, `last_error`, `labels` and `subject` (the rid that it scrapes). A `:Rule` has `rkey`, `group`, `name`, `type` (alerting or
recording), `expr`, `duration_s`, `severity_raw`, `severity`, `labels`, `annotations` (both lists of `key=value`), `subject` (the rid that
it scopes) and, if it is an alerting one, `alert`. A Pod has `services_capped` or
`policies_capped` where more Services or NetworkPolicies select it than the 32 that it is joined with, a rule `emits_capped` where 32 others
of its alert come before it. `ver`, `hash`, `implies`, `seen`, `bare`, `subject_named` and `subject_uid` order, compare and find what is
written; do not query or change them.

In a rid, a kind outside the API groups that Kubernetes has it in, and every kind that Kubernetes has not, stands with its group:
`gateway.networking.istio.io:mesh:public`. Where records name no group: [ADR 024](adr/024-kinds-by-group.md).

A `:Cluster` is the tenant itself and outlives its graph: `state`, `first_seen` and `last_seen` (milliseconds since 1970),
`generation`, `resync_needed`, `registered`, `cluster` (what it calls itself), `labels`. What happened to it is told by its
`:ClusterEpisode`s: `etype` (such as `cluster.purge`), `reason`, `message`, `at_ms`, `by`.

A NetworkPolicy's `selector` may hold what kubectl writes for expressions, too (`key in (a,b)`, `key notin (a,b)`, `key`, `!key`);
`*` selects every Pod of its namespace, and is joined with the Namespace and not with the Pods.
`keys` are the names of a ConfigMap's or Secret's keys; their values never reach the graph.
Addresses are ready where traffic goes to them.
"""

DERIVED = """\
`RUNS_ON`, `SELECTS` and `CONTROLS` come from topology records (`edge_id` and `ver` name the one that speaks) and from the
resources themselves (`derived: true`): a Pod's node, owner references, a Service's selector against the labels of its namespace's
Pods and a NetworkPolicy's likewise, the Service that an Endpoints or EndpointSlice belongs to (`CONTROLS`). Either keeps the
relationship alive. Of many Services that select one Pod the first 32 by name are joined with it, of many policies likewise
([ADR 022](adr/022-products.md)); all of them have `selector`, and the Pod `labels`.
`ABOUT`, `SCRAPES` and `SCOPES` stand between a node and its `subject` while that has
not died since; `EMITS` joins each alerting rule with the episodes of the same `alert`, whichever came first,
and of many rules of one alert the first 32 by key; `alert` is a property of all.

The others between resources are always derived, from what specs refer to:

| type | says |
|---|---|
| `MOUNTS` | a Pod takes a ConfigMap, Secret or PersistentVolumeClaim: as a volume, in its environment, or to pull its images |
| `USES` | a Pod its ServiceAccount, an Ingress its certificates, a ServiceAccount its secrets, a claim or volume its StorageClass |
| `ROUTES` | an Ingress sends traffic to a Service; an Endpoints or EndpointSlice to its ready Pods |
| `CLAIMS` | a PersistentVolumeClaim is bound to a PersistentVolume |
| `SCALES` | a HorizontalPodAutoscaler sets how many replicas its target has |

What is referred to and not there is a stub: `MATCH (p:Pod)-[:MOUNTS]->(s:Secret) WHERE s.stub` finds Pods that wait for a Secret, unless
the reference is optional or the cluster's agent does not report Secrets.
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
    yield "| label | API groups | scope | properties lifted out of the status | out of the spec |\n|---|---|---|---|---|"
    for kind in KINDS:
        groups = ", ".join(group or "core" for group in kind.groups)
        lifted = " | ".join(", ".join(f"`{name}`" for name in names) for names in ([one.name for one in kind.status], kind.spec))
        yield f"| `:{kind.name}` | {groups} | {kind.scope.value} | {lifted} |"
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
