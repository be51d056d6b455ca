"""Whole real clusters, against counts taken from the dumps without any of the project's code."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from scripts.sampling.record import SampleRecord
from tests.support.in_memory import expected_digests, played
from tests.support.real_data import DUMPS, FOLDER, Item, events, kspan, objects, record
from tests.support.real_specs import by_type, references
from transforms.model.graph import CALLS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the real dumps are not in {FOLDER}"),
]

# What the dumps' owners are, as Kubernetes has them; the test does not ask the project's model.
CLUSTER_SCOPED = {"Node", "Namespace"}
OWN_GROUPS = {"", "apps", "batch", "extensions", "autoscaling", "policy", "networking.k8s.io", "rbac.authorization.k8s.io"}
OWN_GROUPS |= {"storage.k8s.io"}
OWN_GROUPS |= {"discovery.k8s.io", "coordination.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "admissionregistration.k8s.io"}
Triple = tuple[str, str, str]


def identity(kind: str, namespace: str, name: str, api_version: str = "v1") -> str:
    group = api_version.rpartition("/")[0]
    return f"{kind if group in OWN_GROUPS else f'{kind}.{group}'}:{namespace}:{name}"


def expected_topology(found: list[Item]) -> set[Triple]:
    """The relationships that the objects of a dump describe: by owner, node, selector, and by what specs refer to."""
    by_uid = {item["metadata"]["uid"]: item for item in found if item["metadata"].get("uid")}
    triples: set[Triple] = set()
    for item in found:
        metadata, spec = item["metadata"], item.get("spec") or {}
        namespace = metadata.get("namespace", "")
        me = identity(item["kind"], namespace, metadata["name"], item["apiVersion"])
        for owner in metadata.get("ownerReferences") or []:
            there = by_uid.get(owner["uid"])
            scope = "" if owner["kind"] in CLUSTER_SCOPED else namespace
            if there is not None:
                scope = there["metadata"].get("namespace", "")
            triples.add(("CONTROLS", identity(owner["kind"], scope, owner["name"], owner["apiVersion"]), me))
        if item["kind"] == "Pod" and spec.get("nodeName"):
            triples.add(("RUNS_ON", me, identity("Node", "", spec["nodeName"])))
        if item["kind"] == "Service" and spec.get("selector"):
            wanted = spec["selector"].items()
            triples |= {("SELECTS", me, identity("Pod", namespace, pod)) for pod in pods_with(found, namespace, wanted)}
        triples |= references(item)
    return triples


def pods_with(found: list[Item], namespace: str, wanted: Any) -> list[str]:
    pods = (item["metadata"] for item in found if item["kind"] == "Pod" and item["metadata"].get("namespace", "") == namespace)
    return [metadata["name"] for metadata in pods if wanted <= (metadata.get("labels") or {}).items()]


@pytest.mark.parametrize("dump", DUMPS)
def test_objects_and_their_relationships_are_what_the_dump_says(dump: str) -> None:
    found = objects(dump)
    expected = expected_topology(found)

    store, rejects = played([record("c", item) for item in found])

    graph = store.tenants["c"]
    assert rejects == []
    live = {rid for rid, node in graph.resources.items() if "stub" not in node}
    assert len(live) == len(found) > 0
    # What environments call has tests of its own; it is found in values, which the reading here does not look at.
    shown = {(one.type, one.source, one.target) for one in graph.triples() if one.type != CALLS.type}
    assert {(type_, source.lower(), target.lower()) for type_, source, target in expected} == shown
    assert by_type(shown) == by_type(expected)


@pytest.mark.parametrize("dump", ["openshift-aws", "openshift-azure", "k3s-support-bundle"])
def test_the_dumps_say_something_of_each_type_that_is_compared(dump: str) -> None:
    assert by_type(expected_topology(objects(dump))).keys() == {"RUNS_ON", "SELECTS", "CONTROLS", "MOUNTS", "USES", "ROUTES"}


def test_config_maps_keep_the_names_of_their_keys_and_nothing_of_their_values() -> None:
    found = [item for item in objects("k3s-support-bundle") if item["kind"] == "ConfigMap"]
    marked = [{**item, "data": dict.fromkeys(item["data"], "MARKED-VALUE")} for item in found if item.get("data")]

    store, rejects = played([record("c", item) for item in marked])

    graph = store.tenants["c"]
    assert rejects == []
    assert {props["name"]: props["keys"] for props in graph.resources.values() if "ns" in props and props["ns"] == "kube-system"} == {
        item["metadata"]["name"]: sorted(item["data"]) for item in marked if item["metadata"]["namespace"] == "kube-system"
    }
    assert "MARKED" not in repr(graph.resources)


@pytest.mark.parametrize("dump", DUMPS)
def test_every_event_is_one_episode_but_for_the_legacy_shape(dump: str) -> None:
    found = events(dump)
    legacy = sum(1 for item in found if "InvolvedObject" in item)
    uids = {item["metadata"]["uid"] for item in found if "metadata" in item}

    store, rejects = played([record("c", item) for item in found])

    assert Counter(rejects) == ({"legacy_shape": legacy} if legacy else {})
    episodes = {at.key for at in store.tenants["c"].referrers_held} if "c" in store.tenants else set()
    assert episodes == uids
    about = {
        item["metadata"]["uid"]
        for item in found
        if "metadata" in item and all(item["involvedObject"].get(name) for name in ("kind", "name"))
    }
    assert {at.key for at in store.tenants["c"].references} == about if uids else legacy


def test_a_captured_rollout_gives_one_graph_forwards_backwards_and_shuffled() -> None:
    stream = kspan()
    assert len(stream) == 26
    forwards = positioned(stream)
    expected = digest_of(forwards)

    assert digest_of(forwards[::-1]) == expected
    random = Random(5)
    for _ in range(20):
        shuffled = forwards * 2
        random.shuffle(shuffled)
        assert digest_of(shuffled) == expected
    store, rejects = played(stream)
    assert rejects == []
    assert len(store.tenants["kspan"].referrers_held) == sum(1 for one in stream if one.topic == "events.normalized")


def positioned(stream: list[SampleRecord]) -> list[tuple[int, SampleRecord]]:
    return list(enumerate(stream))


def digest_of(stream: list[tuple[int, SampleRecord]]) -> dict[str, str]:
    """The digest of records at the offsets that they had when they first came."""
    return expected_digests([record for _, record in stream], offsets=[offset for offset, _ in stream])
