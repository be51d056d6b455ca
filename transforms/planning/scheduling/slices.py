"""How much of a run one slice takes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from transforms.planning.scheduling.cost_model import CostModel
from transforms.records.dead_letters.letters import Wanted

# The first slice knows nothing of the records yet: it takes this for their mean size, and stays small.
FIRST_MEAN_BYTES: Final = 1024
FIRST_RECORDS: Final = 10_000
# Beam's connector splits a read of 20,000 records or more among the partitions, evenly, and waits out the time limit
# in every split whose partitions have fewer: 85 s for 100,000 records in 13 partitions, where below that number one
# split takes what there is, from all partitions, and ends at once (measured; docs/adr/004).
CONNECTOR_RECORDS: Final = 19_999
MOST_RECORDS: Final = 1_000_000
# What a slice may come to, whatever its bytes say: each row takes 2 to 3 KiB until it is written, and Neo4j takes some 5,000 a second.
SLICE_ROWS: Final = 30_000
# The first slice after a run that was killed, perhaps by what it read.
SMALL_RECORDS: Final = 100
SMALL_BYTES: Final = 1024 * 1024
SMALL_ROWS: Final = 5_000
# What the slowest reader here still delivers; a slice that needs longer than this allows goes on in the next.
_RECORDS_PER_S: Final = 10_000
_QUIET_S: Final = 2
# A slice may take so many times the records of the one before: its rate was measured on few.
_GROWTH: Final = 4

K = TypeVar("K")


class SliceSize(NamedTuple):
    """The limits of one slice: records, bytes, for how long a quiet partition is waited for, in seconds, and rows that it comes to."""

    max_records: int
    max_bytes: int
    max_read_s: int
    max_rows: int = SLICE_ROWS


@dataclass(slots=True)
class SlicePacer:
    """Sizes slices by what the slices before took, in records, bytes, rows and seconds; never smaller and smaller for a cost that
    each slice has, whatever its size (`cost_model.py`). Where little is to be read, a slice takes all of it.

    slice_bytes: bytes of keys and values that a slice should hold. slice_s: seconds that it should take, so that a
    run that is asked to stop can finish its slice soon. most: records, at most.
    """

    slice_bytes: int
    slice_s: float
    most: int = MOST_RECORDS
    _records: int = 0
    _bytes: int = 0
    _cost: CostModel = field(default_factory=CostModel)
    _rows: int = 0
    _last: int = 0
    _is_wary: bool = False

    def begin_small(self) -> None:
        """Take little at first, and more by and by: the run before this one was killed, and reading the same again may do the same."""
        self._is_wary = True

    def took(self, records: int, size_bytes: int, seconds: float, rows: int = 0) -> None:
        """Learn from a slice. Older slices count less: the traffic may change."""
        if records:
            self._records = self._records // 2 + records
            self._bytes = self._bytes // 2 + size_bytes
            self._cost.took(records, seconds)
            self._rows = self._rows // 2 + rows
            self._last = records
            self._is_wary = self._is_wary and records < FIRST_RECORDS

    def next(self, lag: int) -> SliceSize:
        """The limits of the next slice, of a run that has `lag` offsets to go."""
        first = SMALL_RECORDS if self._is_wary else FIRST_RECORDS
        max_bytes, max_rows = self.slice_bytes, SLICE_ROWS
        if self._records:
            by_bytes = self.slice_bytes * self._records // max(self._bytes, 1)
            # Whatever the model says, a slice of single records would be paid for with the cost of a slice each.
            by_time = max(SMALL_RECORDS, int(self._cost.size_for(self.slice_s)))
            by_rows = SLICE_ROWS * self._records // max(self._rows, 1)
            most = min(by_bytes, by_time, by_rows, max(self._last, first) * _GROWTH)
        else:
            most = min(first, self.slice_bytes // FIRST_MEAN_BYTES)
            if self._is_wary:
                max_bytes, max_rows = min(SMALL_BYTES, max_bytes), SMALL_ROWS
        records = max(1, min(lag, most, self.most))
        return SliceSize(records, max_bytes, _QUIET_S + records // _RECORDS_PER_S, max_rows)


def fair_shares(has: Mapping[K, int], most: int) -> dict[K, int]:
    """Of at most `most` in all, as much for each as it has, or an equal share with the others that have more.

    At least one for each, so that nobody who has something goes without.
    """
    shares: dict[K, int] = {}
    left = most
    for number, (key, mine) in enumerate(sorted(has.items(), key=lambda one: one[1])):
        shares[key] = max(1, min(mine, left // (len(has) - number)))
        left -= shares[key]
    return shares


def portions(wanted: Iterable[Wanted], max_bytes: int, max_letters: int) -> Iterator[list[Wanted]]:
    """Letters in their order, in portions within both limits; a letter larger than that is one by itself."""
    portion: list[Wanted] = []
    size = 0
    for one in wanted:
        if portion and (size + one.size_bytes > max_bytes or len(portion) >= max_letters):
            yield portion
            portion, size = [], 0
        portion.append(one)
        size += one.size_bytes
    if portion:
        yield portion
