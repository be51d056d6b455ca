"""The blast radius: what goes with an object, and what loses a part."""

from random import Random

import pytest

from tests.support.console_world import Builder, conditions, memory_source
from transforms.planning.views.blast import Blast, blast_radius
from transforms.planning.views.source import Brief
from transforms.testing.memory_source import MemoryGraphSource

NOW_MS = 0


def radius(source: MemoryGraphSource, client_id: str, rid: str, seed: int | None = None) -> Blast:
    """seed: in what order neighbours are told."""
    found = source.object(client_id, rid)
    assert found is not None
    brief: Brief = found[0]

    def ask(rids: object, types: object, each: int) -> list[object]:
        told = source.edges_at(client_id, rids, types, each)  # type: ignore[arg-type]
        if seed is not None:
            Random(seed).shuffle(told)
        return list(told)

    members = source.members_of_namespace(client_id, brief.name, 100) if brief.kind == "Namespace" else []
    return blast_radius(brief, members, ask)  # type: ignore[arg-type]


def test_a_node_takes_its_pods_and_weakens_what_has_others() -> None:
    blast = radius(memory_source(), "af-10", "node::node-1")
    assert {one.object.rid for one in blast.lost} >= {
        "pod:shop:frontend-7d9f-0",
        "pod:shop:checkout-7d9f-0",
        "pod:monitoring:grafana-7d9f-0",
    }
    weak = {(one.object.rid, one.type): (one.lost, one.all) for one in blast.weakened}
    assert weak["service:shop:frontend", "SELECTS"] == (1, 3)
    assert weak["replicaset:shop:checkout-7d9f", "CONTROLS"] == (1, 2)
    # The only pod of grafana runs there: its Service has nothing left.
    assert "service:monitoring:grafana" in {one.object.rid for one in blast.lost}
    assert not blast.truncated


def test_what_has_nothing_left_goes_too_and_takes_on() -> None:
    blast = radius(memory_source(), "af-10", "deployment:shop:checkout")
    assert [one.object.kind for one in blast.lost] == ["ReplicaSet", "Pod", "Pod", "Service", "Ingress"]
    assert [one.hops for one in blast.lost] == [1, 2, 2, 3, 4]


@pytest.mark.parametrize(
    ("rid", "expected"),
    [
        ("configmap:shop:checkout-config", "pod:shop:checkout-7d9f-0"),
        ("secret:shop:payments-key", "pod:shop:checkout-7d9f-1"),
        ("serviceaccount:shop:shop", "pod:shop:cart-7d9f-0"),
        ("persistentvolume::pv-1", "pod:shop:cart-7d9f-1"),
        ("namespace::monitoring", "deployment:monitoring:grafana"),
    ],
)
def test_what_is_needed_takes_those_who_need_it(rid: str, expected: str) -> None:
    assert expected in {one.object.rid for one in radius(memory_source(), "af-10", rid).lost}


def test_nothing_depends_on_an_ingress() -> None:
    blast = radius(memory_source(), "af-10", "ingress:shop:shop")
    assert (blast.lost, blast.weakened) == ((), ())


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_answers_does_not_show(seed: int) -> None:
    for rid in ("node::node-1", "deployment:shop:checkout", "persistentvolume::pv-1"):
        assert radius(memory_source(), "af-10", rid, seed) == radius(memory_source(), "af-10", rid)


def test_a_circle_ends_and_what_is_cut_is_said_to_be() -> None:
    one = Builder("af-1")
    nodes = [one.add("Node", "", "n", status=conditions(Ready="True"))]
    pods = [one.add("Pod", "a", f"p{number}") for number in range(1_200)]
    for pod in pods:
        one.join(pod, "RUNS_ON", *nodes)
    one.join(pods[0], "CONTROLS", pods[1])
    one.join(pods[1], "CONTROLS", pods[0])
    blast = radius(MemoryGraphSource([one.made], NOW_MS), "af-1", "node::n")
    assert blast.truncated
    assert len(blast.lost) == 1_000
