"""What an explanation says beyond the object itself: what changed before, and who suffers behind those who say nothing."""

from typing import Any

import pytest

from tests.support.broken_cluster import Bus, analysis_of, at, killed, node, pod, workload
from transforms.planning.causes.explain import changed, text_of
from transforms.planning.causes.graph_rows import incident_rows

CONFIG: dict[str, Any] = {"envFrom": [{"configMapRef": {"name": "settings"}}]}


def thing(kind: str, name: str, when: float, **more: Any) -> dict[str, Any]:
    """An object that was made long ago and last changed at the minute; its status a minute later."""
    managed = [{"manager": "a", "time": at(when), "fieldsV1": {}}, {"manager": "b", "time": at(when + 1), "subresource": "status"}]
    meta = {"name": name, "namespace": "shop", "uid": f"u-{name}", "creationTimestamp": at(-600), "managedFields": managed}
    return {"apiVersion": more.pop("api", "v1"), "kind": kind, "metadata": meta, **more}


def broken(*objects: dict[str, Any]) -> Bus:
    bus = Bus().say(0, node("n1"), *workload("cart", **CONFIG), pod("cart", **CONFIG), *objects)
    return bus.say(11, *workload("cart", ready=0, **CONFIG)[:2], pod("cart", ready=False, since=10, state=killed(10), **CONFIG))


@pytest.mark.parametrize(
    ("changed_thing", "said"),
    [
        (thing("ConfigMap", "settings", 8), "ConfigMap/settings was changed, 2 min before (state.k8s.resource[0]@5)"),
        (thing("NetworkPolicy", "deny", 9, api="networking.k8s.io/v1", spec={}), "NetworkPolicy/deny was changed, 60 s before"),
        (thing("ResourceQuota", "quota", 9, spec={"hard": {"pods": "9"}}), "ResourceQuota/quota was changed, 60 s before"),
    ],
)
def test_what_changed_before_is_named_with_its_record(changed_thing: dict[str, Any], said: str) -> None:
    analysis = analysis_of(broken(changed_thing).records)
    (incident,) = analysis.incidents
    assert [one[: len(said)] for one in changed(analysis.world, incident)] == [said]
    assert f"Changed before: {said}" in text_of(analysis, incident)


@pytest.mark.parametrize(
    "other",
    [
        thing("ConfigMap", "unused", 8),
        thing("ConfigMap", "settings", -40),
        thing("Secret", "unused", 9),
        thing("ConfigMap", "settings", 14),
    ],
)
def test_what_changed_elsewhere_long_before_or_afterwards_is_not_named(other: dict[str, Any]) -> None:
    analysis = analysis_of(broken(other).records)
    assert changed(analysis.world, analysis.incidents[0]) == []


def calling(callee: str) -> dict[str, Any]:
    return {"env": [{"name": f"{callee.upper()}_ADDR", "value": f"{callee}:80"}]}


def test_a_cause_explains_who_suffers_behind_one_that_says_nothing() -> None:
    bus = Bus().say(0, node("n1"), *workload("cart"), pod("cart"), *workload("shop", **calling("cart")), pod("shop", **calling("cart")))
    bus.say(0, *workload("web", **calling("shop")), pod("web", **calling("shop")))
    bus.say(11, *workload("cart", ready=0)[:2], pod("cart", ready=False, since=10, state=killed(10)))
    bus.say(13, *workload("web", ready=0, **calling("shop"))[:2], pod("web", ready=False, since=10.5, **calling("shop")))
    analysis = analysis_of(bus.records)
    (incident,) = analysis.incidents
    assert [one.rid for one in incident.members] == ["deployment:shop:cart", "deployment:shop:web"]
    edges = [one for one in analysis.effects if one.effect == "deployment:shop:web"]
    assert [(one.cause, one.via) for one in edges] == [("deployment:shop:cart", ("deployment:shop:shop",))]
    (row,) = incident_rows(analysis)
    assert ("deployment:shop:shop", "affected") not in row.affects
