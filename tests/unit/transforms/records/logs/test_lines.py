"""Lines of logs in every shape become the same episodes; harmless ones are filtered; counts add up in any order."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.patience import examples
from tests.support.wire import AT_MS, FLUENT_BIT, LOG, LOGS, TENANT, UID, VECTOR, json_of, kafka_record
from transforms.planning.facts.mutations import UpsertReferrer
from transforms.planning.facts.occurrence_set import count_of
from transforms.planning.interpret.dispatch import interpret
from transforms.planning.merge.fold import Folded, Interpreted, fold
from transforms.records.decode import Decoded, decode_record
from transforms.records.envelopes.types import Filtered
from transforms.records.logs.failures import Families
from transforms.records.logs.lines import MESSAGE_CHARACTERS
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reason
from transforms.records.topics import topics_with

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
Shape = dict[str, Any]


def decoded(body: Shape, timestamp_ms: int = AT_MS, offset: int = 0) -> Decoded:
    return decode_record(kafka_record(LOGS, json.dumps(body).encode(), timestamp_ms=timestamp_ms, offset=offset))


def episode(body: Shape, timestamp_ms: int = AT_MS, offset: int = 0) -> UpsertReferrer:
    found = decoded(body, timestamp_ms, offset)
    assert found.body is not None, found.fault
    (mutation,) = interpret(LOGS, found.body, TENANT, found.ver)
    assert isinstance(mutation, UpsertReferrer)
    return mutation


def less(body: Shape, *names: str) -> Shape:
    return {name: value for name, value in body.items() if name not in names}


def test_our_envelope_is_an_episode_about_its_pod() -> None:
    found = episode(LOG | {"container": "server"})

    assert (found.label, found.subject) == ("Episodic", "pod:shop:p")
    assert found.key.startswith("log:")
    assert found.props == {
        "etype": "k8s.log",
        "severity_raw": "ERROR",
        "severity": "ERROR",
        "reason": "LOG_ERROR",
        "message": "order 7: card declined",
        "event_time": AT,
        "subject": "pod:shop:p",
        "container": "server",
    }
    assert count_of(found.seen) == {"count": 1}


def test_a_collectors_line_brings_its_own_level_container_and_time() -> None:
    found = episode(VECTOR)
    assert found.subject == "pod:shop:p"
    assert found.props == {
        "etype": "k8s.log",
        "severity_raw": "E",
        "severity": "ERROR",
        "reason": "LOG_ERROR",
        "message": "E0301 08:00:00.000000       1 pay.go:7] card declined",
        "event_time": datetime(2026, 3, 1, 8, 0, 0, 123457, tzinfo=UTC),
        "subject": "pod:shop:p",
        "container": "server",
    }


def test_the_same_line_is_the_same_episode_from_vector_and_from_fluent_bit() -> None:
    assert episode(FLUENT_BIT) == episode(VECTOR)


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"time": None, "@timestamp": "2026-03-01T07:00:00Z"}, datetime(2026, 3, 1, 7, tzinfo=UTC)),
        ({"time": "17:33:16", "date": 1772348400.5}, datetime(2026, 3, 1, 7, 0, 0, 500000, tzinfo=UTC)),
        ({"date": None, "time": 1772348400500}, datetime(2026, 3, 1, 7, 0, 0, 500000, tzinfo=UTC)),
        ({"date": None, "time": 1772348400500000000}, datetime(2026, 3, 1, 7, 0, 0, 500000, tzinfo=UTC)),
        ({"time": {"no": "time"}, "date": [1]}, AT),
        ({"time": True, "date": -5}, AT),
        ({"time": 1e300, "date": "2026-03-01T08:00:00"}, AT),
        ({"time": None, "date": None}, AT),
    ],
)
def test_the_first_field_that_holds_a_time_gives_it_else_the_record(changes: Shape, at: datetime) -> None:
    assert episode(FLUENT_BIT | changes).props["event_time"] == at


@pytest.mark.parametrize(
    "body",
    [
        LOG,
        less(LOG, "pod_uid", "pod_namespace", "pod_name") | {"kubernetes": {"pod_uid": UID, "pod_namespace": "shop", "pod_name": "p"}},
        less(LOG, "pod_namespace", "pod_name") | {"subject": {"kind": "Pod", "uid": UID, "ns": "shop", "name": "p"}},
        LOG | {"subject": {"kind": "Deployment", "ns": "shop", "name": "d"}},
        VECTOR | {"subject": "of a mail"},
        less(LOG, "pod_name") | {"pod_name": None, "subject": {"kind": "Pod", "name": "p"}},
        LOG | {"log": {"level": "not a line"}, "level": ["neither"], "unknown": 1},
    ],
)
def test_the_pod_is_named_by_the_envelope_the_collector_or_the_subject(body: Shape) -> None:
    assert episode(body).subject == "pod:shop:p"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (less(LOG, "pod_name"), Reason.MISSING_FIELD),
        (less(LOG, "pod_namespace"), Reason.MISSING_FIELD),
        (LOG | {"pod_name": ""}, Reason.MISSING_FIELD),
        (less(LOG, "pod_name") | {"subject": {"kind": "Node", "name": "n1"}}, Reason.MISSING_FIELD),
        (less(LOG, "message"), Reason.MISSING_FIELD),
        (LOG | {"message": ["x"]}, Reason.WRONG_TYPE),
        (LOG | {"severity": ["ERROR"]}, Reason.WRONG_TYPE),
        (LOG | {"event_time": "yesterday"}, Reason.WRONG_TYPE),
        (LOG | {"pod_namespace": "a:b"}, Reason.WRONG_TYPE),
        (LOG | {"event_time": "1999-12-31T23:59:59Z"}, Reason.BAD_TIME),
        (LOG | {"event_time": "2126-03-01T08:00:00Z"}, Reason.BAD_TIME),
        (VECTOR | {"kubernetes": {"pod_name": 7}, "file": None}, Reason.MISSING_FIELD),
        (less(LOG, "pod_name") | {"subject": "p"}, Reason.WRONG_TYPE),
    ],
)
def test_a_line_that_cannot_be_kept_is_rejected_for_what_is_wrong_with_it(body: Shape, reason: Reason) -> None:
    fault = decoded(body).fault
    assert fault is not None
    assert fault.reason is reason


HARMLESS = [
    LOG | {"severity": "INFO", "message": "ERROR is only a word here"},
    LOG | {"severity": "WARNING", "message": "slow"},
    LOG | {"severity": "info", "message": ""},
    less(LOG, "severity") | {"message": "GET /api 200"},
    less(LOG, "severity") | {"message": "level=info msg=ok"},
    VECTOR | {"message": "I0301 08:00:00.000000 1 a.go:1] ERROR in the text"},
    FLUENT_BIT | {"log": '{"level":"info","msg":"ok"}\n'},
]


@pytest.mark.parametrize("body", HARMLESS)
def test_a_harmless_line_is_filtered(body: Shape) -> None:
    assert decoded(body).body == Filtered()


def test_a_filtered_line_is_checked_for_json_types_and_tenant_and_no_further() -> None:
    harmless = HARMLESS[0]
    assert decoded(less(harmless, "pod_name", "pod_namespace") | {"event_time": 7}).body == Filtered()
    assert decoded(harmless | {"client_id": "af-11"}).body == Filtered("af-11")
    broken = decode_record(kafka_record(LOGS, json_of(harmless)[:-1])).fault
    assert broken is not None
    assert broken.reason is Reason.NOT_JSON


@pytest.mark.parametrize(
    ("changes", "reason", "severity", "raw"),
    [
        ({"severity": "INFO", "message": "dial tcp: connection refused"}, "LOG_CONNECTION", "INFO", "INFO"),
        ({"severity": "error", "message": "dial tcp: connection refused"}, "LOG_CONNECTION", "ERROR", "error"),
        ({"severity": "Critical"}, "LOG_FATAL", "FATAL", "Critical"),
        ({"severity": "", "message": "[error] no"}, "LOG_ERROR", "ERROR", "error"),
        ({"severity": "odd", "message": "[error] no"}, "LOG_ERROR", "ERROR", "odd"),
        ({"severity": None, "level": "fatal"}, "LOG_FATAL", "FATAL", "fatal"),
        ({"severity": None, "level": 50}, "LOG_ERROR", "ERROR", "50"),
        ({"severity": None, "message": "panic: no"}, "LOG_PANIC", "FATAL", "panic"),
        ({"severity": None, "message": "write: broken pipe"}, "LOG_CONNECTION", "UNKNOWN", ""),
        ({"message": ""}, "LOG_ERROR", "ERROR", "ERROR"),
    ],
)
def test_a_family_gives_the_reason_and_else_the_severity_does(changes: Shape, reason: str, severity: str, raw: str) -> None:
    props = episode(LOG | changes).props
    assert (props["reason"], props["severity"], props["severity_raw"]) == (reason, severity, raw)


def test_patterns_of_ones_own_are_looked_for_first() -> None:
    own: Families = (("LOG_PAYMENT", ("card declined",)),)
    record = kafka_record(LOGS, json_of(LOG, severity="INFO"))
    found = decode_record(record, topics=topics_with(own))
    assert found.body is not None
    assert decode_record(record).body == Filtered()
    assert interpret(LOGS, found.body, TENANT, found.ver)[0].props["reason"] == "LOG_PAYMENT"  # type: ignore[union-attr]


def test_a_long_message_is_cut_with_a_mark_and_still_told_from_another() -> None:
    one, other = (episode(less(LOG, "event_id") | {"message": "x" * 70_000 + end}) for end in "ab")
    assert one.props["message"] == "x" * MESSAGE_CHARACTERS + f"… ({70_001 - MESSAGE_CHARACTERS} more characters)"
    assert one.key == other.key
    assert one.seen != other.seen


def test_a_secret_in_a_message_reaches_neither_the_graph_nor_a_hash() -> None:
    one, other = (
        episode(less(LOG, "event_id") | {"message": f"login as postgres://app:{secret}@db failed"}) for secret in ("s3cr3t", "0ther")
    )
    assert one.props["message"] == "login as postgres://app:REDACTED@db failed"
    assert (one.key, one.seen, one.digest) == (other.key, other.seen, other.digest)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"event_time": "2026-03-01T08:00:59.999Z"}, True),
        ({"event_time": "2026-03-01T09:00:30+01:00"}, True),
        ({"event_id": "log-2"}, True),
        ({"event_time": "2026-03-01T07:59:59.999Z"}, False),
        ({"message": "order 8: card declined"}, False),
        ({"pod_name": "q"}, False),
        ({"pod_namespace": "other"}, False),
        ({"container": "sidecar"}, False),
    ],
)
def test_lines_that_say_the_same_in_one_minute_are_one_episode(changes: Shape, same: bool) -> None:
    assert (episode(LOG | changes).key == episode(LOG).key) is same


def test_the_times_that_a_line_names_do_not_make_it_another() -> None:
    one, other = (
        episode(VECTOR | {"message": f"E0301 08:00:{second}       1 pay.go:7] declined"}) for second in ("01.000001", "59.999999")
    )
    assert one.key == other.key
    assert one.props["message"] != other.props["message"]


def test_without_an_id_a_line_is_told_by_its_pod_container_stream_time_and_text() -> None:
    base = less(LOG, "event_id")
    assert episode(base, AT_MS).seen == episode(base, AT_MS + 5).seen
    untimed = less(base, "event_time")
    assert episode(untimed, AT_MS).seen == episode(untimed, AT_MS, offset=9).seen
    assert episode(untimed, AT_MS).seen != episode(untimed, AT_MS + 1).seen
    changes: list[Shape] = [
        {"container": "c"},
        {"stream": "stderr"},
        {"event_time": "2026-03-01T08:00:00.001Z"},
        {"message": "m"},
        {"pod_name": "q"},
    ]
    assert len({episode(base | change).seen for change in [{}, *changes]}) == len(changes) + 1
    nanoseconds = [episode(VECTOR | {"timestamp": f"2026-03-01T08:00:00.12345678{digit}Z"}).seen for digit in range(5)]
    assert len(set(nanoseconds)) == 5


_ORIGINALS = [
    kafka_record(LOGS, json_of(LOG, event_id=f"log-{number}", message=f"declined {number % 2}"), timestamp_ms=AT_MS + number, offset=number)
    for number in range(6)
]


def folded(records: list[KafkaRecord]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """By episode its properties and its count."""
    into: Folded = {}
    for record in records:
        found = decode_record(record)
        assert found.body is not None
        fold(into, [Interpreted(mutation, record) for mutation in interpret(LOGS, found.body, TENANT, found.ver)])
    mutations = [one.mutation for one in into.values()]
    return {one.key: (one.props, count_of(one.seen)) for one in mutations if isinstance(one, UpsertReferrer)}


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.sampled_from(_ORIGINALS), max_size=20).flatmap(lambda more: st.permutations([*_ORIGINALS, *more])))
def test_any_order_and_any_repetition_fold_to_the_same_episodes_and_counts(delivery: list[KafkaRecord]) -> None:
    found = folded(delivery)
    assert found == folded(_ORIGINALS)
    assert sorted(props["message"] for props, _ in found.values()) == ["declined 0", "declined 1"]
    assert [count for _, count in found.values()] == [{"count": 3}, {"count": 3}]


def test_counts_are_exact_up_to_256_and_then_capped() -> None:
    def lines(number: int) -> list[KafkaRecord]:
        return [kafka_record(LOGS, json_of(LOG, event_id=f"log-{one}"), offset=one) for one in range(number)]

    assert [count for _, count in folded(lines(256)).values()] == [{"count": 256}]
    assert [count for _, count in folded(lines(300)).values()] == [{"count": 256, "count_capped": True}]
