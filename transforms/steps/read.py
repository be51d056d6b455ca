"""Read: one slice of the planned ranges, as chunks of records."""

from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam
from apache_beam.io.kafka import ReadFromKafka
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.io.kafka_offsets import OffsetRange
from transforms.io.kafka_target import KafkaTarget
from transforms.records.record import KafkaRecord
from transforms.steps.metrics import mark_positions

CHUNK_RECORDS: Final = 1000


class ReadRecords(beam.PTransform):
    """The records of the ranges, in chunks of at most `CHUNK_RECORDS`, through Beam's `ReadFromKafka`.

    Delivers a prefix of every range and nothing outside of them: what was produced after planning is left for
    the next run. The connector begins at the group's committed offsets, takes at most `max_records` and gives up
    on a quiet partition after `max_read_s`; both limits are needed, since one alone hangs or takes everything.
    expansion_service: host:port of the Java side.
    """

    def __init__(self, target: KafkaTarget, ranges: list[OffsetRange], max_records: int, max_read_s: int, expansion_service: str) -> None:
        super().__init__()
        self._read = ReadFromKafka(
            consumer_config=target.java_config(),
            topics=sorted({one.topic for one in ranges}),
            with_metadata=True,
            max_num_records=max_records,
            max_read_time=max_read_s,
            expansion_service=expansion_service,
        )
        self._ranges = ranges

    def expand(self, begin: Any) -> beam.PCollection[list[KafkaRecord]]:
        return begin | "Kafka" >> self._read | "Chunk" >> beam.ParDo(ChunkRecordsFn(self._ranges))


class ChunkRecordsFn(beam.DoFn):
    """Collects the connector's rows of the planned ranges into chunks and marks the positions reached."""

    def __init__(self, ranges: list[OffsetRange]) -> None:
        self._ends = {one.place: (one.start, one.end) for one in ranges}
        self._chunk: list[KafkaRecord] = []

    def start_bundle(self) -> None:
        self._chunk = []

    def process(self, row: Any) -> Iterator[list[KafkaRecord]]:
        start, end = self._ends.get((row.topic, row.partition), (0, 0))
        if start <= row.offset < end:
            self._chunk.append(_record(row))
            if len(self._chunk) >= CHUNK_RECORDS:
                yield self._take()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._chunk:
            window = GlobalWindow()
            yield WindowedValue(self._take(), window.max_timestamp(), [window])

    def _take(self) -> list[KafkaRecord]:
        chunk, self._chunk = self._chunk, []
        mark_positions(((record.topic, record.partition, record.offset) for record in chunk), sum(record.size_bytes for record in chunk))
        return chunk


def _record(row: Any) -> KafkaRecord:
    headers = tuple((header.key, header.value) for header in row.headers or ())
    return KafkaRecord(row.topic, row.partition, row.offset, row.timestamp, row.key, row.value, headers)
