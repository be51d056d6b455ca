"""What a record about scrape targets means, from our envelope and from Prometheus's own response."""

from typing import Any

import pytest

from tests.support.wire import AT_MS, TARGET, TARGETS, TENANT, json_of, kafka_record
from transforms.planning.facts.mutations import DeleteReferrer, Mutation, UpsertReferrer
from transforms.planning.facts.values import digest_of
from transforms.planning.interpret.dispatch import interpret
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import TargetList
from transforms.records.record import t_of
from transforms.records.rejects import Fault, Reason

LABELS: dict[str, str] = TARGET["labels"]
LISTED = {name: TARGET[name] for name in ("labels", "scrapeUrl", "health", "lastError", "lastScrape")}


def meant(body: dict[str, Any], raw_key: str = "", timestamp_ms: int = AT_MS) -> tuple[Mutation, ...]:
    decoded = decode_record(kafka_record(TARGETS, json_of(body), f"{TENANT}::{raw_key}".encode(), timestamp_ms))
    if decoded.fault is not None:
        raise decoded.fault
    assert decoded.body is not None
    return interpret(TARGETS, decoded.body, TENANT, decoded.ver, raw_key=decoded.key.raw)


def target(body: dict[str, Any], raw_key: str = "") -> UpsertReferrer:
    (mutation,) = meant(body, raw_key)
    assert isinstance(mutation, UpsertReferrer)
    return mutation


def response(*targets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"activeTargets": [*targets], "droppedTargets": [{"discoveredLabels": {}}]}} | more


def relabelled(**labels: str) -> dict[str, Any]:
    return LISTED | {"labels": LABELS | labels}


def reason_of(body: dict[str, Any], raw_key: str = "") -> Reason:
    with pytest.raises(Fault) as raised:
        meant(body, raw_key)
    return raised.value.reason


def test_a_target_has_every_property_and_scrapes_its_pod() -> None:
    props = {
        "job": "cart",
        "instance": "10.0.0.1:9102",
        "ns": "shop",
        "health": "down",
        "scrape_url": "http://10.0.0.1:9102/metrics",
        "last_error": "context deadline exceeded",
        "labels": ["instance=10.0.0.1:9102", "job=cart", "namespace=shop", "pod=p"],
        "subject": "pod:shop:p",
    }
    body = TARGET | {"health": "down", "lastError": "context deadline exceeded"}
    found = target(body, "cart|10.0.0.1:9102")
    assert found == UpsertReferrer(TENANT, found.ver, "PromTarget", "cart|10.0.0.1:9102", "pod:shop:p", props, digest_of(props))


def test_what_is_absent_or_empty_leaves_no_property_and_no_relationship() -> None:
    found = target({"op": "UPSERT", "at": TARGET["at"], "labels": {}, "lastError": "", "health": None}, "k")
    assert (found.key, found.subject, found.props) == ("k", "", {})


def test_a_target_is_called_by_its_key_and_only_without_one_by_job_and_instance() -> None:
    assert target(TARGET, "any|key|at all").key == "any|key|at all"
    assert target(TARGET).key == "cart|10.0.0.1:9102"
    assert target(TARGET | {"labels": {"instance": "i"}}).key == "|i"


def test_being_scraped_again_is_no_change() -> None:
    later = TARGET | {"at": "2026-03-01T07:59:00Z", "lastScrape": "2026-03-01T07:59:00Z", "lastScrapeDuration": 7}
    assert target(later).digest == target(TARGET).digest
    assert target(TARGET | {"health": "down"}).digest != target(TARGET).digest


def test_prometheus_own_labels_are_read_and_not_kept() -> None:
    body = TARGET | {"labels": {"job": "j", "instance": "i", "__meta_kubernetes_namespace": "shop", "__meta_kubernetes_pod_name": "p"}}
    found = target(body)
    assert (found.subject, found.props["labels"]) == ("pod:shop:p", ["instance=i", "job=j"])


def test_logins_and_secret_parameters_do_not_reach_the_graph() -> None:
    url = "http://me:hunter2@h:1/probe?module=x&api_key=hunter2&target=http%3A%2F%2Fme%3Ahunter2%40shop%2F&n=1"
    body = {"labels": {"job": "j", "instance": "http://me:hunter2@h"}, "scrapeUrl": url, "lastError": f'Get "{url}": refused'}
    for found in (target(TARGET | body), target(response(body))):
        assert "hunter2" not in str(found)
        assert found.key == "j|http://me:REDACTED@h"
        assert (
            found.props["scrape_url"]
            == "http://me:REDACTED@h:1/probe?module=x&api_key=REDACTED&target=http%3A%2F%2Fme%3AREDACTED%40shop%2F&n=1"
        )
        assert found.props["last_error"].endswith('n=1": refused')


def test_a_target_ends_by_tombstone_or_by_delete() -> None:
    (by_delete,) = meant(TARGET | {"op": "DELETE"}, "k|1")
    assert by_delete == DeleteReferrer(TENANT, by_delete.ver, "PromTarget", "k|1")
    (by_name,) = meant(TARGET | {"op": "DELETE"})
    assert by_name == DeleteReferrer(TENANT, by_name.ver, "PromTarget", "cart|10.0.0.1:9102")
    (bare,) = meant({"op": "DELETE", "at": TARGET["at"]}, "k|1")
    assert bare == by_delete
    dead = decode_record(kafka_record(TARGETS, None, b"af-10::cart|10.0.0.1:9102"))
    assert dead.body is not None
    assert interpret(TARGETS, dead.body, TENANT, "v") == (DeleteReferrer(TENANT, "v", "PromTarget", "cart|10.0.0.1:9102"),)


def test_a_response_is_all_its_targets_in_their_order_at_the_records_time() -> None:
    discovered = {"job": "pool", "pod": "no", "__meta_kubernetes_namespace": "shop", "__meta_kubernetes_service_name": "web"}
    other = {"labels": {"job": "web", "instance": "w:1"}, "discoveredLabels": discovered, "health": "up"}
    found = meant(response(other, LISTED), "whatever the record is called", AT_MS + 5)
    assert [(one.key, one.subject) for one in found if isinstance(one, UpsertReferrer)] == [
        ("web|w:1", "service:shop:web"),
        ("cart|10.0.0.1:9102", "pod:shop:p"),
    ]
    assert {t_of(one.ver) for one in found} == {f"{(AT_MS + 5) * 1000:018d}"}
    assert (found[1].digest, found[1].props) == (target(TARGET).digest, target(TARGET).props)  # type: ignore[union-attr]


def test_targets_of_one_name_are_told_apart_whatever_their_order() -> None:
    paths = [relabelled(metrics_path=path) | {"scrapeUrl": f"https://n1:10250{path}"} for path in ("/metrics", "/metrics/cadvisor")]
    twice = [relabelled(service=name) for name in "ab"]
    listed = [*paths, *twice, paths[0]]
    found = {one.key: one.props for one in meant(response(*listed)) if isinstance(one, UpsertReferrer)}
    assert len(found) == 4
    assert found == {one.key: one.props for one in meant(response(*listed[::-1])) if isinstance(one, UpsertReferrer)}
    assert all(key.startswith("cart|10.0.0.1:9102") for key in found)
    alone = [one.key for one in meant(response(*paths)) if isinstance(one, UpsertReferrer)]
    assert alone[0] == "cart|10.0.0.1:9102", "the plain path bears the plain name"
    assert alone[1].startswith("cart|10.0.0.1:9102|")


@pytest.mark.parametrize("targets", [[], None])
def test_an_empty_response_means_nothing(targets: list[Any] | None) -> None:
    body = response() | {"data": {"activeTargets": targets}}
    decoded = decode_record(kafka_record(TARGETS, json_of(body)))
    assert decoded.body == TargetList([])
    assert meant(body) == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({name: value for name, value in TARGET.items() if name != "labels"}, Reason.MISSING_FIELD),
        (TARGET | {"labels": {"x": "y"}}, Reason.MISSING_FIELD),
        ({"op": "DELETE", "at": TARGET["at"]}, Reason.MISSING_FIELD),
        (TARGET | {"op": "PATCH", "status": "success", "data": {"activeTargets": []}}, Reason.WRONG_TYPE),
        (TARGET | {"labels": {"job": 1}}, Reason.WRONG_TYPE),
        (TARGET | {"health": True}, Reason.WRONG_TYPE),
        (TARGET | {"at": "now"}, Reason.WRONG_TYPE),
        ({}, Reason.MISSING_FIELD),
        ({"data": {"activeTargets": []}}, Reason.MISSING_FIELD),
        (response(status="error"), Reason.BAD_VALUE),
        (response(status=7), Reason.WRONG_TYPE),
        ({"status": "success"}, Reason.MISSING_FIELD),
        ({"status": "success", "data": {"groups": []}}, Reason.MISSING_FIELD),
        (response(LISTED, {"labels": {}}), Reason.MISSING_FIELD),
        (response(LISTED, {"health": "up"}), Reason.MISSING_FIELD),
        (response(LISTED | {"health": 1}), Reason.WRONG_TYPE),
        (response(relabelled(instance="x" * 1024)), Reason.LIMIT_EXCEEDED),
    ],
)
def test_what_is_no_target_is_a_fault_with_its_reason(body: dict[str, Any], reason: Reason) -> None:
    assert reason_of(body) is reason


def test_a_target_without_labels_is_a_fault_even_where_its_key_names_it() -> None:
    assert reason_of({name: value for name, value in TARGET.items() if name != "labels"}, "k") is Reason.MISSING_FIELD
