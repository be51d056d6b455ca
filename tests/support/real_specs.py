"""What the specs of a dump's objects refer to, found by the names of fields wherever they stand, without the project's code."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

Item = dict[str, Any]
Triple = tuple[str, str, str]

# The field that holds a reference, the kind that it refers to, and the fields that may hold the name.
IN_PODS = {
    "configMap": ("ConfigMap", ("name",)),
    "configMapRef": ("ConfigMap", ("name",)),
    "configMapKeyRef": ("ConfigMap", ("name",)),
    "secret": ("Secret", ("secretName", "name")),
    "secretRef": ("Secret", ("name",)),
    "secretKeyRef": ("Secret", ("name",)),
    "persistentVolumeClaim": ("PersistentVolumeClaim", ("claimName",)),
}
PARTS = ("volumes", "initContainers", "containers", "ephemeralContainers")


def references(item: Item) -> set[Triple]:
    """The relationships that an object's spec, or what stands beside it, says."""
    namespace, name = item["metadata"].get("namespace", ""), item["metadata"]["name"]
    me = f"{item['kind']}:{namespace}:{name}"
    if item["kind"] == "Pod":
        return set(_of_pod(item.get("spec") or {}, me, namespace))
    if item["kind"] == "Endpoints":
        subsets = item.get("subsets") or []
        held = [address for subset in subsets for address in subset.get("addresses") or []]
        waiting = [address for subset in subsets for address in subset.get("notReadyAddresses") or []]
        service = {("CONTROLS", f"Service:{namespace}:{name}", me)} if held + waiting else set()
        return service | set(_to_pods(held, me, namespace))
    if item["kind"] == "EndpointSlice":
        of = (item["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
        ready = [one for one in item.get("endpoints") or [] if (one.get("conditions") or {}).get("ready", True) is not False]
        return ({("CONTROLS", f"Service:{namespace}:{of}", me)} if of else set()) | set(_to_pods(ready, me, namespace))
    return set()


def _of_pod(spec: Item, me: str, namespace: str) -> Iterator[Triple]:
    for part in PARTS:
        for kind, name in _walk(spec.get(part)):
            yield "MOUNTS", me, f"{kind}:{namespace}:{name}"
    for secret in spec.get("imagePullSecrets") or []:
        if secret.get("name"):
            yield "MOUNTS", me, f"Secret:{namespace}:{secret['name']}"
    if spec.get("serviceAccountName"):
        yield "USES", me, f"ServiceAccount:{namespace}:{spec['serviceAccountName']}"


def _walk(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for one in value:
            yield from _walk(one)
    elif isinstance(value, dict):
        for field, held in value.items():
            kind, names = IN_PODS.get(field, ("", ()))
            for name in names if isinstance(held, dict) else ():
                if held.get(name):
                    yield kind, held[name]
            yield from _walk(held)


def _to_pods(addresses: list[Item], me: str, namespace: str) -> Iterator[Triple]:
    for address in addresses:
        target = address.get("targetRef") or {}
        if target.get("kind") == "Pod":
            yield "ROUTES", me, f"Pod:{target.get('namespace', namespace)}:{target['name']}"


def by_type(triples: Iterable[tuple[str, ...]]) -> Counter[str]:
    return Counter(triple[0] for triple in triples)
