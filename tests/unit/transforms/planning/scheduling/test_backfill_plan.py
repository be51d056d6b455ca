"""What a backfill is of, what it is cut into, and which intervals are due."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from transforms.planning.scheduling.backfill_plan import Scope, cuts, due_intervals, packed, seconds_left

HOUR = 3_600_000
SCOPE = Scope(1000, 2000, ("af-10", "af-11"), ("t",), "archive", "/archive")


def test_the_same_scope_has_the_same_name_and_any_other_another() -> None:
    assert SCOPE.name == Scope(1000, 2000, ("af-11", "af-10"), ("t",), "archive", "/archive").name
    assert replace(SCOPE, every_ms=HOUR).name == SCOPE.name, "whoever runs an interval of a schedule by hand has done it"
    others = (
        replace(SCOPE, from_ms=1001),
        replace(SCOPE, to_ms=2001),
        replace(SCOPE, client_ids=("af-10",)),
        replace(SCOPE, client_ids=()),
        replace(SCOPE, topics=()),
        replace(SCOPE, archive="/other"),
        replace(SCOPE, single_tenant="af-10"),
        replace(SCOPE, as_of=True),
        replace(SCOPE, source="kafka", archive=""),
    )
    assert len({SCOPE.name, *(one.name for one in others)}) == 1 + len(others)


def test_a_lock_is_of_a_tenant_and_a_range_whatever_the_source() -> None:
    assert list(SCOPE.locks.values()) == ["af-10", "af-11"]
    assert set(SCOPE.locks) & set(replace(SCOPE, client_ids=("af-11",), source="kafka", archive="").locks)
    assert not set(SCOPE.locks) & set(replace(SCOPE, client_ids=("af-12",)).locks)
    assert not set(SCOPE.locks) & set(replace(SCOPE, to_ms=2001).locks)
    assert list(replace(SCOPE, client_ids=()).locks.values()) == ["-"]


@given(st.lists(st.integers(0, 50)), st.integers(1, 60))
def test_parts_stay_in_order_and_within_the_limit(weights: list[int], most: int) -> None:
    found = list(packed(enumerate(weights), most))
    sized = [[weights[at] for at in group] for group in packed(((at, weight) for at, weight in enumerate(weights)), most)]

    assert [at for group in found for at in group] == list(range(len(weights)))
    assert all(sum(group) <= most or len(group) == 1 for group in sized)
    assert all(group for group in found)


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 100))
def test_pieces_cover_a_range_once(start: int, length: int, most: int) -> None:
    pieces = list(cuts(start, start + length, most))
    assert [at for begin, end in pieces for at in range(begin, end)] == list(range(start, start + length))
    assert all(0 < end - begin <= most for begin, end in pieces)


def test_the_time_that_is_left_follows_from_the_rate_so_far() -> None:
    assert seconds_left(25, 100, 10.0) == 30.0
    assert seconds_left(100, 100, 10.0) == 0.0
    assert seconds_left(0, 100, 10.0) is None


def test_a_schedule_begins_with_the_last_whole_interval() -> None:
    assert due_intervals([], None, 10 * HOUR + 5, HOUR, 9).intervals == [(9 * HOUR, 10 * HOUR)]
    assert due_intervals([], None, 10 * HOUR, HOUR, 9).intervals == [(9 * HOUR, 10 * HOUR)]
    assert due_intervals([(9 * HOUR, 10 * HOUR)], None, 10 * HOUR + 5, HOUR, 9).intervals == []


def test_missed_intervals_are_due_those_that_failed_between_too() -> None:
    done = [(5 * HOUR, 6 * HOUR), (7 * HOUR, 8 * HOUR)]
    found = due_intervals(done, 5 * HOUR, 10 * HOUR + 1, HOUR, 9)
    assert found == ([(6 * HOUR, 7 * HOUR), (8 * HOUR, 9 * HOUR), (9 * HOUR, 10 * HOUR)], 0)


def test_the_newest_are_run_and_the_others_told() -> None:
    found = due_intervals([], 0, 10 * HOUR, HOUR, 3)
    assert found == ([(7 * HOUR, 8 * HOUR), (8 * HOUR, 9 * HOUR), (9 * HOUR, 10 * HOUR)], 7)


def test_an_interval_of_another_schedule_is_none_of_this_one() -> None:
    hourly = replace(SCOPE, every_ms=HOUR)
    assert hourly.is_of_schedule(replace(hourly, from_ms=0, to_ms=1))
    assert not hourly.is_of_schedule(replace(hourly, every_ms=2 * HOUR))
    assert not hourly.is_of_schedule(SCOPE), "a backfill by hand does not say where a schedule began"
    assert not hourly.is_of_schedule(replace(hourly, client_ids=()))
