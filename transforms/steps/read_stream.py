"""Read, without an end: all records of the topics as they come, in chunks, and how far reading has come."""

from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam
import msgspec
from apache_beam.io.kafka import ReadFromKafka
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.timestamp import Timestamp

from transforms.io.kafka.offset_jumps import process_jumps
from transforms.io.kafka.offsets import Place
from transforms.io.kafka.range_reader import CHUNK_RECORDS
from transforms.io.kafka.target import KafkaTarget
from transforms.steps.bundle import BundleTimes
from transforms.steps.elements import RecordChunk
from transforms.steps.read import mark_chunk, record_of

POSITIONS: Final = "positions"
GAPS: Final = "gaps"
# One key for all, so that one worker commits for every partition at once. Standard types: they pass through the Java side.
Position = tuple[str, bytes]
POSITIONS_KEY: Final = ""
ReachedOffsets = list[tuple[str, int, int]]

_DECODE: Final = msgspec.msgpack.Decoder(ReachedOffsets).decode


def encode_positions(reached: dict[Place, int]) -> Position:
    """The offsets to go on from, by partition, as they travel."""
    return POSITIONS_KEY, msgspec.msgpack.encode([(*place, offset) for place, offset in sorted(reached.items())])


def decode_positions(encoded: bytes) -> dict[Place, int]:
    """What `encode_positions` encoded."""
    return {(topic, partition): offset for topic, partition, offset in _DECODE(encoded)}


class ReadStream(beam.PTransform):
    """Outputs `main`: every record from the group's committed offsets on, or from where a checkpoint or savepoint stands;
    `positions`: how far reading has come, each as young as the youngest record before it; `gaps`: offsets that Kafka deleted before
    they were read, as far as they are not those of a log that was cut back.

    topics: those that exist now; the connector knows of no others while the pipeline lives. It commits nothing.
    expansion_service: host:port of the Java side, which must use the read that Flink checkpoints by itself (docs/adr/018).
    """

    def __init__(self, target: KafkaTarget, topics: list[str], expansion_service: str) -> None:
        super().__init__()
        self._fn = ChunkStreamFn(target)
        self._read = ReadFromKafka(
            consumer_config=target.java_config(), topics=sorted(topics), with_metadata=True, expansion_service=expansion_service
        )

    def expand(self, begin: Any) -> Any:
        chunks = beam.ParDo(self._fn).with_output_types(RecordChunk).with_outputs(POSITIONS, GAPS, main="main")
        return begin | "Kafka" >> self._read | "Chunk" >> chunks


class ChunkStreamFn(beam.DoFn):
    """Collects the connector's rows of a bundle into chunks, and notices what the connector passed over."""

    def __init__(self, target: KafkaTarget) -> None:
        self._target = target
        self._chunk = RecordChunk()
        self._reached: dict[Place, int] = {}
        self._times = BundleTimes()

    def setup(self) -> None:
        self._jumps = process_jumps(self._target)

    def start_bundle(self) -> None:
        self._chunk, self._reached, self._times = RecordChunk(), {}, BundleTimes()

    def process(self, row: Any, timestamp: Timestamp = beam.DoFn.TimestampParam) -> Iterator[Any]:
        self._times.note(timestamp)
        self._chunk.append(record_of(row))
        if len(self._chunk) >= CHUNK_RECORDS:
            yield self._times.at_earliest(self._take())

    def finish_bundle(self) -> Iterator[Any]:
        if self._chunk:
            yield self._times.at_earliest(self._take())
        if self._reached:
            yield TaggedOutput(POSITIONS, self._times.at_latest(encode_positions(self._reached)))
            for gap in self._jumps.lost():
                yield TaggedOutput(GAPS, self._times.at_earliest(tuple(gap)))

    def _take(self) -> RecordChunk:
        chunk, self._chunk = self._chunk, RecordChunk()
        for place, offsets in mark_chunk(chunk).items():
            self._reached[place] = max(offsets) + 1
            self._jumps.passed(place, offsets)
        return chunk
