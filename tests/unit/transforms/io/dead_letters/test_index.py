"""The index keeps the last letter of each original record, groups them, and holds nothing of keys and values."""

from collections.abc import Iterator

import pytest

from tests.support.wire import AT_MS, EVENTS, RESOURCES
from transforms.io.dead_letters.gaps import encode_gap
from transforms.io.dead_letters.index import LetterGroup, LetterIndex
from transforms.io.dead_letters.reader import Posted
from transforms.io.dead_letters.writer import encode_deadletter
from transforms.io.kafka.offsets import OffsetGap
from transforms.records.dead_letters.letters import Wanted, decode_letter, encode_letter, replay_mark
from transforms.records.dead_letters.selection import Coordinates, LetterFilter
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reason, Reject, Step

LETTERS = "graph.deadletter"


def posted(
    offset: int,
    at: int,
    reason: Reason = Reason.BAD_TIME,
    client_id: str = "af-10",
    *,
    topic: str = EVENTS,
    partition: int = 0,
    written_ms: int | None = None,
    timestamp_ms: int = AT_MS,
) -> Posted:
    """The letter of a record at this offset, that lies itself at `at`."""
    record = KafkaRecord(topic, 0, offset, timestamp_ms, b"key", b"value", ())
    letter = decode_letter(encode_deadletter(Reject(record, client_id, Step.DECODE, reason, "d" * 400)))
    return Posted(Coordinates(LETTERS, partition, at), at if written_ms is None else written_ms, letter)


def gap(start: int, end: int, at: int) -> Posted:
    return Posted(Coordinates(LETTERS, 0, at), at, decode_letter(encode_gap(OffsetGap(EVENTS, 0, start, end, end))))


def mark(of: Posted, at: int, *, partition: int | None = None, written_ms: int | None = None) -> Posted:
    """The mark of this letter, as the topic would give it back."""
    letter = of.letter
    wanted = Wanted(of.at, letter.coordinates, letter.tenant, letter.size_bytes, letter.timestamp_ms)
    place = Coordinates(LETTERS, of.at.partition if partition is None else partition, at)
    return Posted(place, at if written_ms is None else written_ms, decode_letter(encode_letter(replay_mark(wanted))))


@pytest.fixture
def index() -> Iterator[LetterIndex]:
    index = LetterIndex(LetterFilter())
    yield index
    index.close()


def originals(index: LetterIndex) -> list[tuple[int, int]]:
    """The original offset of each letter, and where the letter lies."""
    return [(one.original.offset, one.at.offset) for one in index.wanted()]


def test_letters_are_grouped_by_tenant_reason_and_topic(index: LetterIndex) -> None:
    index.put([posted(1, 10), posted(2, 12), posted(3, 11), posted(4, 13, client_id=""), posted(5, 14, topic=RESOURCES)])
    index.put([posted(6, 15, Reason.BAD_VALUE)])

    groups = list(index.groups())

    assert [(one.client_id, one.reason, one.topic, one.letters) for one in groups] == [
        ("-", "bad_time", EVENTS, 1),
        ("af-10", "bad_time", EVENTS, 3),
        ("af-10", "bad_time", RESOURCES, 1),
        ("af-10", "bad_value", EVENTS, 1),
    ]
    assert (groups[1].first_ms, groups[1].last_ms, groups[1].is_gap, groups[1].lost) == (10, 12, False, 0)
    assert groups[1].example in {Coordinates(EVENTS, 0, offset) for offset in (1, 2, 3)}
    assert groups[0].example == Coordinates(EVENTS, 0, 4)


def test_of_one_record_the_last_letter_holds(index: LetterIndex) -> None:
    index.put([posted(1, 10, Reason.TENANT_MISSING, ""), posted(2, 11)])
    index.put([posted(1, 12, Reason.BAD_VALUE)])

    assert [(one.client_id, one.reason, one.letters) for one in index.groups()] == [("af-10", "bad_time", 1), ("af-10", "bad_value", 1)]
    assert originals(index) == [(2, 11), (1, 12)]


@pytest.mark.parametrize(("first", "second", "held"), [(5, 9, 1), (9, 5, 0), (7, 7, 1)])
def test_between_partitions_the_letter_that_was_written_later_holds(index: LetterIndex, first: int, second: int, held: int) -> None:
    index.put([posted(1, 10, partition=0, written_ms=first), posted(1, 20, partition=1, written_ms=second)])

    assert [one.at.partition for one in index.wanted()] == [held]


def test_within_a_partition_their_order_decides_whatever_the_clock_said(index: LetterIndex) -> None:
    index.put([posted(1, 10, written_ms=9), posted(1, 11, written_ms=5)])

    assert originals(index) == [(1, 11)]


def test_another_record_at_the_same_offset_of_a_topic_made_anew_hides_nothing(index: LetterIndex) -> None:
    index.put([posted(1, 10), posted(1, 11, timestamp_ms=AT_MS + 1)])

    assert originals(index) == [(1, 10), (1, 11)]


def test_a_gap_and_the_letter_of_a_record_at_its_beginning_hide_neither_the_other_and_only_the_record_is_wanted(index: LetterIndex) -> None:
    index.put([posted(1, 10, timestamp_ms=0), gap(1, 5, 11), gap(7, 9, 12)])

    assert originals(index) == [(1, 10)]
    (lost,) = [one for one in index.groups() if one.is_gap]
    assert lost == LetterGroup("-", "offsets_lost", EVENTS, True, 2, 6, 0, 11, 12, lost.example)
    assert [(one.original.offset, one.reason) for one in index.latest(9)] == [(7, "offsets_lost"), (1, "offsets_lost"), (1, "bad_time")]


def test_the_last_written_come_first_with_a_detail_that_is_not_too_long(index: LetterIndex) -> None:
    index.put([posted(1, 10), posted(2, 11), posted(3, 12, written_ms=5)])

    latest = list(index.latest(2))

    assert [one.original.offset for one in latest] == [2, 1]
    assert (latest[0].at, latest[0].written_ms, latest[0].step, latest[0].detail) == (Coordinates(LETTERS, 0, 11), 11, "decode", "d" * 300)
    assert list(index.latest(0)) == []


def test_letters_are_wanted_in_the_order_in_which_they_lie_with_their_sizes(index: LetterIndex) -> None:
    index.put([posted(9, 10, partition=1), posted(8, 2), posted(7, 3)])

    assert list(index.wanted()) == [
        Wanted(Coordinates(LETTERS, 0, 2), Coordinates(EVENTS, 0, 8), "af-10", 8, AT_MS),
        Wanted(Coordinates(LETTERS, 0, 3), Coordinates(EVENTS, 0, 7), "af-10", 8, AT_MS),
        Wanted(Coordinates(LETTERS, 1, 10), Coordinates(EVENTS, 0, 9), "af-10", 8, AT_MS),
    ]


def test_a_filter_may_mean_single_records_by_their_coordinates() -> None:
    index = LetterIndex(LetterFilter(originals=frozenset({Coordinates(EVENTS, 0, 2), Coordinates(EVENTS, 1, 3)})))
    index.put([posted(1, 10), posted(2, 11), posted(3, 12)])

    assert originals(index) == [(2, 11)]
    index.close()


def test_a_filter_is_about_the_last_letter_of_a_record() -> None:
    index = LetterIndex(LetterFilter(reasons=frozenset({"bad_time"})))
    index.put([posted(1, 10), posted(2, 11), posted(1, 12, Reason.BAD_VALUE), posted(3, 13, Reason.BAD_VALUE), gap(0, 1, 14)])

    assert originals(index) == [(2, 11)]
    assert [one.letters for one in index.groups()] == [1]
    assert [one.original.offset for one in index.latest(9)] == [2]
    index.close()


@pytest.mark.parametrize("is_mark_first", [False, True])
def test_a_replayed_letter_is_counted_as_such_and_wanted_only_again(index: LetterIndex, *, is_mark_first: bool) -> None:
    letters, marks = [posted(1, 10), posted(2, 11)], [mark(posted(1, 10), 12)]
    for part in (marks, letters) if is_mark_first else (letters, marks):
        index.put(part)

    (group,) = index.groups()
    assert (group.letters, group.replayed, group.last_ms) == (2, 1, 11)
    assert originals(index) == [(2, 11)]
    assert [one.original.offset for one in index.wanted(again=True)] == [1, 2]
    assert [(one.original.offset, one.replayed_ms) for one in index.latest(9)] == [(2, None), (1, 12)]
    assert [one.original.offset for one in index.latest(9, only_open=True)] == [2]
    assert [(one.original.offset, one.replayed_ms) for one in index.latest_of_each(9)] == [(2, None), (1, 12)]


def test_what_is_rejected_again_after_its_replay_is_open_again(index: LetterIndex) -> None:
    index.put([posted(1, 10), mark(posted(1, 10), 11), posted(1, 12, Reason.BAD_VALUE)])

    assert originals(index) == [(1, 12)]
    assert [(one.reason, one.replayed) for one in index.groups()] == [("bad_value", 0)]


@pytest.mark.parametrize(("written_ms", "is_open"), [(9, True), (10, False), (11, False)])
def test_between_partitions_or_files_a_mark_is_of_what_was_written_before_it(index: LetterIndex, written_ms: int, *, is_open: bool) -> None:
    letter = posted(1, 10)
    index.put([letter, mark(letter, 3, partition=1, written_ms=written_ms)])

    assert bool(originals(index)) is is_open


def test_a_mark_is_of_its_own_record_and_of_no_gap(index: LetterIndex) -> None:
    index.put([posted(1, 10), posted(1, 11, timestamp_ms=AT_MS + 1), posted(1, 12, topic=RESOURCES), gap(1, 3, 13)])
    index.put([mark(posted(1, 10), 14), mark(gap(1, 3, 13), 15)])

    assert originals(index) == [(1, 11), (1, 12)]
    assert [one.replayed for one in index.groups() if one.is_gap] == [0]
