"""Offsets that Kafka deleted in front of a reader that goes on at what is left, as a consumer with `auto.offset.reset` does.

A jump in a partition's offsets is mostly what compaction took away or the marker of a transaction. It is a loss as far as the log
begins later than the jump did: that is asked of Kafka, and only where something was jumped over.
"""

import functools
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import structlog

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import KafkaOffsets, OffsetGap, Place
from transforms.io.kafka.target import KafkaTarget

_LOG: Final = structlog.get_logger("offsets")
_ASK_EVERY_S: Final = 1.0
# Jumps of a partition that wait to be judged; beyond that, those in between are taken together.
_MOST: Final = 1000

Jump = tuple[int, int]


class Group(Protocol):
    """What is asked of a group's offsets."""

    def committed(self, places: Iterable[Place]) -> dict[Place, int]: ...

    def earliest(self, places: list[Place]) -> dict[Place, int]: ...


class OffsetJumps:
    """Follows what is read of each partition; safe to use from several threads.

    open_group: the reader's group, where a partition that is met for the first time is taken to have been read up to.
    """

    def __init__(self, open_group: Callable[[], Group], clock: Callable[[], float] = time.monotonic) -> None:
        self._open_group = open_group
        self._clock = clock
        self._group: Group | None = None
        self._turn = threading.Lock()
        self._positions: dict[Place, int] = {}
        self._jumps: dict[Place, list[Jump]] = {}
        self._next = 0.0

    def passed(self, place: Place, offsets: list[int]) -> None:
        """These offsets were read, in this order. One that goes back is read again, after a failure."""
        with self._turn:
            if self._positions.get(place) == offsets[0] and offsets[-1] - offsets[0] + 1 == len(offsets):
                # Nearly always: what comes next, and all of it.
                self._positions[place] = offsets[-1] + 1
                return
            if place not in self._positions:
                found = self._committed(place)
                if found is not None:
                    self._positions[place] = found
            jumps = self._jumps.setdefault(place, [])
            for offset in offsets:
                expected = self._positions.get(place, offset)
                if offset > expected:
                    jumps.append((expected, offset))
                self._positions[place] = offset + 1
            if len(jumps) > _MOST:
                jumps[:] = [(jumps[0][0], jumps[-1][1])]
            if not jumps:
                del self._jumps[place]

    def _committed(self, place: Place) -> int | None:
        try:
            return self._asked().committed([place]).get(place)
        except InfrastructureFault as fault:
            _LOG.warning("not known where the group stood", topic=place[0], partition=place[1], detail=fault.sentence)
            return None

    def _asked(self) -> Group:
        if self._group is None:
            self._group = self._open_group()
        return self._group

    def lost(self) -> list[OffsetGap]:
        """What Kafka deleted before it was read, of all that was jumped over since the last answer; asked at most once a second."""
        with self._turn:
            if not self._jumps or self._clock() < self._next:
                return []
            self._next = self._clock() + _ASK_EVERY_S
            try:
                earliest = self._asked().earliest(sorted(self._jumps))
            except InfrastructureFault:
                # What waits is judged once Kafka answers.
                return []
            jumps, self._jumps = self._jumps, {}
        found = (
            OffsetGap(*place, start, min(earliest[place], end), min(earliest[place], end))
            for place in sorted(jumps)
            if place in earliest
            for start, end in jumps[place]
        )
        return [gap for gap in found if gap.end > gap.start]


@functools.cache
def process_jumps(target: KafkaTarget) -> OffsetJumps:
    """What all readers of a group in this process share; a partition may come to another of them after a failure."""
    return OffsetJumps(lambda: KafkaOffsets(target))
