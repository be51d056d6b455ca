"""The workload of the lab: a shop of two Deployments, a StatefulSet, a DaemonSet, Jobs, and what they need."""

from typing import Any, Final

from scripts.control_plane.kube import Object

NAMESPACE: Final = "shop"
# In a Secret, an environment variable, an argument and an annotation: nowhere may it be seen again.
PLANTED: Final = "planted-hunter2-value"
ROTATED: Final = "rotated-hunter3-value"
REPLICAS: Final = 2
CRD: Final = "gateways.networking.istio.io"


def _of(version: str, kind: str, name: str, **body: Any) -> Object:
    more = body.pop("metadata", {})
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE, **more}, **body}


def _pods(name: str, image: str, **spec: Any) -> dict[str, Any]:
    env = [{"name": "TOKEN", "value": PLANTED}, {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]
    container = {"name": name, "image": image, "env": env, "args": [f"--password={PLANTED}"], "ports": [{"containerPort": 8080}]}
    metadata = {"labels": {"app": name}, "annotations": {"shop/token": PLANTED}}
    return {"metadata": metadata, "spec": {"containers": [container], "terminationGracePeriodSeconds": 1, **spec}}


def deployment(name: str, replicas: int = 3, image: str = "") -> Object:
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": _pods(name, image or f"shop/{name}:1.0")}
    return _of("apps/v1", "Deployment", name, spec=spec)


def service(name: str, **spec: Any) -> Object:
    return _of("v1", "Service", name, spec={"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}], **spec})


def secret(value: str) -> Object:
    return _of("v1", "Secret", "db", stringData={"password": value}, metadata={"annotations": {"shop/copy": value}})


def job(name: str, image: str) -> Object:
    template = _pods(name, image, restartPolicy="Never")
    return _of("batch/v1", "Job", name, spec={"backoffLimit": 0, "template": template})


def plain_pod(name: str, labels: dict[str, str] | None = None) -> Object:
    found = _pods("plain", "shop/plain:1.0")
    return _of("v1", "Pod", name, spec=found["spec"], metadata={"labels": labels or {"made": "many"}})


def gateway(name: str) -> Object:
    return _of("networking.istio.io/v1", "Gateway", name, spec={"servers": [{"hosts": ["*"]}]})


def shop() -> list[Object]:
    """Everything, in an order in which it can be made."""
    template = _pods("postgres", "postgres:16")
    stateful = {"serviceName": "postgres", "replicas": REPLICAS, "selector": {"matchLabels": {"app": "postgres"}}, "template": template}
    each = {"selector": {"matchLabels": {"app": "logger"}}, "template": _pods("logger", "shop/logger:1.0")}
    http = {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "frontend", "port": {"number": 80}}}}]}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        _of("v1", "ServiceAccount", "shop"),
        _of("v1", "ConfigMap", "settings", data={"LOG_LEVEL": "info", "password": PLANTED}),
        secret(PLANTED),
        deployment("frontend"),
        deployment("cart", 2),
        _of("apps/v1", "StatefulSet", "postgres", spec=stateful),
        _of("apps/v1", "DaemonSet", "logger", spec=each),
        service("frontend"),
        service("cart"),
        service("postgres", clusterIP="None"),
        _of("networking.k8s.io/v1", "Ingress", "shop", spec={"rules": [{"host": "shop.example", "http": http}]}),
        _of("policy/v1", "PodDisruptionBudget", "cart", spec={"maxUnavailable": 1, "selector": {"matchLabels": {"app": "cart"}}}),
    ]


def gateways() -> Object:
    """The definition of a custom kind."""
    names = {"plural": "gateways", "singular": "gateway", "kind": "Gateway"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "networking.istio.io", "names": names, "scope": "Namespaced", "versions": [version]}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": CRD}, "spec": spec}
