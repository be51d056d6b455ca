"""What a run cannot read although it is there: told once when it begins and once when it ends, not at each micro-batch."""

from collections.abc import Iterable
from typing import Final

import structlog

from runners.observe.metrics import Monitor
from transforms.io.kafka.offsets import HeldBack, PartitionFault, Place

_LOG: Final = structlog.get_logger("run")
# Producers with transactions hold something back at any moment; what is held back for so long is stuck.
_STUCK_S: Final = 60.0


class OutOfReach:
    """Partitions that are set aside and offsets that open transactions hide, from run to run of one process."""

    def __init__(self, monitor: Monitor | None) -> None:
        self._monitor = monitor
        self._before: dict[Place, PartitionFault] = {}
        self._now: dict[Place, PartitionFault] = {}
        self._stuck: set[tuple[Place, int]] = set()

    def begin(self) -> None:
        """A run begins."""
        self._before, self._now = self._now, {}

    def aside(self, fault: PartitionFault) -> None:
        """A partition cannot be read in this run."""
        self._now[fault.place] = fault
        if fault.place not in self._before:
            _LOG.error("partition left out", topic=fault.topic, partition=fault.partition, cause=fault.cause, detail=fault.sentence)
        if self._monitor:
            self._monitor.aside([*self._before.values(), *self._now.values()])

    def held_back(self, held: Iterable[HeldBack]) -> None:
        """Open transactions hide these offsets, and no others."""
        found = list(held)
        stuck = {(one.place, one.first): one for one in found if one.for_s is not None and one.for_s >= _STUCK_S}
        for key, one in stuck.items():
            if key not in self._stuck:
                _LOG.warning("offsets held back", topic=one.topic, partition=one.partition, offset=one.first, detail=one.sentence)
        self._stuck = set(stuck)
        if self._monitor:
            self._monitor.held_back(found)

    def end(self) -> None:
        """The run went through: what was not met again is read again."""
        for place, fault in self._before.items():
            if place not in self._now:
                _LOG.info("partition is read again", topic=fault.topic, partition=fault.partition)
        if self._monitor:
            self._monitor.aside(self._now.values())
