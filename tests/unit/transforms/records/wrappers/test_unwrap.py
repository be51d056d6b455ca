"""What is wrapped is read as if it had come plain, and the record stays the original; what cannot be unwrapped is a fault."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.avro_samples import EVENT_SCHEMA, POD_SCHEMA, avro, framed
from tests.support.patience import examples
from tests.support.wire import AT, AT_MS, EVENT, EVENTS, POD, RESOURCES, TARGET, TARGETS, TOPOLOGY, json_of, kafka_record
from transforms.io.dead_letters.writer import letter_of
from transforms.records.decode import Decoded, decode_record
from transforms.records.decoded_bodies import Contents
from transforms.records.envelopes.types import Event, Resource, Tombstone
from transforms.records.record import Headers, KafkaRecord
from transforms.records.rejects import Fault, Reason, Reject, Step
from transforms.records.wrappers.avro import AvroReader
from transforms.records.wrappers.unwrap import PayloadReader

MOMENT = datetime(2026, 3, 1, 8, tzinfo=UTC)
BINARY: tuple[tuple[str, bytes | None], ...] = (
    ("ce_specversion", b"1.0"),
    ("ce_id", b"7"),
    ("ce_source", b"/agents/shop"),
    ("ce_type", b"k8s"),
    ("ce_time", b"2026-03-01T07:00:00Z"),
    ("content-type", b"application/json; charset=utf-8"),
)
STRUCTURED = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
CLOUD = {"specversion": "1.0", "id": "7", "source": "/agents/shop", "type": "k8s", "time": "2026-03-01T07:00:00Z"}
_READERS: dict[int, PayloadReader] = {1: AvroReader([json.dumps(POD_SCHEMA)]), 2: bytes, 3: AvroReader([json.dumps(EVENT_SCHEMA)])}


def schemas(schema_id: int, _asker: str = "") -> PayloadReader:
    if schema_id not in _READERS:
        raise Fault(Reason.SCHEMA_UNKNOWN, f"the schema {schema_id} is unknown", parsed=False)
    return _READERS[schema_id]


def record_of(value: bytes | None, headers: Headers = (), topic: str = RESOURCES) -> KafkaRecord:
    return KafkaRecord(topic, 3, 17, AT_MS, b"af-10::k", value, headers)


def decoded(value: bytes | None, headers: Headers = (), topic: str = RESOURCES) -> Decoded:
    record = record_of(value, headers, topic)
    found = decode_record(record, schemas=schemas)
    assert found.record is record
    return found


def fault_of(value: bytes, headers: Headers = (), topic: str = RESOURCES) -> Fault:
    fault = decoded(value, headers, topic).fault
    assert fault is not None
    return fault


def structured(data: Any, **more: Any) -> bytes:
    return msgspec.json.encode(CLOUD | {"data": data} | more)


def encoded(data: bytes, **more: Any) -> bytes:
    return msgspec.json.encode(CLOUD | {"data_base64": base64.b64encode(data).decode()} | more)


AVRO_POD = framed(1, avro(POD_SCHEMA, POD | {"at": MOMENT}))


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (json_of(POD), (("traceparent", b"00-ab"), ("content-type", None))),
        (json_of(POD), (("content-type", b"text/plain"),)),
        (b" \n" + json_of(POD), ()),
        (json_of(POD), BINARY),
        (json_of(POD), BINARY[:1]),
        (structured(POD), STRUCTURED),
        (structured(POD), (("Content-Type", STRUCTURED[0][1]),)),
        (structured(POD), ()),
        (structured(POD, datacontenttype="application/vnd.shop+json"), ()),
        (encoded(json_of(POD)), STRUCTURED),
        (encoded(json_of(POD), datacontenttype="application/json"), ()),
        (structured(CLOUD | {"data": POD}), STRUCTURED),
        (AVRO_POD, ()),
        (AVRO_POD, (*BINARY[:5], ("content-type", b"application/avro"))),
        (framed(2, json_of(POD)), ()),
        (framed(2, structured(POD)), ()),
    ],
)
def test_a_wrapped_object_is_the_plain_one(value: bytes, headers: Headers) -> None:
    found, plain = decoded(value, headers), decoded(json_of(POD))
    assert isinstance(plain.body, Resource)
    assert (found.fault, found.body, found.ver) == (None, plain.body, plain.ver)


@pytest.mark.parametrize("headers", [(), BINARY, STRUCTURED])
def test_a_record_without_a_value_is_a_tombstone_whatever_its_headers(headers: Headers) -> None:
    assert decoded(None, headers).body == decoded(b"", headers).body == Tombstone("k")


@pytest.mark.parametrize("value", [structured(TARGET), encoded(json_of(TARGET)), framed(2, json_of(TARGET))])
def test_every_topic_takes_wrapped_values(value: bytes) -> None:
    assert decoded(value, topic=TARGETS).body == decoded(json_of(TARGET), topic=TARGETS).body


@pytest.mark.parametrize("left_out", [(), ("event_id",), ("event_time",), ("event_id", "event_time")])
@pytest.mark.parametrize("shape", ["binary", "structured", "avro"])
def test_a_cloud_event_gives_an_event_what_it_lacks_and_nothing_else(shape: str, left_out: tuple[str, ...]) -> None:
    body = json.loads(json_of(EVENT, *left_out))
    value, headers = {
        "binary": (json_of(body), BINARY),
        "structured": (structured(body), ()),
        "avro": (framed(3, avro(EVENT_SCHEMA, _moments(body))), BINARY[:5]),
    }[shape]
    event = decoded(value, headers, EVENTS).body
    assert isinstance(event, Event)
    assert event.event_id == ("/agents/shop#7" if "event_id" in left_out else "ev-1")
    assert event.event_time == (MOMENT.replace(hour=7) if "event_time" in left_out else MOMENT)


def _moments(body: dict[str, Any]) -> dict[str, Any]:
    subject = {name: body["subject"][name] for name in ("kind", "name", "ns")}
    return body | {"subject": subject} | ({"event_time": MOMENT} if "event_time" in body else {})


def test_a_kubernetes_event_keeps_its_own_identity_and_time() -> None:
    body = {"metadata": {"uid": "u1"}, "involvedObject": {"kind": "Pod", "name": "p"}, "subject": None}
    event = decoded(json_of(body), BINARY, EVENTS).body
    assert isinstance(event, Event)
    assert (event.event_id, event.event_time) == ("u1", None)


@pytest.mark.parametrize("headers", [BINARY[:2], (*BINARY[:2], ("ce_source", b""))])
def test_an_id_without_a_source_is_no_identity(headers: Headers) -> None:
    assert fault_of(json_of(EVENT, "event_id"), headers, EVENTS).reason is Reason.MISSING_FIELD


@pytest.mark.parametrize(
    ("value", "headers", "said"),
    [
        (b"[]", (("content-type", b"application/cloudevents-batch+json"),), "'application/cloudevents-batch+json' is not taken"),
        (b"{}", (("content-type", b"application/cloudevents+avro"),), "is not taken"),
        (json_of(POD), (("ce_specversion", b"0.3"),), "CloudEvents '0.3' are not taken"),
        (json_of(POD), (("ce_specversion", b"1.0"), ("ce_id", b"\xff")), "ce_id is not UTF-8"),
        (b"<pod/>", (*BINARY[:5], ("content-type", b"application/xml")), "'application/xml', not JSON"),
        (structured(POD, specversion="2.0"), (), "'2.0' are not taken"),
        (structured(POD, specversion=1), (), "not well formed"),
        (structured("{}"), (), "`data` is no JSON object"),
        (structured(None), (), "`data` is no JSON object"),
        (msgspec.json.encode(CLOUD), STRUCTURED, "`data` is no JSON object"),
        (json_of(POD), STRUCTURED, "not well formed"),
        (structured("<pod/>", datacontenttype="application/xml"), (), "'application/xml', not JSON"),
        (structured(None, data_base64="a"), (), "no base64"),
        (structured(None, data_base64="é"), (), "no base64"),
        (structured(None, data_base64=""), (), "is empty"),
        (b"\0", (), "ends after 1 bytes"),
        (framed(1, b""), (), "ends after 5 bytes"),
        (AVRO_POD[:-1], (), "not what its Avro schema says"),
        (AVRO_POD + b"x", (), "bytes, of which its Avro schema reads"),
    ],
)
def test_what_cannot_be_unwrapped_says_why_and_is_withheld(value: bytes, headers: Headers, said: str) -> None:
    fault = fault_of(value, headers)
    assert fault.reason is Reason.BAD_WRAPPER
    assert said in fault.detail
    assert letter_of(Reject(record_of(value, headers), "af-10", Step.DECODE, fault.reason, fault.detail, fault.parsed)).withheld


@pytest.mark.parametrize("topic", [RESOURCES, EVENTS, TOPOLOGY])
def test_without_a_registry_or_the_schema_the_reason_and_the_remedy_are_told(topic: str) -> None:
    assert fault_of(framed(9, b"x"), topic=topic).reason is Reason.SCHEMA_UNKNOWN
    fault = decode_record(record_of(AVRO_POD, topic=topic)).fault
    assert fault is not None
    assert fault.reason is Reason.SCHEMA_UNKNOWN
    assert fault.detail.endswith("none is configured; set --schema_registry_url")


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (framed(2, b"x"), (), Reason.NOT_JSON),
        (b"\x01" + AVRO_POD[1:], (), Reason.NOT_JSON),
        (encoded(b"\0abcdefg"), (), Reason.NOT_JSON),
        (framed(2, json_of(POD, "name", "kind")), (), Reason.MISSING_FIELD),
        (framed(2, b"x" * 1024 * 1024), (), Reason.LIMIT_EXCEEDED),
        (json_of(POD, "kind"), BINARY, Reason.MISSING_FIELD),
        (structured(POD | {"labels": 7}), STRUCTURED, Reason.WRONG_TYPE),
        (b"{" + b"x" * 1024 * 1024, STRUCTURED, Reason.LIMIT_EXCEEDED),
        (b'{"specversion":"1.0","data":' + b"[" * 40 + b"]" * 40 + b"}", STRUCTURED, Reason.LIMIT_EXCEEDED),
        (b"{", STRUCTURED, Reason.NOT_JSON),
        (json_of(POD, "kind", status={"specversion": 1}), (), Reason.MISSING_FIELD),
    ],
)
def test_what_is_unwrapped_is_held_to_the_same_checks(value: bytes, headers: Headers, reason: Reason) -> None:
    assert fault_of(value, headers).reason is reason


@pytest.mark.parametrize("topic", [RESOURCES, EVENTS])
@pytest.mark.parametrize("value", [framed(2, b'{"op":7}'), encoded(b'{"op":7}'), encoded(b'{"op":7}').replace(b"data_b", rb"data\u005fb")])
def test_what_redaction_cannot_look_into_is_withheld_for_every_reason(value: bytes, topic: str) -> None:
    assert letter_of(Reject(record_of(value, topic=topic), "af-10", Step.WRITE, Reason.GRAPH_REFUSED, "x")).withheld


def test_a_secret_in_a_structured_event_is_withheld() -> None:
    value = structured(POD | {"kind": "Secret", "name": 7})
    assert letter_of(Reject(record_of(value), "af-10", Step.DECODE, Reason.WRONG_TYPE, "x")).withheld


def test_the_time_in_a_wrapping_never_stands_for_that_of_the_body() -> None:
    contents = Contents()
    later = AT.replace("08:00:00", "07:30:00")
    found = [decode_record(record_of(encoded(json_of(POD), at=at)), contents=contents).ver for at in (AT, later)]
    assert found[0] == found[1] == decoded(json_of(POD)).ver


def test_an_unwrapped_body_is_found_again_as_a_plain_one_is() -> None:
    contents = Contents()
    plain = decode_record(record_of(_READERS[1](AVRO_POD[5:])), contents=contents, schemas=schemas)
    assert decode_record(record_of(AVRO_POD), contents=contents, schemas=schemas).body is plain.body is not None


_SOUND = [(json_of(POD), BINARY), (structured(POD), STRUCTURED), (structured(POD), ()), (encoded(json_of(POD)), ()), (AVRO_POD, ())]
_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_specversion", "ce_id", "ce_source", "ce_time", "content-type", "x"]),
        st.none() | st.binary(max_size=8) | st.sampled_from([b"1.0", b"application/json", b"application/cloudevents+json"]),
    ),
    max_size=5,
).map(tuple)


@settings(max_examples=examples(250), deadline=None)
@given(st.sampled_from(_SOUND), _HEADERS, st.sampled_from([RESOURCES, EVENTS, TARGETS]), st.data())
def test_whatever_is_wrapped_how_the_answer_is_data(sound: tuple[bytes, Headers], more: Headers, topic: str, data: st.DataObject) -> None:
    value = bytearray(sound[0])
    for _ in range(data.draw(st.integers(0, 4))):
        begin = data.draw(st.integers(0, len(value)))
        value[begin : begin + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3) | st.sampled_from([b'"', b"{", b"\0"]))
    found = decoded(bytes(value), (*sound[1], *more), topic)
    assert (found.body is None) == (found.fault is not None)
    if found.fault is None:
        assert found.ver.endswith(f" {topic} 0000000003 {17:019d}")


def test_a_plain_record_is_untouched_by_a_look_up() -> None:
    assert decode_record(kafka_record(RESOURCES, json_of(POD)), schemas=None) == decode_record(
        kafka_record(RESOURCES, json_of(POD)), schemas=schemas
    )
