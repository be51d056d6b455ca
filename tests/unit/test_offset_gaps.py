"""Which offsets are lost, decided from what is committed, what is held, and which topic it was."""

import pytest

from transforms.io.kafka_offsets import OffsetGap, Place, Stand, gap_before, gap_of_topic_made_anew

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
        (Stand("a", 5), "b", 0, OffsetGap(*PLACE, 5, 5, 0)),
        (Stand("a", 5), "b", 3, OffsetGap(*PLACE, 5, 5, 3)),
        (Stand("a", 5), "a", 0, None),
        (Stand("a", 0), "b", 0, None),
        (Stand("a", 5), "", 0, None),
        (Stand("", 5), "b", 0, None),
        (None, "b", 0, None),
    ],
)
def test_a_topic_made_anew_is_a_gap_where_the_group_had_taken_something_in(
    stood: Stand | None, topic_id: str, earliest: int, gap: OffsetGap | None
) -> None:
    assert gap_of_topic_made_anew(PLACE, stood, topic_id, earliest) == gap


def test_the_sentence_of_a_topic_made_anew_says_where_reading_goes_on() -> None:
    gap = gap_of_topic_made_anew(PLACE, Stand("a", 5), "b", 0)

    assert gap is not None
    assert gap.sentence.startswith("state.k8s.resource[2] ends before offset 5, where the group stood: the topic was made anew")
    assert "reading goes on at 0" in gap.sentence
