"""What the sample's apps bring along besides their workloads: accounts, settings, secrets, storage, and what directs traffic.

Small on purpose: each kind is there at least once, and every reference leads to an object that is reported.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

Rid = tuple[str, str, str]

# Stands in every Secret of the sample, and must not be found in any graph.
SECRET_VALUE: Final = "bm90LWZvci1hbnktZ3JhcGg="  # noqa: S105 - opens nothing
SHOP: Final = "shop"
_CONFIGURED: Final = ("frontend", "catalog", "payments", "log-agent")
_SECRETIVE: Final = ("checkout", "payments", "redis")
_SCALED: Final = ("frontend",)


class Belonging(NamedTuple):
    """An object: its identity, its API version and the fields of its envelope."""

    rid: Rid
    api_version: str
    fields: dict[str, Any]


def of_cluster() -> Iterator[Belonging]:
    """What the apps of a cluster share."""
    storage_class = {"provisioner": "csi.example", "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer"}
    yield Belonging(("StorageClass", "", "standard"), "storage.k8s.io/v1", {"spec": storage_class})
    yield from (Belonging(("ServiceAccount", namespace, "default"), "v1", {}) for namespace in (SHOP, "kube-system"))
    yield _secret(SHOP, "shop-tls", "kubernetes.io/tls", "tls.crt", "tls.key")
    paths = [{"path": path, "backend": {"service": {"name": name}}} for path, name in (("/", "frontend"), ("/pay", "checkout"))]
    rules = [{"host": "shop.example", "http": {"paths": paths}}]
    ingress = {"ingressClassName": "nginx", "rules": rules, "tls": [{"hosts": ["shop.example"], "secretName": "shop-tls"}]}
    yield Belonging(("Ingress", SHOP, "shop"), "networking.k8s.io/v1", {"spec": ingress})
    yield _policy("default-deny", {})
    yield _policy("payments", {"matchExpressions": [{"key": "app", "operator": "In", "values": ["payments", "checkout"]}]})
    yield _claim("archive", "50Gi", {"phase": "Pending"})
    cron = {"schedule": "0 2 * * *", "suspend": False}
    yield Belonging(("CronJob", SHOP, "reporting"), "batch/v1", {"spec": cron, "status": {"active": [{"name": "nightly-report"}]}})


def of_app(namespace: str, name: str, replicas: int) -> Iterator[Belonging]:
    """What one app brings along."""
    yield Belonging(("ServiceAccount", namespace, name), "v1", {})
    if name in _CONFIGURED:
        data = {"log.level": "info", "features.json": "{}"}
        yield Belonging(("ConfigMap", namespace, f"{name}-settings"), "v1", {"spec": {"data": data}})
    if name in _SECRETIVE:
        yield _secret(namespace, f"{name}-credentials", "Opaque", "password")
    if name in _SCALED:
        spec = {"minReplicas": 2, "maxReplicas": 8, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}}
        status = {"currentReplicas": replicas, "desiredReplicas": replicas}
        yield Belonging(("HorizontalPodAutoscaler", namespace, name), "autoscaling/v2", {"spec": spec, "status": status})


def of_replica(pod: str) -> Iterator[Belonging]:
    """The storage of one Pod of a StatefulSet."""
    volume = {
        "capacity": {"storage": "10Gi"},
        "claimRef": {"namespace": SHOP, "name": f"data-{pod}"},
        "storageClassName": "standard",
        "persistentVolumeReclaimPolicy": "Delete",
    }
    yield Belonging(("PersistentVolume", "", f"pv-{pod}"), "v1", {"spec": volume, "status": {"phase": "Bound"}})
    yield _claim(f"data-{pod}", "10Gi", {"phase": "Bound", "capacity": {"storage": "10Gi"}}, f"pv-{pod}")


def pod_spec(app: str, pod: str) -> dict[str, Any]:
    """The spec of a Pod of an app, as far as it refers to what the app brings along."""
    container: dict[str, Any] = {"name": app}
    spec: dict[str, Any] = {"serviceAccountName": "default" if app == "report" else app, "containers": [container]}
    if app in _CONFIGURED:
        spec["volumes"] = [{"name": "settings", "configMap": {"name": f"{app}-settings"}}]
    if app in _SECRETIVE:
        key = {"name": f"{app}-credentials", "key": "password"}
        container["env"] = [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": key}}]
    if app == "redis":
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": f"data-{pod}"}}]
    return spec


def _secret(namespace: str, name: str, secret_type: str, *keys: str) -> Belonging:
    spec = {"type": secret_type, "data": dict.fromkeys(keys, SECRET_VALUE)}
    return Belonging(("Secret", namespace, name), "v1", {"spec": spec})


def _policy(name: str, selector: dict[str, Any]) -> Belonging:
    spec = {"podSelector": selector, "policyTypes": ["Ingress"]}
    return Belonging(("NetworkPolicy", SHOP, name), "networking.k8s.io/v1", {"spec": spec})


def _claim(name: str, storage: str, status: dict[str, Any], volume: str = "") -> Belonging:
    spec = {"storageClassName": "standard", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}}
    bound = {"volumeName": volume} if volume else {}
    return Belonging(("PersistentVolumeClaim", SHOP, name), "v1", {"spec": spec | bound, "status": status})
