"""Two graphs walked side by side: every difference is found and counted once, whatever the sizes and the order of pages."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.patience import examples
from transforms.planning.diff.comparison import (
    Begins,
    Differences,
    KeysOutOfOrder,
    Line,
    NodeExample,
    RelationshipExample,
    Where,
    side_by_side,
)
from transforms.planning.diff.value_diff import SHOWN_CHARACTERS, ShownValues, shown_values


def line(key: str, *out: Begins, **props: Any) -> Line:
    return Line(key, props, [*out])


def runs_on(key: str) -> Begins:
    return Begins("RUNS_ON", "Resource", key)


def differences(left: list[Line], right: list[Line], limit: int = 20) -> Differences:
    found = Differences(limit)
    for one, other in side_by_side(left, right):
        found.add("Resource", one, other)
    return found


_KEYS = st.text(alphabet="aé\uffee😀:", min_size=1, max_size=3)
_OUT = st.lists(st.builds(Begins, st.sampled_from(["RUNS_ON", "SELECTS"]), st.just("Resource"), _KEYS), max_size=3)
_GRAPH = st.dictionaries(_KEYS, st.tuples(st.sampled_from([1, True, 1.0, "1", [1], None]), _OUT), max_size=6)


@settings(max_examples=examples(200), deadline=None)
@given(_GRAPH, _GRAPH)
def test_what_is_counted_is_what_sets_of_all_lines_say(
    left: dict[str, tuple[Any, list[Begins]]], right: dict[str, tuple[Any, list[Begins]]]
) -> None:
    lefts, rights = ([Line(key, {"n": value}, out) for key, (value, out) in sorted(graph.items())] for graph in (left, right))

    found = differences(lefts, rights, limit=1000)

    def typed(value: Any) -> tuple[str, str]:
        return type(value).__name__, repr(value)

    assert found.of_nodes(Where.LEFT) == len(left.keys() - right.keys())
    assert found.of_nodes(Where.RIGHT) == len(right.keys() - left.keys())
    assert found.of_nodes(Where.BOTH) == sum(typed(left[key][0]) != typed(right[key][0]) for key in left.keys() & right.keys())
    edges = [Counter((key, *begins) for key, (_, out) in graph.items() for begins in out) for graph in (left, right)]
    assert found.of_relationships(Where.LEFT) == (edges[0] - edges[1]).total()
    assert found.of_relationships(Where.RIGHT) == (edges[1] - edges[0]).total()
    assert len(found.node_examples) == found.nodes.total()
    assert bool(found) == (found.nodes.total() + found.relationships.total() > 0)


def test_each_difference_is_told_with_its_place() -> None:
    left = [line("a", runs_on("n1"), image="x:1", n=1), line("b"), line("c", runs_on("n1"))]
    right = [line("a", runs_on("n2"), image="x:2", n=1), line("c", runs_on("n1")), line("d")]

    found = differences(left, right)

    assert found.node_examples == [
        NodeExample(Where.BOTH, "Resource", "a", (ShownValues("image", "x:1", "x:2"),)),
        NodeExample(Where.LEFT, "Resource", "b"),
        NodeExample(Where.RIGHT, "Resource", "d"),
    ]
    assert found.relationship_examples == [
        RelationshipExample(Where.LEFT, "RUNS_ON", "a", "n1"),
        RelationshipExample(Where.RIGHT, "RUNS_ON", "a", "n2"),
    ]
    assert found.nodes == Counter({("Resource", where): 1 for where in Where})


def test_a_second_node_of_one_key_is_a_difference() -> None:
    found = differences([line("a"), line("a"), line("b")], [line("a"), line("b")])

    assert found.node_examples == [NodeExample(Where.LEFT, "Resource", "a")]


def test_examples_are_limited_for_each_side_and_counts_are_not() -> None:
    left = [line(f"a{at}", runs_on("n")) for at in range(5)]
    found = differences(left, [line(f"b{at}") for at in range(4)], limit=2)

    assert [(one.where, one.key) for one in found.node_examples] == [
        (Where.LEFT, "a0"),
        (Where.LEFT, "a1"),
        (Where.RIGHT, "b0"),
        (Where.RIGHT, "b1"),
    ]
    assert [one.source for one in found.relationship_examples] == ["a0", "a1"]
    assert (found.of_nodes(Where.LEFT), found.of_nodes(Where.RIGHT), found.of_relationships(Where.LEFT)) == (5, 4, 5)
    assert differences(left, [], limit=0).of_nodes(Where.LEFT) == 5


def test_no_more_than_one_node_of_each_side_is_held() -> None:
    read = Counter[str]()

    def endless(side: str) -> Any:
        at = 0
        while True:
            read[side] += 1
            yield line(f"{at:06}")
            at += 1

    pairs = side_by_side(endless("left"), endless("right"))
    for _ in range(100):
        next(pairs)

    assert max(read.values()) <= 101


def test_a_graph_in_another_order_is_a_defect_and_never_a_difference() -> None:
    with pytest.raises(KeysOutOfOrder):
        differences([line("b"), line("a")], [line("a"), line("b")])


@pytest.mark.parametrize(
    ("left", "right", "shown"),
    [
        ("a", "b", ("a", "b")),
        (None, "", (None, "")),
        (3, "3", ("3", '"3"')),
        (True, 1, ("true", "1")),
        (["a=1"], ["a=2"], ('["a=1"]', '["a=2"]')),
    ],
)
def test_values_are_shown_as_text_and_tell_types_apart(left: Any, right: Any, shown: tuple[str | None, str | None]) -> None:
    assert shown_values("pod:shop:a", "n", left, right) == ShownValues("n", *shown)


def test_long_values_are_cut_to_where_they_part() -> None:
    shown = shown_values("pod:shop:a", "status", "x" * 500 + "LEFT" + "y" * 500, "x" * 500 + "RIGHT")

    assert shown.left is not None
    assert shown.right is not None
    assert "LEFT" in shown.left
    assert shown.right.endswith("RIGHT")
    assert max(len(shown.left), len(shown.right)) <= SHOWN_CHARACTERS + 2
    assert shown.left.startswith("…x")
    assert shown.left.endswith("y…")


@pytest.mark.parametrize(
    ("key", "name", "left", "right"),
    [
        ("secret:shop:db", "keys", ["a"], ["b"]),
        ("secret.example.com:shop:db", "keys", ["a"], ["b"]),
        ("pod:shop:a", "message", "login with password=hunter2hunter2", "login with password=REDACTED"),
        ("pod:shop:a", "message", "harmless", "was REDACTED here"),
        ("pod:shop:a", "db_password", "hunter2", "hunter3"),
        ("pod:shop:a", "scrape_url", "http://u:p@h/", "http://h/"),
        ("pod:shop:a", "annotations", ["kubectl.kubernetes.io/last-applied-configuration={}"], []),
        ("pod:shop:a", "labels", ['token: "abcdefgh12345678"'], None),
    ],
)
def test_what_may_be_a_secret_is_withheld_on_both_sides(key: str, name: str, left: Any, right: Any) -> None:
    assert shown_values(key, name, left, right) == shown_values(key, name, right, left) == ShownValues(name, None, None, withheld=True)
