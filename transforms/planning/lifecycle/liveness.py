"""Who is alive: ages of silence by the clock of the bus, which stands still while the bus does.

A tenant is not silent because nobody is: while no record of anybody comes (Kafka is down, or the job was), nobody ages.
The clock of the bus advances from one record to the next, by at most `silence_ms` for any gap between two.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

# Times in milliseconds, (start, end) both included, sorted, disjoint.
Spans = list[tuple[int, int]]


class State(StrEnum):
    """What a cluster is, as far as its signs of life tell."""

    ACTIVE = "ACTIVE"
    STALE = "STALE"
    DEAD = "DEAD"
    PURGED = "PURGED"


class Limits(NamedTuple):
    """For how long, in milliseconds, a tenant may be silent before it is stale, and before it is dead."""

    stale_ms: int = 120_000
    dead_ms: int = 300_000

    @property
    def silence_ms(self) -> int:
        """A gap on the bus beyond this is the bus's own: two heartbeats of agents, by default."""
        return self.stale_ms // 2


DEFAULT_LIMITS: Final = Limits()


class BusClock(NamedTuple):
    """clock_ms: how long the bus was heard, in all. judged_ms: up to which moment. judged_at_ms: when that was found."""

    clock_ms: int = 0
    judged_ms: int = 0
    judged_at_ms: int = 0


class Heard(NamedTuple):
    """A cluster as it was judged last, and when a sign of it was taken in last (milliseconds by the graph server's clock).

    silent_clock_ms: the bus's clock when its silence began; None where it was heard.
    """

    client_id: str
    state: State
    heard_ms: int
    silent_clock_ms: int | None = None
    dead_clock_ms: int | None = None


class Judged(NamedTuple):
    """A cluster that is another than it was, or whose silence began or ended."""

    client_id: str
    before: State
    state: State
    silent_clock_ms: int | None
    dead_clock_ms: int | None
    silent_ms: int

    @property
    def is_transition(self) -> bool:
        return self.state != self.before


def spans_of(times_ms: Iterable[int], gap_ms: int) -> Spans:
    """The times as spans; what is no more than the gap apart is one span."""
    return joined([(at, at) for at in times_ms], gap_ms)


def joined(spans: Iterable[tuple[int, int]], gap_ms: int) -> Spans:
    """The spans, those no more than the gap apart as one."""
    found: Spans = []
    for start, end in sorted(spans):
        if found and start - found[-1][1] <= gap_ms:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def advanced(clock: BusClock, spans: Spans, now_ms: int, silence_ms: int) -> BusClock:
    """The clock after the bus was heard in the spans, as far as they lie between what was judged before and now.

    The first time there is nothing to measure from: the clock begins.
    """
    gained, at = 0, clock.judged_ms
    for span_start, span_end in spans:
        start, end = max(span_start, at), min(span_end, now_ms)
        if end <= at or start > end:
            continue
        if at:
            gained += min(start - at, silence_ms) + (end - start)
        at = end
    is_first = not clock.judged_ms
    return BusClock(clock.clock_ms + (0 if is_first else gained), at, now_ms)


def judge(one: Heard, before: BusClock, now: BusClock, limits: Limits) -> Judged | None:
    """What the cluster is now; None where nothing about it is new.

    A cluster of which nothing came since the last judgement has been silent since then. One whose data was purged stays
    purged until it is heard again.
    """
    if one.heard_ms >= before.judged_at_ms:
        if one.state is State.ACTIVE and one.silent_clock_ms is None:
            return None
        return Judged(one.client_id, one.state, State.ACTIVE, None, None, 0)
    since = before.clock_ms if one.silent_clock_ms is None else one.silent_clock_ms
    silent_ms = now.clock_ms - since
    state = one.state
    if state is not State.PURGED:
        state = State.DEAD if silent_ms >= limits.dead_ms else State.STALE if silent_ms >= limits.stale_ms else State.ACTIVE
    dead = None if state is not State.DEAD else now.clock_ms if one.dead_clock_ms is None else one.dead_clock_ms
    judged = Judged(one.client_id, one.state, state, since, dead, silent_ms)
    return judged if judged.is_transition or one.silent_clock_ms is None else None
