"""What a backfill is of, what it is cut into, and which intervals of a schedule are due; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple, TypeVar

import msgspec

from transforms.records.outcomes import NO_TENANT
from transforms.records.record import from_microseconds

ARCHIVE: Final = "archive"
KAFKA: Final = "kafka"
SOURCES: Final = (ARCHIVE, KAFKA)
_NAME_DIGITS: Final = 16

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a backfill is of: records with record timestamps in [from_ms, to_ms), milliseconds since 1970.

    client_ids, topics: of these alone; empty for all. source: `archive` or `kafka`. archive: where it is, "" for Kafka.
    single_tenant: whose the records are that name no tenant, "" for nobody's. as_of: the graph is built anew, as it was at to_ms.
    every_ms: the length of the schedule's intervals of which this is one; 0 for none. It is no part of the name.
    """

    from_ms: int
    to_ms: int
    client_ids: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    source: str = KAFKA
    archive: str = ""
    single_tenant: str = ""
    as_of: bool = False
    every_ms: int = 0

    @property
    def name(self) -> str:
        """The same scope has the same name, in every process and version."""
        parts = [self.from_ms, self.to_ms, sorted(self.client_ids), sorted(self.topics)]
        parts += [self.source, self.archive, self.single_tenant, self.as_of]
        return sha256(msgspec.json.encode(parts)).hexdigest()[:_NAME_DIGITS]

    @property
    def locks(self) -> dict[str, str]:
        """What is locked, by lease: each tenant's range; `-` for that of all tenants."""
        return {f"backfill {client_id} {self.from_ms} {self.to_ms}": client_id for client_id in sorted(self.client_ids) or [NO_TENANT]}

    def is_of_schedule(self, other: "Scope") -> bool:
        """Whether both are intervals of one schedule."""
        return (self.client_ids, self.topics, self.source, self.archive, self.single_tenant, self.every_ms) == (
            other.client_ids,
            other.topics,
            other.source,
            other.archive,
            other.single_tenant,
            other.every_ms,
        )

    def __str__(self) -> str:
        if self.as_of:
            return f"everything up to {_shown(self.to_ms - 1)}"
        return f"{_shown(self.from_ms)} to {_shown(self.to_ms)}"


def _shown(milliseconds: int) -> str:
    return from_microseconds(milliseconds * 1000).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def packed(parts: Iterable[tuple[T, int]], most: int) -> Iterator[list[T]]:
    """The parts in their order, together up to `most` in weight; one that is heavier is by itself."""
    held: list[T] = []
    weight = 0
    for part, its in parts:
        if held and weight + its > most:
            yield held
            held, weight = [], 0
        held.append(part)
        weight += its
    if held:
        yield held


def cuts(start: int, end: int, most: int) -> Iterator[tuple[int, int]]:
    """[start, end) in pieces of at most so many."""
    for at in range(start, end, most):
        yield at, min(at + most, end)


def seconds_left(done: int, total: int, seconds: float) -> float | None:
    """How long the rest takes if it goes on as so far; None while nothing is done."""
    return seconds * (total - done) / done if done else None


class Due(NamedTuple):
    """Intervals [from, to) to run, oldest first, in milliseconds. left_out: older ones that are due too, beyond the bound."""

    intervals: list[tuple[int, int]]
    left_out: int


def due_intervals(done: Iterable[tuple[int, int]], begin_ms: int | None, now_ms: int, every_ms: int, most: int) -> Due:
    """Every whole interval from `begin_ms` on that is not done; the newest `most` of them.

    Intervals begin at multiples of `every_ms`, so that two machines mean the same ones. begin_ms: when the schedule began; None: with
    the last whole interval.
    """
    last = now_ms - now_ms % every_ms
    begin = last - every_ms if begin_ms is None else begin_ms - begin_ms % every_ms
    finished = set(done)
    open_ = [(at, at + every_ms) for at in range(begin, last, every_ms) if (at, at + every_ms) not in finished]
    return Due(open_[-most:], max(0, len(open_) - most))
