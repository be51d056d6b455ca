"""Commit the offsets of a stream, for whoever watches its lag: only behind what the graph and the dead letters hold."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import apache_beam as beam
import structlog
from apache_beam.transforms.window import FixedWindows

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka_offsets import KafkaOffsets, Place
from transforms.io.kafka_target import KafkaTarget
from transforms.steps.nothing import NothingFn
from transforms.steps.read_stream import Position, decode_positions

COMMIT_EVERY_S: Final = 2.0
_LOG: Final = structlog.get_logger("offsets")


class CommitOffsets(beam.PTransform):
    """Takes (positions, done…): positions that reading has reached, and what comes out of the steps that end records.

    A position is committed once the watermark of all `done` has passed it: each record before it is then written or
    rejected, wherever it was worked on. Nothing depends on the commits, which neither begin nor repeat anything: Flink reads
    on from its own checkpoints. every_s: how far apart two commits are.
    """

    def __init__(self, target: KafkaTarget, every_s: float) -> None:
        super().__init__()
        self._fn = CommitOffsetsFn(target)
        self._every_s = every_s

    def expand(self, inputs: tuple[beam.PCollection[Any], ...]) -> beam.PCollection[bytes]:
        positions, *done = inputs
        alike = [each | f"Await{at}" >> beam.ParDo(NothingFn()).with_output_types(Position) for at, each in enumerate(done)]
        together = (positions, *alike) | beam.Flatten() | "Every" >> beam.WindowInto(FixedWindows(self._every_s))
        grouped = together | "Settled" >> beam.GroupByKey()
        return grouped | "Commit" >> beam.ParDo(self._fn).with_output_types(bytes)


class CommitOffsetsFn(beam.DoFn):
    def __init__(self, target: KafkaTarget) -> None:
        self._target = target
        self._offsets: KafkaOffsets | None = None

    def teardown(self) -> None:
        if self._offsets is not None:
            self._offsets.close()

    def process(self, settled: tuple[str, Iterable[bytes]]) -> Iterator[bytes]:
        ends: dict[Place, int] = {}
        for encoded in settled[1]:
            for place, offset in decode_positions(encoded).items():
                ends[place] = max(offset, ends.get(place, 0))
        if self._offsets is None:
            self._offsets = KafkaOffsets(self._target)
        try:
            self._offsets.commit(ends)
        except InfrastructureFault as fault:
            # The next commit says more; a broker that is away stops the read, not the graph.
            _LOG.warning("offsets not committed", group=self._target.group, detail=fault.sentence)
        yield from ()
