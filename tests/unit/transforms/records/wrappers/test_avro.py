"""Avro payloads become the JSON of the same value, or a fault; no schema and no payload can do harm."""

import io
import json
import time
import tracemalloc
from datetime import UTC, date, datetime
from datetime import time as clock
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.avro_samples import MOMENT, OWNER, POD_SCHEMA, avro, record_schema
from tests.support.patience import examples
from transforms.records.rejects import Fault, Reason
from transforms.records.wrappers.avro import COST_BYTES, DECIMAL_BYTES, AvroReader, _CountedReads

_AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
_POD = {"op": "UPSERT", "at": _AT, "kind": "Pod", "name": "p", "labels": {"app": "x"}, "ownerRefs": [{"kind": "ReplicaSet", "name": "r"}]}
_READER = AvroReader([json.dumps(POD_SCHEMA)])
_PAYLOAD = avro(POD_SCHEMA, _POD)


def _refusal(*schemas: str) -> str:
    with pytest.raises(Fault) as raised:
        AvroReader(schemas)
    assert (raised.value.reason, raised.value.parsed) == (Reason.BAD_WRAPPER, False)
    return raised.value.detail


def _one(schema: Any, value: Any) -> Any:
    """What a field of that type becomes."""
    text = record_schema(schema)
    return json.loads(AvroReader([text])(avro(json.loads(text), {"f0": value}))).get("f0")


def test_a_payload_is_the_json_of_its_value_without_its_nulls() -> None:
    assert json.loads(_READER(_PAYLOAD)) == _POD | {"at": "2026-03-01T08:00:00Z"}


@pytest.mark.parametrize(
    ("schema", "value", "json_value"),
    [
        (MOMENT, _AT.replace(microsecond=7000), "2026-03-01T08:00:00.007000Z"),
        ({"type": "long", "logicalType": "timestamp-micros"}, _AT.replace(microsecond=7), "2026-03-01T08:00:00.000007Z"),
        ({"type": "int", "logicalType": "time-millis"}, clock(8, 0, 0, 7000), "08:00:00.007000"),
        ({"type": "long", "logicalType": "time-micros"}, clock(8, 0, 0, 7), "08:00:00.000007"),
        ({"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}, bytes(12), "AAAAAAAAAAAAAAAA"),
        ({"type": "int", "logicalType": "date"}, date(2026, 3, 1), "2026-03-01"),
        ({"type": "string", "logicalType": "uuid"}, UUID(int=7), str(UUID(int=7))),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, Decimal("1.25"), "1.25"),
        ("bytes", b"abc", "YWJj"),
        ({"type": "fixed", "name": "F", "size": 3}, b"abc", "YWJj"),
        (["null", "long"], None, None),
        ("long", 2**63 - 1, 2**63 - 1),
        ("double", 1.5, 1.5),
        ({"type": "map", "values": {"type": "array", "items": "boolean"}}, {"k": [True, False]}, {"k": [True, False]}),
    ],
)
def test_logical_types_become_what_json_envelopes_hold(schema: Any, value: Any, json_value: Any) -> None:
    assert _one(schema, value) == json_value


def test_what_a_schema_refers_to_is_known_to_it() -> None:
    main = record_schema({"type": "array", "items": "Owner"})
    whole = record_schema({"type": "array", "items": OWNER})
    payload = avro(json.loads(whole), {"f0": [{"kind": "Job", "name": "j"}]})
    assert json.loads(AvroReader([json.dumps(OWNER), main])(payload)) == {"f0": [{"kind": "Job", "name": "j"}]}
    assert "'Owner', which it does not define before" in _refusal(main)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (record_schema(["null", "R"]), "is recursive: 'R' holds itself"),
        (record_schema({"type": "array", "items": "R"}), "is recursive"),
        (record_schema({"type": "record", "name": "S", "fields": [{"name": "up", "type": ["null", "R"]}]}), "is recursive"),
        (record_schema({"type": "array", "items": "null"}), "items take no bytes"),
        (record_schema({"type": "array", "items": {"type": "record", "name": "E", "fields": []}}), "items take no bytes"),
        (record_schema({"type": "fixed", "name": "F", "size": 0}), "without a size"),
        (record_schema({"type": "enum", "name": "E", "symbols": []}), "without symbols"),
        (record_schema([]), "a type that is none"),
        (record_schema(7), "a type that is none"),
        (record_schema({"type": "array"}), "a type that is none"),
        (record_schema("nothing"), "does not define before"),
        ('{"type":"record","name":"R"}', "without fields"),
        ('{"type":"record","fields":[]}', "without a name"),
        ('"string"', "is no record"),
        ("[]", "a type that is none"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"type":' * 50 + '"int"' + "}" * 50, "nests deeper"),
        ('"' + "x" * 300_000 + '"', "more than"),
    ],
)
def test_a_schema_without_bounds_is_refused(schema: str, said: str) -> None:
    assert said in _refusal(schema)


def _doubling(levels: int) -> list[str]:
    first = '{"type":"record","name":"A0","fields":[{"name":"f","type":"null"}]}'
    return [first, *(record_schema(f"A{at - 1}", f"A{at - 1}", name=f"A{at}") for at in range(1, levels))]


def test_types_that_double_are_held_to_what_they_would_come_to() -> None:
    reader = AvroReader(_doubling(30))
    with pytest.raises(Fault, match=r"limit_exceeded.* bytes at least"):
        reader(b"")
    assert "nests deeper" in _refusal(*_doubling(40))


def test_a_block_that_claims_more_than_there_is_costs_no_memory() -> None:
    reader = AvroReader([record_schema({"type": "array", "items": "int"}, "string")])
    claims = [
        b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x80\x80\x80\x80\x80\x20",
        b"\xff" * 30,
    ]
    tracemalloc.start()
    for claim in claims:
        for payload in (claim, claim + b"\x02", b"\x00" + claim, b"\x00" + claim + b"abc"):
            with pytest.raises(Fault, match="bad_wrapper"):
                reader(payload)
    assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    tracemalloc.stop()


@pytest.mark.parametrize("cut", range(len(_PAYLOAD)))
def test_a_truncated_payload_is_a_fault(cut: int) -> None:
    with pytest.raises(Fault) as raised:
        _READER(_PAYLOAD[:cut])
    assert (raised.value.reason, raised.value.parsed) == (Reason.BAD_WRAPPER, False)


def test_a_payload_of_another_schema_is_a_fault_though_it_can_be_read() -> None:
    with pytest.raises(Fault, match=rf"has {len(_PAYLOAD) + 1} bytes, of which its Avro schema reads {len(_PAYLOAD)}"):
        _READER(_PAYLOAD + b"\0")


@pytest.mark.parametrize(
    "moment",
    [
        *({"logicalType": f"local-timestamp-{unit}"} for unit in ("millis", "micros", "nanos")),
        *({"logicalType": f"timestamp-{unit}", "adjust-to-utc": False} for unit in ("millis", "micros", "nanos")),
    ],
)
@pytest.mark.parametrize("within", ["plain", "union", "array"])
def test_a_moment_without_a_zone_is_a_fault(moment: dict[str, Any], within: str) -> None:
    kind: dict[str, Any] = {"type": "long"} | moment
    schema, payload = {
        "plain": (kind, b"\x02"),
        "union": (["null", kind], b"\x02\x02"),
        "array": ({"type": "array", "items": kind}, b"\x02\x02\x00"),
    }[within]
    with pytest.raises(Fault, match="has no zone"):
        AvroReader([record_schema(schema)])(payload)


@pytest.mark.parametrize(
    ("schema", "payload", "value"),
    [
        ({"type": "long", "logicalType": "timestamp-nanos"}, bytes.fromhex("aab4fe849fb0d49831"), "2026-03-01T08:00:00.123456Z"),
        ({"type": "long", "logicalType": "timestamp-nanos", "adjust-to-utc": True}, b"\x00", "1970-01-01T00:00:00Z"),
        ({"type": "long", "logicalType": "timestamp-nanos"}, b"\x01", "1969-12-31T23:59:59.999999Z"),
        ({"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"}, UUID(int=7).bytes, str(UUID(int=7))),
    ],
)
def test_logical_types_of_avro_1_12_are_read(schema: Any, payload: bytes, value: str) -> None:
    assert json.loads(AvroReader([record_schema(schema)])(payload)) == {"f0": value}


@settings(max_examples=examples(300), deadline=None)
@given(st.data())
def test_a_payload_with_bytes_changed_is_json_or_a_fault(data: st.DataObject) -> None:
    payload = bytearray(_PAYLOAD)
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(payload)))
        payload[begin : begin + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4) | st.just(b"\xff" * 12))
    try:
        text = _READER(bytes(payload))
    except Fault:
        return
    assert isinstance(json.loads(text), dict)


_TYPES = st.recursive(
    st.sampled_from(["null", "boolean", "int", "long", "float", "double", "bytes", "string"]),
    lambda inner: (
        st.builds(lambda one: {"type": "array", "items": one}, inner)
        | st.builds(lambda one: {"type": "map", "values": one}, inner)
        | st.builds(lambda one: ["null", one], inner.filter(lambda one: not isinstance(one, list) and one != "null"))
    ),
    max_leaves=4,
)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(_TYPES, max_size=3), st.binary(max_size=60))
def test_no_value_comes_to_more_than_its_shape_says(types: list[Any], payload: bytes) -> None:
    try:
        reader = AvroReader([record_schema(*types)])
        text = reader(payload)
    except Fault:
        return
    shape = reader._shape
    stream = _CountedReads(payload, 10**6)
    fastavro.schemaless_reader(stream, reader._schema, None)
    reads = 10**6 - stream._left
    assert shape.reads <= reads <= 2 * len(payload)
    assert len(text) <= shape.free + shape.per_read * reads + 6 * len(payload)


def _long(number: int) -> bytes:
    """A number as Avro writes it."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema("long"), number)
    return stream.getvalue()


_SMALL = {"type": "record", "name": "Small", "fields": [{"name": "a", "type": "long"}]}
_NULLS = {
    "type": "record",
    "name": "Nulls",
    "fields": [{"name": "a", "type": "long"}, *({"name": f"n{at}", "type": "null"} for at in range(500))],
}
_WIDE = {"type": "enum", "name": "Wide", "symbols": ["x" * 50_000]}


@pytest.mark.parametrize("items", [_SMALL, _NULLS, "long", ["null", _SMALL], _WIDE, {"type": "map", "values": "null"}])
def test_a_payload_of_many_small_values_ends_before_it_is_large(items: Any) -> None:
    reader = AvroReader([record_schema({"type": "array", "items": items})])
    number = 1024 * 1024
    payload = _long(number) + bytes(number) + b"\0"
    tracemalloc.start()
    try:
        with pytest.raises(Fault, match=r"limit_exceeded.*holds too many values|limit_exceeded.*names of its schema"):
            reader(payload)
        assert tracemalloc.get_traced_memory()[1] < COST_BYTES
    finally:
        tracemalloc.stop()


def test_a_large_payload_of_large_values_is_read() -> None:
    value = {"f0": {f"label-{at}": "v" * 60 for at in range(10_000)}}
    text = record_schema({"type": "map", "values": "string"})
    payload = avro(json.loads(text), value)
    assert len(payload) > 700_000
    assert json.loads(AvroReader([text])(payload)) == value


@pytest.mark.parametrize("kind", ["bytes", "fixed"])
def test_a_decimal_is_held_to_its_bytes_before_it_is_made(kind: str) -> None:
    def schema(size: int) -> str:
        base = {"type": "fixed", "name": "F", "size": size} if kind == "fixed" else {"type": "bytes"}
        return record_schema(base | {"logicalType": "decimal", "precision": 150, "scale": 2})

    def payload(size: int) -> bytes:
        return (_long(size) if kind == "bytes" else b"") + b"\x7f" + b"\xff" * (size - 1)

    most = AvroReader([schema(DECIMAL_BYTES)])(payload(DECIMAL_BYTES))
    assert int(json.loads(most)["f0"].replace(".", "")) == 2 ** (8 * DECIMAL_BYTES - 1) - 1
    for size in (DECIMAL_BYTES + 1, 300_000):
        began = time.process_time()
        with pytest.raises(Fault, match=f"limit_exceeded.*a decimal of the Avro payload has {size} bytes"):
            AvroReader([schema(size)])(payload(size))
        assert time.process_time() - began < 1


@pytest.mark.parametrize("scale", [-1, 0, 9, 1024])
def test_a_decimal_has_the_scale_that_its_schema_says(scale: int) -> None:
    text = record_schema({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": scale})
    assert Decimal(json.loads(AvroReader([text])(b"\x04\xff\x85"))["f0"]) == Decimal(-123).scaleb(-scale)


@pytest.mark.parametrize("scale", [10**9, "2", None])
def test_a_scale_that_is_none_is_a_fault(scale: Any) -> None:
    text = record_schema({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": scale})
    with pytest.raises(Fault, match="bad_wrapper"):
        AvroReader([text])(b"\x02\x05")


def test_nobody_else_s_decimals_are_read_another_way() -> None:
    schema = fastavro.parse_schema({"type": "bytes", "logicalType": "decimal", "precision": 400, "scale": 0})
    assert fastavro.schemaless_reader(io.BytesIO(_long(100) + b"\x01" + bytes(99)), schema, None) == 2 ** (8 * 99)
