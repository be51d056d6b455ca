"""Silence is measured by the clock of the bus: it stands still while the bus does, and nobody's own clock counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.planning.lifecycle.liveness import BusClock, Heard, Judged, Limits, State, advanced, joined, judge, spans_of

LIMITS = Limits(stale_ms=120_000, dead_ms=300_000)
GAP = LIMITS.silence_ms
T = 1_772_352_000_000


def minutes(number: float) -> int:
    return int(number * 60_000)


def test_times_become_spans_and_overlapping_spans_one() -> None:
    assert spans_of([T + 70_000, T, T + 20_000, T + 200_000], 60_000) == [(T, T + 70_000), (T + 200_000, T + 200_000)]
    assert joined([(5, 9), (1, 2), (3, 4), (20, 30), (22, 25)], 1) == [(1, 9), (20, 30)]


def test_the_clock_begins_where_the_bus_was_heard_first() -> None:
    assert advanced(BusClock(), [(T, T + minutes(9))], T + minutes(10), GAP) == BusClock(0, T + minutes(9), T + minutes(10))
    assert advanced(BusClock(), [], T, GAP) == BusClock(0, 0, T)


@pytest.mark.parametrize(
    ("spans", "gained", "judged"),
    [
        ([(T, T + minutes(10))], minutes(10), minutes(10)),
        ([(T + 30_000, T + minutes(3))], minutes(3), minutes(3)),
        ([(T + minutes(9), T + minutes(10))], GAP + minutes(1), minutes(10)),
        ([(T + minutes(2), T + minutes(2)), (T + minutes(9), T + minutes(9))], 2 * GAP, minutes(9)),
        ([(T - minutes(10), T - minutes(9))], 0, 0),
        ([(T - minutes(10), T + minutes(1))], minutes(1), minutes(1)),
        ([(T + minutes(1), T + minutes(30))], GAP + minutes(9), minutes(10)),
        ([(T + minutes(20), T + minutes(30))], 0, 0),
        ([], 0, 0),
    ],
)
def test_the_clock_advances_while_somebody_is_heard_and_by_little_in_between(
    spans: list[tuple[int, int]], gained: int, judged: int
) -> None:
    now = advanced(BusClock(1000, T, T), spans, T + minutes(10), GAP)
    assert (now.clock_ms - 1000, now.judged_ms - T, now.judged_at_ms - T) == (gained, judged, minutes(10))


@given(st.lists(st.integers(T - minutes(20), T + minutes(20)), max_size=20))
def test_the_clock_never_runs_faster_than_time(times: list[int]) -> None:
    before = BusClock(0, T, T)
    now = advanced(before, spans_of(times, GAP), T + minutes(10), GAP)
    assert 0 <= now.clock_ms <= now.judged_ms - T <= minutes(10)


def _judged(one: Heard, quiet_ms: int) -> Judged | None:
    return judge(one, BusClock(5_000, T, T), BusClock(5_000 + quiet_ms, T + 1, T + 1), LIMITS)


@pytest.mark.parametrize(
    ("quiet_ms", "state"),
    [(0, State.ACTIVE), (119_999, State.ACTIVE), (120_000, State.STALE), (299_999, State.STALE), (300_000, State.DEAD)],
)
def test_who_is_silent_becomes_stale_and_then_dead(quiet_ms: int, state: State) -> None:
    judged = _judged(Heard("af-10", State.ACTIVE, T - 1), quiet_ms)
    assert judged is not None
    assert (judged.state, judged.silent_clock_ms, judged.silent_ms) == (state, 5_000, quiet_ms)
    assert judged.dead_clock_ms == (305_000 if state is State.DEAD else None)


def test_silence_goes_on_from_where_it_began() -> None:
    judged = _judged(Heard("af-10", State.STALE, T - 1, silent_clock_ms=1_000), 296_000)
    assert judged == Judged("af-10", State.STALE, State.DEAD, 1_000, 301_000, 300_000)
    assert _judged(Heard("af-10", State.DEAD, T - 1, 1_000, 300_000), 999_000) is None
    assert _judged(Heard("af-10", State.STALE, T - 1, 1_000), 200_000) is None


def test_who_is_heard_is_active_whatever_it_was() -> None:
    assert _judged(Heard("af-10", State.ACTIVE, T), 999_000) is None
    for state in (State.STALE, State.DEAD, State.PURGED):
        judged = _judged(Heard("af-10", state, T, 1_000, 2_000), 999_000)
        assert judged == Judged("af-10", state, State.ACTIVE, None, None, 0)
        assert judged.is_transition
    back = _judged(Heard("af-10", State.ACTIVE, T, 1_000), 0)
    assert back is not None
    assert not back.is_transition


def test_what_was_purged_stays_purged_while_it_is_silent() -> None:
    judged = _judged(Heard("af-10", State.PURGED, T - 1), 999_000)
    assert judged is not None
    assert judged.state is State.PURGED
    assert _judged(Heard("af-10", State.PURGED, T - 1, 1_000), 999_000) is None
