"""Kubernetes objects as the API serves them are the resource envelopes that an agent would have made of them."""

from typing import Any

import pytest

from tests.support.wire import AT_MS, RESOURCES, TOPOLOGY, UID, json_of, kafka_record
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Body
from transforms.records.rejects import Reason

LABELS = {"app": "cart"}
OWNERS = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": UID, "controller": True}]
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "shop", "uid": UID, "labels": LABELS, "ownerReferences": OWNERS, "managedFields": [{}]},
    "spec": {"nodeName": "n1", "containers": [{"name": "main", "image": "cart:1"}, {"name": "side"}]},
    "status": {"phase": "Running", "podIP": "10.0.0.1"},
}
ENVELOPE: dict[str, Any] = {
    "op": "UPSERT",
    "at": "2026-03-01T08:00:00Z",
    "apiVersion": "v1",
    "kind": "Pod",
    "namespace": "shop",
    "name": "p",
    "uid": UID,
    "labels": LABELS,
    "ownerRefs": OWNERS,
    "node": "n1",
    "podIP": "10.0.0.1",
    "image": "cart:1",
    "status": POD["status"],
    "spec": POD["spec"],
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "s", "namespace": "shop"},
    "spec": {"selector": LABELS, "clusterIPs": ["10.96.0.1"]},
}


def _body(value: dict[str, Any], timestamp_ms: int = AT_MS) -> Body:
    found = decode_record(kafka_record(RESOURCES, json_of(value), timestamp_ms=timestamp_ms))
    assert found.body is not None, found.fault
    return found.body


@pytest.mark.parametrize(
    ("value", "op"),
    [
        (POD, "UPSERT"),
        ({"type": "ADDED", "object": POD}, "UPSERT"),
        ({"type": "MODIFIED", "object": POD}, "UPSERT"),
        ({"type": "DELETED", "object": POD}, "DELETE"),
    ],
)
def test_an_object_or_a_change_of_one_is_its_envelope_at_the_records_time(value: dict[str, Any], op: str) -> None:
    found = decode_record(kafka_record(RESOURCES, json_of(value)))
    plain = decode_record(kafka_record(RESOURCES, json_of(ENVELOPE, op=op)))
    assert (found.body, found.ver) == (plain.body, plain.ver)
    assert found.body is not None


def test_a_service_and_an_object_of_no_more_than_metadata_are_taken() -> None:
    envelope = {"op": "UPSERT", "at": ENVELOPE["at"], "apiVersion": "v1", "kind": "Service", "namespace": "shop", "name": "s"}
    assert _body(SERVICE) == _body(envelope | {"serviceIPs": ["10.96.0.1"], "spec": SERVICE["spec"]})
    bare = {"kind": "Namespace", "metadata": {"name": "shop"}}
    assert _body(bare) == _body({"op": "UPSERT", "at": ENVELOPE["at"], "kind": "Namespace", "name": "shop"})


@pytest.mark.parametrize("type_", ["BOOKMARK", "ERROR", "PullEnd", ""])
def test_a_watch_record_of_no_change_is_a_fault(type_: str) -> None:
    fault = decode_record(kafka_record(RESOURCES, json_of({"type": type_, "object": POD}))).fault
    assert fault is not None
    assert (fault.reason, fault.detail.startswith(f"a watch record of the type {type_!r} ")) == (Reason.BAD_VALUE, True)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (POD | {"kind": "Po`d"}, Reason.WRONG_TYPE),
        (POD | {"metadata": {"labels": {"a": 1}, "name": "p"}}, Reason.WRONG_TYPE),
        (POD | {"spec": {"containers": 7}}, Reason.WRONG_TYPE),
        (POD | {"status": {"podIP": 7}}, Reason.WRONG_TYPE),
        (POD | {"metadata": 7}, Reason.MISSING_FIELD),
        (POD | {"op": "PATCH"}, Reason.WRONG_TYPE),
        (ENVELOPE | {"op": 7, "metadata": {"name": "p"}}, Reason.WRONG_TYPE),
    ],
)
def test_a_faulty_object_is_a_fault(value: dict[str, Any], reason: Reason) -> None:
    fault = decode_record(kafka_record(RESOURCES, json_of(value))).fault
    assert fault is not None
    assert fault.reason is reason


@pytest.mark.parametrize("timestamp_ms", [-(2**62), 2**62])
def test_a_record_without_a_possible_time_is_a_fault(timestamp_ms: int) -> None:
    assert decode_record(kafka_record(RESOURCES, json_of(POD), timestamp_ms=timestamp_ms)).fault is not None


def test_objects_are_taken_on_their_topic_alone() -> None:
    assert decode_record(kafka_record(TOPOLOGY, json_of(POD))).fault is not None
