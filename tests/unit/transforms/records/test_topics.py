"""A record is read into a body with its version, or into the fault that it has; it is never lost and never raises."""

import pytest

from tests.support.wire import (
    AT_MS,
    COMMANDS,
    EDGE,
    EVENT,
    EVENTS,
    HEARTBEATS,
    POD,
    REGISTRY,
    RESOURCES,
    RULE,
    RULES,
    TARGET,
    TARGETS,
    TOPOLOGY,
    json_of,
    kafka_record,
    nested,
)
from transforms.model.limits import KEY_BYTES
from transforms.records.decode import Decoded, decode_record
from transforms.records.envelopes.types import Body, Command, Edge, Event, Resource, Rule, Target, Tombstone
from transforms.records.rejects import Fault, Reason
from transforms.records.tenancy.routes import TopicRoute
from transforms.records.tenancy.tenant import SplitKey
from transforms.records.topics import TOPIC_OF_NAME

_DAY_MS = 24 * 3600 * 1000


def _body(decoded: Decoded) -> Body:
    assert decoded.fault is None
    assert decoded.body is not None
    return decoded.body


def _fault(decoded: Decoded) -> Fault:
    assert decoded.fault is not None
    assert (decoded.body, decoded.ver) == (None, "")
    return decoded.fault


def _t_us(decoded: Decoded) -> int:
    _body(decoded)
    return int(decoded.ver.split(" ")[0])


@pytest.mark.parametrize(
    ("topic", "value", "envelope"),
    [
        (RESOURCES, json_of(POD), Resource),
        (TOPOLOGY, json_of(EDGE), Edge),
        (EVENTS, json_of(EVENT), Event),
        (TARGETS, json_of(TARGET), Target),
        (RULES, json_of(RULE), Rule),
        (COMMANDS, b'{"command":"ENSURE_SCHEMA"}', Command),
    ],
)
def test_each_topic_is_read_into_its_envelope_with_the_version_of_the_record(topic: str, value: bytes, envelope: type) -> None:
    decoded = decode_record(kafka_record(topic, value, b"af-10::k", partition=2, offset=17))
    assert type(_body(decoded)) is envelope
    assert decoded.key == SplitKey("af-10", "k")
    assert decoded.ver == f"001772352000000000 {topic} 0000000002 0000000000000000017"
    assert decoded.topic is TOPIC_OF_NAME[topic]


def test_state_topics_and_control_topics_are_those_of_the_contract() -> None:
    assert {name for name, topic in TOPIC_OF_NAME.items() if topic.state} >= {RESOURCES, TOPOLOGY, TARGETS, RULES, REGISTRY}
    assert {name for name, topic in TOPIC_OF_NAME.items() if topic.tenancy} >= {REGISTRY, HEARTBEATS}
    assert {name for name, topic in TOPIC_OF_NAME.items() if topic.control} >= {COMMANDS}


@pytest.mark.parametrize("value", [None, b""])
@pytest.mark.parametrize("topic", [RESOURCES, TOPOLOGY, TARGETS, RULES])
def test_an_empty_value_on_a_state_topic_is_a_tombstone_of_what_the_raw_key_names(topic: str, value: bytes | None) -> None:
    decoded = decode_record(kafka_record(topic, value, b"af-10::node::n1", AT_MS + 7))
    assert _body(decoded) == Tombstone("node::n1")
    assert _t_us(decoded) == (AT_MS + 7) * 1000


@pytest.mark.parametrize("value", [None, b""])
@pytest.mark.parametrize(
    ("topic", "key", "reason"),
    [
        (EVENTS, b"af-10::k", Reason.EMPTY_VALUE),
        (COMMANDS, b"k", Reason.EMPTY_VALUE),
        (RESOURCES, b"af-10::", Reason.BAD_KEY),
        (RESOURCES, b"", Reason.BAD_KEY),
        (RESOURCES, None, Reason.BAD_KEY),
        (TOPOLOGY, b"af-10::", Reason.BAD_KEY),
    ],
)
def test_an_empty_value_that_means_nothing_is_a_fault(topic: str, key: bytes | None, reason: Reason, value: bytes | None) -> None:
    assert _fault(decode_record(kafka_record(topic, value, key))).reason is reason


@pytest.mark.parametrize("topic", ["graph.deadletter", "af-10.state.k8s.resource", "x"])
def test_a_topic_that_is_not_declared_is_left_unread(topic: str) -> None:
    decoded = decode_record(kafka_record(topic, b"{not json", b"af-10::k"))
    assert decoded == Decoded(decoded.record, SplitKey("af-10", "k"), TopicRoute(topic))
    assert decoded.topic is None


TIMED = [
    (RESOURCES, POD, "at"),
    (TOPOLOGY, EDGE, "at"),
    (EVENTS, EVENT, "event_time"),
    (TARGETS, TARGET, "at"),
    (RULES, RULE, "at"),
]
_LONG = "k" * (KEY_BYTES - len("af-10::"))
_BROKEN_KEYS = [
    (b"af-10::k\xff", SplitKey("af-10", "k\ufffd")),
    (b"af-10::" + b"k" * 2000, SplitKey("af-10", _LONG)),
    (b"af-10::" + b"k" * (len(_LONG) - 1) + "ä".encode(), SplitKey("af-10", _LONG[1:] + "\ufffd")),
    (b"\xff::k", SplitKey(None, "\ufffd::k")),
    (b"k" * KEY_BYTES + b"::k", SplitKey(None, "k" * KEY_BYTES)),
]


@pytest.mark.parametrize(("key", "split"), _BROKEN_KEYS)
def test_a_topic_that_is_not_declared_is_left_unread_whatever_its_key(key: bytes, split: SplitKey) -> None:
    record = kafka_record("x", b"{not json", key)
    assert decode_record(record) == Decoded(record, split, TopicRoute("x"))


@pytest.mark.parametrize("key", [b"af-11::k", b"af-11::k\xff", b"af-11::" + b"k" * 2000])
def test_single_tenant_mode_leaves_the_records_of_others_unread(key: bytes) -> None:
    others = kafka_record(RESOURCES, b"{not json", key)
    decoded = decode_record(others, only="af-10")
    assert decoded == Decoded(others, SplitKey("af-11", decoded.key.raw), TopicRoute(RESOURCES))


def test_single_tenant_mode_reads_its_own_records_and_those_that_name_nobody() -> None:
    for key in (b"af-10::k", b"k", None):
        assert _fault(decode_record(kafka_record(RESOURCES, b"{not json", key), only="af-10")).reason is Reason.NOT_JSON


def test_the_pipe_sign_separates_only_on_the_topics_that_are_listed() -> None:
    record = kafka_record(RESOURCES, None, b"af-10|pod:shop:p")
    assert decode_record(record).body == Tombstone("af-10|pod:shop:p")
    assert decode_record(record, frozenset({TOPOLOGY})).key == SplitKey(None, "af-10|pod:shop:p")
    assert decode_record(record, frozenset({RESOURCES})).body == Tombstone("pod:shop:p")


def test_a_key_of_one_kibibyte_is_taken_and_a_byte_more_is_not() -> None:
    assert KEY_BYTES == 1024
    assert _body(decode_record(kafka_record(TOPOLOGY, None, b"k" * 1024))) == Tombstone("k" * 1024)
    fault = _fault(decode_record(kafka_record(TOPOLOGY, None, b"k" * 1025)))
    assert (fault.reason, fault.parsed) == (Reason.LIMIT_EXCEEDED, False)


@pytest.mark.parametrize("value", [json_of(POD), None])
@pytest.mark.parametrize(("key", "split"), _BROKEN_KEYS)
def test_a_broken_key_is_a_fault_that_leaves_the_value_unread_and_still_names_its_tenant(
    key: bytes, split: SplitKey, value: bytes | None
) -> None:
    decoded = decode_record(kafka_record(RESOURCES, value, key))
    reason = Reason.LIMIT_EXCEEDED if len(key) > KEY_BYTES else Reason.BAD_KEY
    assert (_fault(decoded).reason, _fault(decoded).parsed) == (reason, False)
    assert decoded.key == split


@pytest.mark.parametrize(
    ("value", "reason", "parsed"),
    [
        (b"{not json", Reason.NOT_JSON, False),
        (b" ", Reason.NOT_JSON, False),
        (json_of(POD) + b"x", Reason.NOT_JSON, False),
        (b"\xef\xbb\xbf" + json_of(POD), Reason.NOT_JSON, False),
        (json_of(POD, image="x").replace(b'"x"', b'"\xff"'), Reason.NOT_JSON, False),
        (json_of(POD, image="x").replace(b'"x"', b'"\\ud800"'), Reason.NOT_JSON, False),
        (json_of(POD, spec={"a": "x"}).replace(b'"x"', b'"\\ud800"'), Reason.NOT_JSON, False),
        (json_of(POD, spec={"a": "x"}).replace(b'"x"', b'"\\q"'), Reason.NOT_JSON, False),
        (json_of(POD, spec={"a": "x"}).replace(b'"x"', b"NaN"), Reason.NOT_JSON, False),
        (json_of(POD, spec={"a": "x"}).replace(b'"x"', nested(31)), Reason.LIMIT_EXCEEDED, False),
        (json_of(POD, spec={"a": "x"}).replace(b'"x"', b"9223372036854775808"), Reason.LIMIT_EXCEEDED, False),
        (b"[]", Reason.WRONG_TYPE, True),
        (b"{}", Reason.MISSING_FIELD, True),
        (b'"\xff', Reason.NOT_JSON, False),
    ],
)
def test_a_value_that_cannot_be_read_is_a_fault_with_its_reason(value: bytes, reason: Reason, parsed: bool) -> None:
    fault = _fault(decode_record(kafka_record(RESOURCES, value)))
    assert (fault.reason, fault.parsed) == (reason, parsed)


def test_unknown_commands_are_faults_and_known_ones_are_not() -> None:
    assert _body(decode_record(kafka_record(COMMANDS, b'{"command":"ENSURE_SCHEMA"}', None))) == Command("ENSURE_SCHEMA")
    for command in ("DROP_EVERYTHING", "ensure_schema", " ENSURE_SCHEMA"):
        value = json_of({"command": command})
        assert _fault(decode_record(kafka_record(COMMANDS, value, None))).reason is Reason.UNKNOWN_COMMAND
    assert _fault(decode_record(kafka_record(COMMANDS, b'{"command":""}', None))).reason is Reason.WRONG_TYPE


@pytest.mark.parametrize(
    ("at", "timestamp_ms", "t_us"),
    [
        ("2026-03-01T08:00:00Z", AT_MS, AT_MS * 1000),
        ("2026-03-01T07:59:59.5Z", AT_MS, AT_MS * 1000 - 500_000),
        ("2026-03-01T08:00:01Z", AT_MS, AT_MS * 1000),
        ("2026-03-01T07:00:00.000001Z", AT_MS, AT_MS * 1000 - 3_600_000_000 + 1),
        ("2026-03-01T10:00:00+02:00", AT_MS + 1, AT_MS * 1000),
        ("2026-03-01T02:30:00-05:30", AT_MS + 1, AT_MS * 1000),
        ("2026-03-02T08:00:00Z", AT_MS, AT_MS * 1000),
        ("2000-01-01T00:00:00Z", AT_MS, 946_684_800_000_000),
        ("2026-03-01T08:00:00Z", 946_684_800_000 + 1000 * _DAY_MS * 365, AT_MS * 1000),
        ("2000-01-01T00:00:01Z", 946_684_800_000, 946_684_800_000_000),
        *(("2026-03-01T08:00:00Z", late, AT_MS * 1000) for late in (2**62, 2**63 - 1, 253_402_214_400_000, 253_402_300_799_999)),
    ],
)
@pytest.mark.parametrize(("topic", "body", "field"), TIMED)
def test_t_is_the_earlier_of_body_time_and_record_timestamp(
    topic: str, body: dict[str, object], field: str, at: str, timestamp_ms: int, t_us: int
) -> None:
    assert _t_us(decode_record(kafka_record(topic, json_of(body, **{field: at}), timestamp_ms=timestamp_ms))) == t_us


@pytest.mark.parametrize(
    ("at", "timestamp_ms"),
    [
        ("2026-03-02T08:00:00.000001Z", AT_MS),
        ("2126-03-01T08:00:00Z", AT_MS),
        ("1999-12-31T23:59:59.999999Z", AT_MS),
        ("2000-01-01T00:00:00+00:01", AT_MS),
        ("0001-01-01T00:00:00Z", AT_MS),
        ("9999-12-31T23:59:59Z", AT_MS),
        *((at, late) for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00") for late in (AT_MS, 2**63 - 1, -(2**63))),
        ("2026-03-01T08:00:00Z", 946_684_799_999),
        *(("2026-03-01T08:00:00Z", early) for early in (-2, -(2**62), -(2**63))),
    ],
)
@pytest.mark.parametrize(("topic", "body", "field"), TIMED)
def test_a_time_more_than_a_day_ahead_or_before_2000_is_a_fault(
    topic: str, body: dict[str, object], field: str, at: str, timestamp_ms: int
) -> None:
    decoded = decode_record(kafka_record(topic, json_of(body, **{field: at}), timestamp_ms=timestamp_ms))
    # An event's zero time says that it has none.
    unset = topic == EVENTS and at.startswith("0001")
    assert _fault(decoded).reason is (Reason.MISSING_FIELD if unset else Reason.BAD_TIME)


@pytest.mark.parametrize("timestamp_ms", [-1, 0, 946_684_799_999, 253_402_214_400_000, 2**62, 2**63 - 1, -(2**63)])
def test_a_tombstone_at_no_sensible_time_is_a_fault(timestamp_ms: int) -> None:
    assert _fault(decode_record(kafka_record(RESOURCES, None, timestamp_ms=timestamp_ms))).reason is Reason.BAD_TIME


@pytest.mark.parametrize(("timestamp_ms", "t_us"), [(946_684_800_000, 946_684_800_000_000), (253_402_214_399_999, 253_402_214_399_999_000)])
def test_a_tombstone_at_the_edges_of_time_is_taken(timestamp_ms: int, t_us: int) -> None:
    assert _t_us(decode_record(kafka_record(RESOURCES, None, timestamp_ms=timestamp_ms))) == t_us


def test_a_fault_keeps_nothing_of_what_it_was_raised_from() -> None:
    record = kafka_record(TARGETS, json_of({"status": "success", "data": {"activeTargets": [{"labels": {"job": "j"}}] * 6_000}}))
    fault = decode_record(record).fault
    assert fault is not None
    assert fault.reason is Reason.LIMIT_EXCEEDED
    assert (fault.__traceback__, fault.__cause__, fault.__context__) == (None, None, None)
