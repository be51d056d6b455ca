"""What agents and collectors make of a line: the pod, the text and the time are theirs, whatever the application logs beside."""

# ruff: noqa: E501 - a logger's line is best read as it is written

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.wire import AT, AT_MS, FLUENT_BIT, LOG, LOGS, TENANT, UID, VECTOR, kafka_record
from transforms.planning.facts.mutations import UpsertReferrer
from transforms.planning.interpret.dispatch import interpret
from transforms.records.decode import Decoded, decode_record
from transforms.records.envelopes.types import Filtered
from transforms.records.outcomes import Outcome
from transforms.records.rejects import Reason, Reject
from transforms.records.tenancy.directory import Directory
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.steps.elements import Resolved
from transforms.steps.resolve_tenants import resolve

Shape = dict[str, Any]
WHEN = datetime(2026, 3, 1, 8, tzinfo=UTC)
BAD = "ERROR cannot save cart"
ID = "a" * 64
_KUBERNETES = {"pod_name": "cart-1", "namespace_name": "shop", "container_name": "app", "host": "n1"}


def decoded(body: Shape | bytes, timestamp_ms: int = AT_MS, key: bytes = b"af-10::k") -> Decoded:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_record(kafka_record(LOGS, text, key, timestamp_ms))


def episodes(body: Shape | bytes, timestamp_ms: int = AT_MS) -> list[UpsertReferrer]:
    found = decoded(body, timestamp_ms)
    assert found.body is not None, found.fault
    assert not isinstance(found.body, Filtered), "the line is filtered"
    mutations = interpret(LOGS, found.body, TENANT, found.ver)
    assert all(isinstance(one, UpsertReferrer) for one in mutations)
    return [one for one in mutations if isinstance(one, UpsertReferrer)]


def episode(body: Shape | bytes, timestamp_ms: int = AT_MS) -> UpsertReferrer:
    (found,) = episodes(body, timestamp_ms)
    return found


def attributes(**values: str) -> list[Shape]:
    return [{"key": name.replace("__", "."), "value": {"stringValue": value}} for name, value in values.items()]


_POD_ATTRIBUTES = attributes(k8s__namespace__name="shop", k8s__pod__name="cart-1", k8s__container__name="app")


def otlp(*records: Shape, resource: list[Shape] | None = None) -> Shape:
    held = _POD_ATTRIBUTES if resource is None else resource
    return {"resourceLogs": [{"resource": {"attributes": held}, "scopeLogs": [{"logRecords": list(records)}]}]}


# (collector, its record of a line at an error, the same of a harmless line).
COLLECTORS: list[tuple[str, Shape, Shape]] = [
    (
        "Fluent Bit",
        {"@timestamp": AT, "time": AT, "stream": "stderr", "_p": "F", "log": f"{BAD}\n", "kubernetes": _KUBERNETES},
        {"@timestamp": AT, "stream": "stdout", "_p": "F", "log": "saved\n", "kubernetes": _KUBERNETES},
    ),
    (
        "Fluent Bit, Merge_Log_Key",
        {"date": 1772352000.5, "log": '{"level":"error","msg":"cannot save"}', "log_processed": {"level": "error"}, "kubernetes": _KUBERNETES},
        {"date": 1772352000.5, "log": '{"level":"info"}', "log_processed": {"level": "info"}, "kubernetes": _KUBERNETES},
    ),
    (
        "Fluent Bit, Merge_Log with Keep_Log Off",
        {"date": 1772352000.5, "level": "error", "msg": BAD, "kubernetes": _KUBERNETES},
        {"date": 1772352000.5, "method": "GET", "status": 200, "kubernetes": _KUBERNETES},
    ),
    (
        "Fluent Bit, Merge_Log_Key with Keep_Log Off",
        {"date": 1772352000.5, "app": {"level": "error", "message": BAD}, "kubernetes": _KUBERNETES},
        {"date": 1772352000.5, "app": {"level": "info", "message": "saved"}, "kubernetes": _KUBERNETES},
    ),
    (
        "Fluent Bit, a line of containerd's that nobody parsed",
        {"date": 1772352000.5, "log": f"{AT} stderr P {BAD}", "kubernetes": _KUBERNETES},
        {"date": 1772352000.5, "log": f"{AT} stdout F saved", "kubernetes": _KUBERNETES},
    ),
    (
        "Fluentd",
        {"log": BAD, "stream": "stderr", "docker": {"container_id": ID}, "kubernetes": {**_KUBERNETES, "labels": {"app": "cart"}}},
        {"message": "saved", "docker": {"container_id": ID}, "kubernetes": _KUBERNETES},
    ),
    ("Vector", VECTOR | {"message": BAD, "kubernetes": {**VECTOR["kubernetes"], "pod_name": "cart-1", "container_name": "app"}}, VECTOR | {"message": "saved"}),
    (
        "Vector, names of the pod at the top",
        {"timestamp": AT, "message": BAD, "source_type": "kafka", "namespace": "shop", "pod": "cart-1", "container": "app"},
        {"timestamp": AT, "message": "saved", "source_type": "kafka", "namespace": "shop", "pod": "cart-1"},
    ),
    (
        "Vector, Loki's labels",
        {"timestamp": AT, "message": BAD, "labels": {"namespace": "shop", "pod": "cart-1", "container": "app"}},
        {"timestamp": AT, "message": "saved", "labels": {"namespace": "shop", "pod": "cart-1"}},
    ),
    (
        "Promtail's fields",
        {"timestamp": AT, "line": BAD, "labels": {"namespace": "shop", "pod": "cart-1", "container": "app", "job": "shop/cart"}},
        {"timestamp": AT, "line": "saved", "labels": {"namespace": "shop", "pod": "cart-1"}},
    ),
    (
        "Splunk's event",
        {"time": 1772352000.5, "event": BAD, "sourcetype": "kube:container:app", "fields": {"namespace": "shop", "pod": "cart-1", "container_name": "app"}},
        {"time": 1772352000.5, "event": {"message": "saved"}, "sourcetype": "x", "fields": {"namespace": "shop", "pod": "cart-1"}},
    ),
    (
        "Splunk's event, an object",
        {"time": 1772352000.5, "event": {"level": "error", "message": BAD}, "fields": {"k8s.namespace.name": "shop", "k8s.pod.name": "cart-1", "k8s.container.name": "app"}},
        {"time": 1772352000.5, "event": {"level": "info", "message": "saved"}, "fields": {}},
    ),
    (
        "Filebeat",
        {"@timestamp": AT, "@metadata": {"beat": "filebeat"}, "message": BAD, "log": {"offset": 12}, "kubernetes": {"namespace": "shop", "pod": {"name": "cart-1"}, "container": {"name": "app"}}},
        {"@timestamp": AT, "message": "saved", "log": {"offset": 12}, "kubernetes": {"namespace": "shop", "pod": {"name": "cart-1"}}},
    ),
    (
        "Elastic Agent, the level in `log`",
        {"@timestamp": AT, "agent": {"type": "filebeat"}, "message": "cannot save cart", "log": {"level": "error", "file": {"path": "x"}}, "kubernetes": {"namespace": "shop", "pod": {"name": "cart-1"}, "container": {"name": "app"}}},
        {"@timestamp": AT, "message": "saved", "log": {"level": "info"}, "kubernetes": {"namespace": "shop", "pod": {"name": "cart-1"}}},
    ),
    (
        "Elastic Agent, dotted names",
        {"@timestamp": AT, "message": "cannot save", "log.level": "error", "kubernetes.namespace": "shop", "kubernetes.pod.name": "cart-1", "kubernetes.container.name": "app"},
        {"@timestamp": AT, "message": "saved", "log.level": "info", "kubernetes.namespace": "shop", "kubernetes.pod.name": "cart-1"},
    ),
    (
        "Logstash",
        {"@version": "1", "@timestamp": AT, "message": BAD, "kubernetes": _KUBERNETES},
        {"@version": "1", "@timestamp": AT, "message": "saved", "kubernetes": _KUBERNETES},
    ),
    (
        "journald through Docker's driver",
        {"MESSAGE": "cannot save", "PRIORITY": "3", "_SYSTEMD_UNIT": "docker.service", "CONTAINER_NAME": f"k8s_app_cart-1_shop_{UID}_0", "__REALTIME_TIMESTAMP": "1772352000000000"},
        {"MESSAGE": "saved", "PRIORITY": "6", "_SYSTEMD_UNIT": "kubelet.service"},
    ),
    (
        "a file's path, the kubelet's",
        {"timestamp": AT, "message": BAD, "file": f"/var/log/pods/shop_cart-1_{UID}/app/0.log"},
        {"timestamp": AT, "message": "saved", "file": f"/var/log/pods/shop_cart-1_{UID}/app/0.log"},
    ),
    (
        "a file's path, the runtime's",
        {"@timestamp": AT, "message": BAD, "log": {"file": {"path": f"/var/log/containers/cart-1_shop_app-{ID}.log"}}},
        {"@timestamp": AT, "message": "saved", "log": {"file": {"path": "/var/log/messages"}}},
    ),
    (
        "OpenTelemetry",
        otlp({"timeUnixNano": "1772352000000000000", "severityNumber": 17, "body": {"stringValue": "cannot save"}}),
        otlp({"timeUnixNano": "1772352000000000000", "severityNumber": 9, "body": {"stringValue": "saved"}}),
    ),
    (
        "OpenTelemetry's filelog receiver, no level",
        otlp({"observedTimeUnixNano": "1772352000000000000", "body": {"stringValue": BAD}, "attributes": attributes(log__iostream="stderr", logtag="F")}),
        otlp({"body": {"stringValue": "saved"}, "attributes": attributes(logtag="F")}),
    ),
    (
        "OpenTelemetry's filelog receiver, a path alone",
        otlp({"body": {"stringValue": BAD}, "attributes": attributes(log__file__path=f"/var/log/pods/shop_cart-1_{UID}/app/0.log")}, resource=[]),
        otlp({"body": {"stringValue": "saved"}}, resource=[]),
    ),
    (
        "OpenTelemetry, snake case and an object as the body",
        {"resource_logs": [{"resource": {"attributes": _POD_ATTRIBUTES}, "scope_logs": [{"log_records": [{"severity_text": "Error", "body": {"kvlistValue": {"values": attributes(msg="cannot save")}}}]}]}]},
        {"resource_logs": [{"scope_logs": [{"log_records": [{"severity_text": "Info", "body": {"kvlistValue": {"values": []}}}]}]}]},
    ),
]  # fmt: skip
NAMES = [collector for collector, *_ in COLLECTORS]


@pytest.mark.parametrize("body", [row[1] for row in COLLECTORS], ids=NAMES)
def test_a_collectors_line_of_a_failure_is_an_episode_of_its_pod_and_container(body: Shape) -> None:
    found = episode(body)
    assert found.props["container"] == "app"
    assert (found.subject, found.props["severity"]) == ("pod:shop:cart-1", "ERROR")
    assert "cannot save" in found.props["message"]
    assert abs((found.props["event_time"] - WHEN).total_seconds()) <= 1


@pytest.mark.parametrize("body", [row[2] for row in COLLECTORS], ids=NAMES)
def test_a_collectors_harmless_line_is_filtered(body: Shape) -> None:
    assert decoded(body).body == Filtered()


ODD: list[Any] = [
    4711,
    "x y",
    "2020-05-05T00:00:00Z",
    {"a": {"b": [1]}},
    [1, "two"],
    True,
    None,
    -1.5,
    "",
    "9" * 300,
    10**30,
    10**4000,
    "\x1b[31m",
]
OURS = (
    "client_id",
    "cluster",
    "message",
    "event_id",
    "event_time",
    "time",
    "timestamp",
    "pod_namespace",
    "pod_name",
    "subject",
    "container",
)
OURS_TOO = (
    "severity",
    "level",
    "levelname",
    "etype",
    "pod_uid",
    "msg",
    "event",
    "labels",
    "file",
    "fields",
    "resource",
    "source",
    "stream",
    "date",
)


def spoilt() -> Iterator[Shape]:
    yield from ({name: odd} for name in (*OURS, *OURS_TOO) for odd in ODD)
    yield from (dict.fromkeys(OURS, odd) for odd in ODD)
    yield {"pod_namespace": "other", "pod_name": "thief", "subject": {"kind": "Pod", "ns": "other", "name": "thief"}, "container": "thief"}
    yield {"kubernetes.pod_name": "thief", "kubernetes.namespace_name": "other", "labels": {"pod": "thief", "namespace": "other"}}
    yield {"event_time": "2026-02-27T08:00:00Z", "timestamp": "2026-02-28T08:00:00Z", "time": 1772300000, "client_id": "af-11"}


@pytest.mark.parametrize("fields", [*spoilt()], ids=lambda fields: json.dumps(fields)[:60])
def test_no_field_of_an_application_overrules_the_collectors(fields: Shape) -> None:
    plain = {"@timestamp": AT, "kubernetes": _KUBERNETES}
    bad = fields | plain | {"log": f"{BAD}\n"}
    if fields.keys() & {"severity", "level", "levelname"}:
        bad["log"] = "FATAL: connection refused"
    found = episode(bad)
    assert (found.subject, found.props["container"], found.props["event_time"]) == ("pod:shop:cart-1", "app", WHEN)
    assert found.props["message"] == bad["log"].strip()
    owned = resolve(decoded(bad), TenantResolver(TenantRules()))
    assert isinstance(owned, Resolved), owned
    assert owned.client_id == TENANT
    ended = resolve(decoded(fields | plain | {"log": "saved"}), TenantResolver(TenantRules()))
    assert ended == (TENANT, Outcome.FILTERED)


def test_vectors_line_is_its_message_whatever_the_application_calls_log() -> None:
    body = VECTOR | {"message": BAD, "log": "audit", "event_id": "E42"}
    assert episode(body).props["message"] == BAD
    assert episode(FLUENT_BIT | {"log": BAD, "message": "an application's"}).props["message"] == BAD


def test_an_applications_event_id_does_not_make_two_lines_one() -> None:
    one, other = (
        episode(FLUENT_BIT | {"log": f"{BAD} 7", "event_id": "ORDER_FAILED", "time": f"2026-03-01T08:00:00.{digit}Z"}) for digit in "12"
    )
    assert one.key == other.key
    assert one.seen != other.seen


_DIRECTORY = Directory(registered=frozenset({"af-10", "af-11"}), clusters={"west": "af-11"})


@pytest.mark.parametrize(
    ("fields", "rules", "outcome"),
    [
        ({"client_id": "af-11"}, TenantRules(), "af-11"),
        ({"client_id": "billing-web", "cluster": "west"}, TenantRules(), "af-11"),
        ({"client_id": "billing-web"}, TenantRules(), Reason.TENANT_MISSING),
        ({"client_id": 4711}, TenantRules(), Reason.TENANT_MISSING),
        ({"client_id": "billing-web"}, TenantRules(client_id="af-10"), "af-10"),
        ({"client_id": 4711}, TenantRules(client_id="af-10"), "af-10"),
        ({"client_id": "af-11"}, TenantRules(client_id="af-10"), Outcome.SKIPPED),
    ],
)
@pytest.mark.parametrize("line", [BAD, "saved"])
def test_a_client_id_beside_a_line_names_the_tenant_only_where_it_is_registered_and_nothing_else_does(
    fields: Shape, rules: TenantRules, outcome: str | Reason | Outcome, line: str
) -> None:
    body = fields | {"@timestamp": AT, "log": line, "kubernetes": _KUBERNETES}
    found = resolve(decoded(body, key=b"k"), TenantResolver(rules, _DIRECTORY))
    if isinstance(found, Reject):
        assert found.reason == outcome
    elif isinstance(found, Resolved):
        assert found.client_id == outcome
    else:
        assert outcome in found


def test_our_own_envelope_is_still_held_to_its_tenant() -> None:
    found = resolve(decoded(LOG | {"client_id": "af-11"}), TenantResolver(TenantRules()))
    assert isinstance(found, Reject)
    assert found.reason is Reason.TENANT_MISMATCH
    fault = decoded(LOG | {"client_id": 4711}).fault
    assert fault is not None
    assert fault.reason is Reason.WRONG_TYPE


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"@timestamp": AT, "time": "2026-03-01T08:00:00.25Z"}, WHEN.replace(microsecond=250_000)),
        ({"@timestamp": AT, "time": "2026-03-01T07:59:00Z"}, WHEN),
        ({"@timestamp": "0001-01-01T00:00:00Z", "date": 1772352000}, WHEN),
        ({"@timestamp": 17, "date": 0.25, "time": AT}, WHEN),
        ({"date": 2**63, "time": AT}, WHEN),
        ({"timestamp": "2099-01-01T00:00:00Z", "time": AT}, WHEN),
        ({"timestamp": "2020-01-01T00:00:00Z", "time": 1.5}, datetime(2020, 1, 1, tzinfo=UTC)),
        ({"timestamp": "1970-01-01T00:00:00Z"}, WHEN),
        ({"timestamp": "1772352000123"}, WHEN.replace(microsecond=123_000)),
        ({"timestamp": 1772352000123456789}, WHEN.replace(microsecond=123_456)),
        ({"timestamp": "2026-02-27T08:00:00Z"}, datetime(2026, 2, 27, 8, tzinfo=UTC)),
        ({"event_time": "2026-02-27T08:00:00Z"}, datetime(2026, 2, 27, 8, tzinfo=UTC)),
        ({}, WHEN),
    ],
)  # fmt: skip
def test_the_collectors_clock_decides_and_what_no_clock_gives_is_no_time(fields: Shape, at: datetime) -> None:
    assert episode(fields | {"log": BAD, "kubernetes": _KUBERNETES}).props["event_time"] == at


def test_a_record_without_a_timestamp_has_its_lines() -> None:
    assert episode({"@timestamp": AT, "log": BAD, "kubernetes": _KUBERNETES}, timestamp_ms=-1).props["event_time"] == WHEN
    untimed = decoded({"log": BAD, "kubernetes": _KUBERNETES}, timestamp_ms=-1).fault
    assert untimed is not None
    assert (untimed.reason, "LogAppendTime" in untimed.detail) == (Reason.BAD_TIME, True)


@pytest.mark.parametrize(
    ("broken", "shown"),
    [
        (b"\xff", "\ufffd"),
        (b"\xed\xa0\xbd", "\ufffd\ufffd\ufffd"),
        (b"\\ud83d", "\ufffd"),
        (b"\\ude00", "\ufffd"),
        (b"\\ud83d\\ud83d\\ude00", "\ufffd\U0001f600"),
        (b"\\u0041\\ude00", "A\ufffd"),
        (b"\\\\ud83d \\ud83d", "\\ud83d \ufffd"),
        (b"\\x1b", "\\x1b"),
        (b"a\tb\x00c", "a b c"),
        (b"\xc3", "\ufffd"),
    ],
)
def test_a_line_with_a_broken_character_is_kept_with_a_replacement_or_filtered(broken: bytes, shown: str) -> None:
    record = b'{"log":"%s","@timestamp":"' + AT.encode() + b'","kubernetes":' + json.dumps(_KUBERNETES).encode() + b"}"
    assert episode(record % (BAD.encode() + b" " + broken + b".")).props["message"] == f"{BAD} {shown}."
    assert decoded(record % (b"saved " + broken)).body == Filtered()


def test_a_broken_character_elsewhere_is_still_no_json() -> None:
    whole = decode_record(kafka_record("events.normalized", b'{"event_id":"\xff"}')).fault
    assert whole is not None
    assert whole.reason is Reason.NOT_JSON
    cut = decoded(b'{"log":"saved \xff').fault
    assert cut is not None
    assert cut.reason is Reason.NOT_JSON


def test_the_lines_of_a_batch_are_the_episodes_of_their_pods_in_any_order() -> None:
    lines = [
        {"timeUnixNano": f"17723520{second:02}000000000", "severityText": "ERROR", "body": {"stringValue": text}}
        for second, text in enumerate(["declined", "saved twice", "declined", "declined"])
    ]
    forth, back = (sorted(episodes(otlp(*some)), key=lambda one: one.key) for some in (lines, lines[::-1]))
    assert forth == back
    assert sorted((one.props["message"], len(one.seen) // 8) for one in forth) == [("declined", 3), ("saved twice", 1)]
    assert {one.props["event_time"] for one in forth if one.props["message"] == "declined"} == {WHEN.replace(second=3)}


def test_a_line_of_a_node_costs_the_pods_of_a_batch_nothing_and_alone_is_rejected() -> None:
    bad = {"severityNumber": 17, "body": {"stringValue": "cannot save"}}
    both = otlp(bad)
    both["resourceLogs"] += otlp(bad, resource=attributes(host__name="n1"))["resourceLogs"]
    assert [one.subject for one in episodes(both)] == ["pod:shop:cart-1"]
    fault = decoded(otlp(bad, resource=attributes(host__name="n1"))).fault
    assert fault is not None
    assert (fault.reason, "k8s.pod.name" in fault.detail) == (Reason.MISSING_FIELD, True)


@pytest.mark.parametrize(
    "record",
    [
        {"severityNumber": "SEVERITY_NUMBER_ERROR2", "body": {"stringValue": "x"}},
        {"severityNumber": 17, "timeUnixNano": "soon", "observedTimeUnixNano": -5, "body": {"intValue": "7"}},
        {"severityText": "error", "timeUnixNano": 10**30, "attributes": [7, {"key": 7}, {"key": "k", "value": 7}]},
        {"body": {"stringValue": "x"}, "attributes": attributes(level="error")},
        {"severityNumber": True, "severityText": ["x"], "body": {"stringValue": '{"level":"error"}'}},
    ],
)
def test_odd_values_of_opentelemetry_are_passed_over(record: Shape) -> None:
    found = episode(otlp(record))
    assert (found.subject, found.props["severity"], found.props["event_time"]) == ("pod:shop:cart-1", "ERROR", WHEN)


@pytest.mark.parametrize("held", [None, [], {}, "x", 7, [7, None, {"scopeLogs": [{"logRecords": [{}]}]}]])
def test_a_batch_without_lines_is_filtered(held: object) -> None:
    assert decoded({"resourceLogs": held}).body == Filtered()


def test_a_resources_attributes_cost_once_and_not_for_each_of_its_lines() -> None:
    many = [*_POD_ATTRIBUTES, *attributes(**{f"k8s__{number}": "" for number in range(5000)})]
    begin = time.process_time()
    assert decoded(otlp(*[{}] * 15_000, resource=many)).body == Filtered()
    assert time.process_time() - begin < 20, "75 million attributes would take minutes"


def test_a_batch_of_too_many_lines_is_rejected_for_it() -> None:
    fault = decoded(otlp(*[{}] * 20_000)).fault
    assert fault is not None
    assert (fault.reason, "smaller batches" in fault.detail) == (Reason.LIMIT_EXCEEDED, True)
