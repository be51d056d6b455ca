"""What a record about rules means, from our envelope and from Prometheus's own response with its alerts."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.wire import AT, AT_MS, EVENT, EVENTS, RULE, RULES, TENANT, json_of, kafka_record
from transforms.planning.facts.mutations import DeleteReferrer, Mutation, UpsertReferrer
from transforms.planning.facts.values import digest_of
from transforms.planning.interpret.dispatch import InterpretationCache, interpret
from transforms.records.decode import decode_record
from transforms.records.decoded_bodies import Contents
from transforms.records.envelopes.types import RuleList
from transforms.records.record import t_of
from transforms.records.rejects import Fault, Reason

SINCE = "2026-03-01T07:30:00.123456789Z"
ALERT: dict[str, Any] = {
    "labels": {"alertname": "CartDown", "severity": "critical", "namespace": "shop", "pod": "p"},
    "annotations": {"summary": "The cart is down", "description": "p of the cart is down"},
    "state": "firing",
    "activeAt": SINCE,
    "value": "1e+00",
}
LISTED: dict[str, Any] = {
    "name": "CartDown",
    "type": "alerting",
    "query": RULE["expr"],
    "labels": RULE["labels"],
    "annotations": RULE["annotations"],
    "duration": 60,
    "alerts": [ALERT],
    "state": "firing",
    "health": "ok",
    "evaluationTime": 0.1,
    "lastEvaluation": AT,
}
PROPS = {
    "group": "shop.alerts",
    "name": "CartDown",
    "type": "alerting",
    "alert": "CartDown",
    "expr": "up == 0",
    "severity_raw": "critical",
    "severity": "FATAL",
    "labels": ["deployment=cart", "namespace=shop", "severity=critical"],
    "annotations": ["runbook=none", "summary=The cart is down"],
    "subject": "deployment:shop:cart",
}


def meant(body: dict[str, Any], raw_key: str = "", timestamp_ms: int = AT_MS) -> tuple[Mutation, ...]:
    decoded = decode_record(kafka_record(RULES, json_of(body), f"{TENANT}::{raw_key}".encode(), timestamp_ms))
    if decoded.fault is not None:
        raise decoded.fault
    assert decoded.body is not None
    return interpret(RULES, decoded.body, TENANT, decoded.ver, raw_key=decoded.key.raw)


def rule(body: dict[str, Any], raw_key: str = "") -> UpsertReferrer:
    (mutation,) = meant(body, raw_key)
    assert isinstance(mutation, UpsertReferrer)
    return mutation


def response(*rules: dict[str, Any], group: str = "shop.alerts", file: str = "a.yaml") -> dict[str, Any]:
    return {"status": "success", "data": {"groups": [{"name": group, "file": file, "interval": 30, "rules": [*rules]}]}}


def alerts(body: dict[str, Any]) -> list[UpsertReferrer]:
    return [one for one in meant(body) if isinstance(one, UpsertReferrer) and one.label == "Episodic"]


def test_an_alerting_rule_has_every_property_and_scopes_what_its_labels_name() -> None:
    found = rule(RULE, "any|key")
    assert found == UpsertReferrer(TENANT, found.ver, "Rule", "any|key", "deployment:shop:cart", PROPS, digest_of(PROPS))
    assert rule(RULE | {"duration": 60}).props == PROPS | {"duration_s": 60.0}


def test_a_recording_rule_raises_no_alert() -> None:
    found = rule({"op": "UPSERT", "at": AT, "group": "g", "rule": "job:up:sum", "type": "recording", "expr": "sum(up)", "duration": 1})
    assert (found.key, found.subject) == ("g|job:up:sum", "")
    assert found.props == {"group": "g", "name": "job:up:sum", "type": "recording", "expr": "sum(up)"}


def test_a_rule_ends_by_tombstone_or_by_delete() -> None:
    (by_key,) = meant({"op": "DELETE", "at": AT}, "k|1")
    assert by_key == DeleteReferrer(TENANT, by_key.ver, "Rule", "k|1")
    (by_name,) = meant({"op": "DELETE", "at": AT, "group": "g", "rule": "r"})
    assert by_name == DeleteReferrer(TENANT, by_name.ver, "Rule", "g|r")
    dead = decode_record(kafka_record(RULES, None, b"af-10::g|r"))
    assert dead.body is not None
    assert interpret(RULES, dead.body, TENANT, "v") == (DeleteReferrer(TENANT, "v", "Rule", "g|r"),)


def test_a_response_is_its_rules_then_the_alerts_that_fire() -> None:
    first, second, alert = meant(response(LISTED | {"name": "Quiet", "alerts": []}, LISTED), "a key that names no rule", AT_MS + 5)
    assert isinstance(first, UpsertReferrer)
    assert isinstance(second, UpsertReferrer)
    assert isinstance(alert, UpsertReferrer)
    assert (first.key, second.key, alert.label) == ("shop.alerts|Quiet", "shop.alerts|CartDown", "Episodic")
    assert second.props == PROPS | {"duration_s": 60.0}
    assert {t_of(one.ver) for one in (first, second, alert)} == {f"{(AT_MS + 5) * 1000:018d}"}
    props = {
        "etype": "prom.alert",
        "severity_raw": "critical",
        "severity": "FATAL",
        "reason": "CartDown",
        "message": "p of the cart is down",
        "event_time": datetime(2026, 3, 1, 7, 30, 0, 123457, UTC),
        "count": 1,
        "subject": "pod:shop:p",
        "state": "firing",
        "alert": "CartDown",
        "value": 1.0,
    }
    assert (alert.subject, alert.props) == ("pod:shop:p", props)


def test_an_alert_is_one_episode_from_pending_to_firing_and_another_when_it_comes_again() -> None:
    (firing,) = alerts(response(LISTED))
    assert alerts(response(LISTED | {"evaluationTime": 9, "lastEvaluation": SINCE})) == [firing]
    (later,) = alerts(response(LISTED | {"alerts": [ALERT | {"value": "7"}]}))
    assert (later.key, later.props["value"]) == (firing.key, 7.0)
    for odd in ("NaN", "+Inf", "seven", None, [1]):
        (found,) = alerts(response(LISTED | {"alerts": [ALERT | {"value": odd}]}))
        assert "value" not in found.props
    (pending,) = alerts(response(LISTED | {"alerts": [ALERT | {"state": "pending"}]}))
    assert (pending.key, pending.props["state"]) == (firing.key, "pending")
    others = [ALERT | {"activeAt": AT}, ALERT | {"labels": ALERT["labels"] | {"pod": "q"}}, ALERT | {"activeAt": None}]
    assert len({firing.key, *(one.key for one in alerts(response(LISTED | {"alerts": others})))}) == 4
    assert alerts(response(LISTED | {"alerts": [ALERT | {"state": "inactive"}]})) == []
    assert len(alerts(response(LISTED | {"alerts": [ALERT, ALERT]}))) == 1


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        *((word, "firing") for word in ("firing", "Alerting", "Alerting (NoData)", "alerting", "Recovering")),
        *((word, "pending") for word in ("pending", "Pending", "Pending (Error)")),
        *((word, None) for word in ("inactive", "Normal", "Normal (MissingSeries)", "NoData", "Error", "")),
    ],
)
def test_grafanas_words_for_the_states_of_an_alert_are_prometheus_own(state: str, kept: str | None) -> None:
    found = alerts(response(LISTED | {"alerts": [ALERT | {"state": state}]}))
    assert [one.props["state"] for one in found] == ([kept] if kept else [])
    (firing,) = alerts(response(LISTED))
    assert all(one.key == firing.key for one in found)


def test_a_rule_of_grafanas_or_thanos_may_leave_out_what_it_has_not() -> None:
    bare = {"name": "Bare", "type": "alerting", "alerts": [{"state": "Alerting", "labels": None, "activeAt": "0001-01-01T00:00:00Z"}]}
    (found,) = alerts(response(bare | {"labels": None, "annotations": None, "query": None, "duration": None}))
    assert found.props["event_time"] == datetime.fromtimestamp(AT_MS / 1000, UTC)
    assert meant({"status": "success", "data": {"groups": [{"name": "g", "file": "", "rules": None}]}}) == ()


@pytest.mark.parametrize("label", ["prometheus_replica", "replica", "__replica__", "thanos_ruler_replica"])
def test_a_pair_of_replicas_is_one_alert_and_one_rule(label: str) -> None:
    def of(replica: str, since: str) -> tuple[Mutation, ...]:
        alert = ALERT | {"labels": ALERT["labels"] | {label: replica}, "activeAt": since}
        return meant(response(LISTED | {"labels": LISTED["labels"] | {label: replica}, "alerts": [alert]}))

    one, other = of("prometheus-0", "2026-03-01T07:30:00.123Z"), of("prometheus-1", "2026-03-01T07:30:30.456Z")
    assert [at.key for at in one] == [at.key for at in other]  # type: ignore[union-attr]
    assert one[0] == other[0]
    (plain,) = alerts(response(LISTED))
    assert one[1].key == plain.key  # type: ignore[union-attr]


def test_an_alert_without_a_beginning_happened_when_its_record_says() -> None:
    (found,) = alerts(response(LISTED | {"alerts": [ALERT | {"activeAt": None, "annotations": None}]}))
    assert found.props["event_time"] == datetime.fromtimestamp(AT_MS / 1000, UTC)
    assert found.props["message"] == ""


def test_rules_of_one_name_are_told_apart_whatever_their_order() -> None:
    burn = [LISTED | {"query": f"burn > {n}", "alerts": []} for n in range(4)]
    forwards, backwards = meant(response(*burn, burn[0])), meant(response(*burn[::-1]))
    found = {one.key: one.props for one in forwards if isinstance(one, UpsertReferrer)}
    assert len(found) == len(forwards) == 4
    assert found == {one.key: one.props for one in backwards if isinstance(one, UpsertReferrer)}
    assert found["shop.alerts|CartDown"]["expr"] == "burn > 0"
    both = [response(LISTED | {"alerts": []}, file=file)["data"]["groups"][0] for file in ("a.yaml", "b.yaml")]
    assert len(meant({"status": "success", "data": {"groups": both}})) == 2


@pytest.mark.parametrize("groups", [[], None, [{"name": "g", "rules": []}], [{"name": "g", "rules": None}]])
def test_an_empty_response_means_nothing(groups: list[Any] | None) -> None:
    assert meant({"status": "success", "data": {"groups": groups}}) == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        *(({name: value for name, value in RULE.items() if name != gone}, Reason.MISSING_FIELD) for gone in ("op", "at", "group", "type")),
        ({"op": "DELETE", "at": AT}, Reason.MISSING_FIELD),
        (RULE | {"type": "alert"}, Reason.WRONG_TYPE),
        (RULE | {"expr": 1}, Reason.WRONG_TYPE),
        (RULE | {"duration": "5m"}, Reason.WRONG_TYPE),
        ({"status": "error", "error": "x"}, Reason.BAD_VALUE),
        ({"status": "success", "data": {"activeTargets": []}}, Reason.MISSING_FIELD),
        (response({"type": "recording", "query": "x"}), Reason.MISSING_FIELD),
        (response(LISTED | {"name": "x" * 1025}), Reason.LIMIT_EXCEEDED),
        *(
            (response(LISTED | {"alerts": [ALERT | {"activeAt": at}]}), Reason.BAD_TIME)
            for at in ("0002-01-01T00:00:00+14:00", "1999-12-31T23:59:59Z", "2026-03-02T08:00:00.001Z", "9999-12-31T23:59:59-14:00")
        ),
        (response(LISTED | {"alerts": [ALERT | {"activeAt": "now"}]}), Reason.WRONG_TYPE),
    ],
)
def test_what_is_no_rule_is_a_fault_with_its_reason(body: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(Fault) as raised:
        meant(body)
    assert raised.value.reason is reason


def test_an_event_of_an_alert_is_joined_by_its_reason_and_no_other_is() -> None:
    def props(**changes: object) -> dict[str, Any]:
        decoded = decode_record(kafka_record(EVENTS, json_of(EVENT, **changes)))
        assert decoded.body is not None
        (found,) = interpret(EVENTS, decoded.body, TENANT, decoded.ver)
        assert isinstance(found, UpsertReferrer)
        return found.props

    assert props(etype="prom.alert", reason="CartDown")["alert"] == "CartDown"
    assert "alert" not in props(etype="prom.alert", reason="")
    assert "alert" not in props(reason="CartDown")


def test_a_body_that_is_found_again_is_the_rule_of_its_own_key() -> None:
    contents, meanings = Contents(), InterpretationCache()
    found: list[Mutation] = []
    for raw, at in (("k1", AT), ("k2", "2026-03-01T07:59:00Z"), ("k1", "2026-03-01T07:58:00Z")):
        decoded = decode_record(kafka_record(RULES, json_of(RULE, at=at), f"af-10::{raw}".encode()), contents=contents)
        assert decoded.body is not None
        found += interpret(RULES, decoded.body, TENANT, decoded.ver, meanings, raw_key=decoded.key.raw)
    assert [one.key for one in found if isinstance(one, UpsertReferrer)] == ["k1", "k2", "k1"]
    assert len({one.ver for one in found}) == 3


def test_a_response_with_a_label_called_at_is_never_found_again_as_another() -> None:
    contents = Contents()
    found = []
    for at in (AT, "2026-03-01T07:59:00Z"):
        value = json_of(response(LISTED | {"labels": {"at": at}, "alerts": []}))
        decoded = decode_record(kafka_record(RULES, value), contents=contents)
        assert isinstance(decoded.body, RuleList)
        assert t_of(decoded.ver) == f"{AT_MS * 1000:018d}"
        found.append(decoded.body.groups[0].rules[0].labels)  # type: ignore[index]
    assert found == [{"at": AT}, {"at": "2026-03-01T07:59:00Z"}]
