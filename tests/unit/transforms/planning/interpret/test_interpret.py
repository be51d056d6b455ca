"""A body means exactly the mutations that the contract says: what is absent is absent, what is too large is a fault."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.support.wire import EDGE, EVENT, EVENTS, POD, RESOURCES, TENANT, TOPOLOGY, UID, json_of, kafka_record
from transforms.planning.facts.mutations import (
    DeleteEdge,
    DeleteNode,
    DeleteUid,
    DeleteUnnamed,
    Mutation,
    UpsertEdge,
    UpsertNode,
    UpsertReferrer,
)
from transforms.planning.facts.values import digest_of
from transforms.planning.interpret.dispatch import interpret
from transforms.records.decode import decode_record
from transforms.records.rejects import Fault, Reason
from transforms.records.severity import SEVERITY

_VER = "v"
_HOUR = 3600


def _mutation(topic: str, body: dict[str, Any], *left_out: str, **changes: object) -> Mutation:
    decoded = decode_record(kafka_record(topic, json_of(body, *left_out, **changes)))
    assert decoded.body is not None
    (mutation,) = interpret(topic, decoded.body, TENANT, _VER)
    return mutation


def _node(**changes: object) -> UpsertNode:
    mutation = _mutation(RESOURCES, POD, **changes)
    assert isinstance(mutation, UpsertNode)
    return mutation


def _episode(**changes: object) -> UpsertReferrer:
    mutation = _mutation(EVENTS, EVENT, **changes)
    assert isinstance(mutation, UpsertReferrer)
    return mutation


def _reason(topic: str, body: dict[str, Any], *left_out: str, **changes: object) -> Reason:
    with pytest.raises(Fault) as raised:
        _mutation(topic, body, *left_out, **changes)
    return raised.value.reason


def test_a_resource_with_every_field_becomes_a_node_with_every_property() -> None:
    node = _node(
        apiVersion="v1",
        uid=UID,
        labels={"b": "2", "a": "1", "c": ""},
        annotations={"not": "kept"},
        ownerRefs=[{"kind": "StatefulSet", "name": "s"}, {"kind": "ReplicaSet", "name": "r", "uid": "x"}],
        node="n1",
        podIP="10.0.0.1",
        image="cart:v1",
        replicas=0,
        serviceSelector={"app": "cart"},
        serviceIPs=["10.96.0.2", "10.96.0.1"],
        status={"qosClass": "Burstable", "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        spec={"not": "kept"},
    )
    props = {
        "kind": "Pod",
        "ns": "shop",
        "name": "p",
        "uid": UID,
        "api_version": "v1",
        "labels": ["a=1", "b=2", "c="],
        "selector": ["app=cart"],
        "owners": ["ReplicaSet/r", "StatefulSet/s"],
        "implies": ["CONTROLS\x1freplicaset:shop:r\x1f", "CONTROLS\x1fstatefulset:shop:s\x1f", "RUNS_ON\x1fnode::n1\x1f"],
        "node": "n1",
        "pod_ip": "10.0.0.1",
        "image": "cart:v1",
        "replicas": 0,
        "service_ips": ["10.96.0.1", "10.96.0.2"],
        "status": '{"conditions":[{"status":"True","type":"Ready"}],"phase":"Running","qosClass":"Burstable"}',
        "phase": "Running",
        "qos_class": "Burstable",
    }
    assert node == UpsertNode(TENANT, _VER, "pod:shop:p", UID, props, digest_of(props))


def test_a_field_that_is_absent_null_or_empty_leaves_no_property() -> None:
    bare = {"kind": "Pod", "ns": "shop", "name": "p"}
    assert _node() == UpsertNode(TENANT, _VER, "pod:shop:p", "", bare, digest_of(bare))
    assert _node(labels={}, ownerRefs=[], serviceIPs=[], serviceSelector={}, status={}, uid="").props == bare
    assert _node(labels=None, ownerRefs=None, serviceIPs=None, status=None, uid=None, image=None, replicas=None).props == bare


@pytest.mark.parametrize(
    ("changes", "rid", "props"),
    [
        ({"kind": "Node", "name": "n1"}, "node::n1", {"kind": "Node", "name": "n1"}),
        ({"kind": "pod"}, "pod:shop:p", {"kind": "Pod", "ns": "shop", "name": "p"}),
        ({"kind": "Widget"}, "widget:shop:p", {"kind": "Widget", "ns": "shop", "name": "p"}),
        ({"namespace": None}, "pod::p", {"kind": "Pod", "name": "p"}),
        ({"name": "a:b"}, "pod:shop:a:b", {"kind": "Pod", "ns": "shop", "name": "a:b"}),
        (
            {"kind": "Service", "apiVersion": "serving.knative.dev/v1"},
            "service.serving.knative.dev:shop:p",
            {"kind": "Service", "ns": "shop", "name": "p", "api_version": "serving.knative.dev/v1"},
        ),
    ],
)
def test_a_resource_is_known_by_its_rid(changes: dict[str, object], rid: str, props: dict[str, object]) -> None:
    node = _node(**changes)
    assert (node.rid, node.props) == (rid, props)


@pytest.mark.parametrize(
    ("kind", "status", "kept"),
    [
        ("Deployment", {"readyReplicas": 2, "availableReplicas": 0, "other": 1}, {"ready_replicas": 2, "available_replicas": 0}),
        ("DaemonSet", {"numberReady": 1, "desiredNumberScheduled": 3}, {"number_ready": 1, "desired_number_scheduled": 3}),
        ("Pod", {"phase": {"not": "a scalar"}, "qosClass": None}, {}),
        ("Pod", {"phase": 1.5, "qosClass": ["x"]}, {}),
        ("Service", {"phase": "Running"}, {}),
        ("Widget", {"phase": "Running"}, {}),
    ],
)
def test_only_the_declared_scalars_of_a_status_are_promoted(kind: str, status: dict[str, object], kept: dict[str, object]) -> None:
    props = _node(kind=kind, status=status).props
    assert {name: value for name, value in props.items() if name not in {"kind", "ns", "name", "status", "ailing"}} == kept


def test_the_bulky_parts_of_a_node_status_are_left_out_and_only_there() -> None:
    status = {"images": [{"names": ["x"]}], "volumesInUse": ["v"], "volumesAttached": [], "phase": "x"}
    assert _node(kind="Node", status=status).props["status"] == '{"phase":"x"}'
    assert "status" not in _node(kind="Node", status={"images": []}).props
    assert _node(status={"images": []}).props["status"] == '{"images":[]}'


def test_equal_contents_have_equal_digests_whatever_their_order_and_version() -> None:
    one = _node(labels={"a": "1", "b": "2"}, status={"x": {"p": 1, "q": 2}}, serviceIPs=["1", "2"])
    two = _node(serviceIPs=["2", "1"], status={"x": {"q": 2, "p": 1}}, labels={"b": "2", "a": "1"}, at="2026-03-01T07:00:00Z", spec={})
    assert one.digest == two.digest
    assert len({one.digest, _node().digest, _node(image="a").digest, _node(image="b").digest, _node(node="a").digest}) == 5


@pytest.mark.parametrize(
    ("changes", "mutation"),
    [
        ({}, DeleteNode(TENANT, _VER, "pod:shop:p")),
        ({"name": "", "uid": UID}, DeleteUid(TENANT, _VER, UID)),
        ({"kind": "Node", "namespace": "shop"}, DeleteNode(TENANT, _VER, "node::p")),
        ({"apiVersion": "example.com/v1"}, DeleteNode(TENANT, _VER, "pod.example.com:shop:p")),
    ],
)
def test_a_delete_ends_what_its_name_names_or_else_its_uid(changes: dict[str, object], mutation: Mutation) -> None:
    assert _mutation(RESOURCES, POD, op="DELETE", **changes) == mutation


def test_a_delete_with_a_uid_ends_that_life_and_what_has_no_uid_at_the_name() -> None:
    body = decode_record(kafka_record(RESOURCES, json_of(POD, op="DELETE", uid=UID))).body
    assert body is not None
    assert interpret(RESOURCES, body, TENANT, _VER) == (DeleteUid(TENANT, _VER, UID), DeleteUnnamed(TENANT, _VER, "pod:shop:p"))


@pytest.mark.parametrize("changes", [{"op": "DELETE"}, {"op": "DELETE", "uid": ""}, {"op": "UPSERT"}, {"op": "UPSERT", "uid": UID}])
def test_a_resource_without_a_name_is_a_fault_unless_it_is_a_delete_by_uid(changes: dict[str, object]) -> None:
    assert _reason(RESOURCES, POD, "name", **changes) is Reason.MISSING_FIELD


@pytest.mark.parametrize(
    ("changes", "source", "target"),
    [
        ({}, "pod:shop:p", "node::n1"),
        ({"to": "Node:n1"}, "pod:shop:p", "node::n1"),
        ({"to": "node:shop:n1"}, "pod:shop:p", "node::n1"),
        ({"from": "pod:shop:a:b"}, "pod:shop:a:b", "node::n1"),
        ({"from": "service.serving.knative.dev:shop:s"}, "service.serving.knative.dev:shop:s", "node::n1"),
    ],
)
def test_an_edge_runs_between_the_rids_that_its_ends_name(changes: dict[str, object], source: str, target: str) -> None:
    assert _mutation(TOPOLOGY, EDGE, **changes) == UpsertEdge(TENANT, _VER, "e1", "RUNS_ON", source, target)


@pytest.mark.parametrize("kind", ["RUNS_ON", "SELECTS", "CONTROLS"])
def test_every_topology_type_is_taken_and_a_delete_needs_only_the_id(kind: str) -> None:
    assert _mutation(TOPOLOGY, EDGE, type=kind) == UpsertEdge(TENANT, _VER, "e1", kind, "pod:shop:p", "node::n1")
    assert _mutation(TOPOLOGY, EDGE, type=kind, op="DELETE") == DeleteEdge(TENANT, _VER, "e1")


@pytest.mark.parametrize(
    "changes",
    [
        *({"type": kind} for kind in ("runs_on", "ABOUT", "OWNS", "MOUNTS", "ROUTES", "RUNS_ON`]->()//", "RUNS_ON ")),
        *(
            {end: text}
            for end in ("from", "to")
            for text in ("node", "node:", ":n1", "::n1", "pod:shop:", "1pod:shop:p", "po`d:s:p", "pöd:s:p")
        ),
    ],
)
def test_an_edge_of_another_type_or_with_an_end_that_names_nothing_is_a_fault(changes: dict[str, object]) -> None:
    assert _reason(TOPOLOGY, EDGE, **changes) is Reason.BAD_VALUE


def test_an_event_becomes_an_episode_about_its_subject() -> None:
    props = {
        "etype": "k8s.event",
        "severity_raw": "Warning",
        "severity": "WARNING",
        "reason": "BackOff",
        "message": "Back-off restarting failed container",
        "event_time": datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
        "count": 1,
        "subject": "pod:shop:p",
    }
    assert _episode() == UpsertReferrer(TENANT, _VER, "Episodic", "ev-1", "pod:shop:p", props, digest_of(props))
    assert _episode(subject={"kind": "Node", "ns": "shop", "name": "n1"}).subject == "node::n1"


def test_an_event_time_is_kept_in_utc() -> None:
    kept = _episode(event_time="2026-03-01T10:00:00+02:00").props["event_time"]
    assert kept == datetime(2026, 3, 1, 10, 0, tzinfo=timezone(timedelta(seconds=2 * _HOUR)))
    assert kept.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("raw", "severity"),
    [
        ("Normal", "INFO"),
        ("WARNING", "WARNING"),
        ("err", "ERROR"),
        ("Critical", "FATAL"),
        ("debug", "DEBUG"),
        ("", "UNKNOWN"),
        ("odd", "UNKNOWN"),
    ],
)
def test_a_severity_is_kept_as_it_came_beside_one_of_a_closed_set(raw: str, severity: str) -> None:
    props = _episode(severity=raw).props
    assert (props["severity_raw"], props["severity"]) == (raw, severity)
    assert set(SEVERITY.values()) == {"DEBUG", "INFO", "WARNING", "ERROR", "FATAL"}
