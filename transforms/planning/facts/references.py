"""What an object refers to by its spec: the relationships that it implies besides its owners and its node.

An object of Kubernetes refers to others of its own namespace, or to cluster-scoped ones; the model tells which. References that
name nothing, which the API allows in places, are left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from transforms.model.graph import CALLS, CLAIMS, CONTROLS, MOUNTS, ROUTES, SCALES, SELECTS, USES
from transforms.model.identity import Rid, make_rid
from transforms.planning.facts.selectors import EVERYTHING, terms_of
from transforms.records.specs.parts import Named, Spec
from transforms.records.specs.pod_facts import calls_of
from transforms.records.specs.pod_parts import Container, PodTemplateSpec, Volume
from transforms.records.specs.storage import ClaimSpec, ServiceAccountSpec, VolumeSpec
from transforms.records.specs.traffic import Address, EndpointSliceSpec, EndpointsSpec, IngressSpec, NetworkPolicySpec
from transforms.records.specs.workloads import AutoscalerSpec, WorkloadSpec

SERVICE_OF_SLICE: Final = "kubernetes.io/service-name"
_CONFIG_MAP: Final = "ConfigMap"
_SECRET: Final = "Secret"  # noqa: S105 - a kind
_CLAIM: Final = "PersistentVolumeClaim"

Labels = Mapping[str, str]
Mounted = Iterator[tuple[str, str | None]]


class Reference(NamedTuple):
    """A relationship of `type` between an object and the `other` that it names, a rid."""

    type: str
    other: str


class _Mention(NamedTuple):
    """A name as a spec has it; None or "" names nothing. namespace: "" for the object's own."""

    type: str
    kind: str
    name: str | None
    api_version: str = ""
    namespace: str = ""


def references(rid: Rid, spec: Spec | None, labels: Labels) -> set[Reference]:
    """What the object at `rid` refers to."""
    mentions = _MENTIONS.get(rid.kind)
    if spec is None or mentions is None:
        return set()
    named = ((one, one.name) for one in mentions(rid, spec, labels))
    return {
        Reference(one.type, str(make_rid(one.kind, one.namespace or rid.namespace, name, one.api_version))) for one, name in named if name
    }


def _of_pod(rid: Rid, spec: PodTemplateSpec, _labels: Labels) -> Iterator[_Mention]:
    for volume in spec.volumes or ():
        for kind, name in _of_volume(rid, volume):
            yield _Mention(MOUNTS.type, kind, name)
    for container in [*(spec.init_containers or ()), *(spec.containers or ()), *(spec.ephemeral_containers or ())]:
        for kind, name in _of_container(container):
            yield _Mention(MOUNTS.type, kind, name)
    for secret in spec.image_pull_secrets or ():
        yield _Mention(MOUNTS.type, _SECRET, secret.name)
    yield _Mention(USES.type, "ServiceAccount", spec.service_account)


def _of_workload(_rid: Rid, spec: WorkloadSpec, _labels: Labels) -> Iterator[_Mention]:
    """The Services that the Pods of its template call; what runs is the Pods', which have the other references."""
    for call in calls_of(spec.pods) if spec.pods else ():
        yield _Mention(CALLS.type, "Service", call.name, namespace=call.namespace)


def _of_volume(rid: Rid, volume: Volume) -> Mounted:
    yield _CONFIG_MAP, _name(volume.config_map)
    yield _SECRET, volume.secret.secret_name if volume.secret else None
    yield _CLAIM, volume.persistent_volume_claim.claim_name if volume.persistent_volume_claim else None
    yield _CLAIM, f"{rid.name}-{volume.name}" if volume.ephemeral and volume.name else None
    for source in (volume.projected.sources or ()) if volume.projected else ():
        yield _CONFIG_MAP, _name(source.config_map)
        yield _SECRET, _name(source.secret)


def _of_container(container: Container) -> Mounted:
    for source in container.env_from or ():
        yield _CONFIG_MAP, _name(source.config_map_ref)
        yield _SECRET, _name(source.secret_ref)
    for variable in container.env or ():
        if variable.value_from:
            yield _CONFIG_MAP, _name(variable.value_from.config_map_key_ref)
            yield _SECRET, _name(variable.value_from.secret_key_ref)


def _name(named: Named | None) -> str | None:
    return named.name if named else None


def _of_endpoints(rid: Rid, spec: EndpointsSpec, _labels: Labels) -> Iterator[_Mention]:
    """Endpoints belong to the Service of their name; those without an address may be a lock of a leader election."""
    if spec.ready_addresses or spec.unready_addresses:
        yield _Mention(CONTROLS.type, "Service", rid.name)
    yield from _to_pods(rid, spec.ready)


def _of_slice(rid: Rid, spec: EndpointSliceSpec, labels: Labels) -> Iterator[_Mention]:
    yield _Mention(CONTROLS.type, "Service", labels.get(SERVICE_OF_SLICE))
    yield from _to_pods(rid, spec.ready)


def _to_pods(rid: Rid, addresses: Iterable[Address]) -> Iterator[_Mention]:
    """Pods of the own namespace: addresses in another's are somebody's own work, which nothing keeps up to date."""
    for address in addresses:
        target = address.target_ref
        if target and target.kind == "Pod" and target.namespace in (None, "", rid.namespace):
            yield _Mention(ROUTES.type, target.kind, target.name)


def _of_ingress(_rid: Rid, spec: IngressSpec, _labels: Labels) -> Iterator[_Mention]:
    for backend in spec.backends:
        yield _Mention(ROUTES.type, "Service", backend.service_called)
    for tls in spec.tls or ():
        yield _Mention(USES.type, _SECRET, tls.secret_name)


def _of_policy(rid: Rid, spec: NetworkPolicySpec, _labels: Labels) -> Iterator[_Mention]:
    """What selects every Pod of its Namespace is joined with that: with Pods one by one, many policies would come to a product."""
    if spec.pod_selector and terms_of(spec.pod_selector) == [EVERYTHING]:
        yield _Mention(SELECTS.type, "Namespace", rid.namespace)


def _of_claim(_rid: Rid, spec: ClaimSpec, _labels: Labels) -> Iterator[_Mention]:
    yield _Mention(CLAIMS.type, "PersistentVolume", spec.volume)
    yield _Mention(USES.type, "StorageClass", spec.storage_class)


def _of_persistent_volume(_rid: Rid, spec: VolumeSpec, _labels: Labels) -> Iterator[_Mention]:
    yield _Mention(USES.type, "StorageClass", spec.storage_class)


def _of_service_account(_rid: Rid, spec: ServiceAccountSpec, _labels: Labels) -> Iterator[_Mention]:
    for secret in [*(spec.secrets or ()), *(spec.image_pull_secrets or ())]:
        yield _Mention(USES.type, _SECRET, secret.name)


def _of_autoscaler(_rid: Rid, spec: AutoscalerSpec, _labels: Labels) -> Iterator[_Mention]:
    target = spec.scale_target_ref
    if target and target.kind:
        yield _Mention(SCALES.type, target.kind, target.name, target.api_version or "")


# The spec of each kind has the type that `records/specs.py` gives it.
_MENTIONS: Final[dict[str, Callable[[Rid, Any, Labels], Iterator[_Mention]]]] = {
    "pod": _of_pod,
    **dict.fromkeys(("deployment", "statefulset", "daemonset"), _of_workload),
    "endpoints": _of_endpoints,
    "endpointslice": _of_slice,
    "ingress": _of_ingress,
    "networkpolicy": _of_policy,
    "persistentvolumeclaim": _of_claim,
    "persistentvolume": _of_persistent_volume,
    "serviceaccount": _of_service_account,
    "horizontalpodautoscaler": _of_autoscaler,
}
