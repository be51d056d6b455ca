"""Kafka in memory, as an agent sees it: records with the broker's times, acknowledged at once, late, or never."""

import threading
from typing import Any, NamedTuple

import msgspec

from transforms.io.kafka.producing import Receipts


class Written(NamedTuple):
    topic: str
    key: str
    value: bytes | None
    at_ms: int

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.value) if self.value else None


class MemoryTopics:
    """A sink. clock_ms: the broker's time, a millisecond later for each record. late: keys of records that wait for `acknowledge`."""

    def __init__(self, clock_ms: int = 1_767_225_600_000) -> None:
        self.clock_ms = clock_ms
        self.late: frozenset[str] = frozenset()
        self.refuses: frozenset[str] = frozenset()
        self.records: list[Written] = []
        self._times: dict[str, int] = {}
        self._unanswered: list[Receipts] = []
        self._lock = threading.Lock()

    def write(self, topic: str, key: bytes, value: bytes | None, receipts: Receipts | None = None) -> None:
        with self._lock:
            self.clock_ms += 1
            self.records.append(Written(topic, key.decode(), value, self.clock_ms))
            if receipts is not None:
                receipts.sent()
                if key.decode() not in self.late:
                    receipts.answered("refused" if key.decode() in self.refuses else "")
                else:
                    self._unanswered.append(receipts)
            if key.decode() not in self.late:
                self._times[topic] = self.clock_ms

    def acknowledge(self) -> None:
        """Acknowledge what is late."""
        with self._lock:
            waiting, self._unanswered = self._unanswered, []
        for one in waiting:
            one.answered("")

    def time_ms(self, topic: str) -> int | None:
        return self._times.get(topic)

    def keys(self, topic: str) -> list[str]:
        return [one.key for one in self.records if one.topic == topic]

    def of(self, topic: str, op: str) -> list[Written]:
        return [one for one in self.records if one.topic == topic and one.value and one.body.get("op") == op]
