"""What happens in the cluster, step by step; each step returns when its consequences are there."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import httpx2

from scripts.control_plane import shop
from scripts.control_plane.kube import STRATEGIC, Kube, KubeFault, Object

_WITHIN_S: Final = 180.0
MANY: Final = 2_000
_AT_ONCE: Final = 16
_IN: Final = f"namespaces/{shop.NAMESPACE}"
PODS: Final = f"/api/v1/{_IN}/pods"
DEPLOYMENTS: Final = f"/apis/apps/v1/{_IN}/deployments"


def await_that(what: str, holds: Callable[[], bool], within_s: float = _WITHIN_S) -> None:
    """Return once it holds; KubeFault where it does not in time."""
    until = time.monotonic() + within_s
    while not _held(holds):
        if time.monotonic() > until:
            raise KubeFault(0, f"{what}: not so after {within_s:.0f} s")
        time.sleep(0.2)


def _held(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except KubeFault as fault:
        if fault.status not in (0, httpx2.codes.NOT_FOUND, httpx2.codes.TOO_MANY_REQUESTS, httpx2.codes.SERVICE_UNAVAILABLE):
            raise
        return False


def pods_of(kube: Kube, app: str) -> list[Object]:
    return kube.objects(PODS, labelSelector=f"app={app}")


def is_rolled_out(kube: Kube, name: str) -> bool:
    one = kube.ask("GET", f"{DEPLOYMENTS}/{name}")
    wanted, status = one["spec"]["replicas"], one.get("status", {})
    is_seen = status.get("observedGeneration") == one["metadata"]["generation"]
    counts = [status.get(field, 0) for field in ("updatedReplicas", "readyReplicas", "replicas")]
    return is_seen and counts == [wanted] * 3 and len(pods_of(kube, name)) == wanted


def set_up(kube: Kube) -> None:
    kube.apply(*shop.shop())
    for name in ("frontend", "cart"):
        await_that(f"{name} is rolled out", partial(is_rolled_out, kube, name))
    await_that("postgres has its Pods", lambda: len(pods_of(kube, "postgres")) == shop.REPLICAS)


def roll_out(kube: Kube) -> None:
    kube.apply(shop.deployment("frontend", image="shop/frontend:2.0"))
    await_that("frontend is rolled out", lambda: is_rolled_out(kube, "frontend"))


def scale(kube: Kube) -> None:
    for number in (6, 2):
        kube.apply(shop.deployment("cart", number))
        await_that("cart is scaled", lambda: is_rolled_out(kube, "cart"))


def drain(kube: Kube) -> None:
    """Cordon a node and evict its Pods, as `kubectl drain` does."""
    kube.patch("/api/v1/nodes/node-2", {"spec": {"unschedulable": True}})
    for pod in kube.objects(PODS, fieldSelector="spec.nodeName=node-2"):
        if not any(one["kind"] == "DaemonSet" for one in pod["metadata"].get("ownerReferences", ())):
            metadata = {name: pod["metadata"][name] for name in ("name", "namespace")}
            body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
            await_that("a Pod is evicted", partial(_evicted, kube, pod["metadata"]["name"], body))
    for name in ("frontend", "cart"):
        await_that(f"{name} is back", partial(is_rolled_out, kube, name))


def _evicted(kube: Kube, name: str, body: Object) -> bool:
    try:
        kube.ask("POST", f"{PODS}/{name}/eviction", body)
    except KubeFault as fault:
        # The disruption budget allows it later.
        if fault.status == httpx2.codes.TOO_MANY_REQUESTS:
            return False
        if fault.status != httpx2.codes.NOT_FOUND:
            raise
    return True


def delete_node(kube: Kube) -> None:
    kube.delete("/api/v1/nodes/node-2", missing_ok=True)
    await_that("its Pods are gone", lambda: not kube.objects("/api/v1/pods", fieldSelector="spec.nodeName=node-2"))


def crash_loop(kube: Kube) -> None:
    kube.apply(shop.deployment("cart", 2, "shop/cart:broken"))

    def crashes() -> bool:
        states = [one for pod in pods_of(kube, "cart") for one in pod.get("status", {}).get("containerStatuses", ())]
        return any(one["restartCount"] > 1 for one in states)

    await_that("cart crashes", crashes)


def mend(kube: Kube) -> None:
    kube.apply(shop.deployment("cart", 2, "shop/cart:1.1"))
    await_that("cart is rolled out", lambda: is_rolled_out(kube, "cart"))


def jobs(kube: Kube) -> None:
    kube.apply(shop.job("report", "shop/report:1.0"), shop.job("import", "shop/import:failing"))
    base = f"/apis/batch/v1/{_IN}/jobs"
    await_that("the Job succeeds", lambda: kube.ask("GET", f"{base}/report").get("status", {}).get("succeeded") == 1)
    await_that("the Job fails", lambda: kube.ask("GET", f"{base}/import").get("status", {}).get("failed") == 1)
    kube.delete(f"{base}/report")
    await_that("its Pods are gone", lambda: not pods_of(kube, "report"))


def custom_kinds(kube: Kube) -> None:
    kube.apply(shop.gateways(), shop.gateway("public"), shop.gateway("private"))
    kube.delete(kube.path(shop.gateway("private")))


def delete_custom_kind(kube: Kube) -> None:
    path = kube.path(shop.gateways())
    kube.delete(path)
    await_that("the definition is gone", lambda: all(one["metadata"]["name"] != shop.CRD for one in kube.objects(path.rpartition("/")[0])))


def rotate_secret(kube: Kube) -> None:
    kube.delete(kube.path(shop.secret("")))
    kube.apply(shop.secret(shop.ROTATED))


def relabel(kube: Kube) -> None:
    """A Pod that its Service no longer selects, and that its ReplicaSet lets go; another takes its place."""
    (pod, *_) = pods_of(kube, "frontend")
    kube.patch(f"{PODS}/{pod['metadata']['name']}", {"metadata": {"labels": {"app": "aside"}}}, STRATEGIC)
    await_that("another takes its place", lambda: is_rolled_out(kube, "frontend"))


def delete_service(kube: Kube) -> None:
    kube.delete(kube.path(shop.service("cart")))


def make_many(kube: Kube, number: int = MANY) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        made: Iterable[Object] = (shop.plain_pod(f"many-{one}") for one in range(number))
        list(pool.map(lambda one: kube.ask("POST", PODS, one), made))
    await_that("all run", lambda: len(kube.objects(PODS, labelSelector="made=many", fieldSelector="status.phase=Running")) == number, 600)


def delete_many(kube: Kube) -> None:
    paths = [f"{PODS}/{one['metadata']['name']}" for one in kube.objects(PODS, labelSelector="made=many")]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda path: kube.delete(path, missing_ok=True), paths))
    await_that("all are gone", lambda: not kube.objects(PODS, labelSelector="made=many"), 600)


STEPS: Final[dict[str, Callable[[Kube], None]]] = {
    "set-up": set_up,
    "roll-out": roll_out,
    "scale": scale,
    "drain": drain,
    "delete-node": delete_node,
    "crash-loop": crash_loop,
    "mend": mend,
    "jobs": jobs,
    "custom-kinds": custom_kinds,
    "rotate-secret": rotate_secret,
    "relabel": relabel,
    "delete-service": delete_service,
    "make-many": make_many,
    "delete-many": delete_many,
    "delete-custom-kind": delete_custom_kind,
}


def play(kube: Kube, names: Iterable[str], tell: Callable[[str], None]) -> None:
    """The steps, one after the other. tell: takes a sentence on each."""
    for name in names:
        began = time.monotonic()
        STEPS[name](kube)
        tell(f"{name}: {time.monotonic() - began:.0f} s")
