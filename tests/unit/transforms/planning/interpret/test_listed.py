"""Answers of Prometheus, cut into records: together they mean what the answer means, and nothing changes while nothing happens."""

import random
from typing import Any

import msgspec
import pytest

from scripts.sampling.record import json_bytes
from transforms.planning.interpret.listed import rule_records, target_records
from transforms.planning.interpret.rule import listed_rules
from transforms.planning.interpret.target import listed_targets, target_tombstone
from transforms.records.envelopes.prometheus import parse_rule, parse_target
from transforms.records.record import make_ver
from transforms.records.rejects import Fault

VER = make_ver(1_767_312_000_000_000, "state.prom.rules", 0, 0)


def target(job: str, instance: str, path: str = "/metrics", **more: Any) -> dict[str, Any]:
    labels = {"job": job, "instance": instance, "namespace": "shop", "pod": f"{job}-1"}
    return {
        "labels": labels,
        "discoveredLabels": {"__address__": instance, "__meta_kubernetes_pod_name": f"{job}-1", "__meta_secret": "x"},
        "scrapeUrl": f"http://{instance}{path}",
        "health": "up",
        "lastError": "",
        "lastScrape": "2026-01-01T00:00:00Z",
        **more,
    }


def answer(*targets: dict[str, Any]) -> bytes:
    return json_bytes({"status": "success", "data": {"activeTargets": list(targets), "droppedTargets": []}})


def test_the_records_of_targets_mean_what_the_answer_means() -> None:
    whole = answer(target("web", "a:1"), target("kubelet", "n:1"), target("kubelet", "n:1", "/probes"))
    records = target_records(whole)
    assert set(records) == {"web|a:1", "kubelet|n:1"}
    mutations = [one for value in records.values() for one in listed_targets("af-10", VER, parse_target(value), "")]  # type: ignore[arg-type]
    assert sorted(mutations, key=str) == sorted(listed_targets("af-10", VER, parse_target(whole), ""), key=str)  # type: ignore[arg-type]
    (gone,) = target_tombstone("af-10", VER, "web|a:1")
    assert gone.aspect in {one.aspect for one in mutations}


def test_a_later_scrape_and_another_order_change_no_record() -> None:
    targets = [target("web", f"a:{n}") for n in range(20)]
    first = target_records(answer(*targets))
    later = [{**one, "lastScrape": "2026-01-01T00:01:00Z", "lastScrapeDuration": 3.5} for one in targets]
    random.Random(3).shuffle(later)
    assert target_records(answer(*later)) == first
    assert target_records(answer(*targets, target("web", "b:1"))) != first


def test_rules_likewise_with_their_alerts() -> None:
    alert = {
        "state": "firing",
        "labels": {"alertname": "Down", "pod": "web-1", "namespace": "shop"},
        "activeAt": "2026-01-01T00:00:00Z",
        "value": "1",
    }
    rule = {
        "name": "Down",
        "type": "alerting",
        "query": "up == 0",
        "duration": 60,
        "alerts": [alert],
        "evaluationTime": 0.1,
        "lastEvaluation": "x",
    }
    groups = [{"name": "g", "file": "f", "rules": [rule, {"name": "r:x", "type": "recording", "query": "1"}], "interval": 30}]
    whole = json_bytes({"status": "success", "data": {"groups": groups}})
    records = rule_records(whole)
    assert len(records) == 2
    mutations = [one for value in records.values() for one in listed_rules("af-10", VER, parse_rule(value), "")]  # type: ignore[arg-type]
    assert sorted(mutations, key=str) == sorted(listed_rules("af-10", VER, parse_rule(whole), ""), key=str)  # type: ignore[arg-type]


def test_a_login_in_a_url_is_not_written() -> None:
    (value,) = target_records(answer(target("web", "a:1", scrapeUrl="http://user:hunter2@a:1/metrics"))).values()
    assert b"hunter2" not in value
    assert "__meta_secret" not in msgspec.json.decode(value)["data"]["activeTargets"][0]["discoveredLabels"]


@pytest.mark.parametrize("broken", [b"{}", b"[]", b'{"status":"error","data":{"activeTargets":[]}}'])
def test_what_is_no_answer_is_a_fault(broken: bytes) -> None:
    with pytest.raises((Fault, msgspec.DecodeError)):
        target_records(broken)
