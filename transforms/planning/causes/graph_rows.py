"""Incidents as the graph holds them: nodes, and the relationships that join them with episodes and resources."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from transforms.planning.causes.explain import aside, causes, changed, headline, kind_of, leading, text_of
from transforms.planning.causes.incidents import OPEN, Analysed, Analysis, Incident
from transforms.planning.causes.score import FAULT, Effect, Scored, words
from transforms.planning.causes.severity import severities, worst
from transforms.planning.causes.world import World
from transforms.planning.facts.values import sealed
from transforms.records.record import from_microseconds

MOST_PART_OF: Final = 200
MOST_MEMBERS: Final = 200
MOST_LINKS: Final = 20
MOST_HOPS: Final = 3
_HASH_BYTES: Final = 16
_ENCODE: Final = msgspec.json.Encoder(order="sorted").encode


class IncidentRow(NamedTuple):
    """One incident. hash: of its relationships, then of its properties. part_of: (key of an episode, its severity raised by
    its repeats); affects: (rid, role).

    links: (from, to, properties) between episodes.
    """

    iid: str
    hash: str
    props: dict[str, Any]
    part_of: list[tuple[str, str]]
    affects: list[tuple[str, str]]
    links: list[tuple[str, str, dict[str, Any]]]

    def joins_as(self, held: str | None) -> bool:
        """Whether relationships are those of the incident that is held with this hash."""
        return held is not None and held.partition(".")[0] == self.hash.partition(".")[0]


def incident_rows(analysis: Analysis) -> list[IncidentRow]:
    """All incidents, by id."""
    return sorted((_row(analysis, one) for one in analysis.incidents), key=lambda one: one.iid)


def counted(analysis: Analysis) -> Analysed:
    """How many incidents are open, by kind."""
    kinds = Counter(kind_of(one) for one in analysis.incidents if one.state == OPEN)
    return Analysed(kinds.total(), 0, dict(sorted(kinds.items())))


def _row(analysis: Analysis, one: Incident) -> IncidentRow:
    world = analysis.world
    members = one.members[:MOST_MEMBERS]
    evidence = sorted({key for member in members for found in member.findings for key in found.evidence if key in world.by_eid})
    links = _links(analysis, one)
    # What links join is joined with the incident first: links are found again, and taken away, by what is joined with it.
    ends = {eid for source, target, _ in links for eid in (source, target)}
    joined = sorted([*sorted(ends), *(key for key in evidence if key not in ends)][:MOST_PART_OF])
    raised = world.once(("severities",), lambda: severities(world.episodes))
    roles: dict[str, str] = {}
    for rid, role in _roles(world, one):
        if world.is_live(rid):
            roles.setdefault(rid, role)
    affects = sorted(roles.items())[:MOST_MEMBERS]
    truncated = analysis.truncated or len(one.members) > MOST_MEMBERS or len(evidence) > MOST_PART_OF
    props: dict[str, Any] = {
        "aliases": list(one.aliases),
        "state": one.state,
        "opened": _moment(one.opened),
        "last": _moment(one.last),
        "root": one.root.rid,
        "kind": kind_of(one),
        "confidence": round(one.root.score, 3),
        "words": words(one.root.score),
        "severity": worst(raised[eid] for eid in evidence),
        "title": headline(world, one),
        "text": text_of(analysis, one),
        "do": leading(one.root).kind.do,
        "members": [member.rid for member in members],
        "episodes": len(evidence),
        "causes": _ENCODE(causes(analysis, one)).decode(),
        "changed": changed(world, one),
        "aside": aside(analysis, one),
        **({"resolved": _moment(one.resolved)} if one.resolved is not None else {}),
        **({"truncated": True} if truncated else {}),
    }
    kept, digest = sealed({name: value for name, value in props.items() if value not in ("", [])})
    part_of = [(eid, raised[eid]) for eid in joined]
    text = _ENCODE([one.iid, part_of, affects, links])
    joins = blake2b(text, digest_size=_HASH_BYTES).hexdigest()
    return IncidentRow(one.iid, f"{joins}.{digest.hex()}", kept, part_of, affects, links)


def _moment(us: int) -> datetime:
    return from_microseconds(us)


def _roles(world: World, one: Incident) -> Iterable[tuple[str, str]]:
    """The cause, further causes, and what suffers; of each the object of the graph, and of a Service's fault the Service too."""
    for at, member in enumerate(one.members):
        role = "cause" if at == 0 else "further cause" if member.fault >= FAULT and not member.explained_by else "affected"
        yield member.rid, role
    yield from ((found.at, "evidence") for found in one.root.findings)


def _links(analysis: Analysis, one: Incident) -> list[tuple[str, str, dict[str, Any]]]:
    """From the leading episode of the cause to the first episode of each object that it explains."""
    world, root = analysis.world, one.root
    start = _first_episode(world, root, leading=True)
    paths = _paths(one, world.once(("effects by cause",), lambda: _by_cause(analysis.effects)))
    found = []
    for member in one.members[1:]:
        end = _first_episode(world, member, leading=False)
        path = paths.get(member.rid)
        if start and end and end != start and path:
            props = {
                "incident": one.iid,
                "rank": 1,
                "confidence": round(root.score, 3),
                "hops": len(path) - 1,
                "path": path,
                "why": f"{leading(root).kind.says}, {leading(member).kind.says}",
                "parts": sorted({finding.name for finding in root.findings}),
            }
            found.append((start, end, sealed(props)[0]))
    return sorted(found, key=lambda link: link[:2])[:MOST_LINKS]


def _first_episode(world: World, one: Scored, *, leading: bool) -> str:
    """The key of the episode that shows an object's leading finding, or its first trouble; "" where no episode does."""
    listed = sorted(one.findings, key=lambda found: (found.kind.is_symptom, -found.weight, found.name, found.at, found.detail))
    keys = [key for found in listed for key in found.evidence if key in world.by_eid]
    if not keys or leading:
        return keys[0] if keys else ""
    return min(keys, key=lambda key: (world.by_eid[key].at, key))


def _by_cause(effects: Iterable[Effect]) -> dict[str, list[Effect]]:
    found: dict[str, list[Effect]] = {}
    for edge in sorted(effects):
        found.setdefault(edge.cause, []).append(edge)
    return found


def _paths(one: Incident, nexts: Mapping[str, list[Effect]]) -> dict[str, list[str]]:
    """From the cause to each member, the shortest way along effects, in at most three hops. nexts: all effects, by cause."""
    members = {member.rid for member in one.members}
    paths = {one.root.rid: [one.root.rid]}
    front = [one.root.rid]
    for _ in range(MOST_HOPS):
        reached = []
        for rid in front:
            for edge in nexts.get(rid, ()):
                if edge.effect not in members:
                    continue
                path = [*paths[rid], *edge.via, edge.effect]
                if edge.effect not in paths and len(path) <= MOST_HOPS + 1:
                    paths[edge.effect] = path
                    reached.append(edge.effect)
        front = reached
    return paths
