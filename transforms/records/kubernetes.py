"""Kubernetes objects as the API serves them, and watch records of them (`{type, object}`), turned into resource envelopes.

An object does not say when it was as it is: the record's timestamp is its `at`.
"""

from typing import Any, Final

import msgspec

from transforms.records.record import from_microseconds
from transforms.records.redact import shown
from transforms.records.rejects import Fault, Reason

_OPS: Final = {"ADDED": "UPSERT", "MODIFIED": "UPSERT", "DELETED": "DELETE"}


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    labels: Any = None
    owner_references: Any = None


class _Container(msgspec.Struct, frozen=True):
    image: str | None = None


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    """What is lifted out of a spec; the kinds that have these fields all mean the same by them."""

    node_name: str | None = None
    replicas: Any = None
    containers: list[_Container] | None = None
    cluster_ips: list[str] | None = msgspec.field(default=None, name="clusterIPs")


class _Status(msgspec.Struct, frozen=True):
    pod_ip: str | None = msgspec.field(default=None, name="podIP")


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
_SPEC: Final = msgspec.json.Decoder(_Spec).decode
_STATUS: Final = msgspec.json.Decoder(_Status).decode


def envelope_of(text: bytes, timestamp_ms: int) -> bytes | None:
    """The envelope of a Kubernetes object or of a watch record; None where the text is neither.

    timestamp_ms: the record's, which becomes the envelope's `at`. Fault for a watch record of anything but a change.
    """
    try:
        watch = _WATCH(text)
    except msgspec.DecodeError:
        return _pulled(text, timestamp_ms)
    if watch.type not in _OPS:
        said = f"a watch record of the type {shown(watch.type)} tells of no change; write {', '.join(_OPS)} only"
        raise Fault(Reason.BAD_VALUE, said)
    return _envelope(watch.object, _OPS[watch.type], timestamp_ms)


def _pulled(text: bytes, timestamp_ms: int) -> bytes | None:
    try:
        found = _OBJECT(text)
    except msgspec.DecodeError:
        return None
    return None if bytes(found.op) else _envelope(found, "UPSERT", timestamp_ms)


def _envelope(found: _Object, op: str, timestamp_ms: int) -> bytes | None:
    try:
        spec = _SPEC(found.spec) if bytes(found.spec) else _Spec()
        status = _STATUS(found.status) if bytes(found.status) else _Status()
        at = from_microseconds(timestamp_ms * 1000)
    except (msgspec.DecodeError, OverflowError):
        return None
    metadata = found.metadata
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
        "node": spec.node_name,
        "podIP": status.pod_ip,
        "image": spec.containers[0].image if spec.containers else None,
        "replicas": spec.replicas,
        "serviceIPs": spec.cluster_ips,
        "status": found.status if bytes(found.status) else None,
        "spec": found.spec if bytes(found.spec) else None,
    }
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not None})
