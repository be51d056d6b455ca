"""A backfill: planned slices one after the other, each entered in the ledger once its records are taken in.

Safe to kill anywhere: a slice that is not entered is done again, and what it had written is said once more to no effect.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import structlog

from runners.loops.bounded import check_outcomes
from transforms.io.backfill.ledger import DONE, FAILED, BackfillState
from transforms.io.backfill.source import still_held
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import KafkaOffsets, OffsetRange
from transforms.model.metrics import REJECT_REASONS, RESTORED
from transforms.planning.scheduling.backfill_plan import seconds_left
from transforms.planning.scheduling.slices import SliceSize
from transforms.records.counts import Counts
from transforms.records.outcomes import Outcome
from transforms.steps.metrics import reached_of, read_counts

_LOG = structlog.get_logger("backfill")
_MAX_EMPTY_READS: Final = 5


@dataclass(slots=True)
class SliceDone:
    """What a slice came to. read: records of the span. counts: all that its steps counted. lost: offsets that Kafka holds no more."""

    read: int = 0
    counts: Counts = field(default_factory=Counts)
    lost: int = 0

    def add(self, other: "SliceDone") -> None:
        self.read += other.read
        self.counts.update(other.counts)
        self.lost += other.lost


@dataclass(slots=True)
class BackfillTotals(SliceDone):
    """What a run did. slices: that it did itself; before: that runs before it had done. stopped: it was asked to end."""

    slices: int = 0
    before: int = 0
    stopped: bool = False


class Ledger(Protocol):
    """What the loop asks of the ledger, for one run."""

    def turn_slice(self, number: int, state: str, **told: Any) -> None:
        """Note how a slice is."""


class SliceProgress(NamedTuple):
    """Of units of the plan, offsets or bytes: those of slices that were left at the beginning, and how to tell of those done."""

    total: int
    advance: Callable[[int], None]


def backfill(
    slices: list[BackfillState],
    run_slice: Callable[[int], SliceDone],
    ledger: Ledger,
    totals: BackfillTotals,
    progress: SliceProgress,
    *,
    should_stop: Callable[[], bool],
    before_done: Callable[[], None],
) -> None:
    """Run the slices; adds to the totals, also where a fault ends it halfway. before_done: raises where the lock is lost."""
    started = time.monotonic()
    done_units = 0
    for number, one in enumerate(slices):
        if should_stop():
            totals.stopped = True
            return
        began = time.monotonic()
        try:
            done = run_slice(one.number)
        except InfrastructureFault as fault:
            _note_failure(ledger, one, fault)
            raise
        before_done()
        rejected = done.counts.total(REJECT_REASONS)
        seconds = round(time.monotonic() - began, 3)
        ledger.turn_slice(one.number, DONE, read=done.read, rejected=rejected, lost=done.lost, seconds=seconds, said="")
        totals.add(done)
        totals.slices += 1
        done_units += one.units
        progress.advance(one.units)
        left_s = seconds_left(done_units, progress.total, time.monotonic() - started)
        told = {"slice": one.number, "records": done.read, "seconds": seconds, "slices_left": len(slices) - number - 1}
        _LOG.info("slice backfilled", **told, left_s=None if left_s is None else round(left_s))


def _note_failure(ledger: Ledger, one: BackfillState, fault: InfrastructureFault) -> None:
    """The ledger may be what failed: then the slice stays as it was, and is done again all the same."""
    try:
        ledger.turn_slice(one.number, FAILED, said=fault.sentence[:1000])
    except InfrastructureFault:
        _LOG.warning("the failure could not be entered in the ledger", slice=one.number)


def done_of(result: Any) -> SliceDone:
    """What a finished pipeline came to; LostRecords where that does not add up."""
    counts = read_counts(result)
    read = counts.total(RESTORED)
    check_outcomes(counts, read)
    assert counts.total(REJECT_REASONS) == sum(number for (_, one), number in counts.outcomes.items() if one is Outcome.REJECTED)
    return SliceDone(read, counts)


def read_held(
    offsets: KafkaOffsets, ranges: list[OffsetRange], max_bytes: int, run_round: Callable[[list[OffsetRange], SliceSize], Any]
) -> SliceDone:
    """Run rounds over the ranges until each is passed; what Kafka deleted is counted as lost, never replaced by what came after.

    max_bytes: of records in a round, about. run_round: runs the flow over a prefix of the ranges; its finished pipeline.
    """
    done = SliceDone()
    left, barren = ranges, 0
    while True:
        left, lost = still_held(offsets, left)
        done.lost += lost
        if not left:
            return done
        result = run_round(left, SliceSize(sum(one.lag for one in left), max_bytes, 0))
        done.add(done_of(result))
        reached = reached_of(result)
        barren = 0 if reached else barren + 1
        if barren >= _MAX_EMPTY_READS:
            raise InfrastructureFault(
                f"{left[0].topic}[{left[0].partition}] gives nothing from offset {left[0].start} on, although Kafka says that it holds "
                "something there; check the broker that leads it, then run again."
            )
        moved = (one._replace(start=max(one.start, reached[one.place].position)) if one.place in reached else one for one in left)
        left = [one for one in moved if one.lag > 0]
