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


@dataclass(frozen=True, slots=True)
class StatusProperty:
    """A scalar of an object's `status` that becomes a node property, named `name`, found along `path`."""

    name: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A declared kind.

    name: the kind as Kubernetes writes it, also the node's label.
    groups: home API groups, "" for core; an object of the same kind in another group is another kind.
    bulky: keys of `status` that are left out of the graph: long, fast-changing and not asked for.
    """

    name: str
    scope: Scope
    groups: tuple[str, ...]
    status: tuple[StatusProperty, ...] = ()
    bulky: tuple[str, ...] = ()

    @property
    def token(self) -> str:
        """The kind as it stands in a rid: lower case."""
        return self.name.lower()


def _ready(*names: str) -> tuple[StatusProperty, ...]:
    """Counters that workloads report, `readyReplicas` becoming `ready_replicas`."""
    return tuple(StatusProperty(_snake(name), (name,)) for name in names)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


KINDS: Final = (
    Kind("Pod", Scope.NAMESPACED, ("",), (StatusProperty("phase", ("phase",)), StatusProperty("qos_class", ("qosClass",)))),
    Kind("Node", Scope.CLUSTER, ("",), bulky=("images", "volumesAttached", "volumesInUse")),
    Kind("Namespace", Scope.CLUSTER, ("",), (StatusProperty("phase", ("phase",)),)),
    Kind("Service", Scope.NAMESPACED, ("",)),
    Kind(
        "Deployment",
        Scope.NAMESPACED,
        ("apps", "extensions"),
        _ready("readyReplicas", "availableReplicas", "updatedReplicas"),
    ),
    Kind("ReplicaSet", Scope.NAMESPACED, ("apps", "extensions"), _ready("readyReplicas", "availableReplicas")),
    Kind("StatefulSet", Scope.NAMESPACED, ("apps",), _ready("readyReplicas", "currentReplicas")),
    Kind(
        "DaemonSet",
        Scope.NAMESPACED,
        ("apps", "extensions"),
        _ready("numberReady", "desiredNumberScheduled", "numberUnavailable"),
    ),
    Kind("Job", Scope.NAMESPACED, ("batch",), _ready("active", "succeeded", "failed")),
)

KIND_OF_TOKEN: Final = {kind.token: kind for kind in KINDS}

# Kinds of Kubernetes itself that have no label (yet), by API group. They matter twice: no tenant may be called so,
# since `node::n1` is a cluster-scoped key without a tenant, and their scope and home group are known.
_CLUSTER_BUILTINS: Final = {
    "": "ComponentStatus PersistentVolume",
    "admissionregistration.k8s.io": (
        "MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration"
    ),
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "authentication.k8s.io": "SelfSubjectReview TokenReview",
    "certificates.k8s.io": "CertificateSigningRequest",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io": "IngressClass",
    "node.k8s.io": "RuntimeClass",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment",
}
_NAMESPACED_BUILTINS: Final = {
    "": (
        "Binding ConfigMap Endpoints Event LimitRange PersistentVolumeClaim PodTemplate ReplicationController ResourceQuota "
        "Secret ServiceAccount"
    ),
    "apps": "ControllerRevision",
    "autoscaling": "HorizontalPodAutoscaler",
    "batch": "CronJob",
    "coordination.k8s.io": "Lease",
    "discovery.k8s.io": "EndpointSlice",
    "events.k8s.io": "Event",
    "extensions": "Ingress NetworkPolicy",
    "networking.k8s.io": "Ingress NetworkPolicy",
    "policy": "PodDisruptionBudget",
    "rbac.authorization.k8s.io": "Role RoleBinding",
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
