"""Slices hold about the bytes and take about the time that they should, whatever the records are."""

import pytest

from transforms.planning.scheduling.slices import (
    CONNECTOR_RECORDS,
    FIRST_RECORDS,
    MOST_RECORDS,
    SLICE_ROWS,
    SMALL_BYTES,
    SMALL_RECORDS,
    SMALL_ROWS,
    SlicePacer,
    SliceSize,
    fair_shares,
    portions,
)
from transforms.records.dead_letters.letters import Wanted
from transforms.records.dead_letters.selection import Coordinates

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("lag", "slice_bytes", "records"),
    [(1, 64 * MIB, 1), (500, 64 * MIB, 500), (10**9, 64 * MIB, FIRST_RECORDS), (10**9, 64 * 1024, 64), (10**9, 1, 1)],
)
def test_the_first_slice_is_small_and_never_more_than_there_is(lag: int, slice_bytes: int, records: int) -> None:
    assert SlicePacer(slice_bytes, 10).next(lag).max_records == records


def test_later_slices_hold_about_the_bytes_they_should() -> None:
    pacer = SlicePacer(1 * MIB, 1000)
    pacer.took(1000, 1000 * 2048, 1.0)

    assert pacer.next(10**9).max_records == 512
    assert pacer.next(100).max_records == 100


def test_a_slow_slice_makes_the_next_one_shorter() -> None:
    pacer = SlicePacer(64 * MIB, 10)
    pacer.took(10_000, 10_000 * 500, 50.0)

    assert pacer.next(10**9).max_records == 2_000


def test_a_fast_slice_lets_the_next_one_grow_by_a_bounded_factor() -> None:
    pacer = SlicePacer(64 * MIB, 10)
    pacer.took(10_000, 10_000 * 100, 0.2)

    assert pacer.next(10**9).max_records == 40_000


def test_the_newest_slices_count_most() -> None:
    pacer = SlicePacer(1 * MIB, 1000)
    for size in (100, 100, 100, 10_000, 10_000, 10_000):
        pacer.took(10_000, 10_000 * size, 1.0)

    assert 105 <= pacer.next(10**9).max_records <= 130


def test_a_reader_may_set_a_limit_of_its_own() -> None:
    pacer = SlicePacer(64 * MIB, 1000, CONNECTOR_RECORDS)
    pacer.took(19_999, 19_999 * 10, 0.1)

    assert pacer.next(10**9).max_records == CONNECTOR_RECORDS


def test_no_slice_is_endless() -> None:
    pacer = SlicePacer(1 << 60, 1e9)
    for _ in range(20):
        pacer.took(10**6, 10**6, 1e-6)

    assert pacer.next(10**12).max_records == MOST_RECORDS


def test_an_empty_slice_teaches_nothing() -> None:
    pacer = SlicePacer(64 * MIB, 10)
    pacer.took(0, 0, 30.0)

    assert pacer.next(10**9).max_records == FIRST_RECORDS


@pytest.mark.parametrize(("lag", "seconds"), [(1, 2), (9_999, 2), (10_000, 3)])
def test_a_quiet_partition_is_waited_for_as_long_as_reading_may_take(lag: int, seconds: int) -> None:
    assert SlicePacer(64 * MIB, 10).next(lag).max_read_s == seconds


@pytest.mark.parametrize(
    ("has", "most", "shares"),
    [
        ({}, 10, {}),
        ({"loud": 1000}, 10, {"loud": 10}),
        ({"a": 3, "b": 4}, 10, {"a": 3, "b": 4}),
        ({"loud": 1000, "a": 2, "b": 1}, 10, {"b": 1, "a": 2, "loud": 7}),
        ({"loud": 1000, "louder": 2000, "a": 1}, 11, {"a": 1, "loud": 5, "louder": 5}),
        ({"a": 9, "b": 9, "c": 9}, 2, {"a": 1, "b": 1, "c": 1}),
    ],
)
def test_each_has_an_equal_share_and_what_it_does_not_need_goes_to_those_that_have_more(
    has: dict[str, int], most: int, shares: dict[str, int]
) -> None:
    assert fair_shares(has, most) == shares


@pytest.mark.parametrize(
    ("sizes", "max_bytes", "max_letters", "cut"),
    [
        ([], 10, 10, []),
        ([10], 10, 10, [1]),
        ([5, 5, 1], 10, 10, [2, 1]),
        ([99, 99, 1], 10, 10, [1, 1, 1]),
        ([0, 0, 0], 10, 2, [2, 1]),
        ([1, 9, 9, 1, 1], 10, 10, [2, 2, 1]),
    ],
)
def test_letters_are_cut_within_both_limits_and_one_that_is_larger_is_alone(
    sizes: list[int], max_bytes: int, max_letters: int, cut: list[int]
) -> None:
    wanted = [Wanted(Coordinates("d", 0, at), Coordinates("t", 0, at), "-", size, 0) for at, size in enumerate(sizes)]

    found = list(portions(wanted, max_bytes, max_letters))

    assert [len(portion) for portion in found] == cut
    assert [one for portion in found for one in portion] == wanted


def test_a_slice_that_came_to_many_rows_makes_the_next_one_shorter() -> None:
    pacer = SlicePacer(64 * MIB, 1000)
    pacer.took(10, 10 * 1000, 1.0, rows=5 * SLICE_ROWS)

    assert pacer.next(10**9).max_records == 2
    assert pacer.next(10**9).max_rows == SLICE_ROWS


def test_after_a_run_that_was_killed_slices_begin_small_and_grow_by_a_bounded_factor() -> None:
    pacer = SlicePacer(64 * MIB, 1000)
    pacer.begin_small()

    assert pacer.next(10**9) == SliceSize(SMALL_RECORDS, SMALL_BYTES, 2, SMALL_ROWS)
    sizes = []
    for _ in range(5):
        size = pacer.next(10**9)
        sizes.append(size.max_records)
        pacer.took(size.max_records, size.max_records * 100, 0.01, size.max_records)
    assert sizes == [100, 400, 1_600, 6_400, 25_600]


def test_a_pacer_that_has_grown_again_is_wary_no_longer() -> None:
    pacer = SlicePacer(64 * MIB, 1000)
    pacer.begin_small()
    pacer.took(FIRST_RECORDS, FIRST_RECORDS * 100, 0.01)
    pacer.took(1, 100, 0.01)

    assert pacer.next(10**9).max_records == 4 * FIRST_RECORDS


def test_slices_whose_own_cost_is_most_of_their_time_do_not_stay_at_one_record() -> None:
    """A registration alone took a busy machine 37 s; at a record a slice, 600 heartbeats would have taken an hour."""
    pacer = SlicePacer(64 * MIB, 10)
    pacer.took(1, 100, 37.0, 1)
    for _ in range(5):
        size = pacer.next(600)
        assert size.max_records >= 100
        pacer.took(1, 100, 5.0, 1)
