"""Which time a record has: the lesser of its own and its body's, or the one that there is."""

import pytest

from tests.support.wire import AT_MS, EDGE, EVENT, EVENTS, POD, RESOURCES, RULE, RULES, TARGET, TARGETS, TOPOLOGY, json_of, kafka_record
from transforms.records.decode import decode_record
from transforms.records.record import t_of
from transforms.records.rejects import Reason

_BODIES = [(RESOURCES, POD), (TOPOLOGY, EDGE), (EVENTS, EVENT), (TARGETS, TARGET), (RULES, RULE)]


@pytest.mark.parametrize(("topic", "body"), _BODIES)
@pytest.mark.parametrize("timestamp_ms", [-1, 0])
def test_a_record_without_a_timestamp_has_its_bodys_time(topic: str, body: dict[str, object], timestamp_ms: int) -> None:
    found = decode_record(kafka_record(topic, json_of(body), timestamp_ms=timestamp_ms))
    assert found.fault is None
    assert int(t_of(found.ver)) == AT_MS * 1000


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        (RESOURCES, None),
        (RESOURCES, json_of({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}})),
        (RULES, b'{"status":"success","data":{"groups":[]}}'),
    ],
)
def test_without_any_time_a_record_is_rejected_with_the_remedy(topic: str, value: bytes | None) -> None:
    fault = decode_record(kafka_record(topic, value, timestamp_ms=-1)).fault
    assert fault is not None
    assert (fault.reason, "LogAppendTime" in fault.detail) == (Reason.BAD_TIME, True)


@pytest.mark.parametrize(
    ("timestamp_ms", "at"), [(AT_MS, "0001-01-01T00:00:00Z"), (-1, "0001-01-01T00:00:00Z"), (AT_MS, "1970-01-01T00:00:00Z")]
)
def test_a_zero_time_where_there_is_no_other_is_named(timestamp_ms: int, at: str) -> None:
    fault = decode_record(kafka_record(RESOURCES, json_of(POD, at=at), timestamp_ms=timestamp_ms)).fault
    assert fault is not None
    assert (fault.reason, "the zero of what wrote it" in fault.detail) == (Reason.BAD_TIME, True)


def test_a_timestamp_before_2000_is_still_a_fault() -> None:
    fault = decode_record(kafka_record(RESOURCES, json_of(POD), timestamp_ms=1_772_352_000)).fault
    assert fault is not None
    assert (fault.reason, "1970-01-21" in fault.detail) == (Reason.BAD_TIME, True)
