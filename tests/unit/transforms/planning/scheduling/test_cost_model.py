"""Slices find the size that their cost asks for, and never collapse, whatever of it is fixed."""

from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transforms.planning.scheduling.cost_model import CostModel
from transforms.planning.scheduling.slices import MOST_RECORDS, SlicePacer

SLICE_S = 10.0
LAG = 10**9


def paced(pacer: SlicePacer, fixed: float, slope: float, slices: int, noise: Random, spread: float) -> list[tuple[int, float]]:
    """Records and seconds of each slice, where it costs that, give or take `spread`."""
    found = []
    for _ in range(slices):
        records = pacer.next(LAG).max_records
        seconds = (fixed + slope * records) * noise.uniform(1 - spread, 1 + spread)
        pacer.took(records, records * 100, seconds, records // 100)
        found.append((records, seconds))
    return found


def rate(slices: list[tuple[int, float]]) -> float:
    return sum(records for records, _ in slices) / sum(seconds for _, seconds in slices)


COSTS = {"fixed": st.floats(0, 60), "slope": st.floats(2e-5, 5e-3), "seed": st.integers(0, 999), "spread": st.floats(0, 0.3)}


@given(**COSTS)
@example(fixed=50.0, slope=1e-3, seed=1, spread=0.3)
@example(fixed=9.9, slope=1e-4, seed=2, spread=0.3)
def test_slices_never_collapse_whatever_of_their_cost_is_fixed(fixed: float, slope: float, seed: int, spread: float) -> None:
    pacer = SlicePacer(1 << 40, SLICE_S)
    slices = paced(pacer, fixed, slope, 60, Random(seed), spread)

    # What a slice would come to that takes the time it should, or spends as much on its records as on itself.
    best = max(SLICE_S - fixed, fixed) / slope
    best = min(best, MOST_RECORDS)
    assert rate(slices[20:]) > 0.6 * best / (fixed + slope * best)


@given(before=st.floats(0, 60), after=st.floats(0, 60), slope=st.floats(2e-5, 5e-3), seed=st.integers(0, 999))
def test_a_cost_that_changes_is_learnt_anew(before: float, after: float, slope: float, seed: int) -> None:
    pacer, noise = SlicePacer(1 << 40, SLICE_S), Random(seed)
    paced(pacer, before, slope, 30, noise, 0.1)
    slices = paced(pacer, after, slope * 3, 40, noise, 0.1)

    best = min(max(SLICE_S - after, after) / (slope * 3), MOST_RECORDS)
    assert rate(slices[20:]) > 0.6 * best / (after + slope * 3 * best)


@given(fixed=st.floats(0, 4), slope=st.floats(2e-5, 5e-3), seed=st.integers(0, 999))
def test_where_the_fixed_part_is_small_slices_take_about_the_time_they_should(fixed: float, slope: float, seed: int) -> None:
    slices = paced(SlicePacer(1 << 40, SLICE_S), fixed, slope, 60, Random(seed), 0.1)

    full = [seconds for records, seconds in slices[20:] if records < MOST_RECORDS]
    assert all(seconds < 2 * SLICE_S for seconds in full)
    assert not full or sum(full) / len(full) > 0.5 * SLICE_S


def test_one_stall_is_forgotten() -> None:
    pacer, noise = SlicePacer(1 << 40, SLICE_S), Random(5)
    paced(pacer, 0.5, 1e-3, 20, noise, 0.05)
    pacer.took(9_000, 900_000, 300.0, 90)
    slices = paced(pacer, 0.5, 1e-3, 30, noise, 0.05)

    assert rate(slices[15:]) > 800


def test_the_two_parts_are_told_apart_by_pieces_of_different_size() -> None:
    model = CostModel()
    for size in (100, 200, 300, 100, 300):
        model.took(size, 2.0 + 0.01 * size)

    assert model.fixed == pytest.approx(2.0)
    assert model.slope == pytest.approx(0.01)
    assert model.size_for(10.0) == pytest.approx(800)
    assert model.size_for(1.0) == pytest.approx(200), "as long again as the fixed part"


def test_pieces_of_one_size_say_nothing_of_the_fixed_part() -> None:
    model = CostModel()
    for _ in range(10):
        model.took(100, 5.0)

    assert (model.fixed, model.slope) == (0.0, 0.05)
