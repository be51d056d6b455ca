"""Tell what a stream has lost, as the bounded runs tell it: an alarm in the log, a dead letter, a metric."""

from collections.abc import Iterator
from typing import Final

import apache_beam as beam
import structlog

from transforms.io.dead_letters.sinks import LetterSink, process_sink
from transforms.io.kafka.offsets import OffsetGap
from transforms.io.kafka.target import KafkaTarget
from transforms.records.dead_letters.selection import LetterPlace
from transforms.steps.metrics import count_gap

_LOG: Final = structlog.get_logger("run")

Gap = tuple[str, int, int, int, int]


class TellGaps(beam.PTransform):
    """Each gap as a letter; the bundle ends only when the dead letters hold it. Gives nothing."""

    def __init__(self, target: KafkaTarget, place: LetterPlace) -> None:
        super().__init__()
        self._fn = TellGapsFn(target, place)

    def expand(self, gaps: beam.PCollection[Gap]) -> beam.PCollection[bytes]:
        return gaps | beam.ParDo(self._fn).with_output_types(bytes)


class TellGapsFn(beam.DoFn):
    def __init__(self, target: KafkaTarget, place: LetterPlace) -> None:
        self._target = target
        self._place = place
        self._sink: LetterSink | None = None

    def process(self, gap: Gap) -> Iterator[bytes]:
        found = OffsetGap(*gap)
        _LOG.error("offsets lost", topic=found.topic, partition=found.partition, offset=found.start, detail=found.sentence)
        if self._sink is None:
            self._sink = process_sink(self._target, self._place)
        self._sink.send_gap(found)
        count_gap(found)
        yield from ()

    def finish_bundle(self) -> None:
        if self._sink is not None:
            self._sink.flush()
