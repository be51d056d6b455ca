"""From findings to incidents: which belong together, what each is called, when it opened and when it was over.

Incidents are a function of the neighbourhood and of t*, the time of its newest record; never of the wall clock, and never of an
earlier analysis. Everything is sorted before it is chosen from or cut.
"""

from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Final, NamedTuple

from transforms.planning.causes.blame import Blame
from transforms.planning.causes.effects import effects
from transforms.planning.causes.findings import find
from transforms.planning.causes.moments import MINUTE
from transforms.planning.causes.score import FAULT, KIND_OF_EVIDENCE, Effect, Scored, score
from transforms.planning.causes.sessions import GAP, Session, healed, remembered, sessions
from transforms.planning.causes.table import CONSEQUENCES, Finding
from transforms.planning.causes.world import Rows, World

_KINDS: Final = 2
# A rollout is not an incident: symptoms alone open one once they last.
_SYMPTOMS_LAST: Final = 2 * MINUTE
MOST_ALIASES: Final = 20
MOST_INCIDENTS: Final = 200
_ID_BYTES: Final = 12
OPEN: Final = "open"
RESOLVED: Final = "resolved"


class Incident(NamedTuple):
    """What is wrong together. members: the objects, the likeliest cause first. opened, last, resolved: in microseconds since 1970."""

    iid: str
    aliases: tuple[str, ...]
    state: str
    opened: int
    last: int
    resolved: int | None
    members: tuple[Scored, ...]

    @property
    def root(self) -> Scored:
        return self.members[0]


class Analysed(NamedTuple):
    """What an analysis came to. open: how many incidents are open; kinds: how many of each kind. rows: that were written."""

    open: int
    rows: int
    kinds: Mapping[str, int] = MappingProxyType({})


class Analysis(NamedTuple):
    """What a tenant's neighbourhood comes to. findings and scored: of now. incidents: open ones first, then by time."""

    world: World
    findings: list[Finding]
    effects: set[Effect]
    scored: list[Scored]
    incidents: list[Incident]
    truncated: bool


def analyse(client_id: str, rows: Rows, without: Collection[str] = ()) -> Analysis:
    """The findings, causes and incidents of one tenant. without: names of findings that are left out."""
    world = World(rows)
    blame = Blame(world)
    now = find(world, blame, without)
    known = [one for one in remembered(world) if one.name not in without]
    runs = sessions([*known, *(one for one in now if one.since is not None)])
    holding = set(now)
    present: list[Session] = []
    past: list[Session] = []
    for run in runs:
        (present if _reaches(run, holding, world.now) else past).append(run)
    there = {(one.rid, one.name) for one in now}
    recent = {one for run in present for one in run.findings if not one.holds and (one.rid, one.name) not in there}
    lately = [healed(one) for one in recent if (one.last or 0) >= world.now - GAP]
    findings = sorted({*now, *lately}, key=lambda one: (one.rid, -one.weight, one.name, one.at, one.detail, one.evidence))
    found = effects(world, blame, findings)
    scored = score(findings, found)
    since = {run.rid: run.since for run in present}
    incidents = _incidents(client_id, world, scored, found, since)
    epochs = _epochs(past)
    for epoch in epochs[-MOST_INCIDENTS:]:
        held = [one for run in epoch for one in run.findings]
        edges = effects(world, blame, held)
        incidents += _incidents(client_id, world, score(held, edges), edges, {run.rid: run.since for run in epoch})
    incidents.sort(key=lambda one: (one.state != OPEN, -round(one.root.score, 6), one.opened, one.iid))
    unique = {one.iid: one for one in reversed(incidents)}
    kept = [one for one in incidents if unique[one.iid] is one]
    is_cut = max(len(kept), len(epochs)) > MOST_INCIDENTS
    return Analysis(world, findings, found, scored, kept[:MOST_INCIDENTS], rows.truncated or is_cut or world.effort.is_spent)


def _reaches(run: Session, now: Collection[Finding], at: int) -> bool:
    """Whether the session goes on at t*: something in it holds, or it ended no longer than a gap ago."""
    return run.last >= at - GAP or any(one in now for one in run.findings)


def _epochs(runs: Iterable[Session]) -> list[list[Session]]:
    """Sessions that follow each other without a gap, whatever their object."""
    found: list[list[Session]] = []
    last = 0
    for run in sorted(runs, key=lambda one: (one.since, one.last, one.rid)):
        if found and run.since - last <= GAP:
            found[-1].append(run)
        else:
            found.append([run])
            last = 0
        last = max(last, run.last)
    return found


def _incidents(client_id: str, world: World, scored: list[Scored], found: set[Effect], since: dict[str, int]) -> list[Incident]:
    made = (_incident(client_id, world, members, since) for members in components(scored, found))
    return [one for one in made if one is not None]


def components(scored: list[Scored], found: Iterable[Effect]) -> list[list[Scored]]:
    """What belongs together: strong objects along edges whose effect has no fault of its own; a weak one with its strongest neighbour.

    Weak objects never join two strong ones. Each component has its likeliest cause first.
    """
    by_rid = {one.rid: one for one in scored}
    strong = {one.rid for one in scored if one.score >= FAULT}
    home = {rid: rid for rid in by_rid}

    def root(rid: str) -> str:
        while home[rid] != rid:
            home[rid] = home[home[rid]]
            rid = home[rid]
        return rid

    neighbours: dict[str, set[str]] = {}
    for edge in sorted(found):
        if edge.cause not in by_rid or edge.effect not in by_rid:
            continue
        neighbours.setdefault(edge.cause, set()).add(edge.effect)
        neighbours.setdefault(edge.effect, set()).add(edge.cause)
        if edge.cause in strong and edge.effect in strong and _follows(edge, by_rid[edge.effect]):
            one, other = sorted((root(edge.cause), root(edge.effect)))
            home[other] = one
    rank = {one.rid: at for at, one in enumerate(scored)}
    weak = [one.rid for one in scored if one.rid not in strong]
    for rid in weak:
        near = sorted((rank[one], one) for one in neighbours.get(rid, ()) if one in strong)
        if near:
            home[rid] = root(near[0][1])
    alone = {rid: None for rid in weak if home[rid] == rid}
    for rid in alone:
        _join_weak(rid, neighbours, alone, home, rank)
    groups: dict[str, list[Scored]] = {}
    for member in scored:
        groups.setdefault(root(member.rid), []).append(member)
    return list(groups.values())


def _follows(edge: Effect, effect: Scored) -> bool:
    """Whether the effect has no fault of its own: none at all, or none but what its Node or Namespace brings about."""
    return effect.fault < FAULT or (not edge.by_call and all(one.name in CONSEQUENCES for one in effect.findings if one.weight >= FAULT))


def _join_weak(rid: str, neighbours: dict[str, set[str]], alone: Collection[str], home: dict[str, str], rank: dict[str, int]) -> None:
    """Weak objects without a strong neighbour go to their best neighbour among themselves, if it is better than they are."""
    near = sorted((rank[one], one) for one in neighbours.get(rid, ()) if one in alone)
    if near and near[0][0] < rank[rid]:
        home[rid] = near[0][1]


def _opens(members: list[Scored], now: int) -> bool:
    """A cause, or two kinds of evidence, of which one is no symptom or all have lasted."""
    if members[0].score >= FAULT and members[0].fault > 0:
        return True
    found = [one for member in members for one in member.findings if one.weight >= KIND_OF_EVIDENCE]
    if len({one.name for one in found}) < _KINDS:
        return False
    lasting = [one for one in found if one.since is not None and now - one.since >= _SYMPTOMS_LAST]
    return any(not one.kind.is_symptom for one in found) or bool(lasting)


def _incident(client_id: str, world: World, members: list[Scored], since: dict[str, int]) -> Incident | None:
    if not _opens(members, world.now):
        return None
    begun = {one.rid: _since(world, one, since) for one in members}
    holds = any(found.holds for one in members for found in one.findings)
    last = world.now if holds else max(found.last or 0 for one in members for found in one.findings)
    is_open = holds or last >= world.now - GAP
    chief = [one for one in members if one.score >= FAULT] or members
    ids = [_id(client_id, begun[one.rid], one.rid) for one in sorted(chief, key=lambda one: (begun[one.rid], one.rid))]
    chiefs = {one.rid for one in chief}
    ids += sorted(_id(client_id, begun[one.rid], one.rid) for one in members if one.rid not in chiefs)
    return Incident(
        ids[0],
        tuple(sorted(set(ids[1 : MOST_ALIASES + 1]) - {ids[0]})),
        OPEN if is_open else RESOLVED,
        min(begun.values()),
        last,
        None if is_open else last + GAP,
        tuple(members),
    )


def _since(world: World, one: Scored, since: dict[str, int]) -> int:
    """When the object's trouble began: its session, else the object itself."""
    begun = since.get(one.rid)
    if begun is not None:
        return begun
    dated = [found.since for found in one.findings if found.since is not None]
    if dated:
        return min(dated)
    made = [held.created for found in one.findings if (held := world.get(found.at)) is not None and held.created is not None]
    return min(made, default=world.now)


def _id(client_id: str, since: int, rid: str) -> str:
    return blake2b("\x1f".join((client_id, str(since), rid)).encode(), digest_size=_ID_BYTES).hexdigest()
