"""Read: one slice of the planned ranges, as chunks of records, by either of two readers."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import apache_beam as beam
from apache_beam.io.kafka import ReadFromKafka
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from transforms.io.kafka.offsets import OffsetRange, Place
from transforms.io.kafka.range_reader import CHUNK_RECORDS, RangeReader
from transforms.io.kafka.target import KafkaTarget
from transforms.model.limits import RECORD_BYTES
from transforms.model.metrics import READ_BYTES
from transforms.planning.scheduling.slices import SLICE_ROWS, SliceSize
from transforms.records.record import KafkaRecord, header_name
from transforms.steps.bundle import BundleTimes
from transforms.steps.elements import RecordChunk
from transforms.steps.metrics import count, mark_aside, mark_read
from transforms.steps.readers import BEAM, BOUNDED
from transforms.steps.slice_load import PROCESS_LOAD

# Kafka's own number for timestamps that the broker gave.
_LOG_APPEND_TIME: Final = 1


class ReadRecords(beam.PTransform):
    """The records of the ranges, in chunks of at most `CHUNK_RECORDS`.

    Delivers a prefix of every range and nothing outside of them: what was produced after planning is left for
    the next run. `size` limits the whole; where reading has to go on is marked.
    reader: `beam`, Beam's cross-language `ReadFromKafka`; `bounded`, librdkafka in this process.
    expansion_service: host:port of the Java side, for `beam`.
    """

    def __init__(self, reader: str, target: KafkaTarget, ranges: list[OffsetRange], size: SliceSize, expansion_service: str = "") -> None:
        super().__init__()
        self._read = {BEAM: _read_with_connector, BOUNDED: _read_ranges}[reader](target, ranges, size, expansion_service)

    def expand(self, begin: Any) -> beam.PCollection[RecordChunk]:
        return begin | self._read


def _read_ranges(target: KafkaTarget, ranges: list[OffsetRange], size: SliceSize, _expansion_service: str) -> Any:
    return "Slice" >> beam.Impulse() | "ReadRanges" >> beam.ParDo(ReadRangesFn(target, ranges, size)).with_output_types(RecordChunk)


def _read_with_connector(target: KafkaTarget, ranges: list[OffsetRange], size: SliceSize, expansion_service: str) -> Any:
    """The connector begins at the group's committed offsets, takes at most so many records and gives up on a quiet
    partition after a time; both limits are needed, since one alone hangs or takes everything."""
    read = ReadFromKafka(
        consumer_config=target.java_config(),
        topics=sorted({one.topic for one in ranges}),
        with_metadata=True,
        max_num_records=size.max_records,
        max_read_time=size.max_read_s,
        expansion_service=expansion_service,
    )
    return "Kafka" >> read | "Chunk" >> beam.ParDo(ChunkRecordsFn(ranges, size.max_rows)).with_output_types(RecordChunk)


class ReadRangesFn(beam.DoFn):
    """Reads the slice itself; what follows is fused with it, so a chunk is worked on before the next is taken."""

    def __init__(self, target: KafkaTarget, ranges: list[OffsetRange], size: SliceSize) -> None:
        self._target = target
        self._ranges = ranges
        self._size = size
        self._reader: RangeReader | None = None

    def setup(self) -> None:
        self._reader = RangeReader(self._target)

    def teardown(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def process(self, _slice: bytes) -> Iterator[RecordChunk]:
        assert self._reader is not None
        PROCESS_LOAD.begin(self._size.max_rows)
        with closing(self._reader.read(self._ranges, self._size.max_records, self._size.max_bytes, mark_aside)) as chunks:
            for chunk in chunks:
                taken = 0
                for piece in pieces(chunk.records, chunk.size_bytes):
                    yield piece
                    taken += len(piece)
                    if PROCESS_LOAD.is_full:
                        break
                if taken < len(chunk.records):
                    mark_chunk(RecordChunk(chunk.records[:taken]))
                    return
                for place, passed in chunk.passed.items():
                    mark_read(place, *passed)
                count(READ_BYTES, chunk.size_bytes)
                if PROCESS_LOAD.is_full:
                    return


def pieces(records: list[KafkaRecord], size_bytes: int) -> Iterator[RecordChunk]:
    """Records that came together, in pieces of about the bytes of the largest record: nobody knows what they mean before they are decoded.

    size_bytes: of all of them.
    """
    if size_bytes <= RECORD_BYTES:
        if records:
            yield RecordChunk(records)
        return
    piece, held = RecordChunk(), 0
    for record in records:
        if piece and held + record.size_bytes > RECORD_BYTES:
            yield piece
            piece, held = RecordChunk(), 0
        piece.append(record)
        held += record.size_bytes
    if piece:
        yield piece


class ChunkRecordsFn(beam.DoFn):
    """Collects the connector's rows of the planned ranges into chunks and marks the positions reached.

    The connector cannot be told to stop. Once the slice comes to `max_rows`, what follows in each partition is left for the next.
    """

    def __init__(self, ranges: list[OffsetRange], max_rows: int = SLICE_ROWS) -> None:
        self._ends = {one.place: (one.start, one.end) for one in ranges}
        self._max_rows = max_rows
        self._start()

    def _start(self) -> None:
        self._taken = dict[Place, int]()
        self._cuts = dict[Place, int]()
        self._empty()
        self._times = BundleTimes()

    def start_bundle(self) -> None:
        PROCESS_LOAD.begin(self._max_rows)
        self._start()

    def process(self, row: Any, timestamp: Timestamp = beam.DoFn.TimestampParam) -> Iterator[RecordChunk]:
        self._times.note(timestamp)
        start, end = self._ends.get((row.topic, row.partition), (0, 0))
        if not start <= row.offset < end or self._is_left((row.topic, row.partition), row.offset):
            return
        record = record_of(row)
        if self._chunk and self._held_bytes + record.size_bytes > RECORD_BYTES:
            yield self._take()
            if self._is_left((row.topic, row.partition), row.offset):
                return
        self._taken[row.topic, row.partition] = max(row.offset, self._taken.get((row.topic, row.partition), -1))
        self._chunk.append(record)
        self._held_bytes += record.size_bytes
        if len(self._chunk) >= CHUNK_RECORDS:
            yield self._take()

    def _is_left(self, place: Place, offset: int) -> bool:
        """Whether the slice is full and leaves this offset, and those after it, for the next: whatever the order, it takes a prefix."""
        if place in self._cuts:
            return offset >= self._cuts[place]
        if not PROCESS_LOAD.is_full or offset <= self._taken.get(place, -1):
            return False
        self._cuts[place] = offset
        return True

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._chunk:
            yield self._times.at_earliest(self._take())

    def _take(self) -> RecordChunk:
        chunk = self._chunk
        self._empty()
        mark_chunk(chunk)
        return chunk

    def _empty(self) -> None:
        self._chunk, self._held_bytes = RecordChunk(), 0


def mark_chunk(chunk: RecordChunk) -> dict[Place, list[int]]:
    """Note what was read with the chunk; its offsets in their order, by partition."""
    offsets: dict[Place, list[int]] = {}
    for record in chunk:
        offsets.setdefault((record.topic, record.partition), []).append(record.offset)
    for place, found in offsets.items():
        mark_read(place, len(found), min(found), max(found) + 1)
    count(READ_BYTES, sum(record.size_bytes for record in chunk))
    return offsets


def record_of(row: Any) -> KafkaRecord:
    """The record that a row of the connector's stands for."""
    headers = tuple((header_name(header.key), header.value) for header in row.headers or ())
    is_broker_time = row.timestampTypeId == _LOG_APPEND_TIME
    return KafkaRecord(row.topic, row.partition, row.offset, row.timestamp, row.key, row.value, headers, is_broker_time)
