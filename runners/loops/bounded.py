"""A bounded run: everything that was there at its start, slice by slice, offsets committed after each."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import HeldBack, KafkaOffsets, OffsetGap, OffsetRange, PartitionFault, Place, ReadPlan
from transforms.io.kafka.partitions import WITH_TOPIC
from transforms.model.metrics import PLANNED_ROWS, READ_BYTES
from transforms.planning.lifecycle.liveness import State
from transforms.planning.scheduling.slices import SlicePacer, SliceSize
from transforms.records.counts import Counts
from transforms.steps.metrics import Reached, aside_of, reached_of, read_counts

_LOG = structlog.get_logger("run")
_MAX_EMPTY_READS: Final = 5

RunSlice = Callable[[list[OffsetRange], SliceSize], Any]


@dataclass(slots=True)
class SliceReport:
    """What a committed slice did. lag: offsets that are left, by partition planned. counts: all that its steps counted."""

    records: int
    seconds: float
    lag: dict[Place, int]
    counts: Counts = field(default_factory=Counts)

    @property
    def size_bytes(self) -> int:
        """Bytes of keys and values read."""
        return self.counts.total(READ_BYTES)

    @property
    def rows(self) -> int:
        """The rows that what was read comes to, before it is compared with the graph."""
        return self.counts.total(PLANNED_ROWS)


class RunObserver(Protocol):
    """Told how a run goes on: progress bars, metrics."""

    def planned(self, lag: dict[Place, int]) -> None:
        """The run has these offsets to pass."""

    def committed(self, slice_: SliceReport) -> None:
        """A slice is done."""


class Hooks(Protocol):
    """What a run asks of its owner."""

    def on_gap(self, gap: OffsetGap) -> None:
        """Keep a record of offsets that were lost, before reading goes on after them."""

    def before_commit(self) -> None:
        """Raise InfrastructureFault where this run may not commit any more."""

    def on_aside(self, fault: PartitionFault) -> None:
        """Tell of a partition that cannot be read while others can; told once a run."""

    def on_held_back(self, held: tuple[HeldBack, ...]) -> None:
        """Tell of what open transactions hide as of now."""

    def should_stop(self) -> bool:
        """True once the run is to end after the slice it is in."""


@dataclass(slots=True)
class RunTotals:
    """What a run did: records read, and what became of each.

    stopped: it was asked to end before its planned end. left_out: partitions that could not be read, held_back: what open
    transactions hid, both as of the last run. transitions: tenants whose state became another, from and to which.
    """

    read: int = 0
    slices: int = 0
    counts: Counts = field(default_factory=Counts)
    gaps: list[OffsetGap] = field(default_factory=list)
    stopped: bool = False
    transitions: list[tuple[str, State, State]] = field(default_factory=list)
    left_out: list[PartitionFault] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)

    def add(self, other: "RunTotals") -> None:
        self.read += other.read
        self.slices += other.slices
        self.counts.update(other.counts)
        self.gaps += other.gaps
        self.stopped = other.stopped
        self.transitions += other.transitions
        self.left_out, self.held_back = other.left_out, other.held_back


class LostRecords(Exception):
    """A defect of this job: records were read whose outcome nobody counted. Nothing of the slice was committed."""


def check_outcomes(counts: Counts, read: int) -> None:
    """Return where each of the records read has one outcome; LostRecords otherwise."""
    outcomes = counts.outcomes
    if outcomes.total() != read:
        raise LostRecords(f"{read} records were read, but {outcomes.total()} outcomes counted: {dict(outcomes)}")


@dataclass(slots=True)
class BoundedRun:
    """Runs slices until every planned end is reached.

    run_slice: runs the flow over a prefix of the ranges and returns the finished pipeline's result.
    pacer: sizes the slices; may outlive the run.
    goes_first: topics that are read to their end before any other. whole_topics: the reader takes topics, not partitions, so
    that one partition that cannot be read leaves out its topic.
    """

    offsets: KafkaOffsets
    run_slice: RunSlice
    pacer: SlicePacer
    hooks: Hooks
    observers: tuple[RunObserver, ...] = ()
    totals: RunTotals = field(default_factory=RunTotals)
    goes_first: Callable[[str], bool] = lambda _topic: False
    whole_topics: bool = False
    _later: list[OffsetRange] = field(default_factory=list)
    _barren: int = 0

    def run(self, topics: Iterable[str]) -> RunTotals:
        """Read what the topics hold now; what comes later is the next run's."""
        plan = self.offsets.plan(topics)
        self._tell_hidden(plan)
        if self.offsets.needs_refresh:
            self.hooks.before_commit()
            self.offsets.refresh()
        for gap in plan.gaps:
            self._alarm(gap)
        ranges = self._without_aside(plan.ranges)
        for observer in self.observers:
            observer.planned({one.place: one.lag for one in ranges})
        first = [one for one in ranges if self.goes_first(one.topic)]
        self._later = [one for one in ranges if not self.goes_first(one.topic)]
        self._read(first)
        later, self._later = self._without_aside(self._later), []
        self._read(later)
        return self.totals

    def _tell_hidden(self, plan: ReadPlan) -> None:
        for one in plan.expired:
            _LOG.warning(
                "committed offsets forgotten",
                topic=one.topic,
                partition=one.partition,
                offset=one.start,
                detail="Kafka holds nothing that the group committed there, although it stood there: reading goes on where it stood",
            )
        self.totals.held_back = list(plan.held_back)
        self.hooks.on_held_back(plan.held_back)
        self._tell_aside()

    def _tell_aside(self) -> None:
        told = {fault.place for fault in self.totals.left_out}
        for fault in self.offsets.aside:
            if fault.place not in told:
                self.totals.left_out.append(fault)
                self.hooks.on_aside(fault)

    def _without_aside(self, ranges: list[OffsetRange]) -> list[OffsetRange]:
        """The ranges less those of partitions that are set aside by now; whoever is new among these is told."""
        if self.whole_topics:
            topics = {fault.topic for fault in self.offsets.aside}
            for one in ranges:
                if one.topic in topics:
                    self.offsets.set_aside(PartitionFault(*one.place, WITH_TOPIC))
        self._tell_aside()
        aside = {fault.place for fault in self.totals.left_out}
        return [one for one in ranges if one.place not in aside] if aside else ranges

    def _read(self, pending: list[OffsetRange]) -> None:
        while pending and not self.totals.stopped:
            if self.hooks.should_stop():
                self.totals.stopped = True
                return
            pending = self._slice(pending)

    def _alarm(self, gap: OffsetGap) -> None:
        """A gap is told, recorded and then passed; never silently, and by nobody who may not commit."""
        _LOG.error("offsets lost", topic=gap.topic, partition=gap.partition, offset=gap.start, detail=gap.sentence)
        self.hooks.before_commit()
        self.hooks.on_gap(gap)
        self.offsets.resume(gap)
        self.totals.gaps.append(gap)

    def _slice(self, pending: list[OffsetRange]) -> list[OffsetRange]:
        started = time.monotonic()
        size = self.pacer.next(sum(one.lag for one in pending))
        result = self.run_slice(pending, size)
        counts = read_counts(result)
        reached = reached_of(result, counts)
        read = sum(one.records for one in reached.values())
        check_outcomes(counts, read)
        for fault in aside_of(counts):
            self.offsets.set_aside(fault)
        kept = self._without_losses(pending, reached)
        ends = {one.place: reached[one.place].position for one in kept if one.place in reached}
        left = [one._replace(start=max(ends.get(one.place, one.start), one.start)) for one in kept]
        left = [one for one in left if one.lag > 0]
        has_room = counts.total(READ_BYTES) < size.max_bytes and counts.total(PLANNED_ROWS) < size.max_rows
        if read < size.max_records and has_room:
            left = self._pass_gaps(self._without_aside(left), ends)
        self.hooks.before_commit()
        self.offsets.commit(ends)
        left = self._without_aside(left)
        self._check_progress(ends, left)
        lag = {one.place: one.lag for one in (*left, *self._later)}
        self._tell(SliceReport(read, time.monotonic() - started, lag, counts))
        return left

    def _tell(self, report: SliceReport) -> None:
        self.totals.read += report.records
        self.totals.slices += 1
        self.totals.counts.update(report.counts)
        self.pacer.took(report.records, report.size_bytes, report.seconds, report.rows)
        for observer in self.observers:
            observer.committed(report)
        _LOG.info(
            "slice committed",
            slice=self.totals.slices,
            records=report.records,
            seconds=round(report.seconds, 3),
            offsets_left=sum(report.lag.values()),
        )

    def _without_losses(self, pending: list[OffsetRange], reached: dict[Place, Reached]) -> list[OffsetRange]:
        """The ranges less what was deleted between planning and the first record read, after an alarm for it.

        A topic that is gone ends here; if it is made anew, the next run's plan finds out what that means.
        """
        earliest = self.offsets.earliest([one.place for one in pending])
        aside = {fault.place for fault in self.offsets.aside}
        kept: list[OffsetRange] = []
        for one in pending:
            if one.place in aside:
                # What was read of it before is in the graph, and may be committed.
                kept.append(one)
                continue
            if one.place not in earliest:
                _LOG.warning("topic gone", topic=one.topic, partition=one.partition, offset=one.start)
                continue
            first = reached[one.place].first if one.place in reached else one.end
            lost_to = min(earliest[one.place], first)
            if lost_to > one.start:
                self._alarm(OffsetGap(one.topic, one.partition, one.start, lost_to, lost_to))
            kept.append(one._replace(start=max(one.start, lost_to)))
        return kept

    def _pass_gaps(self, left: list[OffsetRange], ends: dict[Place, int]) -> list[OffsetRange]:
        """The reader found no more although offsets are left: pass those that hold no record."""
        still: list[OffsetRange] = []
        found = {one.place: self.offsets.next_record(one) for one in left}
        # Asked for afterwards: an offset without a record was either never one, or deleted while the slice went on.
        passed = [one.place for one in left if found[one.place] != one.start]
        earliest = self.offsets.earliest(passed) if passed else {}
        for one in left:
            at = found[one.place]
            if at < one.start:
                # The log was cut back or made anew; what it holds now is the next run's.
                self._alarm(OffsetGap(one.topic, one.partition, one.start, one.start, at))
                ends.pop(one.place, None)
                continue
            lost_to = min(earliest.get(one.place, 0), at)
            if lost_to > one.start:
                self._alarm(OffsetGap(one.topic, one.partition, one.start, lost_to, lost_to))
            if at > one.start:
                ends[one.place] = at
            if at < one.end:
                still.append(one._replace(start=at))
        return still

    def _check_progress(self, ends: dict[Place, int], left: list[OffsetRange]) -> None:
        self._barren = 0 if ends else self._barren + 1
        if self._barren >= _MAX_EMPTY_READS and left:
            waiting = left[0]
            raise InfrastructureFault(
                f"The reader delivered nothing in {self._barren} rounds although {waiting.topic}[{waiting.partition}] has "
                f"records from offset {waiting.start}; check that the Java side, where it is used, reaches the same brokers, "
                "and its log, then run again."
            )
