"""A replay: dead letters as the records that they were, slice by slice; safe to stop and to repeat at any moment."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import structlog

from runners.loops.bounded import LostRecords
from transforms.io.dead_letters.reader import DeadLetterReader
from transforms.io.kafka.offsets import Place
from transforms.planning.scheduling.slices import portions
from transforms.records.dead_letters.letters import Wanted
from transforms.records.outcomes import Tally
from transforms.steps.metrics import outcomes_of, reasons_of, restored_of, unavailable_of, written_of

_LOG = structlog.get_logger("replay")
# However small the records are: what is held of each has a size of its own.
SLICE_LETTERS: Final = 20_000


class ReplaySlice(NamedTuple):
    """What a slice of letters came to. replayed: original records; each has one of the outcomes.

    rejected, unavailable: how many, by tenant and why. written: rows, and seconds for them.
    """

    replayed: int
    outcomes: Tally
    rejected: dict[tuple[str, str], int]
    unavailable: dict[tuple[str, str], int]
    written: tuple[int, float] = (0, 0.0)


@dataclass(slots=True)
class ReplayTotals:
    """What a replay did. letters: all that were meant, each replayed, unavailable or a gap, unless it was stopped.

    letters, gaps: by the tenant that the letter names. unreadable: messages of the topic that are no letters, by why.
    read_to: where the dead-letter topic ended.
    """

    letters: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    slices: int = 0
    rows: int = 0
    write_s: float = 0.0
    outcomes: Tally = field(default_factory=Tally)
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    unavailable: Counter[tuple[str, str]] = field(default_factory=Counter)
    gaps: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    stopped: bool = False
    read_to: dict[Place, int] = field(default_factory=dict)

    def add(self, slice_: ReplaySlice) -> None:
        self.slices += 1
        self.replayed += slice_.replayed
        self.rows += slice_.written[0]
        self.write_s += slice_.written[1]
        self.outcomes.update(slice_.outcomes)
        self.rejected.update(slice_.rejected)
        self.unavailable.update(slice_.unavailable)

    def merge(self, later: "ReplayTotals") -> None:
        """Add what another replay did after this one."""
        self.letters.update(later.letters)
        self.gaps.update(later.gaps)
        self.unreadable.update(later.unreadable)
        self.slices += later.slices
        self.replayed += later.replayed
        self.rows += later.rows
        self.write_s += later.write_s
        self.outcomes.update(later.outcomes)
        self.rejected.update(later.rejected)
        self.unavailable.update(later.unavailable)
        self.stopped = later.stopped
        self.read_to = later.read_to


def replay(
    wanted: Iterable[Wanted],
    run_slice: Callable[[list[Wanted]], ReplaySlice],
    slice_bytes: int,
    totals: ReplayTotals,
    *,
    should_stop: Callable[[], bool],
    advance: Callable[[int], None],
) -> None:
    """Run the letters slice by slice; adds to the totals, also where a fault ends it halfway.

    slice_bytes: of original records in a slice, about. advance: told how many letters each slice was of.
    """
    for portion in portions(wanted, slice_bytes, SLICE_LETTERS):
        if should_stop():
            totals.stopped = True
            return
        done = run_slice(portion)
        totals.add(done)
        advance(len(portion))
        _LOG.info("slice replayed", slice=totals.slices, letters=len(portion), records=done.replayed)


def slice_of(result: Any, letters: int) -> ReplaySlice:
    """What a finished pipeline over so many letters came to; LostRecords where that does not add up."""
    replayed, outcomes, unavailable = restored_of(result), outcomes_of(result), unavailable_of(result)
    if sum(outcomes.values()) != replayed or replayed + sum(unavailable.values()) != letters:
        raise LostRecords(
            f"{letters} letters gave {replayed} records, {sum(outcomes.values())} outcomes and {sum(unavailable.values())} unavailable"
        )
    return ReplaySlice(replayed, outcomes, reasons_of(result), unavailable, written_of(result))


def tried_slice(reader: DeadLetterReader, portion: list[Wanted]) -> ReplaySlice:
    """What can be replayed of the letters: the records are read and proven, and go nowhere."""
    records, unavailable = reader.restore(portion)
    missing = Counter((one.client_id, str(why)) for one, why in unavailable)
    return ReplaySlice(len(records), Tally(), {}, dict(missing))
