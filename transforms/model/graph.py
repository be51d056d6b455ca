"""What the graph holds, declared once: node labels with their keys, relationships with their ends.

Statements, constraints, the digest and the documentation derive from these declarations. Every node and every
relationship carries `client_id`, the tenant, as the first part of its key.
"""

from dataclasses import dataclass
from typing import Final

TENANT_KEY: Final = "client_id"
VERSION_PROPERTIES: Final = ("ver", "hash")


@dataclass(frozen=True, slots=True)
class NodeLabel:
    """A node label with its key.

    key: the property that identifies a node within its tenant; "" where the tenant alone does.
    indexes: further properties that nodes are found by within their tenant; not unique.
    digest: whether the tenant's live nodes of this label count in the graph digest.
    bookkeeping: properties that order and compare writes; never part of the digest.
    """

    label: str
    key: str
    indexes: tuple[str, ...] = ()
    digest: bool = True
    bookkeeping: tuple[str, ...] = VERSION_PROPERTIES

    @property
    def key_properties(self) -> tuple[str, ...]:
        return (TENANT_KEY, self.key) if self.key else (TENANT_KEY,)


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship type between two labels.

    indexes: properties it is found by within its tenant. says: what one means, for the documentation.
    """

    type: str
    source: NodeLabel
    target: NodeLabel
    indexes: tuple[str, ...] = ()
    says: str = ""


# What a custom resource is found by where a record names it without its API group (docs/adr/024).
BARE: Final = "bare"
# Of an object whose own record says that something is wrong with it: where the search for causes begins.
AILING: Final = "ailing"
# Of a `:Cluster` in which the search for causes found nothing, and into which nothing was written since that it could begin at.
QUIET: Final = "quiet"
RESOURCE: Final = NodeLabel("Resource", "rid", indexes=("uid", BARE, AILING), bookkeeping=(*VERSION_PROPERTIES, "implies", BARE))
# Kinds that are looked for by namespace, to match the selectors of the ones with the labels of the others.
SELECTING: Final = ("Service", "NetworkPolicy")
SELECTED: Final = "Pod"
BY_NAMESPACE: Final = (*SELECTING, SELECTED)
# What a Pod says where more objects of a kind select it than it is joined with, and a rule that is joined with no episode
# since others of its alert come first. They follow from the others, so that no record's contents hold them.
CAPPED: Final = {"Service": "services_capped", "NetworkPolicy": "policies_capped"}
CAPPED_PROPERTIES: Final = tuple(CAPPED.values())
EMITS_CAPPED: Final = "emits_capped"
# The subject as the record names it, where it is found elsewhere, and its uid, where that may tell where.
SUBJECT_NAMED: Final = "subject_named"
SUBJECT_UID: Final = "subject_uid"
# Of an episode that keeps what an object's record showed to be wrong: the name of the finding.
FINDING: Final = "finding"
EPISODIC: Final = NodeLabel(
    "Episodic",
    "eid",
    indexes=("subject", SUBJECT_UID, "alert", "ver", FINDING),
    bookkeeping=(*VERSION_PROPERTIES, "seen", SUBJECT_NAMED, SUBJECT_UID),
)
PROM_TARGET: Final = NodeLabel("PromTarget", "tid", indexes=("subject",))
RULE: Final = NodeLabel("Rule", "rkey", indexes=("subject", "alert"))
# What an incident says in words names the records that it was found in: where they were read is no part of the graph.
INCIDENT: Final = NodeLabel("Incident", "iid", indexes=("state",), bookkeeping=(*VERSION_PROPERTIES, "causes", "changed", "text"))
CLUSTER: Final = NodeLabel("Cluster", "", digest=False)
# What a tombstone is found by besides its key.
TOMBSTONE_REFS: Final = ("ref_a", "ref_b")
TOMBSTONE: Final = NodeLabel("Tombstone", "key", indexes=(*TOMBSTONE_REFS, "ver"), digest=False)
# No tenant's: which run of a consumer group may commit. Its `client_id` is NO_TENANT, which is no valid tenant id.
LEASE: Final = NodeLabel("Lease", "name", digest=False)
# What happened to a cluster itself: states, purges, generations, quarantined and released. It outlives the cluster's graph.
CLUSTER_EPISODE: Final = NodeLabel("ClusterEpisode", "eid", digest=False)
# No tenant's: the clock of the bus, by which silence is measured. Its `client_id` is NO_TENANT.
BUS: Final = NodeLabel("Bus", "name", digest=False)
BUS_NAME: Final = "bus"
# No tenant's: what a backfill is to read, in slices, and how far it has come (docs/adr/016). Their `client_id` is NO_TENANT.
BACKFILL: Final = NodeLabel("Backfill", "name", digest=False)
BACKFILL_SLICE: Final = NodeLabel("BackfillSlice", "key", digest=False)
# No tenant's: which version of the schema the graph has (docs/adr/038). Its `client_id` is NO_TENANT.
SCHEMA: Final = NodeLabel("Schema", "name", digest=False)

NODES: Final = (
    RESOURCE,
    EPISODIC,
    PROM_TARGET,
    RULE,
    INCIDENT,
    CLUSTER,
    TOMBSTONE,
    LEASE,
    CLUSTER_EPISODE,
    BUS,
    BACKFILL,
    BACKFILL_SLICE,
    SCHEMA,
)

RUNS_ON: Final = Relationship("RUNS_ON", RESOURCE, RESOURCE, indexes=("edge_id",), says="a Pod runs on a Node")
SELECTS: Final = Relationship(
    "SELECTS",
    RESOURCE,
    RESOURCE,
    indexes=("edge_id",),
    says="the labels of a Pod are those that a Service or NetworkPolicy selects; a policy for every Pod selects the Namespace",
)
CONTROLS: Final = Relationship(
    "CONTROLS", RESOURCE, RESOURCE, indexes=("edge_id",), says="an owner and what it owns; a Service and its Endpoints and EndpointSlices"
)
MOUNTS: Final = Relationship(
    "MOUNTS", RESOURCE, RESOURCE, says="a Pod uses a ConfigMap, Secret or claim as a volume, in its environment, or to pull its images"
)
USES: Final = Relationship(
    "USES",
    RESOURCE,
    RESOURCE,
    says="a Pod its ServiceAccount, an Ingress its certificates, a ServiceAccount its secrets, a claim its StorageClass",
)
ROUTES: Final = Relationship(
    "ROUTES", RESOURCE, RESOURCE, says="an Ingress sends traffic to a Service; an Endpoints or EndpointSlice to its ready Pods"
)
CLAIMS: Final = Relationship("CLAIMS", RESOURCE, RESOURCE, says="a PersistentVolumeClaim is bound to a PersistentVolume")
SCALES: Final = Relationship("SCALES", RESOURCE, RESOURCE, says="a HorizontalPodAutoscaler sets how many replicas its target has")
CALLS: Final = Relationship(
    "CALLS", RESOURCE, RESOURCE, says="a workload calls a Service, by an address in the environment of its containers"
)
ABOUT: Final = Relationship("ABOUT", EPISODIC, RESOURCE, says="an Event, an alert, a log failure or a finding concerns the object")
SCRAPES: Final = Relationship(
    "SCRAPES", PROM_TARGET, RESOURCE, says="Prometheus fetches the metrics of the Pod, Service or Node, as the labels of the target name it"
)
SCOPES: Final = Relationship("SCOPES", RULE, RESOURCE, says="a rule of Prometheus concerns the object that its own labels name")
EMITS: Final = Relationship(
    "EMITS", RULE, EPISODIC, says="an alerting rule raised the alert that the episode tells of: both have the same `alert`"
)
PART_OF: Final = Relationship("PART_OF", EPISODIC, INCIDENT, says="the episode is evidence of the incident")
POTENTIAL_CAUSE: Final = Relationship("POTENTIAL_CAUSE", EPISODIC, EPISODIC, says="the first probably caused the second")
AFFECTS: Final = Relationship("AFFECTS", INCIDENT, RESOURCE, says="the object belongs to the incident; `role` says how")

# Nodes that are no resources, and the relationship by which each refers to the resource that it is about.
REFERS: Final = {relationship.source.label: relationship for relationship in (ABOUT, SCRAPES, SCOPES)}
REFERRERS: Final = {relationship.source.label: relationship.source for relationship in REFERS.values()}
# Those of them that an alert joins: a rule that raises it, an episode that tells of it.
ALERTING: Final = (EPISODIC, RULE)

# The types a topology record may name; the only ones an input can choose.
TOPOLOGY: Final = (RUNS_ON, SELECTS, CONTROLS)
TOPOLOGY_OF_TYPE: Final = {relationship.type: relationship for relationship in TOPOLOGY}

# The types that only the resources themselves imply, by their specs; no topology record may name them (docs/adr/009).
FROM_SPECS: Final = (MOUNTS, USES, ROUTES, CLAIMS, SCALES, CALLS)
BETWEEN_RESOURCES: Final = (*TOPOLOGY, *FROM_SPECS)

RELATIONSHIPS: Final = (*BETWEEN_RESOURCES, ABOUT, SCRAPES, SCOPES, EMITS, PART_OF, POTENTIAL_CAUSE, AFFECTS)
