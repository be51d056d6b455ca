"""Scrape targets and rules on the real graph: their relationships in any order, their end, their tenants."""

from random import Random
from typing import Any

import pytest

from scripts.sampling.record import EVENTS, RESOURCES, RULES, TARGETS, SampleRecord, json_bytes
from tests.support.in_memory import expected_digests
from tests.support.real_data import FOLDER, objects, record, response, response_record
from tests.system.world import World

BEGIN_MS = 1_772_352_000_000
AT = "2026-03-01T08:00:00Z"
POD = {"op": "UPSERT", "at": AT, "kind": "Pod", "namespace": "shop", "name": "cart-1"}
DEPLOYMENT = {"op": "UPSERT", "at": AT, "apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "cart"}
TARGET = {"op": "UPSERT", "at": AT, "labels": {"job": "cart", "instance": "i", "namespace": "shop", "pod": "cart-1"}, "health": "up"}
RULE: dict[str, Any] = {"op": "UPSERT", "at": AT, "group": "g", "rule": "CartDown", "type": "alerting", "expr": "up == 0"}
RULE |= {"labels": {"namespace": "shop", "deployment": "cart"}}
ALERT: dict[str, Any] = {"event_id": "a1", "event_time": AT, "etype": "prom.alert", "severity": "critical", "reason": "CartDown"}
ALERT |= {"subject": {"kind": "Pod", "ns": "shop", "name": "cart-1"}}
RELATIONSHIPS = "MATCH (a {client_id: $client_id})-[r]->(b) RETURN type(r) AS type, coalesce(a.tid, a.rkey, a.eid) AS a, b.rid AS b"
STANDING: set[tuple[str, str, str | None]] = {
    ("SCRAPES", "cart|i", "pod:shop:cart-1"),
    ("SCOPES", "g|CartDown", "deployment:shop:cart"),
    ("ABOUT", "a1", "pod:shop:cart-1"),
    ("EMITS", "g|CartDown", None),
}
RESPONSES = ["openshift-aws", "openshift-azure"]


def said(topic: str, raw: str, body: dict[str, Any] | None, client_id: str = "af-10", after_s: float = 0) -> SampleRecord:
    key = f"{client_id}::{raw}".encode()
    return SampleRecord(topic, key, None if body is None else json_bytes(body), BEGIN_MS + int(after_s * 1000))


def story(client_id: str = "af-10") -> list[SampleRecord]:
    """A target, a rule, an alert of the rule, and the objects that they are about."""
    return [
        said(RESOURCES, "pod:shop:cart-1", POD, client_id),
        said(RESOURCES, "deployment:shop:cart", DEPLOYMENT, client_id),
        said(TARGETS, "cart|i", TARGET, client_id),
        said(RULES, "g|CartDown", RULE, client_id),
        said(EVENTS, "any", ALERT, client_id),
    ]


def relationships(world: World, client_id: str = "af-10") -> set[tuple[str, str, str | None]]:
    return {(row["type"], row["a"], row["b"]) for row in world.cypher(RELATIONSHIPS, client_id=client_id)}


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 4, 0, 2, 1]])
def test_relationships_stand_whichever_record_comes_first(world: World, order: list[int]) -> None:
    for at in order:
        world.produce([story()[at]])
        report = world.run_job("--kafka_reader=bounded")
        assert (report["read"], report["written"]) == (1, 1)

    assert relationships(world) == STANDING
    assert world.cypher("MATCH (n:Resource) RETURN count(n) AS nodes, sum(CASE WHEN n.stub THEN 1 ELSE 0 END) AS stubs") == [
        {"nodes": 2, "stubs": 0}
    ]


def test_a_tombstone_takes_them_away_and_a_resync_is_unchanged(world: World) -> None:
    world.produce(story())
    world.run_job("--kafka_reader=bounded")
    before = world.digests()

    later = TARGET | {"at": "2026-03-01T08:00:30Z", "lastScrape": "2026-03-01T08:00:29Z"}
    world.produce([said(TARGETS, "cart|i", later, after_s=30), said(RULES, "g|CartDown", RULE | {"at": later["at"]}, after_s=30)])
    resync = world.run_job("--kafka_reader=bounded")
    assert (resync["unchanged"], resync["written"], world.digests()) == (2, 0, before)

    world.produce([said(TARGETS, "cart|i", None, after_s=60), said(RULES, "g|CartDown", None, after_s=60)])
    assert world.run_job("--kafka_reader=bounded")["written"] == 2
    assert relationships(world) == {("ABOUT", "a1", "pod:shop:cart-1")}
    assert world.cypher("MATCH (n:PromTarget|Rule) RETURN count(n) AS left") == [{"left": 0}]

    world.produce([said(TARGETS, "cart|i", TARGET), said(RULES, "g|CartDown", RULE)])
    late = world.run_job("--kafka_reader=bounded")
    assert (late["superseded"], relationships(world)) == (2, {("ABOUT", "a1", "pod:shop:cart-1")})


def test_two_tenants_with_the_same_targets_and_rules_stay_apart(world: World) -> None:
    world.produce([*story("af-10"), *story("af-11"), said(RULES, "g|CartDown", None, "af-11", after_s=5)])

    world.run_job("--kafka_reader=bounded")

    assert relationships(world) == STANDING
    assert relationships(world, "af-11") == {one for one in STANDING if "g|CartDown" not in one}
    assert world.cypher("MATCH (a)-[r]->(b) WHERE a.client_id <> b.client_id OR r.client_id <> a.client_id RETURN a") == []


def test_whole_responses_give_one_graph_shuffled_and_doubled_with_one_outcome_each(world: World) -> None:
    stream = [
        *story(),
        said(TARGETS, "cart|i", None, after_s=9),
        said(TARGETS, "empty", {"status": "success", "data": {"activeTargets": []}}),
    ]
    stream += [said(TARGETS, "p", listing(number), after_s=number) for number in range(4)]
    stream += [said(RULES, "p", rules(number), after_s=number) for number in range(4)]
    world.produce(stream)
    report = world.run_job("--kafka_reader=bounded")
    assert (report["read"], report["rejected"]) == (len(stream), 0)
    expected = world.digests()
    assert expected == expected_digests(stream)

    world.clear()
    shuffled = stream * 2
    Random(3).shuffle(shuffled)
    world.produce(shuffled)
    again = world.run_job("--kafka_reader=bounded", "--slice_bytes=65536", "--batch_rows=7")
    assert again["read"] == sum(again[name] for name in ("written", "unchanged", "superseded")) == len(shuffled)
    assert world.digests() == expected


def listing(number: int) -> dict[str, Any]:
    """A response of 40 targets, of which each time others are down."""
    labels = [{"job": "web", "instance": f"i{at}", "namespace": "shop", "pod": f"web-{at}"} for at in range(40)]
    targets = [{"labels": each, "health": "down" if at % 4 == number else "up"} for at, each in enumerate(labels)]
    return {"status": "success", "data": {"activeTargets": targets}}


def rules(number: int) -> dict[str, Any]:
    """A response of 20 rules, two of each name, of which each time others fire."""
    found = []
    for at in range(20):
        alert = {"labels": {"namespace": "shop", "pod": f"web-{at}"}, "state": "firing", "activeAt": AT}
        rule = {"name": f"Alert{at // 2}", "type": "alerting", "query": f"up > {at}", "labels": {"namespace": "shop"}}
        found.append(rule | {"alerts": [alert] if at % 4 == number else []})
    return {"status": "success", "data": {"groups": [{"name": "g", "file": "f", "rules": found}]}}


@pytest.mark.skipif(not (FOLDER / RESPONSES[0]).is_dir(), reason=f"the real dumps are not in {FOLDER}")
def test_the_rules_of_two_real_clusters_are_in_the_graph_with_what_they_raise(world: World) -> None:
    bodies = {client_id: response(f"{client_id}/prometheus-api-v1-rules.json.gz") for client_id in RESPONSES}
    pods = [record(client_id, item) for client_id in RESPONSES for item in objects(client_id) if item["kind"] == "Pod"]
    said = [response_record(client_id, RULES, body) for client_id, body in bodies.items()]
    world.produce([*pods, *said])
    report = world.run_job("--kafka_reader=bounded", "--batch_rows=100")
    assert (report["rejected"], report["read"], report["written"]) == (0, len(pods) + 2, len(pods) + 2)

    for client_id, body in bodies.items():
        listed = [rule for group in body["data"]["groups"] for rule in group["rules"]]
        active = [alert for rule in listed for alert in rule["alerts"]]
        counts = world.cypher(
            "MATCH (r:Rule {client_id: $client_id}) WITH count(r) AS rules "
            "MATCH (:Rule {client_id: $client_id})-[:EMITS]->(e:Episodic {client_id: $client_id}) "
            "RETURN rules, count(DISTINCT e) AS raised",
            client_id=client_id,
        )
        assert counts == [{"rules": len(listed), "raised": len(active)}]
    named = [alert["labels"] for rule in listed for alert in rule["alerts"] if "pod" in alert["labels"]]
    about = world.cypher("MATCH (e:Episodic)-[:ABOUT]->(p:Pod) WHERE p.stub IS NULL RETURN p.client_id AS c, p.ns AS ns, p.name AS pod")
    assert about == [{"c": "openshift-azure", "ns": one["namespace"], "pod": one["pod"]} for one in named]

    before = world.digests()
    world.produce([one._replace(timestamp_ms=one.timestamp_ms + 30_000) for one in said])
    assert world.run_job("--kafka_reader=bounded")["unchanged"] == 2
    assert world.digests() == before
