"""Events of every shape are read as one: their identity, time, count, severity and subject."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.wire import AT_MS, EVENTS, json_of, kafka_record
from transforms.planning.facts.mutations import UpsertReferrer
from transforms.planning.interpret.dispatch import interpret
from transforms.records.decode import decode_record
from transforms.records.rejects import Reason

AT = datetime.fromtimestamp(AT_MS / 1000, UTC)
CORE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "p.17f", "namespace": "shop", "uid": "e-1", "creationTimestamp": "2026-02-01T00:00:00Z"},
    "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "p", "uid": "u-1", "apiVersion": "v1"},
    "reason": "BackOff",
    "message": "Back-off",
    "type": "Warning",
    "firstTimestamp": "2026-02-01T01:00:00Z",
    "lastTimestamp": "2026-02-01T02:00:00Z",
    "count": 7,
    "eventTime": None,
}
MODERN: dict[str, Any] = {
    "metadata": {"name": "p.17f", "namespace": "shop", "uid": "e-1"},
    "regarding": {"kind": "Pod", "namespace": "shop", "name": "p"},
    "reason": "BackOff",
    "note": "Back-off",
    "type": "Warning",
    "eventTime": "2026-02-01T02:00:00.000000Z",
    "deprecatedFirstTimestamp": "2026-02-01T01:00:00Z",
}


def episode(body: dict[str, Any]) -> UpsertReferrer:
    decoded = decode_record(kafka_record(EVENTS, json.dumps(body).encode()))
    assert decoded.body is not None, decoded.fault
    (mutation,) = interpret(EVENTS, decoded.body, "af-10", decoded.ver)
    assert isinstance(mutation, UpsertReferrer)
    return mutation


def test_a_core_event_is_an_episode_under_its_own_uid() -> None:
    found = episode(CORE)

    assert (found.key, found.subject) == ("e-1", "pod:shop:p")
    assert found.props == {
        "etype": "k8s.event",
        "severity_raw": "Warning",
        "severity": "WARNING",
        "reason": "BackOff",
        "message": "Back-off",
        "event_time": datetime(2026, 2, 1, 2, tzinfo=UTC),
        "first_time": datetime(2026, 2, 1, 1, tzinfo=UTC),
        "count": 7,
        "subject": "pod:shop:p",
    }


@pytest.mark.parametrize(
    "wrap", [lambda body: body, lambda body: {"type": "MODIFIED", "object": body}, lambda body: {"type": "DELETED", "object": body}]
)
@pytest.mark.parametrize("shape", [CORE | {"count": 1}, MODERN, MODERN | {"deprecatedCount": 1}])
def test_the_same_event_is_the_same_episode_in_every_shape(shape: dict[str, Any], wrap: Any) -> None:
    assert episode(wrap(shape)) == episode(MODERN)


@pytest.mark.parametrize(
    ("changes", "hour", "count"),
    [
        ({"series": {"count": 9, "lastObservedTime": "2026-02-01T05:00:00Z"}}, 5, 9),
        ({"series": {"count": None, "lastObservedTime": None}}, 2, 1),
        ({"eventTime": None, "deprecatedLastTimestamp": "2026-02-01T04:00:00Z", "deprecatedCount": 10000}, 4, 10000),
        ({"eventTime": None, "deprecatedFirstTimestamp": "2026-02-01T03:00:00Z", "deprecatedCount": 0}, 3, 1),
    ],
)
def test_series_and_the_last_time_count(changes: dict[str, Any], hour: int, count: int) -> None:
    props = episode(MODERN | changes).props
    assert (props["event_time"], props["count"]) == (datetime(2026, 2, 1, hour, tzinfo=UTC), count)


GO_ZERO = "0001-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("changes", "hour"),
    [
        ({"lastTimestamp": GO_ZERO}, 1),
        ({"lastTimestamp": "0001-01-01T00:00:00.000000+02:00"}, 1),
        ({"lastTimestamp": "1970-01-01T00:00:00Z"}, 1),
        ({"series": {"count": 3, "lastObservedTime": GO_ZERO}}, 2),
        ({"lastTimestamp": GO_ZERO, "firstTimestamp": GO_ZERO, "eventTime": "2026-02-01T03:00:00.000000Z"}, 3),
    ],
)
def test_a_zero_time_says_nothing_and_the_next_field_counts(changes: dict[str, Any], hour: int) -> None:
    assert episode(CORE | changes).props["event_time"] == datetime(2026, 2, 1, hour, tzinfo=UTC)


def test_an_event_with_zero_times_alone_happened_when_its_record_says() -> None:
    zeros = dict.fromkeys(("firstTimestamp", "lastTimestamp", "eventTime"), GO_ZERO)
    assert episode(CORE | zeros).props["event_time"] == AT


def test_our_own_envelope_must_have_a_time_that_is_one() -> None:
    body = {"event_id": "e", "event_time": GO_ZERO, "subject": {"kind": "Pod", "name": "p"}}
    fault = decode_record(kafka_record(EVENTS, json_of(body))).fault
    assert fault is not None
    assert (fault.reason, "event_time" in fault.detail) == (Reason.MISSING_FIELD, True)


def test_an_event_without_any_time_happened_when_its_record_says() -> None:
    found = episode(CORE | {"firstTimestamp": None, "lastTimestamp": None})
    assert found.props["event_time"] == AT
    assert found.ver.startswith(f"{AT_MS * 1000:018d} ")


def test_an_event_without_type_or_message_is_an_episode_of_unknown_severity() -> None:
    bare = {name: value for name, value in CORE.items() if name not in ("type", "message", "reason", "count")}
    props = episode(bare).props
    assert (props["severity_raw"], props["severity"], props["message"], props["reason"], props["count"]) == ("", "UNKNOWN", "", "", 1)


def test_without_a_uid_the_name_identifies_the_event() -> None:
    assert episode(CORE | {"metadata": {"name": "p.17f", "namespace": "shop"}}).key == "shop/p.17f"


@pytest.mark.parametrize("reference", [{}, {"kind": "Pod"}, {"name": "p"}, {"kind": "", "name": "p"}])
def test_an_event_that_does_not_say_what_it_is_about_is_about_nothing(reference: dict[str, Any]) -> None:
    found = episode(CORE | {"involvedObject": reference})
    assert found.subject == ""
    assert "subject" not in found.props


def test_the_subjects_api_group_counts() -> None:
    reference = {"kind": "Service", "namespace": "shop", "name": "s", "apiVersion": "serving.knative.dev/v1"}
    assert episode(CORE | {"involvedObject": reference}).subject == "service.serving.knative.dev:shop:s"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"InvolvedObject": {"Kind": "Pod"}, "Reason": "BackOff", "FirstTimestamp": None}, Reason.LEGACY_SHAPE),
        ({"type": "ADDED", "object": {"InvolvedObject": {"Kind": "Pod"}}}, Reason.LEGACY_SHAPE),
        (CORE | {"metadata": {}}, Reason.MISSING_FIELD),
        ({"reason": "BackOff"}, Reason.MISSING_FIELD),
        (CORE | {"count": "seven"}, Reason.WRONG_TYPE),
        (CORE | {"involvedObject": {"kind": "Po`d", "name": "p"}}, Reason.WRONG_TYPE),
        (CORE | {"involvedObject": {"kind": "Pod", "name": "p", "namespace": "a:b"}}, Reason.WRONG_TYPE),
        (CORE | {"lastTimestamp": "yesterday"}, Reason.WRONG_TYPE),
    ],
)
def test_what_is_no_event_is_a_fault_with_its_reason(body: dict[str, Any], reason: Reason) -> None:
    fault = decode_record(kafka_record(EVENTS, json_of(body))).fault
    assert fault is not None
    assert fault.reason is reason


@pytest.mark.parametrize(
    ("fields", "cluster"),
    [({"clusterName": "east"}, "east"), ({"cluster": "west"}, "west"), ({"clusterName": "east", "cluster": "west"}, "east"), ({}, None)],
)
def test_the_exporter_s_name_of_the_cluster_claims_it_before_the_plain_one(fields: dict[str, str], cluster: str | None) -> None:
    decoded = decode_record(kafka_record(EVENTS, json.dumps(CORE | fields).encode()))
    assert getattr(decoded.body, "cluster", "none") == cluster
