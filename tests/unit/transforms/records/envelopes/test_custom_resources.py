"""Custom resources: what they are called, what is read of them, and how records find them that do not name them in full."""

from typing import Any

import pytest

from tests.support.play import Sent, graph_of, live, outcome_of, standing
from tests.support.wire import AT, AT_MS, EVENTS, RESOURCES, TOPOLOGY, UID, json_of, kafka_record
from transforms.records.decode import decode_record
from transforms.records.record import KafkaRecord
from transforms.records.tenancy.tenant import SplitKey

ISTIO, GATEWAY_API = "networking.istio.io/v1", "gateway.networking.k8s.io/v1"
OTHER = "1f9b3a52-7c1d-4e0a-9d57-3b1f6f1f2a11"
ONE, TWO, BARE = "gateway.networking.istio.io:mesh:g", "gateway.gateway.networking.k8s.io:mesh:g", "gateway:mesh:g"


def gateway(api_version: str | None = ISTIO, at: str = AT, op: str = "UPSERT", **more: Any) -> Sent:
    body = {"op": op, "at": at, "kind": "Gateway", "namespace": "mesh", "name": "g", **more}
    return (RESOURCES, BARE, body | ({"apiVersion": api_version} if api_version else {}))


def edge(source: str, at: str = AT) -> Sent:
    return (TOPOLOGY, "e", {"op": "UPSERT", "at": at, "id": "e", "from": source, "to": "pod:mesh:p", "type": "CONTROLS"})


def event(**more: Any) -> Sent:
    about = {"kind": "Gateway", "namespace": "mesh", "name": "g", **more}
    return (EVENTS, "v", {"metadata": {"uid": "v"}, "involvedObject": about, "reason": "R", "lastTimestamp": AT})


def test_one_kind_in_two_groups_is_two_objects_and_the_end_of_one_leaves_the_other() -> None:
    assert live(graph_of(gateway(), gateway(GATEWAY_API))).keys() == {ONE, TWO}
    assert live(graph_of(gateway(), gateway(GATEWAY_API), gateway(op="DELETE"))).keys() == {TWO}
    end = {"op": "SNAPSHOT_END", "at": "2026-03-01T08:00:02Z", "began": "2026-03-01T08:00:01Z", "kind": "Gateway", "apiVersion": ISTIO}
    assert live(graph_of(gateway(), gateway(GATEWAY_API), (RESOURCES, "snapshot:Gateway", end))).keys() == {TWO}


def test_versions_of_one_group_are_one_object() -> None:
    assert live(graph_of(gateway(), gateway("networking.istio.io/v1beta1"))).keys() == {ONE}


@pytest.mark.parametrize("named", [BARE, "Gateway:mesh:g", ONE])
def test_an_edge_finds_the_one_object_of_its_name(named: str) -> None:
    assert ("CONTROLS", ONE, "pod:mesh:p") in standing(graph_of(edge(named), gateway()))


def test_an_edge_that_may_mean_two_objects_stands_at_neither() -> None:
    graph = graph_of(edge(BARE), gateway(), gateway(GATEWAY_API))
    assert ("CONTROLS", BARE, "pod:mesh:p") in standing(graph)
    assert graph.resources[BARE]["stub"]


def test_a_name_of_a_kind_of_kubernetes_never_means_another_groups() -> None:
    knative = {"op": "UPSERT", "at": AT, "kind": "Service", "namespace": "mesh", "name": "s", "apiVersion": "serving.knative.dev/v1"}
    found = standing(graph_of(edge("service:mesh:s"), (RESOURCES, "k", knative)))
    assert found == {("CONTROLS", "service:mesh:s", "pod:mesh:p")}


def test_an_edge_dies_with_the_object_that_it_found_and_a_later_one_comes() -> None:
    gone = gateway(op="DELETE", at="2026-03-01T08:00:05Z")
    assert standing(graph_of(edge(BARE), gateway(), gone)) == set()
    later = edge(BARE, at="2026-03-01T08:00:03Z")
    assert standing(graph_of(gateway(), gateway(op="DELETE"), later)) == {("CONTROLS", ONE, "pod:mesh:p")}


@pytest.mark.parametrize(
    "value", [None, b"null", {"op": "DELETE", "at": "2026-03-01T08:00:09Z", "kind": "Gateway", "namespace": "mesh", "name": "g"}]
)
def test_a_delete_that_names_no_group_ends_all_that_was_written_under_the_name(value: dict[str, Any] | bytes | None) -> None:
    graph = graph_of(
        gateway(),
        gateway(GATEWAY_API),
        (RESOURCES, "pod", {"op": "UPSERT", "at": AT, "kind": "Pod", "name": "p"}),
        (RESOURCES, BARE, value),
    )
    assert live(graph).keys() == {"pod::p"}


def test_a_key_with_its_group_ends_that_object_alone() -> None:
    assert live(graph_of(gateway(), gateway(GATEWAY_API), (RESOURCES, ONE, None))).keys() == {TWO}


def test_an_object_reported_without_its_group_gives_way_to_one_with_it() -> None:
    assert live(
        graph_of(gateway(None), (RESOURCES, "x", {"op": "UPSERT", "at": AT, "kind": "Gateway", "namespace": "mesh", "name": "h"}))
    ).keys() == {
        BARE,
        "gateway:mesh:h",
    }
    assert live(graph_of(gateway(None, uid=UID), gateway(uid=UID))).keys() == {ONE}


def test_an_owner_reference_without_a_group_finds_the_owner() -> None:
    pod = {"op": "UPSERT", "at": AT, "kind": "Pod", "namespace": "mesh", "name": "p", "ownerRefs": [{"kind": "Gateway", "name": "g"}]}
    assert ("CONTROLS", ONE, "pod:mesh:p") in standing(graph_of((RESOURCES, "p", pod), gateway()))


@pytest.mark.parametrize("about", [{"apiVersion": ISTIO}, {}])
def test_an_event_is_about_the_object_with_its_group(about: dict[str, str]) -> None:
    graph = graph_of(event(**about), gateway())
    assert standing(graph) == {("ABOUT", "v", ONE)}
    (episode,) = graph.referrers_held.values()
    assert episode["subject"] == ONE


@pytest.mark.parametrize("group", [ISTIO, None])
def test_an_event_finds_a_cluster_scoped_object_by_its_uid(group: str | None) -> None:
    custom = {"op": "UPSERT", "at": AT, "kind": "Gateway", "name": "g", "uid": UID, "apiVersion": ISTIO}
    graph = graph_of(
        event(uid=UID, **({"apiVersion": group} if group else {})), (RESOURCES, "k", custom), event(uid=OTHER, apiVersion=GATEWAY_API)
    )
    # The second says another thing of the same Event, and is newer.
    assert standing(graph) == {("ABOUT", "v", TWO)}
    graph = graph_of(event(uid=UID, **({"apiVersion": group} if group else {})), (RESOURCES, "k", custom))
    assert standing(graph) == {("ABOUT", "v", "gateway.networking.istio.io::g")}


@pytest.mark.parametrize(
    ("field", "foreign"),
    [
        ("replicas", {"min": 0}),
        ("replicas", "3"),
        ("node", {"name": "n"}),
        ("podIP", ["10.0.0.1"]),
        ("image", {"repository": "r", "tag": "t"}),
        ("serviceSelector", "app=cart"),
        ("serviceIPs", "10.0.0.1"),
        ("status", "Ready"),
        ("status", ["Ready"]),
    ],
)
def test_a_foreign_type_costs_a_custom_resource_its_property_and_one_of_kubernetes_its_record(field: str, foreign: Any) -> None:
    (node,) = live(graph_of(gateway(**{field: foreign, "labels": {"a": "b"}}))).values()
    assert node.keys() == live(graph_of(gateway(labels={"a": "b"})))[ONE].keys()
    assert "Expected" in outcome_of(RESOURCES, {"op": "UPSERT", "at": AT, "kind": "Pod", "namespace": "mesh", "name": "p", field: foreign})


@pytest.mark.parametrize("fault", [{"op": "PATCH"}, {"at": "now"}, {"name": 7}, {"labels": {"a": 1}}, {"uid": 7}])
def test_what_every_object_has_must_be_right_in_a_custom_resource_too(fault: dict[str, Any]) -> None:
    assert outcome_of(RESOURCES, {**dict(gateway()[2] or {}), "replicas": {}, **fault}) not in ("written", "unchanged")  # type: ignore[arg-type]


def _raw(api_version: str, kind: str, spec: Any, **more: Any) -> Sent:
    return (RESOURCES, "k", {"apiVersion": api_version, "kind": kind, "metadata": {"name": "c", "namespace": "shop"}, "spec": spec, **more})


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": 3, "nodeName": "n1", "containers": [{"image": "i"}], "clusterIPs": ["10.0.0.1"], "clusterIP": "10.0.0.1"},
        {"replicas": {"min": 0}, "nodeName": ["n1"], "containers": {"app": {"image": "i"}}, "clusterIPs": "None"},
        "text",
        [1],
        7,
        None,
    ],
)
def test_nothing_is_lifted_out_of_the_spec_of_a_custom_resource(spec: Any) -> None:
    (node,) = live(graph_of(_raw("acme.example/v1", "Cart", spec, status={"podIP": 7}))).values()
    assert node.keys() & {"replicas", "node", "image", "service_ips", "pod_ip"} == set()
    (node,) = live(graph_of(_raw("serving.knative.dev/v1", "Service", spec))).values()
    assert node["ns"] == "shop"


@pytest.mark.parametrize(
    ("key", "api_version", "split"),
    [
        ("nodepool::default", "karpenter.sh/v1", SplitKey(None, "nodepool::default")),
        ("nodepool.karpenter.sh::default", "karpenter.sh/v1", SplitKey(None, "nodepool.karpenter.sh::default")),
        ("nodepool::nodepool:default", "karpenter.sh/v1", SplitKey("nodepool", "nodepool:default")),
        ("nodepools::default", "karpenter.sh/v1", SplitKey("nodepools", "default")),
        (f"nodepool::{UID}", "karpenter.sh/v1", SplitKey("nodepool", UID)),
        ("af-10::default", "karpenter.sh/v1", SplitKey("af-10", "default")),
    ],
)
def test_the_left_part_of_a_key_that_is_the_bodys_kind_is_no_tenant(key: str, api_version: str, split: SplitKey) -> None:
    body = {"op": "UPSERT", "at": AT, "kind": "NodePool", "name": "default", "apiVersion": api_version}
    assert decode_record(kafka_record(RESOURCES, json_of(body), key.encode())).key == split


@pytest.mark.parametrize(
    ("key", "taken"),
    [("nodepool::default", True), ("prod::default", False), ("nodepool::nodepool:default", False), (f"nodepool::{UID}", False)],
)
def test_in_single_tenant_mode_such_a_key_is_read_and_another_tenants_left_unread(key: str, taken: bool) -> None:
    body = {"op": "UPSERT", "at": AT, "kind": "NodePool", "name": "default", "apiVersion": "karpenter.sh/v1"}
    found = decode_record(kafka_record(RESOURCES, json_of(body), key.encode()), only="af-10")
    assert ((found.body is not None), found.fault) == (taken, None)
    assert decode_record(kafka_record(RESOURCES, b"{", key.encode()), only="af-10").key.client_id == key.partition("::")[0]


@pytest.mark.parametrize(
    ("key", "header", "raw"),
    [
        ("nodepool::default", b"af-10", SplitKey(None, "nodepool::default")),
        ("nodepool::default", b"nodepool", SplitKey("nodepool", "default")),
        ("nodepool::default", None, SplitKey("nodepool", "default")),
        ("nodepool::node:default", b"af-10", SplitKey("nodepool", "node:default")),
    ],
)
def test_of_a_tombstone_the_header_tells_whether_a_tenant_or_a_kind_stands_left(key: str, header: bytes | None, raw: SplitKey) -> None:
    record = KafkaRecord(RESOURCES, 0, 0, AT_MS, key.encode(), None, (("client_id", header),) if header else ())
    assert decode_record(record).key == raw
