"""The neighbourhood: bounded, nothing left out in silence, and always the same picture."""

from collections.abc import Collection

from pipelines.console.pictures import picture_of
from tests.support.console_world import Builder, memory_source
from transforms.planning.views.neighbourhood import MOST_NODES, Around, explore
from transforms.planning.views.source import EdgesAt
from transforms.testing.memory_source import MemoryGraphSource

TYPES = ("RUNS_ON", "SELECTS", "CONTROLS", "MOUNTS", "USES", "ROUTES", "CLAIMS", "SCALES")


def around(source: MemoryGraphSource, client_id: str, rid: str, hops: int, each: int = 12) -> Around:
    found = source.object(client_id, rid)
    assert found is not None

    def ask(rids: Collection[str]) -> list[EdgesAt]:
        return source.edges_at(client_id, rids, TYPES, each)

    return explore(found[0], hops, ask)


def star(pods: int) -> MemoryGraphSource:
    one = Builder("af-1")
    node = one.add("Node", "", "n")
    for number in range(pods):
        pod = one.add("Pod", f"ns-{number % 5}", f"p{number:04d}")
        one.join(pod, "RUNS_ON", node)
        one.join(pod, "USES", one.add("ServiceAccount", f"ns-{number % 5}", f"a{number:04d}"))
    return MemoryGraphSource([one.made], 0)


def test_owners_stand_left_and_what_is_owned_right() -> None:
    found = around(memory_source(), "af-10", "replicaset:shop:checkout-7d9f", 1)
    assert found.columns == {
        "replicaset:shop:checkout-7d9f": 0,
        "deployment:shop:checkout": -1,
        "pod:shop:checkout-7d9f-0": 1,
        "pod:shop:checkout-7d9f-1": 1,
    }


def test_what_is_not_shown_is_folded_and_counted() -> None:
    found = around(star(400), "af-1", "node::n", 1)
    (fold,) = found.folds
    assert len(found.nodes) - 1 + fold.number == 400
    assert (fold.rid, fold.type, fold.outgoing) == ("node::n", "RUNS_ON", False)


def test_a_picture_has_a_most_of_nodes_and_folds_the_rest() -> None:
    source = star(400)
    found = around(source, "af-1", "node::n", 4, each=100)
    assert len(found.nodes) == MOST_NODES
    for rid in found.nodes:
        for at in source.edges_at("af-1", [rid], TYPES, 1_000):
            shown = [other for other in at.others if other.rid in found.nodes]
            folded = sum(one.number for one in found.folds if (one.rid, one.type, one.outgoing) == (rid, at.type, at.outgoing))
            # What was never asked about lies beyond the last hop.
            assert len(shown) + folded >= at.number or abs(found.columns[rid]) >= 1


def test_boxes_never_lie_on_each_other_and_lines_join_what_is_there() -> None:
    for source, client_id, rid in ((star(90), "af-1", "node::n"), (memory_source(), "af-10", "pod:shop:checkout-7d9f-0")):
        found = around(source, client_id, rid, 3)
        drawn = picture_of(found, client_id, rid)
        assert drawn == picture_of(found, client_id, rid)
        boxes = [one.box for one in drawn.boxes]
        for at, one in enumerate(boxes):
            assert 0 <= one.x <= drawn.width - one.width
            assert 0 <= one.y <= drawn.height - one.height
            for other in boxes[at + 1 :]:
                assert one.x != other.x or abs(one.y - other.y) >= one.height
        assert len(boxes) == len(found.nodes) + len(found.folds)
        assert len(drawn.lines) == len(found.edges) + len(found.folds)
