"""Which object the labels of a scrape target, a rule or an alert are about.

An answer is given only where the labels name an object for certain: a namespaced one with its namespace, by a name that
Kubernetes would take (a rule's templated label names nothing). Prometheus itself prescribes no label names; those here
are what the Prometheus operator, kube-state-metrics and the usual relabelling rules write.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from transforms.model.identity import make_rid

Labels = Mapping[str, str]

_NAME_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789.-"
_NAME_CHARACTERS: Final = 253
_ADDRESS_LETTERS: Final = "0123456789."


class _Naming(NamedTuple):
    """Labels that name an object of `kind` together; namespace is "" for a cluster-scoped kind."""

    kind: str
    name: str
    namespace: str = ""


_PODS: Final = (
    _Naming("Pod", "pod", "namespace"),
    _Naming("Pod", "pod_name", "namespace"),
    _Naming("Pod", "kubernetes_pod_name", "kubernetes_namespace"),
    _Naming("Pod", "__meta_kubernetes_pod_name", "__meta_kubernetes_namespace"),
)
# Never the label `job`: it is the name of the scrape job.
_WORKLOADS: Final = (
    _Naming("Deployment", "deployment", "namespace"),
    _Naming("StatefulSet", "statefulset", "namespace"),
    _Naming("DaemonSet", "daemonset", "namespace"),
    _Naming("Job", "job_name", "namespace"),
)
_SERVICES: Final = (
    _Naming("Service", "service", "namespace"),
    _Naming("Service", "kubernetes_name", "kubernetes_namespace"),
    _Naming("Service", "__meta_kubernetes_service_name", "__meta_kubernetes_namespace"),
)
_NODES: Final = (_Naming("Node", "node"), _Naming("Node", "kubernetes_node"), _Naming("Node", "__meta_kubernetes_node_name"))
_NAMESPACES: Final = (_Naming("Namespace", "namespace"), _Naming("Namespace", "kubernetes_namespace"))

_SCRAPED: Final = (*_PODS, *_SERVICES, *_NODES)
_CONCERNED: Final = (*_PODS, *_WORKLOADS, *_SERVICES, *_NODES)
# Prometheus renames a series' own label so where the target that gave it has one of the same name.
_EXPORTED: Final = tuple(
    _Naming(one.kind, f"exported_{one.name}", one.namespace and f"exported_{one.namespace}") for one in _CONCERNED if one.name.isalpha()
)
# It tells of others, and the pod and service beside are then its own.
_TELLER: Final = "kube-state-metrics"
_TOLD: Final = (*_WORKLOADS, *_NODES, *_PODS, *_SERVICES)
# Jobs that scrape nodes, whose service, where there is one, has no pods.
_NODE_JOBS: Final = frozenset({"kubelet", "kubernetes-nodes", "kubernetes-nodes-cadvisor"})


def scraped_object(labels: Labels) -> str:
    """The rid of the Pod, Service or Node that a target's labels name, the most specific first; "" for none."""
    if labels.get("job") in _NODE_JOBS:
        return _named(labels, _PODS) or _named(labels, _NODES) or _instance_node(labels) or _named(labels, _SERVICES)
    return _named(labels, _SCRAPED)


def concerned_object(labels: Labels) -> str:
    """The rid of the object that a rule's or an alert's labels name, the most specific first, else of its Namespace; "" for none."""
    job = labels.get("job")
    if job == _TELLER:
        about = _named(labels, _TOLD)
    elif job in _NODE_JOBS:
        about = scraped_object(labels)
    else:
        about = _named(labels, _CONCERNED)
    return _named(labels, _EXPORTED) or about or _named(labels, _NAMESPACES)


def _named(labels: Labels, namings: Iterable[_Naming]) -> str:
    for kind, name_label, namespace_label in namings:
        name = labels.get(name_label, "")
        namespace = labels.get(namespace_label, "") if namespace_label else ""
        if name and _is_name(name) and (not namespace_label or _is_name(namespace)):
            return str(make_rid(kind, namespace, name))
    return ""


def _is_name(text: str) -> bool:
    """Whether Kubernetes would take it as a name."""
    return 0 < len(text) <= _NAME_CHARACTERS and not text.strip(_NAME_LETTERS) and text[0] not in ".-" and text[-1] not in ".-"


def _instance_node(labels: Labels) -> str:
    """A Node by the instance of a job that scrapes nodes, where that is a name, with or without a port, and no address."""
    name, colon, port = labels.get("instance", "").partition(":")
    has_its_form = _is_name(name) and (not colon or (port.isascii() and port.isdecimal()))
    certain = has_its_form and bool(name.strip(_ADDRESS_LETTERS)) and name != "localhost"
    return str(make_rid("Node", "", name)) if certain else ""
