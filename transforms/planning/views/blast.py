"""The blast radius of an object: if it goes, what goes with it, and what loses a part of what it needs.

A function of the graph: no order of answers shows in it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from transforms.planning.views.source import Brief, EdgesAt

MOST_HOPS: Final = 6
MOST_OBJECTS: Final = 2_000
EACH: Final = 1_000


class Effect(NamedTuple):
    """What becomes of the end that depends. on_source: whether that is the relationship's source."""

    on_source: bool
    says: str


# By type: who depends on whom without a substitute.
NEEDS: Final = {
    "RUNS_ON": Effect(on_source=True, says="runs on it"),
    "CONTROLS": Effect(on_source=False, says="is deleted with its owner"),
    "MOUNTS": Effect(on_source=True, says="cannot start without it"),
    "USES": Effect(on_source=True, says="uses it"),
    "ROUTES": Effect(on_source=True, says="sends its traffic there"),
    "CLAIMS": Effect(on_source=True, says="loses its volume"),
    "SCALES": Effect(on_source=True, says="has nothing left to scale"),
    "CALLS": Effect(on_source=True, says="calls it"),
}
# Those that have several of what they need: a part of it gone is a part lost. By type, and the kinds that it holds for.
SHARES: Final = {"SELECTS": ("service",), "ROUTES": ("endpoints", "endpointslice"), "CONTROLS": ()}
# A kind of this sort is gone once nothing is left of what it selects; an owner makes its objects anew.
_ENDS_EMPTY: Final = frozenset({"SELECTS"})
TYPES: Final = tuple(dict.fromkeys((*NEEDS, *SHARES)))


@dataclass(frozen=True, slots=True)
class Lost:
    """An object that goes too. hops: how far from the beginning. says: why, of `because`."""

    object: Brief
    hops: int
    says: str
    because: str


@dataclass(frozen=True, slots=True)
class Weakened:
    """An object that loses `lost` of `all` of what it needs by relationships of `type`."""

    object: Brief
    type: str
    lost: int
    all: int


@dataclass(frozen=True, slots=True)
class Blast:
    """truncated: there is more, beyond the limits."""

    lost: tuple[Lost, ...]
    weakened: tuple[Weakened, ...]
    truncated: bool


Ask = Callable[[Collection[str], Collection[str], int], Sequence[EdgesAt]]


def blast_radius(start: Brief, members: Sequence[Brief], ask: Ask) -> Blast:
    """What depends on `start`, and on what depends on it, and so on.

    members: what is in it, where it is a Namespace. ask: neighbours of some objects by some types, so many each.
    """
    lost = {start.rid: Lost(start, 0, "", "")}
    lost |= {one.rid: Lost(one, 1, "is in the namespace", start.rid) for one in members if one.rid != start.rid}
    shares: dict[tuple[str, str], tuple[Brief, set[str]]] = {}
    totals: dict[tuple[str, str], int] = {}
    frontier, truncated = sorted(lost), len(lost) > MOST_OBJECTS
    for hops in range(1, MOST_HOPS + 1):
        found: dict[str, Lost] = {}
        for at in sorted(ask(frontier, TYPES, EACH), key=lambda one: (one.rid, one.type, one.outgoing)):
            truncated |= at.number > len(at.others)
            for other in at.others:
                _judge(at, other, hops, lost, found, shares)
        _measure(shares, totals, ask)
        for (rid, type_), (one, gone) in sorted(shares.items()):
            if type_ in _ENDS_EMPTY and rid not in lost and len(gone) >= totals.get((rid, type_), 0):
                found.setdefault(rid, Lost(one, hops, "has none of its pods left", min(gone)))
        frontier = sorted(found)[: max(0, MOST_OBJECTS - len(lost))]
        truncated |= len(frontier) < len(found)
        lost |= {rid: found[rid] for rid in frontier}
        if not frontier:
            break
    else:
        truncated = True
    del lost[start.rid]
    weakened = [Weakened(one, type_, len(gone), totals[rid, type_]) for (rid, type_), (one, gone) in shares.items() if rid not in lost]
    weakened = [one for one in weakened if one.object.rid != start.rid]
    return Blast(
        tuple(sorted(lost.values(), key=lambda one: (one.hops, one.object.kind, one.object.rid))),
        tuple(sorted(weakened, key=lambda one: (-one.lost / one.all, one.object.kind, one.object.rid, one.type))),
        truncated,
    )


def _judge(
    at: EdgesAt,
    other: Brief,
    hops: int,
    lost: dict[str, Lost],
    found: dict[str, Lost],
    shares: dict[tuple[str, str], tuple[Brief, set[str]]],
) -> None:
    """Whether the other end of a relationship of a lost object is lost too, or a part of what it needs."""
    effect = NEEDS.get(at.type)
    kinds = SHARES.get(at.type)
    is_share = kinds is not None and not at.outgoing and (not kinds or other.rid.partition(":")[0] in kinds)
    if is_share:
        shares.setdefault((other.rid, at.type), (other, set()))[1].add(at.rid)
    elif effect is not None and effect.on_source != at.outgoing and other.rid not in lost:
        found.setdefault(other.rid, Lost(other, hops, effect.says, at.rid))


def _measure(shares: dict[tuple[str, str], tuple[Brief, set[str]]], totals: dict[tuple[str, str], int], ask: Ask) -> None:
    unknown = {at for at in shares if at not in totals}
    if not unknown:
        return
    for at in ask(sorted({rid for rid, _ in unknown}), sorted({type_ for _, type_ in unknown}), 0):
        if at.outgoing:
            totals[at.rid, at.type] = at.number
