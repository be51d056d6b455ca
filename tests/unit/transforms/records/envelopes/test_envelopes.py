"""Envelopes take what the contract lists, ignore what it does not, and refuse what is missing or mistyped."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tests.support.wire import AT_MS, EDGE, EVENT, EVENTS, POD, RESOURCES, TOPOLOGY, UID, json_of, kafka_record
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Edge, Event, OwnerRef, Resource, Subject
from transforms.records.rejects import Reason

_AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
_BODIES: dict[str, dict[str, Any]] = {RESOURCES: POD, TOPOLOGY: EDGE, EVENTS: EVENT}


def _reason(topic: str, value: bytes) -> Reason | None:
    fault = decode_record(kafka_record(topic, value)).fault
    return fault.reason if fault else None


NO_SPEC = msgspec.Raw()


def test_a_resource_is_taken_with_all_that_the_graph_uses() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u-r", "controller": True}
    value = json_of(
        POD,
        client_id="af-10",
        cluster="east",
        apiVersion="v1",
        uid=UID,
        labels={"app": "cart"},
        annotations={"ignored": "x"},
        ownerRefs=[owner],
        node="n1",
        podIP="10.0.0.1",
        image="cart:v1",
        replicas=3,
        serviceSelector={"app": "cart"},
        serviceIPs=["10.96.0.1"],
        status={"phase": "Running"},
        spec={"ignored": [1, 2.5, None]},
        unknown={"deep": {"deeper": []}},
    )
    body = decode_record(kafka_record(RESOURCES, value)).body
    assert isinstance(body, Resource)
    assert bytes(body.spec) == b'{"ignored":[1,2.5,null]}'
    assert msgspec.structs.replace(body, spec=NO_SPEC) == Resource(
        op="UPSERT",
        at=_AT,
        kind="Pod",
        name="p",
        client_id="af-10",
        cluster="east",
        api_version="v1",
        uid=UID,
        namespace="shop",
        labels={"app": "cart"},
        owner_refs=[OwnerRef("ReplicaSet", "r", "apps/v1", "u-r")],
        node="n1",
        pod_ip="10.0.0.1",
        image="cart:v1",
        replicas=3,
        service_selector={"app": "cart"},
        service_ips=["10.96.0.1"],
        status={"phase": "Running"},
        spec=NO_SPEC,
    )


def test_an_edge_and_an_event_are_taken_with_all_that_the_graph_uses() -> None:
    edge = decode_record(kafka_record(TOPOLOGY, json_of(EDGE, client_id="af-10", cluster="east", weight=3)))
    assert edge.body == Edge("UPSERT", _AT, "e1", "pod:shop:p", "node::n1", "RUNS_ON", "af-10", "east")
    event = decode_record(kafka_record(EVENTS, json_of(EVENT, client_id="af-10", extra=[])))
    subject = Subject("Pod", "p", "shop", UID)
    assert event.body == Event("ev-1", _AT, subject, "k8s.event", "Warning", "BackOff", "Back-off restarting failed container", 1, "af-10")


@pytest.mark.parametrize(
    ("topic", "field"),
    [
        *((RESOURCES, name) for name in ("op", "at", "kind")),
        *((TOPOLOGY, name) for name in ("op", "at", "id", "from", "to", "type")),
        *((EVENTS, name) for name in ("event_id", "event_time", "subject")),
    ],
)
def test_a_required_field_that_is_missing_or_null_is_a_fault(topic: str, field: str) -> None:
    assert _reason(topic, json_of(_BODIES[topic], field)) is Reason.MISSING_FIELD
    null = Reason.MISSING_FIELD if topic == EVENTS else Reason.WRONG_TYPE
    assert _reason(topic, json_of(_BODIES[topic], **{field: None})) is null


def test_an_event_with_an_empty_id_has_none() -> None:
    assert _reason(EVENTS, json_of(EVENT, event_id="")) is Reason.MISSING_FIELD


@pytest.mark.parametrize("field", ["kind", "name"])
def test_an_event_without_the_kind_or_name_of_its_subject_is_a_fault(field: str) -> None:
    subject = {name: value for name, value in EVENT["subject"].items() if name != field}
    assert _reason(EVENTS, json_of(EVENT, subject=subject)) is Reason.MISSING_FIELD
    assert _reason(EVENTS, json_of(EVENT, subject=subject | {field: ""})) is Reason.WRONG_TYPE


@pytest.mark.parametrize(
    ("topic", "changes"),
    [
        (RESOURCES, {"op": "PATCH"}),
        (RESOURCES, {"op": "upsert"}),
        (RESOURCES, {"at": "2026-03-01T08:00:00"}),
        (RESOURCES, {"at": "2026-03-01"}),
        (RESOURCES, {"at": "2026-02-29T08:00:00Z"}),
        (RESOURCES, {"at": "yesterday"}),
        (RESOURCES, {"at": AT_MS}),
        (RESOURCES, {"kind": ""}),
        (RESOURCES, {"kind": "Pod`"}),
        (RESOURCES, {"kind": "Pod Pod"}),
        (RESOURCES, {"kind": "Pod:x"}),
        (RESOURCES, {"kind": "Pöd"}),
        (RESOURCES, {"kind": "1Pod"}),
        (RESOURCES, {"kind": "P" * 64}),
        (RESOURCES, {"kind": "Pod\n"}),
        (RESOURCES, {"ownerRefs": [{"kind": "ReplicaSet\n", "name": "r"}]}),
        *((RESOURCES, {"apiVersion": text}) for text in ("a:b/v1", "v1\n", "a b/v1", "apps`/v1", "äpps/v1", 1)),
        (RESOURCES, {"namespace": "a:b"}),
        (RESOURCES, {"name": 7}),
        (RESOURCES, {"uid": 7}),
        (RESOURCES, {"labels": "app=x"}),
        (RESOURCES, {"labels": ["app"]}),
        (RESOURCES, {"labels": {"app": 1}}),
        (RESOURCES, {"labels": {"app": None}}),
        (RESOURCES, {"ownerRefs": {}}),
        (RESOURCES, {"ownerRefs": [{"kind": "ReplicaSet", "name": ""}]}),
        (RESOURCES, {"replicas": "3"}),
        (RESOURCES, {"replicas": 3.5}),
        (RESOURCES, {"replicas": True}),
        (RESOURCES, {"serviceIPs": "10.96.0.1"}),
        (RESOURCES, {"status": []}),
        (RESOURCES, {"client_id": 10}),
        (TOPOLOGY, {"id": ""}),
        (TOPOLOGY, {"from": ""}),
        (TOPOLOGY, {"type": 1}),
        (EVENTS, {"event_id": 1}),
        (EVENTS, {"event_time": 1}),
        (EVENTS, {"subject": "pod:shop:p"}),
        (EVENTS, {"message": 7}),
        (EVENTS, {"subject": {"kind": "Pod", "name": "p", "ns": "a:b"}}),
        (EVENTS, {"subject": {"kind": "Pod\n", "name": "p"}}),
    ],
)
def test_a_mistyped_field_is_a_fault(topic: str, changes: dict[str, object]) -> None:
    assert _reason(topic, json_of(_BODIES[topic], **changes)) is Reason.WRONG_TYPE


@pytest.mark.parametrize(
    ("topic", "changes"),
    [
        (RESOURCES, {"kind": "P" * 63}),
        (RESOURCES, {"kind": "CSINode2"}),
        (RESOURCES, {"namespace": ""}),
        *((RESOURCES, {"apiVersion": text}) for text in ("", None, "v1", "rbac.authorization.k8s.io/v1beta1", "Batch.X-k8s.io/v1")),
        (RESOURCES, {"namespace": None, "labels": None, "ownerRefs": None, "status": None, "uid": None, "replicas": None}),
        (RESOURCES, {"name": "system:node:a"}),
        (RESOURCES, {"replicas": -(2**63)}),
        (RESOURCES, {"replicas": 2**63 - 1}),
        (RESOURCES, {"labels": {}, "ownerRefs": [], "status": {}, "serviceIPs": []}),
        (RESOURCES, {"at": "2026-03-01T10:00:00+02:00"}),
        (EVENTS, {"subject": {"kind": "Pod", "name": "p", "uid": None, "ns": None}}),
        (EVENTS, {"subject": {"kind": "Node", "name": "n1", "ns": ""}}),
    ],
)
def test_what_the_contract_allows_is_taken(topic: str, changes: dict[str, object]) -> None:
    assert _reason(topic, json_of(_BODIES[topic], **changes)) is None
