"""Rejects: every step's rejects to one sink."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import apache_beam as beam
import structlog

from transforms.io.deadletters import DeadLetterWriter
from transforms.io.kafka_target import KafkaTarget
from transforms.records.outcomes import NO_TENANT, Outcome, Tally
from transforms.records.rejects import Reject
from transforms.steps.metrics import count_outcomes, count_reason

_LOG = structlog.get_logger("rejects")

LOGGED: Final = 10


class WriteDeadLetters(beam.PTransform):
    """Every reject on the dead-letter topic; the bundle ends only when Kafka holds them all."""

    def __init__(self, target: KafkaTarget, topic: str) -> None:
        super().__init__()
        self._fn = WriteDeadLettersFn(target, topic)

    def expand(self, rejects: beam.PCollection[Reject]) -> beam.PCollection[None]:
        return rejects | beam.ParDo(self._fn)


class WriteDeadLettersFn(beam.DoFn):
    def __init__(self, target: KafkaTarget, topic: str) -> None:
        self._target = target
        self._topic = topic
        self._writer: DeadLetterWriter | None = None
        self._settled = Tally()
        self._logged: Counter[tuple[str, str]] = Counter()

    def start_bundle(self) -> None:
        self._settled, self._logged = Tally(), Counter()

    def process(self, rejected: Reject) -> Iterator[None]:
        if self._writer is None:
            self._writer = DeadLetterWriter(self._target, self._topic)
            self._writer.ensure_topic()
        self._writer.send(rejected)
        self._settled[rejected.client_id or NO_TENANT, Outcome.REJECTED] += 1
        self._log(rejected)
        yield from ()

    def _log(self, rejected: Reject) -> None:
        """One line a reject, up to `LOGGED` of a tenant and reason in a bundle; the dead letters hold them all."""
        same = (rejected.client_id, str(rejected.reason))
        self._logged[same] += 1
        if self._logged[same] > LOGGED:
            return
        _LOG.warning(
            "rejected",
            client_id=rejected.client_id or None,
            topic=rejected.record.topic,
            partition=rejected.record.partition,
            offset=rejected.record.offset,
            step=str(rejected.step),
            reason=str(rejected.reason),
            detail=rejected.detail,
        )

    def finish_bundle(self) -> None:
        if self._writer is not None:
            self._writer.flush()
        count_outcomes(self._settled)
        for (client_id, reason), number in self._logged.items():
            count_reason(client_id or NO_TENANT, reason, number)
            if number > LOGGED:
                _LOG.warning("more rejected", client_id=client_id or None, reason=reason, more=number - LOGGED, topic=self._topic)
