"""What a stream jumps over is lost as far as Kafka deleted it; what holds no record, or is read again, is not."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offset_jumps import OffsetJumps
from transforms.io.kafka.offsets import OffsetGap, Place

A: Place = ("state.k8s.resource", 0)
B: Place = ("state.k8s.resource", 1)


@dataclass
class Group:
    """A group whose partitions begin, and are committed, where a test says."""

    done: dict[Place, int] = field(default_factory=dict)
    first: dict[Place, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_away: bool = False

    def _told(self, what: str, found: dict[Place, int], places: Iterable[Place]) -> dict[Place, int]:
        if self.is_away:
            raise InfrastructureFault("Kafka is away.")
        self.asked.append(what)
        return {place: found[place] for place in places if place in found}

    def committed(self, places: Iterable[Place]) -> dict[Place, int]:
        return self._told("committed", self.done, places)

    def earliest(self, places: list[Place]) -> dict[Place, int]:
        return self._told("earliest", self.first, places)


def follow(group: Group) -> tuple[OffsetJumps, list[float]]:
    now = [100.0]

    def clock() -> float:
        now[0] += 2
        return now[0]

    return OffsetJumps(lambda: group, clock), now


def test_what_was_deleted_between_two_reads_is_lost_and_told_once() -> None:
    group = Group(first={A: 40})
    jumps, _ = follow(group)
    jumps.passed(A, [7, 8, 9])
    jumps.passed(A, [40, 41])

    assert jumps.lost() == [OffsetGap(*A, 10, 40, 40)]
    assert jumps.lost() == []


def test_what_compaction_took_is_no_loss_and_nothing_is_asked_where_nothing_was_jumped_over() -> None:
    group = Group(first={A: 0})
    jumps, _ = follow(group)
    jumps.passed(A, [0, 1, 2])
    jumps.passed(A, [3, 4])
    assert (jumps.lost(), group.asked) == ([], ["committed"])

    jumps.passed(A, [9, 12])
    assert jumps.lost() == []
    assert group.asked == ["committed", "earliest"]


def test_a_reader_that_begins_behind_what_was_deleted_has_lost_what_the_group_had_not_taken_in() -> None:
    group = Group(done={A: 5}, first={A: 20, B: 20})
    jumps, _ = follow(group)
    jumps.passed(A, [20])
    jumps.passed(B, [20])

    assert jumps.lost() == [OffsetGap(*A, 5, 20, 20)], "of a group that never was there, nothing is lost"


def test_only_what_is_gone_of_a_jump_is_lost() -> None:
    group = Group(done={A: 5}, first={A: 8})
    jumps, _ = follow(group)
    jumps.passed(A, [12])
    assert jumps.lost() == [OffsetGap(*A, 5, 8, 8)]


def test_what_is_read_again_after_a_failure_is_no_jump() -> None:
    group = Group(done={A: 0}, first={A: 0})
    jumps, _ = follow(group)
    jumps.passed(A, list(range(10)))
    jumps.passed(A, [4, 5, 6])
    jumps.passed(A, [7, 8])
    assert jumps.lost() == []
    assert group.asked == ["committed"]


def test_what_cannot_be_judged_while_kafka_is_away_is_judged_later() -> None:
    group = Group(done={A: 0}, first={A: 5})
    jumps, _ = follow(group)
    jumps.passed(A, [0])
    jumps.passed(A, [5])
    group.is_away = True
    assert jumps.lost() == []
    group.is_away = False
    assert jumps.lost() == [OffsetGap(*A, 1, 5, 5)]


@pytest.mark.parametrize("number", [3, 2500])
def test_many_jumps_are_held_in_bounded_memory(number: int) -> None:
    group = Group(done={A: 0}, first={A: 2 * number})
    jumps, _ = follow(group)
    jumps.passed(A, [2 * at for at in range(1, number)])
    found = jumps.lost()
    assert len(found) <= 1000
    assert (found[0].start, found[-1].end) == (0, 2 * number - 2)
