"""What a tombstone's key names, and the sizes up to which identities and properties are taken."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wire import (
    AT_MS,
    EDGE,
    EVENT,
    EVENTS,
    POD,
    RESOURCES,
    RULE,
    RULES,
    TARGET,
    TARGETS,
    TENANT,
    TOPOLOGY,
    UID,
    json_of,
    kafka_record,
)
from transforms.model.limits import IDENTITY_BYTES, STRING_BYTES
from transforms.planning.facts.mutations import DeleteEdge, DeleteNode, DeleteUid, Mutation, UpsertNode, UpsertReferrer
from transforms.planning.interpret.dispatch import interpret
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Tombstone
from transforms.records.record import make_ver
from transforms.records.rejects import Fault, Reason

_VER = "v"
_VERSION = make_ver(AT_MS * 1000, "t", 0, 0)
_MIRROR_UID = "d41d8cd98f00b204e9800998ecf8427e"


def _by_name(rid: str) -> DeleteNode:
    return DeleteNode(TENANT, _VER, rid)


def _by_uid(uid: str) -> DeleteUid:
    return DeleteUid(TENANT, _VER, uid)


@pytest.mark.parametrize(
    ("raw_key", "mutations"),
    [
        ("pod:shop:p", (_by_name("pod:shop:p"),)),
        ("Pod:shop:p", (_by_name("pod:shop:p"),)),
        ("pod:shop:a:b", (_by_name("pod:shop:a:b"),)),
        ("pod::p", (_by_name("pod::p"),)),
        ("node::n1", (_by_name("node::n1"),)),
        ("node:n1", (_by_name("node::n1"),)),
        ("node:shop:n1", (_by_name("node::n1"),)),
        ("widget:w", (_by_name("widget::w"),)),
        ("clusterrole:system:node", (_by_name("clusterrole::system:node"),)),
        ("clusterrole::system:node", (_by_name("clusterrole::system:node"),)),
        ("clusterrolebinding:a:b", (_by_name("clusterrolebinding::a:b"),)),
        ("clusterrole.rbac.authorization.k8s.io:system:node", (_by_name("clusterrole::system:node"),)),
        ("deployment.apps:shop:d", (_by_name("deployment:shop:d"),)),
        ("service.core:shop:s", (_by_name("service:shop:s"),)),
        ("Gateway.networking.istio.io:mesh:g", (_by_name("gateway.networking.istio.io:mesh:g"),)),
        ("role.iam.example.com:shop:r", (_by_name("role.iam.example.com:shop:r"),)),
        ("a-name-that-is-no-uid", (_by_uid("a-name-that-is-no-uid"),)),
        ("service.serving.knative.dev:shop:s", (_by_name("service.serving.knative.dev:shop:s"),)),
        (UID, (_by_uid(UID),)),
        (_MIRROR_UID, (_by_uid(_MIRROR_UID),)),
        (f"pod:{UID}", (_by_uid(UID),)),
        (f"pod:{_MIRROR_UID}", (_by_uid(_MIRROR_UID),)),
        (f"widget:{UID}", (_by_uid(UID),)),
        (f"node:{UID}", (_by_uid(UID), _by_name(f"node::{UID}"))),
        (f"node::{UID}", (_by_name(f"node::{UID}"),)),
        (f"pod::{UID}", (_by_name(f"pod::{UID}"),)),
        (f"pod:shop:{UID}", (_by_name(f"pod:shop:{UID}"),)),
    ],
)
def test_a_resource_tombstone_ends_what_its_key_names(raw_key: str, mutations: tuple[Mutation, ...]) -> None:
    assert interpret(RESOURCES, Tombstone(raw_key), TENANT, _VER) == mutations


@pytest.mark.parametrize(
    "raw_key", ["pod:", "pod::", "pod:shop:", "clusterrole::", "::x", ":x", ":shop:x", ":", "::", "1pod:shop:p", "po`d:shop:p", "pöd:p"]
)
def test_a_resource_tombstone_whose_key_has_a_colon_and_names_nothing_is_a_fault(raw_key: str) -> None:
    with pytest.raises(Fault) as raised:
        interpret(RESOURCES, Tombstone(raw_key), TENANT, _VER)
    assert raised.value.reason is Reason.BAD_KEY


@pytest.mark.parametrize("raw_key", ["edge:pod:ns:a->node:n", "e", "pod:shop:p", UID, "::", "ä"])
def test_an_edge_tombstone_ends_the_edge_whatever_its_id_looks_like(raw_key: str) -> None:
    assert interpret(TOPOLOGY, Tombstone(raw_key), TENANT, _VER) == (DeleteEdge(TENANT, _VER, raw_key),)


def _reason(topic: str, value: bytes) -> Reason | None:
    decoded = decode_record(kafka_record(topic, value))
    assert decoded.body is not None
    try:
        interpret(topic, decoded.body, TENANT, _VER, raw_key="k")
    except Fault as fault:
        return fault.reason
    return None


_NAME = IDENTITY_BYTES - len("pod:shop:")


@pytest.mark.parametrize(
    ("topic", "body", "field", "most"),
    [
        (RESOURCES, POD, "name", _NAME),
        (RESOURCES, POD | {"op": "DELETE"}, "name", _NAME),
        (RESOURCES, POD, "uid", IDENTITY_BYTES),
        (RESOURCES, POD, "node", IDENTITY_BYTES - len("RUNS_ON node:: ")),
        (RESOURCES, POD | {"op": "DELETE", "name": ""}, "uid", IDENTITY_BYTES),
        (TOPOLOGY, EDGE, "id", IDENTITY_BYTES),
        (TOPOLOGY, EDGE | {"op": "DELETE"}, "id", IDENTITY_BYTES),
        (EVENTS, EVENT, "event_id", IDENTITY_BYTES),
        (EVENTS, EVENT | {"etype": "prom.alert"}, "reason", IDENTITY_BYTES),
        (RULES, RULE, "rule", IDENTITY_BYTES),
    ],
)
def test_an_identity_is_taken_to_its_limit_in_bytes_and_not_beyond(topic: str, body: dict[str, Any], field: str, most: int) -> None:
    assert _reason(topic, json_of(body, **{field: "x" * most})) is None
    assert _reason(topic, json_of(body, **{field: "x" * (most + 1)})) is Reason.LIMIT_EXCEEDED
    assert _reason(topic, json_of(body, **{field: "ä" * (most // 2)})) is None
    assert _reason(topic, json_of(body, **{field: "ä" * (most // 2 + 1)})) is Reason.LIMIT_EXCEEDED
    assert _reason(topic, json_of(body, **{field: "😀" * (most // 4 + 1)})) is Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize("end", ["from", "to"])
def test_an_end_of_an_edge_is_taken_to_the_limit_of_identities(end: str) -> None:
    assert _reason(TOPOLOGY, json_of(EDGE, **{end: "pod:shop:" + "x" * _NAME})) is None
    assert _reason(TOPOLOGY, json_of(EDGE, **{end: "pod:shop:" + "x" * (_NAME + 1)})) is Reason.LIMIT_EXCEEDED


def test_the_subject_of_an_event_is_taken_to_the_limit_of_identities() -> None:
    subject = {"kind": "Pod", "ns": "shop", "name": "x" * _NAME}
    assert _reason(EVENTS, json_of(EVENT, subject=subject)) is None
    assert _reason(EVENTS, json_of(EVENT, subject=subject | {"name": "x" * (_NAME + 1)})) is Reason.LIMIT_EXCEEDED


def _props(topic: str, value: bytes) -> dict[str, Any]:
    decoded = decode_record(kafka_record(topic, value))
    assert decoded.body is not None
    (first, *_) = interpret(topic, decoded.body, TENANT, _VERSION, raw_key="k")
    assert isinstance(first, UpsertNode | UpsertReferrer)
    return first.props


@pytest.mark.parametrize(
    ("topic", "body", "field", "name"),
    [
        (RESOURCES, POD, "image", "image"),
        (EVENTS, EVENT, "message", "message"),
        (EVENTS, EVENT, "reason", "reason"),
        (TARGETS, TARGET, "scrapeUrl", "scrape_url"),
        (TARGETS, TARGET, "lastError", "last_error"),
        (RULES, RULE | {"type": "recording"}, "rule", "name"),
        (RULES, RULE, "group", "group"),
        (RULES, RULE, "expr", "expr"),
    ],
)
def test_a_text_beyond_the_limit_costs_its_property_and_nothing_else(topic: str, body: dict[str, Any], field: str, name: str) -> None:
    for text in ("x" * STRING_BYTES, "ä" * (STRING_BYTES // 2)):
        assert _props(topic, json_of(body, **{field: text}))[name] == text
    whole = _props(topic, json_of(body, **{field: "x"}))
    for text in ("x" * (STRING_BYTES + 1), "ä" * (STRING_BYTES // 2 + 1), "😀" * (STRING_BYTES // 4 + 1)):
        left = {key: value for key, value in whole.items() if key != name}
        assert _props(topic, json_of(body, **{field: text})) == left | {"left_out": [name]}


def test_a_large_status_is_left_out_and_what_is_lifted_from_it_stays() -> None:
    frame = len('{"phase":"Running","x":""}')
    fits = {"phase": "Running", "x": "x" * (STRING_BYTES - frame)}
    props = _props(RESOURCES, json_of(POD, status=fits))
    assert (len(props["status"]), "left_out" in props) == (STRING_BYTES, False)
    props = _props(RESOURCES, json_of(POD, status=fits | {"x": fits["x"] + "x"}, labels={"a": "x" * STRING_BYTES}))
    assert {name: props.get(name) for name in ("status", "labels", "phase", "left_out")} == {
        "status": None,
        "labels": None,
        "phase": "Running",
        "left_out": ["labels", "status"],
    }


@pytest.mark.parametrize(
    ("field", "name", "frame", "value"),
    [
        ("labels", "labels", "a=", lambda text: {"a": text, "b": "1"}),
        ("labels", "labels", "=", lambda text: {"b": "1", text: ""}),
        ("serviceSelector", "selector", "a=", lambda text: {"a": text}),
        ("serviceIPs", "service_ips", "", lambda text: ["10.96.0.1", text]),
    ],
)
def test_each_entry_of_a_list_is_taken_to_the_limit_of_strings(field: str, name: str, frame: str, value: Callable[[str], Any]) -> None:
    most = STRING_BYTES - len(frame)
    assert name in _props(RESOURCES, json_of(POD, **{field: value("x" * most)}))
    for text in ("x" * (most + 1), "ä" * (most // 2 + 1)):
        props = _props(RESOURCES, json_of(POD, **{field: value(text)}))
        assert (props.get(name), props["left_out"]) == (None, [name])


def test_a_list_may_be_longer_than_its_entries() -> None:
    assert _reason(RESOURCES, json_of(POD, labels={str(n): "x" * (STRING_BYTES // 4) for n in range(12)})) is None


def test_what_is_left_out_of_the_graph_does_not_count_against_its_limits() -> None:
    assert _reason(RESOURCES, json_of(POD, spec={"a": "x" * (2 * STRING_BYTES)})) is None
    assert _reason(RESOURCES, json_of(POD, kind="Node", status={"images": ["x" * (2 * STRING_BYTES)]})) is None


@pytest.mark.parametrize("topic", [RESOURCES, TOPOLOGY, TARGETS, RULES])
def test_a_tombstone_key_is_taken_to_the_limit_of_identities(topic: str) -> None:
    assert len(interpret(topic, Tombstone("x" * IDENTITY_BYTES), TENANT, _VER)) == 1
    with pytest.raises(Fault) as raised:
        interpret(topic, Tombstone("x" * (IDENTITY_BYTES + 1)), TENANT, _VER)
    assert raised.value.reason is Reason.LIMIT_EXCEEDED
