"""A slice ends where it comes to too many rows, by either reader, and what it leaves is the rest of every partition."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.wire import kafka_record
from transforms.io.kafka.offsets import OffsetRange, Place
from transforms.io.kafka.range_reader import CHUNK_RECORDS, Chunk, Passed
from transforms.io.kafka.target import KafkaTarget
from transforms.model.limits import RECORD_BYTES
from transforms.planning.scheduling.slices import SliceSize
from transforms.records.record import KafkaRecord
from transforms.steps import read
from transforms.steps.read import ChunkRecordsFn, ReadRangesFn, pieces
from transforms.steps.slice_load import PROCESS_LOAD, SliceLoad

TOPIC = "t"
Marks = dict[Place, tuple[int, int, int]]


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> Marks:
    """What was marked as read: records, the first offset, and where to go on."""
    found: Marks = {}

    def mark(place: Place, records: int, first: int, position: int) -> None:
        had, at, _ = found.get(place, (0, first, 0))
        found[place] = (had + records, min(at, first), position)

    monkeypatch.setattr(read, "mark_read", mark)
    monkeypatch.setattr(read, "count", lambda _what, _bytes: None)
    return found


def records(partition: int, offsets: range, size: int = 10) -> list[KafkaRecord]:
    return [kafka_record(TOPIC, b"x" * size, None, partition=partition, offset=offset) for offset in offsets]


def test_a_load_is_full_once_it_has_the_rows() -> None:
    load = SliceLoad()
    load.begin(10)
    load.add(9)
    assert not load.is_full
    load.add(1)
    assert load.is_full
    load.begin(0)
    load.add(10**9)
    assert not load.is_full


@pytest.mark.parametrize(
    ("sizes", "cut"),
    [([], []), ([10, 10], [2]), ([RECORD_BYTES, 1], [1, 1]), ([RECORD_BYTES + 1], [1]), ([RECORD_BYTES // 2] * 5, [2, 2, 1])],
)
def test_records_come_in_pieces_of_about_the_largest_record(sizes: list[int], cut: list[int]) -> None:
    held = [record for at, size in enumerate(sizes) for record in records(0, range(at, at + 1), size)]
    found = list(pieces(held, sum(sizes)))
    assert [len(one) for one in found] == cut
    assert [record for one in found for record in one] == held


class _Reader:
    """Gives these chunks; knows whether it was closed before its end."""

    def __init__(self, chunks: list[Chunk]) -> None:
        self.chunks = chunks
        self.is_closed = False

    def read(self, _ranges: Any, _records: int, _bytes: int, _aside: Any) -> Iterator[Chunk]:
        try:
            yield from self.chunks
        finally:
            self.is_closed = True


def _chunk(held: list[KafkaRecord], *passed: tuple[int, Passed]) -> Chunk:
    return Chunk(held, sum(one.size_bytes for one in held), {(TOPIC, partition): one for partition, one in passed})


def _read(reader: _Reader, rows: int, each: int) -> list[int]:
    """Offsets that were given, where each record comes to so many rows once it is worked on."""
    fn = ReadRangesFn(KafkaTarget("b", "g"), [], SliceSize(10, 10, 1, rows))
    fn._reader = reader  # type: ignore[assignment]
    found = []
    for piece in fn.process(b""):
        found += [record.offset for record in piece]
        PROCESS_LOAD.add(each * len(piece))
    return found


def test_the_bounded_reader_stops_after_the_chunk_that_fills_the_slice(marks: Marks) -> None:
    reader = _Reader([_chunk(records(0, range(at, at + 2)), (0, Passed(2, at, at + 2))) for at in (0, 2, 4, 6)])

    assert _read(reader, 4, 1) == [0, 1, 2, 3]
    assert (marks, reader.is_closed) == ({(TOPIC, 0): (4, 0, 4)}, True)


def test_the_bounded_reader_stops_within_a_chunk_of_large_records_and_leaves_its_rest(marks: Marks) -> None:
    held = [*records(0, range(2), RECORD_BYTES), *records(1, range(7, 9), RECORD_BYTES)]
    reader = _Reader([_chunk(held, (0, Passed(2, 0, 99)), (1, Passed(2, 7, 9)))])

    assert _read(reader, 30, 10) == [0, 1, 7]
    assert marks == {(TOPIC, 0): (2, 0, 2), (TOPIC, 1): (1, 7, 8)}


def test_the_bounded_reader_reads_all_where_little_is_meant(marks: Marks) -> None:
    reader = _Reader([_chunk(records(0, range(2)), (0, Passed(2, 0, 9)))])

    assert _read(reader, 100, 1) == [0, 1]
    assert marks == {(TOPIC, 0): (2, 0, 9)}


def _row(partition: int, offset: int, size: int = 10) -> Any:
    return SimpleNamespace(
        topic=TOPIC, partition=partition, offset=offset, timestamp=0, key=None, value=b"x" * size, headers=(), timestampTypeId=0
    )


def _rows(found: list[Any], rows: int, each: int) -> list[tuple[int, int]]:
    """(partition, offset) of what was given of the connector's rows, of ranges that begin at 0."""
    fn = ChunkRecordsFn([OffsetRange(TOPIC, partition, 0, 10**6) for partition in (0, 1)], rows)
    fn.start_bundle()
    given: list[tuple[int, int]] = []
    for row in found:
        for piece in fn.process(row, 0):
            given += [(record.partition, record.offset) for record in piece]
            PROCESS_LOAD.add(each * len(piece))
    for last in fn.finish_bundle():
        given += [(record.partition, record.offset) for record in last.value]
    return given


def test_what_the_connector_gives_beyond_a_full_slice_is_left_for_the_next(marks: Marks) -> None:
    found = [_row(0, 0, RECORD_BYTES), _row(1, 0, RECORD_BYTES), _row(0, 1, RECORD_BYTES), _row(1, 1), _row(0, 2)]

    assert _rows(found, 10, 5) == [(0, 0), (1, 0)]
    assert marks == {(TOPIC, 0): (1, 0, 1), (TOPIC, 1): (1, 0, 1)}


def test_what_is_left_of_a_partition_is_its_end_whatever_order_rows_come_in(marks: Marks) -> None:
    order = [3, 1, 5, 2, 4, 0, 6]
    found = [_row(0, offset, RECORD_BYTES) for offset in order]

    given = sorted(offset for _, offset in _rows(found, 1, 1))

    assert given == [0, 1, 2, 3, 4]
    assert marks[TOPIC, 0][0] == 5


def test_ordinary_rows_come_in_whole_chunks(marks: Marks) -> None:
    given = _rows([_row(0, offset) for offset in range(2 * CHUNK_RECORDS + 1)], 10**6, 1)

    assert len(given) == 2 * CHUNK_RECORDS + 1
    assert marks[TOPIC, 0] == (2 * CHUNK_RECORDS + 1, 0, 2 * CHUNK_RECORDS + 1)
