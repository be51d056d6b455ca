"""A warning before the dead letters lose what they hold of tenants that are in quarantine."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from transforms.io.answers import ProbeError
from transforms.io.graph_admin.quarantine import MarkStore, QuarantinedTenant, read_quarantined
from transforms.io.kafka.probe import KafkaProbe
from transforms.io.kafka.target import KafkaTarget
from transforms.records.dead_letters.letters import LetterPlace

_LOG: Final = structlog.get_logger("tenants")
EVERY_S: Final = 3600.0
# Of the retention: what is left of it is the time to mend the cause and release the tenant.
_LATE: Final = 0.8
_HOUR_MS: Final = 3_600_000


def nearly_lost(marks: list[QuarantinedTenant], retention_ms: int | None) -> list[tuple[QuarantinedTenant, int]]:
    """The tenants whose oldest held record goes soon, and in how many milliseconds (0: it may be gone); none where none ever goes.

    retention_ms: of the dead-letter topic; None where it keeps records for ever, or does not say.
    """
    if retention_ms is None:
        return []
    ages = ((one, one.now_ms - one.at_ms) for one in marks)
    return [(one, max(0, retention_ms - age_ms)) for one, age_ms in ages if age_ms >= _LATE * retention_ms]


class QuarantineWatch:
    """Looks at most once an hour; says nothing where nothing is held, letters lie in files, or Kafka tells of no retention."""

    def __init__(self, store: MarkStore, kafka: KafkaTarget, letters: LetterPlace, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._kafka = kafka
        self._topic = letters.topic
        self._expires = not letters.path
        self._clock = clock
        self._next = clock()

    def look(self) -> None:
        if not self._expires or self._clock() < self._next:
            return
        self._next = self._clock() + EVERY_S
        marks = read_quarantined(self._store)
        for one, left_ms in nearly_lost(marks, self._retention_ms()) if marks else []:
            _LOG.warning(
                "held records are about to be lost",
                client_id=one.client_id,
                topic=self._topic,
                hours_left=round(left_ms / _HOUR_MS, 1),
                detail=f"mend the cause ({one.cause}), then `tenants release {one.client_id}`, or lengthen the retention",
            )

    def _retention_ms(self) -> int | None:
        settings = KafkaProbe(self._kafka).settings([self._topic]).get(self._topic)
        if settings is None or isinstance(settings, ProbeError):
            return None
        kept_ms = int(settings.get("retention.ms", "-1"))
        return kept_ms if kept_ms >= 0 else None
