"""A tenant's generations: what lives after a purge never mixes with what was purged.

All decided under the tenant's lock, from what stands on its `:Cluster` and the batch at hand.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from transforms.planning.facts.changes import NO_FLOORS, Floors
from transforms.planning.facts.mutations import EndSnapshot, Mutation, UpsertEdge, UpsertNode, UpsertReferrer
from transforms.records.outcomes import Outcome
from transforms.records.record import t_of

# Two intervals at which agents report everything again: an object that comes unchanged so much later has come a second time.
RESYNC_MS: Final = 60_000
# What only something that lives says; deletes say nothing of that, they may come of tidying a topic.
_LIFE: Final = UpsertNode | UpsertEdge | UpsertReferrer | EndSnapshot


class Generation(NamedTuple):
    """What the tenant's `:Cluster` says under its lock.

    purging: a purge is under way. is_purged: none of the graph is left, and no new life has come since.
    from_ms: the time of the first record of a generation that needs a resync, in milliseconds since 1970.
    """

    floors: Floors = NO_FLOORS
    purging: bool = False
    is_purged: bool = False
    resync_needed: bool = False
    from_ms: int = 0


def generation_of(row: Any) -> Generation:
    """The generation that the row of `LOCK_TENANTS` tells."""
    return Generation(
        Floors(row["floor"] or "", row["episode_floor"] or "", row["swept"] or ""),
        bool(row["purging"]),
        row["purged_generation"] is not None,
        bool(row["resync_needed"]),
        row["generation_from"] or 0,
    )


def _ms(one: Mutation) -> int:
    return int(t_of(one.ver)) // 1000


def must_wait(generation: Generation, mutations: Sequence[Mutation]) -> bool:
    """Whether the purge has to end first: it is under way, and the batch holds what does not belong to what it takes away."""
    return generation.purging and not all(generation.floors.covers(one) for one in mutations)


def begun(generation: Generation, mutations: Sequence[Mutation]) -> Generation:
    """The generation that the batch belongs to: a new one where it holds the first life after a purge."""
    if not generation.is_purged:
        return generation
    life = [_ms(one) for one in mutations if isinstance(one, _LIFE) and not generation.floors.covers(one)]
    return generation._replace(is_purged=False, resync_needed=True, from_ms=min(life)) if life else generation


def is_resynced(generation: Generation, mutations: Sequence[Mutation], outcomes: Sequence[Outcome]) -> bool:
    """Whether with this batch a generation that needs it has come whole.

    A snapshot of it was completed, or an object was reported again as it is, two intervals of reports after its first record.
    """
    if not generation.resync_needed:
        return False
    return any(_says_whole(one, outcome, generation.from_ms) for one, outcome in zip(mutations, outcomes, strict=True))


def _says_whole(one: Mutation, outcome: Outcome, from_ms: int) -> bool:
    if isinstance(one, EndSnapshot):
        return outcome is Outcome.CONTROL
    return isinstance(one, UpsertNode) and outcome is Outcome.UNCHANGED and _ms(one) >= from_ms + RESYNC_MS
