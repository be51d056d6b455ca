"""What was wrong before now: the findings that records showed, in sessions by object.

A session of an object is a run of findings with gaps of at most 15 minutes. What holds now reaches to t*.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from transforms.model.identity import kind_token
from transforms.planning.causes.table import KIND_OF_NAME, Finding
from transforms.planning.causes.world import RECENT, Episode, World

GAP: Final = RECENT
ETYPE: Final = "k8s.finding"
# What happened at a moment; the other findings last as long as records show them.
_MOMENTS: Final = frozenset({"OOM_KILLED"})
# What has healed speaks less than what holds.
_HEALED: Final = 0.6


class Session(NamedTuple):
    """A run of findings of one object."""

    rid: str
    since: int
    last: int
    findings: tuple[Finding, ...]


def remembered(world: World) -> list[Finding]:
    """The findings that episodes keep, by the workload or Node that they count for."""
    return [found for one in world.episodes if (found := _finding(world, one)) is not None]


def _finding(world: World, one: Episode) -> Finding | None:
    if one.etype != ETYPE or one.reason not in KIND_OF_NAME or not one.subject:
        return None
    told = int(one.ver[:18]) if one.ver else one.at
    last = one.at if one.reason in _MOMENTS else max(told, one.at)
    w = KIND_OF_NAME[one.reason].weight
    return Finding(one.reason, _group(world, one), one.subject, w, one.message, one.at, last, holds=False, evidence=(one.eid,))


def _group(world: World, one: Episode) -> str:
    """The workload of the subject; of one that is gone, its owner's."""
    top = world.top(one.subject)
    owner = one.props.get("owner")
    if top != one.subject or world.is_live(one.subject) or not isinstance(owner, str) or "/" not in owner:
        return top
    kind, _, name = owner.partition("/")
    return world.top(f"{kind_token(kind, '')}:{one.subject.split(':', 2)[1]}:{name}")


def sessions(findings: Iterable[Finding]) -> list[Session]:
    """Of findings with a time; sorted by object and time."""
    by_rid: dict[str, list[Finding]] = {}
    for one in findings:
        by_rid.setdefault(one.rid, []).append(one)
    found = []
    for rid, held in sorted(by_rid.items()):
        run: list[Finding] = []
        last = 0
        for one in sorted(held, key=lambda one: (one.since or 0, one.last or 0, one.name, one.at, one.evidence)):
            if run and (one.since or 0) - last > GAP:
                found.append(_session(rid, run))
                run = []
            run.append(one)
            last = max(last if len(run) > 1 else 0, one.last or 0)
        found.append(_session(rid, run))
    return found


def _session(rid: str, run: list[Finding]) -> Session:
    return Session(rid, min(one.since or 0 for one in run), max(one.last or 0 for one in run), tuple(run))


def healed(one: Finding) -> Finding:
    """The finding as it speaks once it has healed, while its session goes on."""
    return one._replace(weight=round(one.weight * _HEALED, 4))
