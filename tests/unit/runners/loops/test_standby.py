"""A run that stands by takes over as soon as the lease is free, waits out faults, and hands over when told to stop."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from runners.loops.handover import Handover
from runners.loops.standby import LOOK_S, Standby
from transforms.io.faults import GraphTooNew, InfrastructureFault


class Other(NamedTuple):
    host: str = "pod-a"
    left_s: float = 30.0


@dataclass
class World:
    """Answers looks at the lease in turn, in virtual time; asks to stop in the wait after `asks_after` looks."""

    answers: Sequence[Other | Exception | None]
    asks_after: int = -1
    waits: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    is_asked: bool = False
    looks: int = 0

    def attempt(self) -> Other | None:
        answer = self.answers[self.looks]
        self.looks += 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def asked(self) -> bool:
        return self.is_asked

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.is_asked = self.looks == self.asks_after
        return self.is_asked

    def standing_by(self, host: str) -> None:
        self.told.append(host)

    def cycle_failed(self, sentence: str) -> None:
        self.told.append(sentence)

    def run(self, max_faults: int = 3) -> bool:
        return Standby(self.attempt, max_faults, self, self).run()


def test_a_free_lease_is_taken_at_once() -> None:
    world = World([None])

    assert world.run()
    assert (world.waits, world.told) == ([], [])


def test_it_looks_again_and_again_however_often_the_holder_renews() -> None:
    world = World([*[Other()] * 500, None])

    assert world.run()
    assert {*world.waits} == {LOOK_S}
    assert {*world.told} == {"pod-a"}


def test_it_wakes_as_the_lease_of_a_dead_run_ends() -> None:
    world = World([Other(left_s=0.1), Other(left_s=0.0), None])

    assert world.run()
    assert world.waits == [0.1, 0.02]


def test_it_stops_when_told_to_and_takes_nothing_then() -> None:
    world = World([Other(), Other(), None], asks_after=2)

    assert not world.run()
    assert world.looks == 2


def test_faults_between_looks_that_got_an_answer_never_add_up() -> None:
    away = InfrastructureFault("Neo4j is away.")
    round_: list[Other | Exception | None] = [away, away, Other()]
    world = World([*round_ * 20, None])

    assert world.run(max_faults=3)
    assert world.told.count("Neo4j is away.") == 40


def test_so_many_faults_in_a_row_end_it() -> None:
    away = InfrastructureFault("Neo4j is away.")
    world = World([Other(), away, away, away, None])

    with pytest.raises(InfrastructureFault, match="Neo4j is away"):
        world.run(max_faults=3)


def test_a_graph_that_is_too_new_ends_it_at_once() -> None:
    world = World([GraphTooNew("too new"), None])

    with pytest.raises(GraphTooNew):
        world.run()


class Stopper:
    def __init__(self) -> None:
        self.is_asked = False

    def asked(self) -> bool:
        return self.is_asked

    def wait(self, _seconds: float) -> bool:
        return self.is_asked


class Leaving:
    """Notes what was done in which order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.left = threading.Event()

    def give_back(self) -> None:
        self.done.append("gave the lease back")

    def leave(self) -> None:
        self.done.append("left")
        self.left.set()


def test_a_slice_that_does_not_end_is_left_after_the_lease_was_given_back() -> None:
    stopper, leaving = Stopper(), Leaving()
    with Handover(stopper, leaving.give_back, 0.05, leaving.leave):
        stopper.is_asked = True
        assert leaving.left.wait(10)

    assert leaving.done == ["gave the lease back", "left"]


def test_a_run_that_ends_in_time_ends_by_itself() -> None:
    stopper, leaving = Stopper(), Leaving()
    with Handover(stopper, leaving.give_back, 30, leaving.leave) as handover:
        stopper.is_asked = True
    handover.join(10)

    assert leaving.done == []


def test_nothing_is_left_while_nobody_asks() -> None:
    stopper, leaving = Stopper(), Leaving()
    with Handover(stopper, leaving.give_back, 0, leaving.leave):
        assert not leaving.left.wait(0.4)

    assert leaving.done == []
