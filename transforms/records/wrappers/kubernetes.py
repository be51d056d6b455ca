"""Kubernetes objects as the API serves them, and watch records of them (`{type, object}`), turned into resource envelopes.

An object does not say when it was as it is: the record's timestamp is its `at`. What Kubernetes keeps beside `spec` is copied into
it, as agents do. Fields are lifted out of the kinds that have them alone: a custom resource may mean anything by the same names.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from transforms.model.identity import kind_token
from transforms.records.record import from_microseconds
from transforms.records.redaction.text import shown
from transforms.records.rejects import Fault, Reason
from transforms.records.specs.table import SPEC_OF_TOKEN

_OPS: Final = {"ADDED": "UPSERT", "MODIFIED": "UPSERT", "DELETED": "DELETE"}
_SHOWN: Final = 200
# What every object has; all else stands beside `spec`.
_COMMON: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
_ABSENT: Final = (b"", b"null")


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    labels: Any = None
    owner_references: Any = None
    creation_timestamp: Any = None
    managed_fields: msgspec.Raw = msgspec.Raw()


class _Managed(msgspec.Struct, frozen=True):
    """Who changed what of an object; all that is read of it is when."""

    time: str = ""
    subresource: str = ""


# Kinds of which a change is told that breaks others: nothing in their status says when they became what they are.
CHANGED_KINDS: Final = frozenset(("configmap", "secret", "resourcequota", "networkpolicy"))
_MANAGED: Final = msgspec.json.Decoder(list[_Managed])


def changed_at(token: str, managed: msgspec.Raw) -> str | None:
    """When an object of such a kind was last changed, its status aside; None where that is not said."""
    if token not in CHANGED_KINDS or bytes(managed) in _ABSENT:
        return None
    try:
        return max((one.time for one in _MANAGED.decode(managed) if not one.subresource), default="") or None
    except msgspec.DecodeError:
        return None


class _Container(msgspec.Struct, frozen=True):
    image: str | None = None


class _Lifted(msgspec.Struct, frozen=True, rename="camel"):
    """The base of all: what is lifted out of the specs of some kinds."""

    def fields(self) -> Mapping[str, Any]:
        """By the names that the envelope has for them."""
        raise NotImplementedError

    def original(self) -> dict[str, Any]:
        """As Kubernetes has them, without what is absent."""
        raise NotImplementedError


class _PodSpec(_Lifted, frozen=True):
    node_name: str | None = None
    containers: list[_Container] | None = None

    def fields(self) -> Mapping[str, Any]:
        return {"node": self.node_name, "image": self.containers[0].image if self.containers else None}

    def original(self) -> dict[str, Any]:
        first = {"image": self.containers[0].image} if self.containers else {}
        return {"nodeName": self.node_name, "containers": [first] if first.get("image") else None}


class _ReplicatedSpec(_Lifted, frozen=True):
    replicas: Any = None

    def fields(self) -> Mapping[str, Any]:
        return {"replicas": self.replicas}

    def original(self) -> dict[str, Any]:
        return {"replicas": self.replicas}


class _ServiceSpec(_Lifted, frozen=True):
    """cluster_ip: all that there was before Kubernetes 1.20."""

    cluster_ip: str | None = msgspec.field(default=None, name="clusterIP")
    cluster_ips: list[str] | None = msgspec.field(default=None, name="clusterIPs")

    def fields(self) -> Mapping[str, Any]:
        return {"serviceIPs": self.cluster_ips or ([self.cluster_ip] if self.cluster_ip else None)}

    def original(self) -> dict[str, Any]:
        return {"clusterIPs": self.cluster_ips, "clusterIP": None if self.cluster_ips else self.cluster_ip}


class _PodStatus(msgspec.Struct, frozen=True):
    pod_ip: str | None = msgspec.field(default=None, name="podIP")


_LIFTED: Final[dict[str, type[_Lifted]]] = {
    "pod": _PodSpec,
    "service": _ServiceSpec,
    **dict.fromkeys(("deployment", "replicaset", "statefulset"), _ReplicatedSpec),
}
_POD: Final = "pod"


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    kind: str
    metadata: _Metadata
    api_version: str | None = None
    spec: msgspec.Raw = msgspec.Raw()
    status: msgspec.Raw = msgspec.Raw()
    op: msgspec.Raw = msgspec.Raw()


class _Watch(msgspec.Struct, frozen=True):
    type: str
    object: _Object


_OBJECT: Final = msgspec.json.Decoder(_Object).decode
_WATCH: Final = msgspec.json.Decoder(_Watch).decode
_LIFT: Final = {token: msgspec.json.Decoder(spec).decode for token, spec in _LIFTED.items()}
_STATUS: Final = msgspec.json.Decoder(_PodStatus).decode
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class _ApiMetadata(_Metadata, frozen=True, rename="camel"):
    """labels, owner_references: as the API server guarantees them."""

    resource_version: str | None = None
    labels: dict[str, str] | None = None
    owner_references: list[dict[str, Any]] | None = None


class KubernetesObject(msgspec.Struct, frozen=True, rename="camel"):
    """An object as the API server gives it; annotations and managed fields are never read."""

    metadata: _ApiMetadata
    kind: str = ""
    api_version: str | None = None
    spec: msgspec.Raw = msgspec.Raw()
    status: Any = None

    def lifted(self, token: str) -> dict[str, Any]:
        """What is lifted out of the spec of some kinds, as Kubernetes has it. Fault where it is of another type."""
        lift = _LIFT.get(token)
        if lift is None or bytes(self.spec) in _ABSENT:
            return {}
        try:
            return lift(self.spec).original()
        except msgspec.ValidationError as error:
            raise Fault(Reason.WRONG_TYPE, f"`spec`: {str(error)[:_SHOWN]}") from None


_API_OBJECT: Final = msgspec.json.Decoder(KubernetesObject).decode


def read_object(text: bytes | msgspec.Raw, kind: str, api_version: str) -> KubernetesObject:
    """An object of the API; msgspec's errors for what is none, ValueError for one without a name.

    kind, api_version: of its collection; it must not say that it is of another kind.
    """
    found = _API_OBJECT(text)
    if not found.metadata.name:
        raise ValueError(f"an object of the kind {kind} has no name")
    if found.kind not in ("", kind):
        raise ValueError(f"an object among those of the kind {kind} ({api_version}) is of the kind {shown(found.kind)}")
    return found


def spec_with_siblings(found: KubernetesObject, text: bytes, token: str) -> msgspec.Raw:
    """The object's spec with what stands beside it, where the job reads the spec of the kind."""
    return _spec(found.spec, text) if token in SPEC_OF_TOKEN else found.spec


def envelope_of(text: bytes, timestamp_ms: int) -> bytes | None:
    """The envelope of a Kubernetes object or of a watch record; None where the text is neither.

    timestamp_ms: the record's, which becomes the envelope's `at`. Fault for a watch record of anything but a change, and where an object
    of a kind that has a field to lift has it in another type.
    """
    try:
        watch = _WATCH(text)
    except msgspec.DecodeError:
        return _pulled(text, timestamp_ms)
    if watch.type not in _OPS:
        said = f"a watch record of the type {shown(watch.type)} tells of no change; write {', '.join(_OPS)} only"
        raise Fault(Reason.BAD_VALUE, said)
    return _envelope(watch.object, _FIELDS(text)["object"], _OPS[watch.type], timestamp_ms)


def _pulled(text: bytes, timestamp_ms: int) -> bytes | None:
    try:
        found = _OBJECT(text)
    except msgspec.DecodeError:
        return None
    return None if bytes(found.op) else _envelope(found, text, "UPSERT", timestamp_ms)


def _envelope(found: _Object, text: bytes, op: str, timestamp_ms: int) -> bytes | None:
    try:
        at = from_microseconds(timestamp_ms * 1000)
    except OverflowError:
        return None
    metadata, token = found.metadata, kind_token(found.kind, found.api_version or "")
    spec = _spec(found.spec, text) if token in SPEC_OF_TOKEN else found.spec
    fields = {
        "op": op,
        "at": at,
        "apiVersion": found.api_version,
        "kind": found.kind,
        "namespace": metadata.namespace,
        "name": metadata.name,
        "uid": metadata.uid,
        "labels": metadata.labels,
        "ownerRefs": metadata.owner_references,
        "created": metadata.creation_timestamp,
        "changed": changed_at(token, metadata.managed_fields),
        **_lifted(token, found),
        "status": found.status if bytes(found.status) else None,
        "spec": spec if bytes(spec) else None,
    }
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not None})


def _spec(spec: msgspec.Raw, text: bytes) -> msgspec.Raw:
    """The object's spec, and what stands beside it in it."""
    beside = {name: value for name, value in _FIELDS(text).items() if name not in _COMMON}
    if not beside:
        return spec
    try:
        held = _FIELDS(spec) if bytes(spec) not in _ABSENT else {}
    except msgspec.DecodeError:
        return spec  # The codec tells what is wrong with it.
    return msgspec.Raw(msgspec.json.encode(beside | held))


def _lifted(token: str, found: _Object) -> Mapping[str, Any]:
    lift = _LIFT.get(token)
    if lift is None:
        return {}
    try:
        fields = dict(lift(found.spec).fields()) if bytes(found.spec) not in _ABSENT else {}
    except msgspec.ValidationError as error:
        raise Fault(Reason.WRONG_TYPE, f"`spec`: {str(error)[:_SHOWN]}") from None
    if token == _POD and bytes(found.status) not in _ABSENT:
        try:
            fields["podIP"] = _STATUS(found.status).pod_ip
        except msgspec.ValidationError as error:
            raise Fault(Reason.WRONG_TYPE, f"`status`: {str(error)[:_SHOWN]}") from None
    return fields
