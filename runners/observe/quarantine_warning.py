"""A warning before the dead letters lose what they hold of tenants that are in quarantine."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from transforms.io.answers import ProbeError
from transforms.io.graph_admin.quarantine import MarkStore, QuarantinedTenant, read_quarantined
from transforms.io.kafka.probe import KafkaProbe
from transforms.io.kafka.target import KafkaTarget
from transforms.records.dead_letters.selection import LetterPlace

_LOG: Final = structlog.get_logger("tenants")
EVERY_S: Final = 3600.0
COUNT_EVERY_S: Final = 60.0
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
    """Counts the tenants in quarantine once a minute, and looks once an hour whether what is held of them is about to be lost.

    Warns of nothing where letters lie in files, or Kafka tells of no retention. tell: how many tenants are in quarantine.
    """

    def __init__(
        self,
        store: MarkStore,
        kafka: KafkaTarget,
        letters: LetterPlace,
        tell: Callable[[int], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._kafka = kafka
        self._topic = letters.topic
        self._expires = not letters.path
        self._tell = tell
        self._clock = clock
        self._next_count = self._next_warning = clock()

    def look(self) -> None:
        if self._clock() < self._next_count:
            return
        self._next_count = self._clock() + COUNT_EVERY_S
        marks = read_quarantined(self._store)
        if self._tell:
            self._tell(len(marks))
        if self._expires and self._clock() >= self._next_warning:
            self._next_warning = self._clock() + EVERY_S
            self._warn(marks)

    def _warn(self, marks: list[QuarantinedTenant]) -> None:
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
