"""Micro-batches keep their cadence, wait faults out up to a limit, and end when asked, in virtual time."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from runners.loops.bounded import RunTotals
from runners.loops.follow import Follow
from transforms.io.faults import InfrastructureFault, LeaseHeldElsewhere
from transforms.model.metrics import OUTCOMES
from transforms.records.counts import Counts
from transforms.records.outcomes import Outcome, Tally

Cycle = float | Exception


@dataclass
class VirtualWorld:
    """A clock, a stopper and an observer: cycles take the seconds that they say, or raise; at their end it asks to stop."""

    cycles: list[Cycle]
    asks_in_wait: int = -1
    now: float = 1000.0
    waits: list[float] = field(default_factory=list)
    began: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    is_asked: bool = False

    def run_once(self, totals: RunTotals) -> None:
        cycle = self.cycles[len(self.began)]
        self.began.append(self.now - 1000.0)
        totals.add(RunTotals(read=2, slices=1, counts=Counts({OUTCOMES: {("af-10", Outcome.WRITTEN): 2}})))
        if isinstance(cycle, Exception):
            raise cycle
        self.now += cycle

    def asked(self) -> bool:
        return self.is_asked or len(self.began) == len(self.cycles)

    def wait(self, seconds: float) -> bool:
        self.is_asked = self.is_asked or len(self.waits) == self.asks_in_wait
        self.waits.append(seconds)
        self.now += 0 if self.is_asked else seconds
        return self.is_asked

    def cycle_done(self) -> None:
        self.told.append("ok")

    def cycle_failed(self, sentence: str) -> None:
        self.told.append(sentence)


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[VirtualWorld, Follow]]:
    def make(*cycles: Cycle, every_s: float = 10, max_faults: int = 100, asks_in_wait: int = -1) -> tuple[VirtualWorld, Follow]:
        world = VirtualWorld(list(cycles), asks_in_wait)
        monkeypatch.setattr("runners.loops.follow.time.monotonic", lambda: world.now)
        return world, Follow(world.run_once, every_s, max_faults, world, world)

    return make


Make = Callable[..., tuple[VirtualWorld, Follow]]


def away(number: int) -> InfrastructureFault:
    return InfrastructureFault(f"Away {number}.")


def test_cycles_begin_every_so_many_seconds_however_long_they_take(follow: Make) -> None:
    world, run = follow(1, 4, 9.5, 0)

    run.run()

    assert world.began == [0, 10, 20, 30]
    assert world.waits == [9, 6, 0.5, 10]


def test_a_cycle_that_took_longer_is_followed_at_once(follow: Make) -> None:
    world, run = follow(25, 1, 1)

    run.run()

    assert world.began == [0, 25, 35]
    assert world.waits[0] == 0


def test_faults_are_waited_out_twice_as_long_each_time_up_to_a_minute(follow: Make) -> None:
    world, run = follow(*(away(number) for number in range(9)), 3)

    run.run()

    assert world.waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 7]
    assert world.told == [*(f"Away {number}." for number in range(9)), "ok"]


def test_too_many_faults_in_a_row_end_it_by_raising_the_last(follow: Make) -> None:
    world, run = follow(away(1), away(2), away(3), 1, max_faults=3)

    with pytest.raises(InfrastructureFault) as raised:
        run.run()

    assert raised.value.sentence == "Away 3."
    assert world.waits == [1, 2], "the last is not waited for"
    assert world.told == ["Away 1.", "Away 2.", "Away 3."]


def test_a_cycle_that_goes_through_starts_the_count_anew(follow: Make) -> None:
    world, run = follow(away(1), away(2), 1, away(3), away(4), 1, max_faults=3)

    run.run()

    assert world.waits == [1, 2, 9, 1, 2, 9]


def test_a_stop_while_a_fault_is_waited_out_ends_it_with_the_totals(follow: Make) -> None:
    world, run = follow(1, away(1), 1, asks_in_wait=1)

    totals = run.run()

    assert world.waits == [9, 1]
    assert len(world.began) == 2
    assert (totals.read, totals.slices, totals.counts.outcomes) == (4, 2, Tally({("af-10", Outcome.WRITTEN): 4}))


def test_a_stop_before_the_first_cycle_reads_nothing(follow: Make) -> None:
    _, run = follow()

    assert run.run() == RunTotals()


def test_a_group_that_another_run_has_is_not_waited_for(follow: Make) -> None:
    world, run = follow(1, LeaseHeldElsewhere("Another run is at work."), 1)

    with pytest.raises(LeaseHeldElsewhere):
        run.run()

    assert world.waits == [9]


def test_a_defect_ends_it_at_once(follow: Make) -> None:
    world, run = follow(ZeroDivisionError("ours"), 1)

    with pytest.raises(ZeroDivisionError):
        run.run()

    assert world.told == []
