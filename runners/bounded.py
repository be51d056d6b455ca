"""A bounded run: everything that was there at its start, slice by slice, offsets committed after each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka_offsets import KafkaOffsets, OffsetRange, Place
from transforms.planning.slices import SliceSize, slice_size
from transforms.records.outcomes import Tally
from transforms.steps.metrics import bytes_of, commands_of, outcomes_of, positions_of

_LOG = structlog.get_logger("run")
_BARREN_ROUNDS: Final = 5

RunSlice = Callable[[list[OffsetRange], SliceSize], Any]


class Progress(Protocol):
    """Told how many offsets the run has to pass, and how many it has passed."""

    def start(self, total: int) -> None: ...

    def advance(self, passed: int) -> None: ...


@dataclass(slots=True)
class RunTotals:
    """What a run did: records read, and what became of each."""

    read: int = 0
    bytes_read: int = 0
    slices: int = 0
    outcomes: Tally = field(default_factory=Tally)


class LostRecords(Exception):
    """A defect of this job: records were read whose outcome nobody counted. Nothing of the slice was committed."""


@dataclass(slots=True)
class BoundedRun:
    """Runs slices until every planned end is reached.

    run_slice: runs the flow over a prefix of the ranges and returns the finished pipeline's result.
    on_command: carries out a command that a slice met.
    """

    offsets: KafkaOffsets
    run_slice: RunSlice
    slice_bytes: int
    progress: Progress
    on_command: Callable[[str], None]
    totals: RunTotals = field(default_factory=RunTotals)
    _barren: int = 0

    def run(self, topics: list[str]) -> RunTotals:
        """Read what the topics hold now; what comes later is the next run's."""
        pending = self.offsets.plan(topics)
        self.progress.start(sum(one.lag for one in pending))
        while pending:
            pending = self._slice(pending)
        return self.totals

    def _slice(self, pending: list[OffsetRange]) -> list[OffsetRange]:
        lag = sum(one.lag for one in pending)
        size = slice_size(lag, self.slice_bytes, self.totals.read, self.totals.bytes_read)
        result = self.run_slice(pending, size)
        positions = positions_of(result)
        read = sum(count for count, _ in positions.values())
        self._count(result, read)
        reached = {place: position for place, (_, position) in positions.items()}
        left = [one._replace(start=reached.get(one.place, one.start)) for one in pending]
        left = [one for one in left if one.lag > 0]
        if read < size.max_records:
            left = self._pass_gaps(left, reached)
        self.offsets.commit(reached)
        self._check_progress(reached, left)
        passed = lag - sum(one.lag for one in left)
        self.progress.advance(passed)
        _LOG.info("slice committed", slice=self.totals.slices, records=read, offsets_left=lag - passed)
        for command in sorted(commands_of(result)):
            self.on_command(command)
        return left

    def _count(self, result: Any, read: int) -> None:
        outcomes = outcomes_of(result)
        if sum(outcomes.values()) != read:
            raise LostRecords(f"{read} records were read, but {sum(outcomes.values())} outcomes counted: {dict(outcomes)}")
        self.totals.read += read
        self.totals.bytes_read += bytes_of(result)
        self.totals.slices += 1
        self.totals.outcomes.update(outcomes)

    def _pass_gaps(self, left: list[OffsetRange], reached: dict[Place, int]) -> list[OffsetRange]:
        """The reader found no more although offsets are left: pass those that hold no record."""
        still: list[OffsetRange] = []
        for one in left:
            found = self.offsets.next_record(one)
            if found > one.start:
                reached[one.place] = found
            if found < one.end:
                still.append(one._replace(start=found))
        return still

    def _check_progress(self, reached: dict[Place, int], left: list[OffsetRange]) -> None:
        self._barren = 0 if reached else self._barren + 1
        if self._barren >= _BARREN_ROUNDS and left:
            waiting = left[0]
            raise InfrastructureFault(
                f"The Java side delivered nothing in {self._barren} rounds although {waiting.topic}[{waiting.partition}] has "
                f"records from offset {waiting.start}; check its log and that it reaches the same brokers, then run again."
            )
