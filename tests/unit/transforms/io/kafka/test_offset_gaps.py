"""Which offsets are lost, decided from what is committed, what is held, and which topic it was."""

import pytest

from transforms.io.kafka.offsets import CommittedPosition, OffsetGap, OffsetRange, Place, gap_before, gap_of_topic_made_anew
from transforms.io.kafka.ranges import Forgotten, GroupProgress

PLACE: Place = ("state.k8s.resource", 2)


@pytest.mark.parametrize(
    ("committed", "earliest", "latest", "gap"),
    [
        (5, 0, 9, None),
        (5, 5, 5, None),
        (5, 7, 9, OffsetGap(*PLACE, 5, 7, 7)),
        (5, 0, 4, OffsetGap(*PLACE, 5, 5, 0)),
    ],
)
def test_what_was_deleted_or_cut_back_is_a_gap(committed: int, earliest: int, latest: int, gap: OffsetGap | None) -> None:
    assert gap_before(PLACE, committed, earliest, latest) == gap


@pytest.mark.parametrize(
    ("stood", "topic_id", "earliest", "gap"),
    [
        (CommittedPosition("a", 5), "b", 0, OffsetGap(*PLACE, 5, 5, 0)),
        (CommittedPosition("a", 5), "b", 3, OffsetGap(*PLACE, 5, 5, 3)),
        (CommittedPosition("a", 5), "a", 0, None),
        (CommittedPosition("a", 0), "b", 0, None),
        (CommittedPosition("a", 5), "", 0, None),
        (CommittedPosition("", 5), "b", 0, None),
        (None, "b", 0, None),
    ],
)
def test_a_topic_made_anew_is_a_gap_where_the_group_had_taken_something_in(
    stood: CommittedPosition | None, topic_id: str, earliest: int, gap: OffsetGap | None
) -> None:
    assert gap_of_topic_made_anew(PLACE, stood, topic_id, earliest) == gap


def test_the_sentence_of_a_topic_made_anew_says_where_reading_goes_on() -> None:
    gap = gap_of_topic_made_anew(PLACE, CommittedPosition("a", 5), "b", 0)

    assert gap is not None
    assert gap.sentence.startswith("state.k8s.resource[2] ends before offset 5, where the group stood: the topic was made anew")
    assert "reading goes on at 0" in gap.sentence


def stands(age_s: float, **offsets: int) -> GroupProgress:
    found = GroupProgress()
    found.remember({(topic, 0): CommittedPosition(f"id of {topic}", offset) for topic, offset in offsets.items()}, age_s)
    return found


NONE = Forgotten((), {})
IDS = {"a": "id of a", "b": "id of b"}
FIRST: dict[Place, int] = {("a", 0): 0, ("b", 0): 3}
LAST: dict[Place, int] = {("a", 0): 9, ("b", 0): 9}


def nowhere() -> bool:
    return False


def test_what_kafka_forgot_of_one_partition_is_told_from_what_never_was_and_read_on_where_the_group_stood() -> None:
    assert stands(5, a=6).forgotten(IDS, {("b", 0): 4}, FIRST, LAST, nowhere).expired == (OffsetRange("a", 0, 6, 9),)
    assert stands(5).forgotten(IDS, {("b", 0): 4}, FIRST, LAST, nowhere) == NONE, "never read"
    assert stands(5, a=6).forgotten(IDS, {("a", 0): 2}, FIRST, LAST, nowhere) == NONE, (
        "what is committed counts, set back on purpose or not"
    )


def test_where_the_group_stood_is_held_to_what_the_partition_holds_now() -> None:
    assert stands(5, b=1, a=20).forgotten(IDS, {("c", 0): 1}, FIRST, LAST, nowhere).expired == (
        OffsetRange("a", 0, 9, 9),
        OffsetRange("b", 0, 3, 9),
    )


def test_a_topic_made_anew_is_not_one_whose_offsets_expired() -> None:
    assert stands(5, a=6).forgotten(IDS | {"a": "another"}, {("b", 0): 4}, FIRST, LAST, nowhere) == NONE


def test_a_group_that_was_deleted_to_read_all_anew_is_told_from_one_that_expired_by_its_age() -> None:
    deleted = stands(3600, a=6, b=5)
    assert deleted.forgotten(IDS, {}, FIRST, LAST, nowhere) == Forgotten((), {("a", 0): 0, ("b", 0): 3}), (
        "committed as their beginnings at once"
    )
    assert deleted.forgotten(IDS, {("b", 0): 4}, FIRST, LAST, nowhere) == NONE, "nor is it later, when some of it is committed again"
    assert stands(8 * 24 * 3600, a=6, b=5).forgotten(IDS, {}, FIRST, LAST, nowhere).expired == (
        OffsetRange("a", 0, 6, 9),
        OffsetRange("b", 0, 5, 9),
    )


def test_a_group_that_has_committed_in_other_topics_was_not_deleted() -> None:
    forgot = stands(5, a=6).forgotten(IDS, {}, FIRST, LAST, lambda: True)

    assert forgot.expired == (OffsetRange("a", 0, 6, 9),)
