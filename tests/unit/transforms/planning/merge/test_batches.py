"""Batches hold at most what they are told to, in an order that does not hang on the order of arrival."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import TENANT, worlds
from tests.support.wire import kafka_record
from transforms.planning.facts.mutations import DeleteEdge, DeleteNode, DeleteUid, Mutation, UpsertEdge, UpsertNode, UpsertReferrer
from transforms.planning.facts.weight import ORDINARY, rows_of
from transforms.planning.merge.batches import cut_batches, part_of
from transforms.planning.merge.fold import Folded, Interpreted, fold

_RECORD = kafka_record("t", None)
_BIG = 10**9
_ROW_BYTES = 200


def _node(name: str, held: int = 0) -> Interpreted:
    return Interpreted(UpsertNode(TENANT, "v", f"pod:a:{name}", "", {"image": "x" * held, "replicas": 1}, b""), _RECORD)


def _names(batches: list[list[Interpreted]]) -> list[list[str]]:
    return [[one.mutation.aspect[1].rpartition(":")[2] for one in batch] for batch in batches]


@pytest.mark.parametrize(
    ("rows", "cut"),
    [
        (1, [["a"], ["b"], ["c"], ["d"], ["e"]]),
        (2, [["a", "b"], ["c", "d"], ["e"]]),
        (4, [["a", "b", "c", "d"], ["e"]]),
        (5, [["a", "b", "c", "d", "e"]]),
        (6, [["a", "b", "c", "d", "e"]]),
    ],
)
def test_a_batch_holds_at_most_the_given_rows_sorted_by_key(rows: int, cut: list[list[str]]) -> None:
    assert _names(list(cut_batches([_node(name) for name in "dbeca"], rows, _BIG))) == cut


@pytest.mark.parametrize(
    ("size_bytes", "cut"),
    [
        (1, [["a"], ["b"], ["c"]]),
        (2 * _ROW_BYTES + 199, [["a"], ["b"], ["c"]]),
        (2 * _ROW_BYTES + 200, [["a", "b"], ["c"]]),
        (3 * _ROW_BYTES + 299, [["a", "b"], ["c"]]),
        (3 * _ROW_BYTES + 300, [["a", "b", "c"]]),
    ],
)
def test_a_batch_holds_at_most_the_given_bytes_and_a_larger_row_stands_alone(size_bytes: int, cut: list[list[str]]) -> None:
    assert _names(list(cut_batches([_node(name, 100) for name in "abc"], 10, size_bytes))) == cut


@pytest.mark.parametrize(("size_bytes", "cut"), [(2 * _ROW_BYTES + 199, [["a"], ["b"]]), (2 * _ROW_BYTES + 200, [["a", "b"]])])
def test_the_strings_in_lists_count_as_all_others_do(size_bytes: int, cut: list[list[str]]) -> None:
    props = {"labels": ["x" * 60, "y" * 20], "image": "z" * 20, "owners": [], "replicas": 7}
    nodes = [Interpreted(UpsertNode(TENANT, "v", f"pod:a:{name}", "", props, b""), _RECORD) for name in "ab"]
    assert _names(list(cut_batches(nodes, 10, size_bytes))) == cut


def test_the_bytes_of_a_batch_begin_anew_with_each_batch() -> None:
    sizes = {"a": 700, "b": 100, "c": 100, "d": 700}
    assert _names(list(cut_batches([_node(name, size) for name, size in sizes.items()], 10, 900))) == [["a"], ["b", "c"], ["d"]]


def test_what_goes_comes_first_then_nodes_then_relationships() -> None:
    mutations: list[Mutation] = [
        UpsertReferrer(TENANT, "v", "Episodic", "a", "pod:a:x", {}, b""),
        UpsertEdge(TENANT, "v", "b", "RUNS_ON", "pod:a:x", "node::n"),
        UpsertNode(TENANT, "v", "pod:a:x", "", {}, b""),
        DeleteUid(TENANT, "v", "u"),
        DeleteNode(TENANT, "v", "pod:a:y"),
        DeleteEdge(TENANT, "v", "c"),
    ]
    (batch,) = cut_batches([Interpreted(one, _RECORD) for one in mutations], 10, _BIG)
    assert [type(one.mutation) for one in batch] == [DeleteEdge, DeleteNode, DeleteUid, UpsertNode, UpsertEdge, UpsertReferrer]


def test_nothing_makes_no_batch() -> None:
    assert list(cut_batches([], 10, 10)) == []


@given(worlds(), st.integers(1, 5), st.integers(1, 1000))
def test_batches_hold_every_mutation_once_whatever_the_order_of_arrival(world: list[Mutation], rows: int, size_bytes: int) -> None:
    folded: Folded = {}
    fold(folded, [Interpreted(one, _RECORD) for one in world])
    arrived = list(folded.values())
    batches = list(cut_batches(arrived, rows, size_bytes))
    assert sorted(one.mutation.aspect for batch in batches for one in batch) == sorted(folded)
    assert all(1 <= len(batch) <= rows for batch in batches)
    assert list(cut_batches(arrived[::-1], rows, size_bytes)) == batches


def _endpoints(name: str, addresses: int) -> Interpreted:
    return Interpreted(UpsertNode(TENANT, "v", f"endpoints:a:{name}", "", {"implies": ["x"] * addresses}, b""), _RECORD)


@pytest.mark.parametrize(
    ("addresses", "rows", "cut"),
    [
        (ORDINARY, 2, [["a", "b"], ["c"]]),
        (ORDINARY + 1, 2 * (ORDINARY + 2), [["a", "b"], ["c"]]),
        (ORDINARY + 1, 2 * (ORDINARY + 2) - 1, [["a"], ["b"], ["c"]]),
        (5000, 2000, [["a"], ["b"], ["c"]]),
    ],
)
def test_what_an_object_implies_beyond_the_ordinary_counts_as_rows(addresses: int, rows: int, cut: list[list[str]]) -> None:
    mutations = [_endpoints(name, addresses) for name in "abc"]
    (batch,) = cut_batches(mutations, _BIG, _BIG)
    parts, at = [], 0
    while at < len(batch):
        part, held = part_of(batch, at, rows)
        assert held == sum(rows_of(one.mutation) for one in part)
        parts.append(list(part))
        at += len(part)

    assert _names(list(cut_batches(mutations, rows, _BIG))) == cut
    assert _names(parts) == cut
