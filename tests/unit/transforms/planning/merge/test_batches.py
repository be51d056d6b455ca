"""Batches hold at most what they are told to, in an order that does not hang on the order of arrival."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import TENANT, worlds
from tests.support.wire import kafka_record
from transforms.planning.facts.mutations import DeleteEdge, DeleteNode, DeleteUid, Mutation, UpsertEdge, UpsertNode, UpsertReferrer
from transforms.planning.facts.weight import ORDINARY, rows_of
from transforms.planning.merge.batches import CutBatch, part_of
from transforms.planning.merge.batches import cut_batches as cut
from transforms.planning.merge.fold import Folded, Interpreted, fold

_RECORD = kafka_record("t", None)
_BIG = 10**9
_ROW_BYTES = 200


def _node(name: str, held: int = 0) -> Interpreted:
    return Interpreted(UpsertNode(TENANT, "v", f"pod:a:{name}", "", {"image": "x" * held, "replicas": 1}, b""), _RECORD)


def _cut(mutations: list[Interpreted], rows: int, size_bytes: int) -> list[list[Interpreted]]:
    batches = list(cut(mutations, rows, size_bytes))
    assert all(one.rows == sum(rows_of(held.mutation) for held in one.mutations) for one in batches)
    return [one.mutations for one in batches]


def test_a_batch_knows_its_rows_and_about_its_bytes() -> None:
    assert list(cut([_node("a", 100), _node("b", 50)], 10, _BIG)) == [
        CutBatch([_node("a", 100), _node("b", 50)], 2, 2 * _ROW_BYTES + 150),
    ]


def _names(batches: list[list[Interpreted]]) -> list[list[str]]:
    return [[one.mutation.aspect[1].rpartition(":")[2] for one in batch] for batch in batches]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (1, [["a"], ["b"], ["c"], ["d"], ["e"]]),
        (2, [["a", "b"], ["c", "d"], ["e"]]),
        (4, [["a", "b", "c", "d"], ["e"]]),
        (5, [["a", "b", "c", "d", "e"]]),
        (6, [["a", "b", "c", "d", "e"]]),
    ],
)
def test_a_batch_holds_at_most_the_given_rows_sorted_by_key(rows: int, expected: list[list[str]]) -> None:
    assert _names(_cut([_node(name) for name in "dbeca"], rows, _BIG)) == expected


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [
        (1, [["a"], ["b"], ["c"]]),
        (2 * _ROW_BYTES + 199, [["a"], ["b"], ["c"]]),
        (2 * _ROW_BYTES + 200, [["a", "b"], ["c"]]),
        (3 * _ROW_BYTES + 299, [["a", "b"], ["c"]]),
        (3 * _ROW_BYTES + 300, [["a", "b", "c"]]),
    ],
)
def test_a_batch_holds_at_most_the_given_bytes_and_a_larger_row_stands_alone(size_bytes: int, expected: list[list[str]]) -> None:
    assert _names(_cut([_node(name, 100) for name in "abc"], 10, size_bytes)) == expected


@pytest.mark.parametrize(("size_bytes", "expected"), [(2 * _ROW_BYTES + 199, [["a"], ["b"]]), (2 * _ROW_BYTES + 200, [["a", "b"]])])
def test_the_strings_in_lists_count_as_all_others_do(size_bytes: int, expected: list[list[str]]) -> None:
    props = {"labels": ["x" * 60, "y" * 20], "image": "z" * 20, "owners": [], "replicas": 7}
    nodes = [Interpreted(UpsertNode(TENANT, "v", f"pod:a:{name}", "", props, b""), _RECORD) for name in "ab"]
    assert _names(_cut(nodes, 10, size_bytes)) == expected


def test_the_bytes_of_a_batch_begin_anew_with_each_batch() -> None:
    sizes = {"a": 700, "b": 100, "c": 100, "d": 700}
    assert _names(_cut([_node(name, size) for name, size in sizes.items()], 10, 900)) == [["a"], ["b", "c"], ["d"]]


def test_what_goes_comes_first_then_nodes_then_relationships() -> None:
    mutations: list[Mutation] = [
        UpsertReferrer(TENANT, "v", "Episodic", "a", "pod:a:x", {}, b""),
        UpsertEdge(TENANT, "v", "b", "RUNS_ON", "pod:a:x", "node::n"),
        UpsertNode(TENANT, "v", "pod:a:x", "", {}, b""),
        DeleteUid(TENANT, "v", "u"),
        DeleteNode(TENANT, "v", "pod:a:y"),
        DeleteEdge(TENANT, "v", "c"),
    ]
    (batch,) = _cut([Interpreted(one, _RECORD) for one in mutations], 10, _BIG)
    assert [type(one.mutation) for one in batch] == [DeleteEdge, DeleteNode, DeleteUid, UpsertNode, UpsertEdge, UpsertReferrer]


def test_nothing_makes_no_batch() -> None:
    assert (_cut([], 10, 10)) == []


@given(worlds(), st.integers(1, 5), st.integers(1, 1000))
def test_batches_hold_every_mutation_once_whatever_the_order_of_arrival(world: list[Mutation], rows: int, size_bytes: int) -> None:
    folded: Folded = {}
    fold(folded, [Interpreted(one, _RECORD) for one in world])
    arrived = list(folded.values())
    batches = _cut(arrived, rows, size_bytes)
    assert sorted(one.mutation.aspect for batch in batches for one in batch) == sorted(folded)
    assert all(1 <= len(batch) <= rows for batch in batches)
    assert (_cut(arrived[::-1], rows, size_bytes)) == batches


def _endpoints(name: str, addresses: int) -> Interpreted:
    return Interpreted(UpsertNode(TENANT, "v", f"endpoints:a:{name}", "", {"implies": ["x"] * addresses}, b""), _RECORD)


@pytest.mark.parametrize(
    ("addresses", "rows", "expected"),
    [
        (ORDINARY, 2, [["a", "b"], ["c"]]),
        (ORDINARY + 1, 2 * (ORDINARY + 2), [["a", "b"], ["c"]]),
        (ORDINARY + 1, 2 * (ORDINARY + 2) - 1, [["a"], ["b"], ["c"]]),
        (5000, 2000, [["a"], ["b"], ["c"]]),
    ],
)
def test_what_an_object_implies_beyond_the_ordinary_counts_as_rows(addresses: int, rows: int, expected: list[list[str]]) -> None:
    mutations = [_endpoints(name, addresses) for name in "abc"]
    (batch,) = _cut(mutations, _BIG, _BIG)
    parts, at = [], 0
    while at < len(batch):
        part, held = part_of(batch, at, rows)
        assert held == sum(rows_of(one.mutation) for one in part)
        parts.append(list(part))
        at += len(part)

    assert _names(_cut(mutations, rows, _BIG)) == expected
    assert _names(parts) == expected
