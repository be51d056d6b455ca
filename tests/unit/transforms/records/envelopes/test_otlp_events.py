"""OpenTelemetry's log records on events.normalized: an episode for each Event that they tell of."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.wire import AT_MS, EVENTS, TENANT, UID, json_of, kafka_record
from transforms.planning.facts.mutations import UpsertReferrer
from transforms.planning.interpret.dispatch import interpret
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Event, EventList, Subject
from transforms.records.rejects import Fault, Reason

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


def _value(value: Any) -> dict[str, Any]:
    """AnyValue in protobuf's JSON, where 64-bit integers are text."""
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case dict():
            return {"kvlistValue": {"values": _pairs(value)}}
        case list():
            return {"arrayValue": {"values": [_value(one) for one in value]}}
        case None:
            return {}
        case _:
            return {"stringValue": value}


def _pairs(held: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(one)} for key, one in held.items()]


OBJECT = {
    "k8s.node.name": "n1",
    "k8s.object.kind": "Pod",
    "k8s.object.name": "p",
    "k8s.object.uid": UID,
    "k8s.object.fieldpath": "spec.containers{main}",
    "k8s.object.api_version": "v1",
    "k8s.object.resource_version": "",
}
EVENT = {
    "k8s.event.reason": "BackOff",
    "k8s.event.action": "",
    "k8s.event.start_time": "2026-03-01 07:59:00 +0000 UTC",
    "k8s.event.name": "p.17",
    "k8s.event.uid": "u1",
    "k8s.namespace.name": "shop",
    "k8s.event.count": 3,
}
MESSAGE = "Back-off restarting failed container"


def log_record(attributes: dict[str, Any] = EVENT, body: Any = MESSAGE, **more: Any) -> dict[str, Any]:
    times = {"timeUnixNano": str(AT_MS * 1_000_000), "severityNumber": 13, "severityText": "Warning"}
    return times | {"body": _value(body), "attributes": _pairs(attributes)} | more


def logs(*records: dict[str, Any], resource: dict[str, Any] = OBJECT) -> dict[str, Any]:
    return {"resourceLogs": [{"resource": {"attributes": _pairs(resource)}, "scopeLogs": [{"scope": {}, "logRecords": list(records)}]}]}


def _events(value: dict[str, Any]) -> list[Event]:
    found = decode_record(kafka_record(EVENTS, json_of(value)))
    assert isinstance(found.body, Event | EventList), found.fault
    return found.body.events if isinstance(found.body, EventList) else [found.body]


def _reason(value: dict[str, Any]) -> Reason:
    fault = decode_record(kafka_record(EVENTS, json_of(value))).fault
    assert fault is not None
    return fault.reason


def test_a_log_record_of_k8s_events_is_its_event() -> None:
    expected = Event("u1", AT, Subject("Pod", "p", "shop", UID, "v1"), "k8s.event", "Warning", "BackOff", MESSAGE, 3)
    assert _events(logs(log_record())) == [expected]


def test_the_object_is_told_in_the_names_of_attributes_too() -> None:
    old = {"k8s.pod.name": "p", "k8s.pod.uid": UID}
    assert _events(logs(log_record(EVENT | old), resource={}))[0].subject == Subject("Pod", "p", "shop", UID)


def test_an_event_without_an_object_a_uid_or_a_time_is_taken() -> None:
    (event,) = _events(logs(log_record(EVENT | {"k8s.event.uid": ""}, timeUnixNano="0", severityText=""), resource={}))
    assert (event.event_id, event.event_time, event.subject, event.severity) == ("shop/p.17", None, None, "")


def test_a_record_of_several_is_an_episode_for_each_and_the_last_of_each_counts() -> None:
    later = log_record(EVENT | {"k8s.event.count": 4}, timeUnixNano=str((AT_MS + 1000) * 1_000_000))
    found = decode_record(kafka_record(EVENTS, json_of(logs(log_record(), log_record(EVENT | {"k8s.event.uid": "u2"}), later))))
    assert found.body is not None
    mutations = [one for one in interpret(EVENTS, found.body, TENANT, found.ver) if isinstance(one, UpsertReferrer)]
    assert [(one.key, one.props["count"], one.subject) for one in mutations] == [("u1", 4, "pod:shop:p"), ("u2", 3, "pod:shop:p")]
    assert found.ver.startswith(f"{AT_MS * 1000:018d} ")


@pytest.mark.parametrize("watched", [True, False])
def test_a_log_record_of_k8sobjects_is_the_event_in_its_body(watched: bool) -> None:
    event = {
        "metadata": {"uid": "u3", "name": "p.18", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "shop"},
        "count": 2,
        "message": "m",
        "type": "Normal",
        "eventTime": None,
        "lastTimestamp": "2026-03-01T08:00:00Z",
        "related": {"list": [1, True]},
    }
    body = {"type": "ADDED", "object": event} if watched else event
    plain = decode_record(kafka_record(EVENTS, json_of(event))).body
    assert _events(logs(log_record({"k8s.resource.name": "events"}, body))) == [plain]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"resourceLogs": []}, Reason.MISSING_FIELD),
        (logs(), Reason.MISSING_FIELD),
        ({"resourceLogs": 7}, Reason.WRONG_TYPE),
        ({"resourceLogs": [{"scopeLogs": [{"logRecords": [7]}]}]}, Reason.WRONG_TYPE),
        (logs(log_record({"http.method": "GET"})), Reason.BAD_VALUE),
        (logs(log_record({}, {"resourceLogs": []})), Reason.MISSING_FIELD),
        (logs(log_record({}, {"kind": "Event"})), Reason.MISSING_FIELD),
        (logs(log_record({"k8s.event.reason": "x"}), resource={}), Reason.MISSING_FIELD),
        (logs(log_record(timeUnixNano="soon")), Reason.WRONG_TYPE),
        (logs(log_record(timeUnixNano=2**62)), Reason.BAD_TIME),
        (logs(log_record(timeUnixNano="9" * 19)), Reason.BAD_TIME),
        (logs(log_record(EVENT | {"k8s.event.count": "many"})), Reason.WRONG_TYPE),
        (logs(log_record(), resource=OBJECT | {"k8s.object.kind": "Po`d"}), Reason.WRONG_TYPE),
        (logs(log_record({}, body=None) | {"body": {"kvlistValue": {"values": [7]}}}), Reason.WRONG_TYPE),
    ],
)
def test_what_is_no_event_is_a_fault_of_the_whole_record(value: dict[str, Any], reason: Reason) -> None:
    assert _reason(value) is reason


@pytest.mark.parametrize("time_ns", [0, 1, (AT_MS + 25 * 3_600_000) * 1_000_000])
def test_the_times_of_several_events_are_held_to_the_same_limits(time_ns: int) -> None:
    records = [log_record(), log_record(EVENT | {"k8s.event.uid": "u2"}, timeUnixNano=str(time_ns * 1000 if time_ns == 1 else time_ns))]
    found = decode_record(kafka_record(EVENTS, json_of(logs(*records))))
    assert found.body is not None
    if time_ns == 0:
        assert len(interpret(EVENTS, found.body, TENANT, found.ver)) == 2
        return
    with pytest.raises(Fault, match="bad_time"):
        interpret(EVENTS, found.body, TENANT, found.ver)


def test_one_log_record_has_the_version_of_the_event_as_it_is() -> None:
    earlier = log_record(timeUnixNano=str((AT_MS - 5000) * 1_000_000))
    assert decode_record(kafka_record(EVENTS, json_of(logs(earlier)))).ver.startswith(f"{(AT_MS - 5000) * 1000:018d} ")
