"""The closed map of Kubernetes kinds that get a label of their own, and the names no tenant may take.

The next kind is one `Kind(...)` entry in `KINDS`: its label, its home API groups, its scope and the
properties that people query. A kind that is not declared still becomes a `:Resource` node, with its kind as a
property and no label of its own, so that no identifier from input ever reaches a query text.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

GENERIC_LABEL: Final = ""


class Scope(Enum):
    """Where the objects of a kind live."""

    NAMESPACED = "namespaced"
    CLUSTER = "cluster"


class Gather(Enum):
    """What becomes of the values that a path finds: one, the first, their sum, or how many there are."""

    FIRST = "first"
    SUM = "sum"
    COUNT = "count"


# A step of a path: every member of a list.
EACH: Final = "*"


@dataclass(frozen=True, slots=True)
class StatusProperty:
    """A scalar of an object's `status` that becomes a node property, named `name`, found along `path`.

    gather: for a path through lists, how its values become one; where it finds none, there is no property.
    """

    name: str
    path: tuple[str, ...]
    gather: Gather = Gather.FIRST


@dataclass(frozen=True, slots=True)
class Kind:
    """A declared kind.

    name: the kind as Kubernetes writes it, also the node's label.
    groups: home API groups, "" for core; an object of the same kind in another group is another kind.
    bulky: keys of `status` that are left out of the graph: long, fast-changing and not asked for.
    spec: node properties that are taken from the object's `spec`, by the names that `records/specs.py` has for them.
    """

    name: str
    scope: Scope
    groups: tuple[str, ...]
    status: tuple[StatusProperty, ...] = ()
    bulky: tuple[str, ...] = ()
    spec: tuple[str, ...] = ()

    @property
    def token(self) -> str:
        """The kind as it stands in a rid: lower case."""
        return self.name.lower()


def _ready(*names: str) -> tuple[StatusProperty, ...]:
    """Counters that workloads report, `readyReplicas` becoming `ready_replicas`."""
    return tuple(StatusProperty(_snake(name), (name,)) for name in names)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


_PHASE: Final = StatusProperty("phase", ("phase",))
_OF_PODS: Final = (
    _PHASE,
    StatusProperty("qos_class", ("qosClass",)),
    StatusProperty("restarts", ("containerStatuses", EACH, "restartCount"), Gather.SUM),
    StatusProperty("waiting_reason", ("containerStatuses", EACH, "state", "waiting", "reason")),
)

KINDS: Final = (
    Kind("Pod", Scope.NAMESPACED, ("",), _OF_PODS, spec=("service_account", "facts")),
    Kind("Node", Scope.CLUSTER, ("",), bulky=("images", "volumesAttached", "volumesInUse"), spec=("unschedulable", "taints")),
    Kind("Namespace", Scope.CLUSTER, ("",), (_PHASE,)),
    Kind("Service", Scope.NAMESPACED, ("",), spec=("facts",)),
    Kind(
        "Deployment",
        Scope.NAMESPACED,
        ("apps", "extensions"),
        _ready("readyReplicas", "availableReplicas", "updatedReplicas"),
        spec=("facts",),
    ),
    Kind("ReplicaSet", Scope.NAMESPACED, ("apps", "extensions"), _ready("readyReplicas", "availableReplicas"), spec=("facts",)),
    Kind("StatefulSet", Scope.NAMESPACED, ("apps",), _ready("readyReplicas", "currentReplicas"), spec=("facts",)),
    Kind(
        "DaemonSet",
        Scope.NAMESPACED,
        ("apps", "extensions"),
        _ready("numberReady", "desiredNumberScheduled", "numberUnavailable"),
        spec=("facts",),
    ),
    Kind("Job", Scope.NAMESPACED, ("batch",), _ready("active", "succeeded", "failed"), spec=("facts",)),
    Kind(
        "CronJob",
        Scope.NAMESPACED,
        ("batch",),
        (StatusProperty("active", ("active", EACH), Gather.COUNT), StatusProperty("last_schedule", ("lastScheduleTime",))),
        spec=("schedule", "suspend"),
    ),
    Kind("Endpoints", Scope.NAMESPACED, ("",), spec=("ready_addresses", "unready_addresses")),
    Kind("EndpointSlice", Scope.NAMESPACED, ("discovery.k8s.io",), spec=("ready_addresses", "unready_addresses")),
    Kind("Ingress", Scope.NAMESPACED, ("extensions", "networking.k8s.io"), spec=("hosts", "ingress_class")),
    Kind("NetworkPolicy", Scope.NAMESPACED, ("extensions", "networking.k8s.io"), spec=("policy_types",)),
    Kind("ConfigMap", Scope.NAMESPACED, ("",), spec=("keys",)),
    Kind("Secret", Scope.NAMESPACED, ("",), spec=("keys", "secret_type")),
    Kind("ServiceAccount", Scope.NAMESPACED, ("",)),
    Kind("ResourceQuota", Scope.NAMESPACED, ("",)),
    Kind(
        "PersistentVolumeClaim",
        Scope.NAMESPACED,
        ("",),
        (_PHASE, StatusProperty("capacity", ("capacity", "storage"))),
        spec=("volume", "storage_class", "storage_request", "access_modes", "facts"),
    ),
    Kind(
        "PersistentVolume",
        Scope.CLUSTER,
        ("",),
        (_PHASE,),
        spec=("capacity", "claim", "storage_class", "reclaim_policy", "access_modes"),
    ),
    Kind("StorageClass", Scope.CLUSTER, ("storage.k8s.io",), spec=("provisioner", "reclaim_policy", "binding_mode", "expandable")),
    Kind(
        "HorizontalPodAutoscaler",
        Scope.NAMESPACED,
        ("autoscaling",),
        _ready("currentReplicas", "desiredReplicas"),
        spec=("target", "min_replicas", "max_replicas"),
    ),
)

KIND_OF_TOKEN: Final = {kind.token: kind for kind in KINDS}

# Kinds of Kubernetes itself that have no label (yet), by API group. They matter twice: no tenant may be called so,
# since `node::n1` is a cluster-scoped key without a tenant, and their scope and home group are known.
_CLUSTER_BUILTINS: Final = {
    "": "ComponentStatus",
    "admissionregistration.k8s.io": (
        "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration "
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration"
    ),
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "authentication.k8s.io": "SelfSubjectReview TokenReview",
    "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "internal.apiserver.k8s.io": "StorageVersion",
    "networking.k8s.io": "IPAddress IngressClass ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "policy": "PodSecurityPolicy",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
    "resource.k8s.io": "DeviceClass DeviceTaintRule ResourceSlice",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode VolumeAttachment VolumeAttributesClass",
    "storagemigration.k8s.io": "StorageVersionMigration",
}
_NAMESPACED_BUILTINS: Final = {
    "": "Binding Event LimitRange PodTemplate ReplicationController",
    "apps": "ControllerRevision",
    "certificates.k8s.io": "PodCertificateRequest",
    "coordination.k8s.io": "Lease LeaseCandidate",
    "events.k8s.io": "Event",
    "policy": "PodDisruptionBudget",
    "rbac.authorization.k8s.io": "Role RoleBinding",
    "resource.k8s.io": "ResourceClaim ResourceClaimTemplate",
    "storage.k8s.io": "CSIStorageCapacity",
}

# RBAC names are path segments and may hold colons (`system:node`); the other cluster-scoped names may not.
COLON_NAMED_TOKENS: Final = frozenset(name.lower() for name in _CLUSTER_BUILTINS["rbac.authorization.k8s.io"].split())

SCOPE_OF_TOKEN: Final = (
    {name.lower(): Scope.CLUSTER for names in _CLUSTER_BUILTINS.values() for name in names.split()}
    | {name.lower(): Scope.NAMESPACED for names in _NAMESPACED_BUILTINS.values() for name in names.split()}
    | {kind.token: kind.scope for kind in KINDS}
)


def _home_groups() -> dict[str, frozenset[str]]:
    groups: dict[str, set[str]] = {kind.token: set(kind.groups) for kind in KINDS}
    for table in (_CLUSTER_BUILTINS, _NAMESPACED_BUILTINS):
        for group, names in table.items():
            for name in names.split():
                groups.setdefault(name.lower(), set()).add(group)
    return {token: frozenset(found) for token, found in groups.items()}


HOME_GROUPS_OF_TOKEN: Final = _home_groups()

RESERVED_TOKENS: Final = frozenset(SCOPE_OF_TOKEN)
