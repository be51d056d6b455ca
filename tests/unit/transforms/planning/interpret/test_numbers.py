"""Every number of a mutation is one that the graph can hold; what only comes to too much is rejected like what is sent so."""

import math
from typing import Any

import pytest

from tests.support.wire import AT_MS, EVENTS, POD, RESOURCES, RULE, RULES, TENANT, json_of, kafka_record
from transforms.planning.facts.mutations import Mutation
from transforms.planning.facts.values import checked
from transforms.planning.interpret.dispatch import interpret
from transforms.records.decode import decode_record
from transforms.records.rejects import Fault, Reason

MOST = 2**63 - 1
LEAST = -(2**63)


def meaning(topic: str, value: bytes) -> tuple[Mutation, ...] | Reason:
    found = decode_record(kafka_record(topic, value))
    if found.fault is not None:
        return found.fault.reason
    assert found.body is not None
    try:
        return interpret(topic, found.body, TENANT, found.ver)
    except Fault as fault:
        return fault.reason


def otlp(count: object) -> bytes:
    attributes = [{"key": "k8s.event.uid", "value": {"stringValue": "e"}}, {"key": "k8s.event.count", "value": count}]
    record = {"timeUnixNano": str(AT_MS * 1_000_000), "attributes": attributes}
    return json_of({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})


@pytest.mark.parametrize(("counts", "total"), [((MOST, 0), MOST), ((LEAST, 0), LEAST), ((MOST, 1), None), ((LEAST, -1), None)])
def test_a_sum_that_the_graph_cannot_hold_is_a_fault(counts: tuple[int, ...], total: int | None) -> None:
    status = {"containerStatuses": [{"restartCount": count} for count in counts]}
    found = meaning(RESOURCES, json_of(POD, status=status))
    if total is None:
        assert found is Reason.LIMIT_EXCEEDED
    else:
        assert not isinstance(found, Reason)
        assert getattr(found[0], "props", {})["restarts"] == total


@pytest.mark.parametrize(
    ("count", "held"),
    [
        ({"intValue": str(MOST)}, MOST),
        ({"intValue": MOST}, MOST),
        ({"intValue": "-1"}, 1),
        ({"intValue": "9999999999999999999"}, Reason.LIMIT_EXCEEDED),
        ({"intValue": str(LEAST - 1)}, Reason.LIMIT_EXCEEDED),
        ({"intValue": "1" * 5000}, Reason.LIMIT_EXCEEDED),
        ({"intValue": "--1"}, Reason.WRONG_TYPE),
        ({"intValue": True}, Reason.WRONG_TYPE),
        ({"stringValue": "9999999999999999999"}, Reason.LIMIT_EXCEEDED),
        ({"doubleValue": 1e300}, Reason.WRONG_TYPE),
    ],
)
def test_a_count_of_opentelemetry_s_fits_64_bits_or_is_a_fault(count: object, held: object) -> None:
    found = meaning(EVENTS, otlp(count))
    assert (found if isinstance(found, Reason) else getattr(found[0], "props", {})["count"]) == held


@pytest.mark.parametrize("value", [MOST + 1, LEAST - 1, math.inf, -math.inf, math.nan, [1, MOST + 1], [math.nan]])
def test_no_property_is_a_number_that_the_graph_cannot_hold(value: Any) -> None:
    with pytest.raises(Fault, match="limit_exceeded: `x`"):
        checked({"x": value})


@pytest.mark.parametrize("value", [MOST, LEAST, True, 1e308, [MOST, LEAST], ["a"], b"x" * 100_000])
def test_others_are_taken(value: Any) -> None:
    assert checked({"x": value}) == {"x": value}


def test_a_number_beyond_what_a_double_holds_is_no_infinity() -> None:
    found = meaning(RULES, json_of(RULE, duration=7).replace(b":7", b":1e400"))
    assert found in (Reason.WRONG_TYPE, Reason.NOT_JSON)
