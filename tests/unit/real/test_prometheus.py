"""Real responses of Prometheus, against counts taken from the files without any of the project's code."""

import json
from collections import Counter

import pytest

from scripts.sampling.record import RULES, TARGETS
from tests.support.in_memory import played
from tests.support.real_data import FOLDER, Item, objects, record, response, response_record
from transforms.testing.memory_graph import MemoryTenant

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the real dumps are not in {FOLDER}")

CLUSTERS = ("openshift-aws", "openshift-azure")
MONGODB, DEMO_SITE = "prometheus-targets/mongodb-operator-targets.json", "prometheus-targets/demo-site-targets.json"


def rules_of(cluster: str) -> Item:
    return response(f"{cluster}/prometheus-api-v1-rules.json.gz")


def held(tenant: MemoryTenant, label: str) -> dict[str, Item]:
    return {at.key: props for at, props in tenant.referrers_held.items() if at.label == label}


def about(tenant: MemoryTenant, label: str) -> dict[str, str]:
    return {at.key: rid for at, rid in tenant.references.items() if at.label == label}


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_every_rule_is_a_node_and_every_active_alert_an_episode_of_its_rules(cluster: str) -> None:
    body = rules_of(cluster)
    listed = [(group["name"], rule) for group in body["data"]["groups"] for rule in group["rules"]]
    active = [(rule["name"], alert) for _, rule in listed for alert in rule["alerts"]]
    assert len(body["data"]["groups"]) == 66
    assert len(active) >= 2

    store, rejects = played([response_record("c", RULES, body)])

    tenant = store.tenants["c"]
    rules, episodes = held(tenant, "Rule"), held(tenant, "Episodic")
    assert rejects == []
    assert len(rules) == len(listed) > 170
    assert Counter((one["group"], one["name"], one["expr"]) for one in rules.values()) == Counter(
        (group, rule["name"], rule["query"]) for group, rule in listed
    )
    assert Counter(one["severity_raw"] for one in rules.values()) == Counter(rule["labels"]["severity"] for _, rule in listed)
    shown = Counter((one["reason"], one["state"], one["message"] != "") for one in episodes.values())
    assert shown == Counter((name, alert["state"], True) for name, alert in active)
    raised = Counter((rules[rule]["name"], episodes[episode]["reason"]) for rule, episode in tenant.emits)
    expected = Counter((rule["name"], name) for _, rule in listed for name, _ in active if rule["name"] == name)
    assert raised == expected


def test_a_pending_alert_is_about_the_pod_that_its_labels_name() -> None:
    ((name, alert),) = [
        (rule["name"], alert)
        for group in rules_of("openshift-azure")["data"]["groups"]
        for rule in group["rules"]
        for alert in rule["alerts"]
        if alert["state"] == "pending"
    ]
    labels = alert["labels"]
    pods = [item for item in objects("openshift-azure") if item["kind"] == "Pod"]
    assert [one for one in pods if (one["metadata"]["namespace"], one["metadata"]["name"]) == (labels["namespace"], labels["pod"])]

    stream = [response_record("c", RULES, rules_of("openshift-azure")), *(record("c", item) for item in pods)]
    store, _ = played(stream)

    tenant = store.tenants["c"]
    (episode,) = [key for key, props in held(tenant, "Episodic").items() if props["state"] == "pending"]
    rid = f"pod:{labels['namespace']}:{labels['pod']}"
    assert about(tenant, "Episodic") == {episode: rid}
    assert "stub" not in tenant.resources[rid]
    assert about(tenant, "Rule") == {}, "a templated namespace names nothing"
    assert [held(tenant, "Rule")[rule]["name"] for rule, of in tenant.emits if of == episode] == [name]


def test_targets_with_pods_join_them_and_targets_outside_of_a_cluster_join_nothing() -> None:
    mongodb, demo_site = response(MONGODB), response(DEMO_SITE)
    pods = {(one["labels"]["namespace"], one["labels"]["pod"]) for one in mongodb["data"]["activeTargets"]}

    store, rejects = played([response_record("mongo", TARGETS, mongodb), response_record("demo", TARGETS, demo_site)])

    assert rejects == []
    scraped = about(store.tenants["mongo"], "PromTarget")
    assert len(held(store.tenants["mongo"], "PromTarget")) == len(mongodb["data"]["activeTargets"]) == 3
    assert set(scraped.values()) == {f"pod:{namespace}:{pod}" for namespace, pod in pods}
    assert len(pods) == 3
    demo = store.tenants["demo"]
    assert len(held(demo, "PromTarget")) == len(demo_site["data"]["activeTargets"]) == 10
    assert (about(demo, "PromTarget"), demo.resources) == ({}, {})


def test_the_same_target_is_known_by_its_own_labels_where_relabelling_left_none() -> None:
    body = response(MONGODB)
    for one in body["data"]["activeTargets"]:
        one["labels"] = {name: value for name, value in one["labels"].items() if name in ("job", "instance")}

    store, _ = played([response_record("c", TARGETS, body)])

    expected = {f"pod:mongodb:{one['discoveredLabels']['__meta_kubernetes_pod_name']}" for one in body["data"]["activeTargets"]}
    assert set(about(store.tenants["c"], "PromTarget").values()) == expected
    assert "__meta" not in json.dumps([props["labels"] for props in held(store.tenants["c"], "PromTarget").values()])
