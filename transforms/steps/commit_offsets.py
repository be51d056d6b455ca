"""Commit the offsets of a stream, for whoever watches its lag: only behind what the graph and the dead letters hold."""

from collections.abc import Iterable, Iterator
from threading import Lock, Timer
from typing import Any, Final

import apache_beam as beam
import structlog
from apache_beam.transforms.window import FixedWindows

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import KafkaOffsets, Place
from transforms.io.kafka.target import KafkaTarget
from transforms.steps.read_stream import Position, decode_positions
from transforms.steps.wait_on import WaitOnFn

COMMIT_EVERY_S: Final = 2.0
AGAIN_S: Final = 5.0
# As the bounded runs do: what a quiet partition has committed would be forgotten after a week, by default.
REFRESH_S: Final = 600.0
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
        alike = [each | f"Await{at}" >> beam.ParDo(WaitOnFn()).with_output_types(Position) for at, each in enumerate(done)]
        together = (positions, *alike) | beam.Flatten() | "Every" >> beam.WindowInto(FixedWindows(self._every_s))
        grouped = together | "Settled" >> beam.GroupByKey()
        return grouped | "Commit" >> beam.ParDo(self._fn).with_output_types(bytes)


class CommitOffsetsFn(beam.DoFn):
    """What could not be committed is tried again every `AGAIN_S`, also where no later position comes that would say more.

    All that the group has committed is committed again every `REFRESH_S`, by whoever has committed something of it.
    """

    def __init__(self, target: KafkaTarget) -> None:
        self._target = target

    def setup(self) -> None:
        self._offsets: KafkaOffsets | None = None
        self._owed: dict[Place, int] = {}
        # A consumer is for one thread at a time.
        self._turn = Lock()
        self._again: Timer | None = None
        self._is_over = False

    def teardown(self) -> None:
        self._is_over = True
        if self._again is not None:
            self._again.cancel()
        with self._turn:
            if self._offsets is not None:
                self._offsets.close()

    def process(self, settled: tuple[str, Iterable[bytes]]) -> Iterator[bytes]:
        with self._turn:
            for encoded in settled[1]:
                for place, offset in decode_positions(encoded).items():
                    self._owed[place] = max(offset, self._owed.get(place, 0))
            self._commit()
        yield from ()

    def _commit(self) -> None:
        if self._offsets is None:
            self._offsets = KafkaOffsets(self._target)
        try:
            self._offsets.commit(self._owed)
        except InfrastructureFault as fault:
            # A broker that is away stops the read, not the graph.
            _LOG.warning("offsets not committed", group=self._target.group, detail=fault.sentence)
            self._in(AGAIN_S)
        else:
            self._owed = {}
            if self._again is None:
                self._in(REFRESH_S)

    def _in(self, seconds: float) -> None:
        if self._again is not None:
            self._again.cancel()
        self._again = Timer(seconds, self._owed_again)
        self._again.daemon = True
        self._again.start()

    def _owed_again(self) -> None:
        with self._turn:
            self._again = None
            if self._is_over or self._offsets is None:
                return
            if not self._owed:
                self._refresh(self._offsets)
            if self._owed:
                self._commit()
            elif self._again is None:
                self._in(REFRESH_S)

    def _refresh(self, offsets: KafkaOffsets) -> None:
        try:
            offsets.commit_again()
        except InfrastructureFault as fault:
            _LOG.warning("offsets not committed again", group=self._target.group, detail=fault.sentence)
