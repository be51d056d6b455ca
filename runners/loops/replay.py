"""A replay: dead letters as the records that they were, slice by slice; safe to stop and to repeat at any moment."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import structlog

from runners.loops.bounded import LostRecords
from transforms.io.dead_letters.reader import DeadLetterReader
from transforms.io.kafka.offsets import Place
from transforms.model.metrics import OUTCOMES, RESTORED, UNAVAILABLE
from transforms.planning.scheduling.slices import portions
from transforms.records.counts import Counts
from transforms.records.dead_letters.letters import Wanted
from transforms.steps.metrics import read_counts

_LOG = structlog.get_logger("replay")
# However small the records are: what is held of each has a size of its own.
SLICE_LETTERS: Final = 20_000


class ReplaySlice(NamedTuple):
    """What a slice of letters came to. replayed: original records; each has one of the outcomes. counts: all that its steps counted."""

    replayed: int
    counts: Counts


@dataclass(slots=True)
class ReplayTotals:
    """What a replay did. letters: all that were meant, each replayed, unavailable or a gap, unless it was stopped.

    letters, gaps: by the tenant that the letter names. before: letters left out, since an earlier replay took them in.
    unreadable: messages of the topic that are no letters, by why.
    read_to: where the dead-letter topic ended.
    """

    letters: Counter[str] = field(default_factory=Counter)
    before: int = 0
    replayed: int = 0
    slices: int = 0
    counts: Counts = field(default_factory=Counts)
    gaps: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    stopped: bool = False
    read_to: dict[Place, int] = field(default_factory=dict)

    def add(self, slice_: ReplaySlice) -> None:
        self.slices += 1
        self.replayed += slice_.replayed
        self.counts.update(slice_.counts)

    def merge(self, later: "ReplayTotals") -> None:
        """Add what another replay did after this one."""
        self.letters.update(later.letters)
        self.gaps.update(later.gaps)
        self.before += later.before
        self.unreadable.update(later.unreadable)
        self.slices += later.slices
        self.replayed += later.replayed
        self.counts.update(later.counts)
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
    counts = read_counts(result)
    replayed, outcomes, unavailable = counts.total(RESTORED), counts.total(OUTCOMES), counts.total(UNAVAILABLE)
    if outcomes != replayed or replayed + unavailable != letters:
        raise LostRecords(f"{letters} letters gave {replayed} records, {outcomes} outcomes and {unavailable} unavailable")
    return ReplaySlice(replayed, counts)


def tried_slice(reader: DeadLetterReader, portion: list[Wanted]) -> ReplaySlice:
    """What can be replayed of the letters: the records are read and proven, and go nowhere."""
    records, unavailable = reader.restore(portion)
    missing = Counter((one.client_id, str(why)) for one, why in unavailable)
    return ReplaySlice(len(records), Counts({UNAVAILABLE: missing}))
