"""Coordinates become ranges that hold them all, few enough and none twice in a round for a partition."""

from hypothesis import given
from hypothesis import strategies as st

from transforms.io.kafka.offsets import OffsetRange
from transforms.io.kafka.single_records import rounds_of
from transforms.records.dead_letters.selection import Coordinates


def at(*offsets: int, topic: str = "t", partition: int = 0) -> list[Coordinates]:
    return [Coordinates(topic, partition, offset) for offset in offsets]


def test_nothing_wanted_is_no_round() -> None:
    assert rounds_of([]) == []


def test_near_offsets_share_a_range_and_far_ones_take_a_round_each() -> None:
    assert rounds_of(at(7, 5, 5, 14, 25), near=10) == [[OffsetRange("t", 0, 5, 15)], [OffsetRange("t", 0, 25, 26)]]
    assert rounds_of(at(0, 10), near=10) == [[OffsetRange("t", 0, 0, 11)]]
    assert rounds_of(at(0, 11), near=10) == [[OffsetRange("t", 0, 0, 1)], [OffsetRange("t", 0, 11, 12)]]


def test_partitions_are_read_side_by_side() -> None:
    wanted = [*at(0, 50), *at(3, partition=1), *at(4, 90, topic="u")]

    assert rounds_of(wanted, near=10) == [
        [OffsetRange("t", 0, 0, 1), OffsetRange("t", 1, 3, 4), OffsetRange("u", 0, 4, 5)],
        [OffsetRange("t", 0, 50, 51), OffsetRange("u", 0, 90, 91)],
    ]


_COORDINATES = st.builds(Coordinates, st.sampled_from("tu"), st.integers(0, 2), st.integers(0, 300))


@given(st.lists(_COORDINATES), st.integers(1, 50))
def test_every_coordinate_is_in_exactly_one_range_and_a_range_begins_and_ends_with_one(wanted: list[Coordinates], near: int) -> None:
    rounds = rounds_of(wanted, near)
    for ranges in rounds:
        assert len({one.place for one in ranges}) == len(ranges)
    every = [one for ranges in rounds for one in ranges]
    for topic, partition, offset in wanted:
        assert len([one for one in every if one.place == (topic, partition) and one.start <= offset < one.end]) == 1
    for one in every:
        assert {Coordinates(*one.place, one.start), Coordinates(*one.place, one.end - 1)} <= set(wanted)
