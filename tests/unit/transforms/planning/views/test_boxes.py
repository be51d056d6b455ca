"""The map: everything is shown, folded or filtered; the same graph gives the same places; what is sick is seen."""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.planning.views.boxes import MOST_GROUPS, MOST_OPEN, Kept, TenantMap, map_of, open_namespaces
from transforms.planning.views.source import Brief, Counted, Placed

EVERYTHING = Kept()


def pods(ns: str, number: int, sick: int = 0, owner: str = "") -> list[Placed]:
    owners = (f"deployment:{ns}:{owner}",) if owner else ()
    names = [f"pod-{at:05d}" for at in range(number)]
    return [
        Placed(Brief(f"pod:{ns}:{name}", "Pod", ns, name, ails="CrashLoopBackOff" if at < sick else None), owners, (f"node::n{at % 3}",))
        for at, name in enumerate(names)
    ]


def deployment(ns: str, name: str) -> Placed:
    return Placed(Brief(f"deployment:{ns}:{name}", "Deployment", ns, name), (), ())


def node(name: str) -> Placed:
    return Placed(Brief(f"node::{name}", "Node", "", name), (), ())


def counted(placed: Iterable[Placed]) -> list[Counted]:
    found = Counter((one.object.ns, one.object.kind, one.object.stub, one.object.ails is not None) for one in placed)
    return [Counted(*shared, number) for shared, number in sorted(found.items())]


def drawn(placed: list[Placed], asked: tuple[str, ...] = (), kept: Kept = EVERYTHING, *, by_node: bool = False) -> TenantMap:
    census = counted(placed)
    opened = open_namespaces(census, asked, kept)
    return map_of(census, [one for one in placed if one.object.ns in opened], opened, kept, by_node=by_node)


def check(found: TenantMap) -> None:
    """What holds of every map."""
    counts = found.counts
    assert counts.all == counts.shown + counts.folded + counts.filtered
    rids = [one.object.rid for one in found.tiles] + [one.object.rid for one in found.frames if one.object]
    assert len(rids) == len(set(rids)) == counts.shown
    assert sum(one.folded for one in found.frames) == counts.folded
    outer = [one for one in found.frames if one.depth == 1]
    assert sum(one.number for one in outer) == counts.shown + counts.folded
    assert sum(one.sick for one in outer) == counts.sick
    for frame in outer:
        assert 0 <= frame.x <= found.width - frame.width
        assert 0 <= frame.y <= found.height - frame.height
    for at, one in enumerate(outer):
        for other in outer[at + 1 :]:
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y, (one.title, other.title)
    places = [(one.x, one.y) for one in found.tiles]
    assert len(places) == len(set(places))


def test_owners_are_boxes_and_what_they_own_stands_in_them() -> None:
    found = drawn([deployment("shop", "cart"), *pods("shop", 3, sick=1, owner="cart"), node("n0"), node("n1")])
    check(found)
    cart = next(one for one in found.frames if one.object and one.object.name == "cart")
    assert (cart.depth, cart.number, cart.sick) == (2, 4, 1)
    inside = [one for one in found.tiles if cart.x <= one.x < cart.x + cart.width and cart.y <= one.y < cart.y + cart.height]
    assert [one.object.kind for one in inside] == ["Pod"] * 3


def test_by_nodes_pods_stand_where_they_run() -> None:
    found = drawn([node("n0"), node("n1"), *pods("shop", 7)], by_node=True)
    check(found)
    assert {one.title: one.number for one in found.frames if one.depth == 1} == {"n0": 4, "n1": 3, "n2": 2}


def test_the_order_of_what_is_read_moves_nothing() -> None:
    placed = [deployment("shop", "cart"), *pods("shop", 30, owner="cart"), *pods("other", 12), node("n0")]
    assert drawn(placed) == drawn(placed[::-1])


def test_fifty_thousand_objects_open_as_at_most_forty_groups() -> None:
    placed = [one for ns in range(100) for one in pods(f"ns-{ns:03d}", 500, sick=1 if ns == 97 else 0)]
    found = drawn(placed)
    check(found)
    outer = [one for one in found.frames if one.depth == 1]
    assert len(outer) == MOST_GROUPS
    assert found.counts == (50_000, 0, 50_000, 0, 1)
    assert outer[0].title != "ns-097" or outer[0].sick == 1
    assert next(one for one in outer if one.title == "ns-097").sick == 1
    assert outer[-1].title == "61 other groups"


def test_an_open_namespace_shows_its_own_and_the_rest_stays_folded() -> None:
    placed = [one for ns in range(60) for one in pods(f"ns-{ns:02d}", 100)]
    found = drawn(placed, ("ns-07",))
    check(found)
    assert {one.object.ns for one in found.tiles} == {"ns-07"}
    assert found.counts[:3] == (6_000, 100, 5_900)


def test_a_namespace_that_is_too_large_shows_its_sick_first_and_folds_the_rest() -> None:
    placed = pods("huge", MOST_OPEN + 700)
    last = placed[-1].object._replace(ails="OOMKilled")
    found = drawn([*placed[:-1], placed[-1]._replace(object=last)], ("huge",))
    check(found)
    assert found.counts[:3] == (MOST_OPEN + 700, MOST_OPEN, 700)
    assert last.rid in {one.object.rid for one in found.tiles}


def test_what_is_filtered_is_counted() -> None:
    placed = [deployment("shop", "cart"), *pods("shop", 5, sick=2, owner="cart")]
    by_kind = drawn(placed, kept=Kept(frozenset({"Pod"})))
    check(by_kind)
    assert by_kind.counts == (6, 5, 0, 1, 2)
    only_sick = drawn(placed, kept=Kept(only_sick=True))
    check(only_sick)
    assert only_sick.counts == (6, 2, 0, 4, 2)


def test_nothing_is_a_map_too() -> None:
    check(drawn([]))


NAMES = st.sampled_from(["a", "b", "c", "d", "<script>", "x" * 200])


@st.composite
def graphs(draw: st.DrawFn) -> list[Placed]:
    made: dict[str, Placed] = {}
    for number in range(draw(st.integers(0, 25))):
        kind, ns = draw(st.sampled_from(["Pod", "Deployment", "Node", "Namespace"])), draw(NAMES)
        ns = "" if kind in ("Node", "Namespace") else ns
        name = draw(NAMES)
        rid = f"{kind.lower()}:{ns}:{name}"
        owners = tuple(draw(st.lists(st.sampled_from(sorted(made) or [rid]), max_size=2, unique=True)))
        ails = draw(st.sampled_from([None, "Failed"]))
        made[rid] = Placed(Brief(rid, kind, ns, name, number % 7 == 0 and ails is None, ails), owners, owners[:1])
    return list(made.values())


@given(graphs(), st.sets(NAMES), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_nothing_vanishes_whatever_the_graph(placed: list[Placed], asked: set[str], by_node: bool, only_sick: bool) -> None:
    found = drawn(placed, tuple(sorted(asked)), Kept(only_sick=only_sick), by_node=by_node)
    check(found)
    assert found.counts.all == len(placed)


@pytest.mark.parametrize("size", [1, 2, 3, 50, 999])
def test_owners_in_a_circle_end(size: int) -> None:
    ring = [Placed(Brief(f"pod:a:{at}", "Pod", "a", str(at)), (f"pod:a:{(at + 1) % size}",), ()) for at in range(size)]
    check(drawn(ring))
