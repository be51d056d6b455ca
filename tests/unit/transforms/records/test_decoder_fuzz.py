"""Whatever the bytes are, decoding answers with data, and interpretation with mutations or a fault."""

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.patience import examples
from tests.support.wire import (
    AT,
    AT_MS,
    COMMANDS,
    EDGE,
    EVENT,
    EVENTS,
    FLUENT_BIT,
    LOG,
    LOGS,
    POD,
    RESOURCES,
    RULE,
    RULES,
    TARGET,
    TARGETS,
    TENANT,
    TOPOLOGY,
    UID,
    VECTOR,
    json_of,
    kafka_record,
)
from transforms.planning.facts.mutations import EndSnapshot, Mutation
from transforms.planning.interpret.dispatch import interpret
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Command, Filtered, RuleList, TargetList
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault
from transforms.records.topics import TOPIC_OF_NAME

_TOPICS = st.sampled_from([*TOPIC_OF_NAME, "x"])
_TIMES = st.sampled_from([AT_MS, AT_MS, AT_MS, 0, -1, 946_684_800_000])
_KEYS = st.none() | st.binary(max_size=40) | st.sampled_from([b"af-10::pod:shop:p", b"node::n1", b"af-10::", b"k" * 1024, b"k" * 1025])
_MSGPACK = msgspec.msgpack.Decoder(tuple[Mutation, ...])

_FULL_POD: dict[str, Any] = POD | {
    "apiVersion": "v1",
    "uid": UID,
    "labels": {"app": "cart"},
    "ownerRefs": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": UID}],
    "replicas": 1,
    "serviceIPs": ["10.96.0.1"],
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    "spec": {"containers": [{"image": "x", "ports": [1, 2.5, -3]}]},
}
ALERT = {"labels": {"alertname": "r", "namespace": "shop", "pod": "p"}, "state": "firing", "activeAt": "2026-03-01T07:00:00Z"}
_SNAPSHOT = {"op": "SNAPSHOT_END", "at": AT, "kind": "Pod", "began": AT, "apiVersion": "v1"}
_LOG = {"timeUnixNano": "1772352000000000000", "body": {"stringValue": "m"}, "attributes": []}
_UID = {"key": "k8s.event.uid", "value": {"stringValue": "u1"}}
OTLP = {"resourceLogs": [{"scopeLogs": [{"logRecords": [_LOG | {"attributes": [_UID]}, _LOG | {"attributes": [_UID]}]}]}]}
_SOUND = [
    (RESOURCES, _FULL_POD),
    (RESOURCES, _FULL_POD | {"op": "DELETE"}),
    (RESOURCES, _SNAPSHOT),
    (TOPOLOGY, EDGE),
    (EVENTS, EVENT),
    (TARGETS, TARGET),
    (RULES, RULE),
    (TARGETS, {"status": "success", "data": {"activeTargets": [TARGET]}}),
    (RULES, {"status": "success", "data": {"groups": [{"name": "g", "rules": [RULE | {"name": "r", "alerts": [ALERT]}]}]}}),
    (LOGS, LOG | {"subject": EVENT["subject"]}),
    (LOGS, VECTOR),
    (LOGS, FLUENT_BIT),
    (COMMANDS, {"command": "ENSURE_SCHEMA"}),
    (RESOURCES, {"type": "MODIFIED", "object": {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"nodeName": "n"}, "status": {}}}),
    (RESOURCES, {"specversion": "1.0", "id": "7", "source": "s", "data": POD}),
    (EVENTS, OTLP),
]

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["", "UPSERT", "DELETE", "Pod", "Node", "pod:shop:p", "node::n1", "af-10", "RUNS_ON", UID, "2000-01-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _is_answered(record: KafkaRecord) -> None:
    """Decoding raises nothing and gives a body, a fault or neither; a body gives mutations or a fault."""
    decoded = decode_record(record)
    assert decoded.record is record
    if decoded.fault is not None or record.topic not in TOPIC_OF_NAME:
        assert (decoded.body, decoded.ver) == (None, "")
        return
    assert decoded.body is not None
    if isinstance(decoded.body, Filtered):
        assert decoded.ver == ""
        return
    assert decoded.ver.endswith(f" {record.topic} {record.partition:010d} {record.offset:019d}")
    if TOPIC_OF_NAME[record.topic].tenancy or isinstance(decoded.body, Command):
        return
    try:
        mutations = interpret(record.topic, decoded.body, TENANT, decoded.ver, raw_key=decoded.key.raw)
    except Fault:
        return
    assert mutations or isinstance(decoded.body, TargetList | RuleList)
    assert len({one.aspect for one in mutations}) == len(mutations)
    # The end of a snapshot speaks for the time of its beginning.
    assert all(one.client_id == TENANT and one.ver <= decoded.ver for one in mutations)
    assert all(one.ver == decoded.ver or isinstance(one, EndSnapshot) for one in mutations)
    assert _MSGPACK.decode(msgspec.msgpack.encode(mutations)) == mutations


@settings(max_examples=examples(400), deadline=None)
@given(_TOPICS, st.none() | st.binary(max_size=200), _KEYS, _TIMES)
def test_arbitrary_bytes_are_answered(topic: str, value: bytes | None, key: bytes | None, timestamp_ms: int) -> None:
    _is_answered(kafka_record(topic, value, key, timestamp_ms))


@settings(max_examples=examples(400), deadline=None)
@given(st.sampled_from(_SOUND), st.data())
def test_sound_json_with_bytes_changed_is_answered(sound: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    topic, body = sound
    value = bytearray(json_of(body))
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(value)))
        end = min(len(value), begin + data.draw(st.integers(0, 3)))
        value[begin:end] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b"\\", b"{", b"}", b"[", b"0", b"-", b"\\ud800", b"1e9"])
        )
    _is_answered(kafka_record(topic, bytes(value)))


@settings(max_examples=examples(400), deadline=None)
@given(st.sampled_from(_SOUND), st.data())
def test_sound_json_with_fields_changed_or_dropped_is_answered(sound: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    topic, body = sound
    changes = data.draw(st.dictionaries(st.sampled_from([*body, "client_id", "unknown"]), _JSON, max_size=3))
    dropped = data.draw(st.sets(st.sampled_from(list(body)), max_size=2))
    kept = {name: value for name, value in (body | changes).items() if name not in dropped}
    # The standard library's encoder, since integers beyond 64 bits and lone surrogates are to be written too.
    _is_answered(kafka_record(topic, json.dumps(kept).encode(), data.draw(_KEYS), data.draw(_TIMES)))
