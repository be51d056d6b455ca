"""Rejects: every step's rejects to one sink."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import apache_beam as beam
import structlog

from transforms.io.dead_letters.sinks import LetterSink, process_sink
from transforms.io.kafka.target import KafkaTarget
from transforms.model.metrics import REJECT_REASONS
from transforms.records.dead_letters.selection import LetterPlace
from transforms.records.outcomes import NO_TENANT, Outcome, Tally
from transforms.records.rejects import Reject
from transforms.steps.lines import LINES
from transforms.steps.metrics import count, count_outcomes
from transforms.steps.net import flush

_LOG = structlog.get_logger("rejects")

_MORE: Final = "more"


class Rejections:
    """The rejects of one bundle: a line in the log for each while there is room for it (`lines.py`), and their counts.

    said: what the log calls them.
    """

    def __init__(self, said: str) -> None:
        self._said = said
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._untold: Counter[tuple[str, str]] = Counter()

    def add(self, rejected: Reject) -> None:
        same = (rejected.counted_as, str(rejected.reason))
        self._reasons[same] += 1
        if not LINES.has_room(*same):
            self._untold[same] += 1
            return
        _LOG.warning(
            self._said,
            client_id=rejected.client_id or None,
            topic=rejected.record.topic,
            partition=rejected.record.partition,
            offset=rejected.record.offset,
            step=str(rejected.step),
            reason=str(rejected.reason),
            detail=rejected.detail,
        )

    def count(self) -> None:
        """Count them all; call only once they are settled."""
        settled = Tally()
        for (client_id, reason), number in self._reasons.items():
            settled[client_id, Outcome.REJECTED] += number
            count(REJECT_REASONS, number, client_id, reason)
        self._tell_of_more()
        count_outcomes(settled)

    def _tell_of_more(self) -> None:
        others = 0
        for (client_id, reason), more in self._untold.items():
            if LINES.has_room(client_id, f"{_MORE} {reason}"):
                _LOG.warning(f"more {self._said}", client_id=client_id if client_id != NO_TENANT else None, reason=reason, more=more)
            else:
                others += more
        if others and LINES.has_room(NO_TENANT, _MORE):
            _LOG.warning(f"more {self._said}", more=others)


class WriteDeadLetters(beam.PTransform):
    """Every reject as a dead letter; the bundle ends only when their topic, or files, hold them all."""

    def __init__(self, target: KafkaTarget, place: LetterPlace) -> None:
        super().__init__()
        self._fn = WriteDeadLettersFn(target, place)

    def expand(self, rejects: beam.PCollection[Reject]) -> beam.PCollection[None]:
        return rejects | beam.ParDo(self._fn)


class WriteDeadLettersFn(beam.DoFn):
    def __init__(self, target: KafkaTarget, place: LetterPlace) -> None:
        self._target = target
        self._place = place
        self._sink: LetterSink | None = None
        self._rejections = Rejections("rejected")

    def start_bundle(self) -> None:
        self._rejections = Rejections("rejected")

    def process(self, rejected: Reject) -> Iterator[None]:
        if self._sink is None:
            # Slices come and go with their pipelines; the producer stays.
            self._sink = process_sink(self._target, self._place)
        self._sink.send(rejected)
        self._rejections.add(rejected)
        yield from ()

    def finish_bundle(self) -> None:
        if self._sink is not None:
            self._sink.flush()
        self._rejections.count()
        flush()
