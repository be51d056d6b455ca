"""Explanations: what is wrong, by which evidence, what it affects, what to do, and what was set aside.

Each piece of evidence names the record that it comes from, so that a person can read it.
"""

from typing import Any, Final, NamedTuple

from transforms.planning.causes.changed import Change, ago, changes_before
from transforms.planning.causes.incidents import Analysis, Incident
from transforms.planning.causes.score import KIND_OF_EVIDENCE, POSSIBLE, Scored, words
from transforms.planning.causes.table import Finding
from transforms.planning.causes.world import World

_MOST_POINTS: Final = 6
_MOST_CAUSES: Final = 5
_MOST_ASIDE: Final = 5
_DETAIL_CHARACTERS: Final = 300
_PARTS: Final = 4
UNKNOWN: Final = "UNKNOWN"


class Source(NamedTuple):
    """Evidence: the key of an episode or the rid of an object, and the record that says so, as `topic[partition]@offset`."""

    of: str
    record: str


def source_of(world: World, key: str) -> Source | None:
    held = world.get(key)
    told = world.by_eid.get(key)
    ver = held.ver if held is not None else told.ver if told is not None else ""
    parts = ver.split(" ")
    if len(parts) != _PARTS:
        return None
    return Source(key, f"{parts[1]}[{int(parts[2])}]@{int(parts[3])}")


def leading(one: Scored) -> Finding:
    """The finding that speaks most for an object; one that is no symptom, where there is one."""
    return min(one.findings, key=lambda found: (found.kind.is_symptom, -found.weight, found.name, found.at, found.detail))


def kind_of(incident: Incident) -> str:
    """The name of the leading finding; UNKNOWN where nothing but symptoms is known."""
    lead = leading(incident.root)
    return UNKNOWN if lead.kind.is_symptom or incident.root.score < KIND_OF_EVIDENCE else lead.name


def title_of(world: World, rid: str) -> str:
    held = world.get(rid)
    token, ns, name = rid.split(":", 2)
    place = f" in {ns}" if ns else ""
    return f"{held.title if held is not None else f'{token}/{name}'}{place}"


def headline(world: World, incident: Incident) -> str:
    """One sentence."""
    root = title_of(world, incident.root.rid)
    if kind_of(incident) == UNKNOWN:
        return f"{root}: cause unknown, {leading(incident.root).kind.says}"
    return f"{root}: {leading(incident.root).kind.says}"


def causes(analysis: Analysis, incident: Incident) -> list[dict[str, Any]]:
    """The causes of an incident, the likeliest first, then rivals from elsewhere that are at least possible; as the graph keeps them."""
    world = analysis.world
    found = [one for one in incident.members if one.fault > 0 or one is incident.root][:_MOST_CAUSES]
    return [
        {
            "rid": one.rid,
            "kind": leading(one).name,
            "confidence": round(one.score, 3),
            "words": words(one.score),
            "why": points(world, one),
            "do": leading(one).kind.do,
        }
        for one in found
        if one is incident.root or one.score >= KIND_OF_EVIDENCE
    ]


def points(world: World, one: Scored) -> list[dict[str, Any]]:
    """What speaks for an object, the strongest first: a sentence and its sources."""
    seen: dict[str, Finding] = {}
    for found in sorted(one.findings, key=lambda found: (found.kind.is_symptom, -found.weight, found.name, found.at, found.detail)):
        seen.setdefault(found.name, found)
    listed = []
    for found in list(seen.values())[:_MOST_POINTS]:
        when = f", since {ago(world.now - found.since)}" if found.since is not None and found.holds else ""
        past = f", last {ago(world.now - found.last)} ago" if found.last is not None and not found.holds else ""
        detail = f": {found.detail[:_DETAIL_CHARACTERS]}" if found.detail else ""
        sources = [source for key in found.evidence if (source := source_of(world, key)) is not None]
        text = f"{found.kind.says}{detail}{when}{past}"
        listed.append({"finding": found.name, "text": text, "sources": [[source.of, source.record] for source in sources]})
    return listed


def changed(world: World, incident: Incident) -> list[str]:
    """What changed before the first symptom, in words, each with the record that says so."""
    rid = incident.root.rid
    if rid.startswith("node::"):
        return []

    def found() -> list[str]:
        listed = changes_before(world, rid, incident.opened)
        return [f"{one.detail}, {ago(incident.opened - one.at)} before{_told_in(world, one)}" for one in listed]

    return world.once(("changed", rid, str(incident.opened)), found)


def _told_in(world: World, one: Change) -> str:
    source = source_of(world, one.rid)
    return f" ({source.record})" if source else ""


def aside(analysis: Analysis, incident: Incident) -> list[str]:
    """What was set aside, and why: what another explains, and what is past."""
    world = analysis.world
    found = []
    for one in incident.members[1:]:
        if one.explained_by:
            by = ", ".join(title_of(world, rid) for rid in one.explained_by[:2])
            found.append(f"{title_of(world, one.rid)} ({leading(one).kind.says}): explained by {by}")
    found += [f"{one.name}: it is past" for one in incident.root.findings if not one.holds and one.weight < POSSIBLE]
    found += [
        f"{node.title} is cordoned: nothing waits for it" for node in world.cordoned[: _MOST_ASIDE + 1] if node.rid != incident.root.rid
    ]
    return sorted(set(found))[:_MOST_ASIDE]


def text_of(analysis: Analysis, incident: Incident) -> str:
    """The whole explanation as text."""
    world, root = analysis.world, incident.root
    lines = [f"{words(root.score)}: {headline(world, incident)}."]
    lines += [f"{at}. {one['text']}." for at, one in enumerate(points(world, root), 1)]
    affected = [title_of(world, one.rid) for one in incident.members[1:]]
    if affected:
        lines.append(f"Affected: {', '.join(affected[:10])}{' and others' if len(affected) > 10 else ''}.")  # noqa: PLR2004
    changes = changed(world, incident)
    if changes:
        lines.append(f"Changed before: {'; '.join(changes)}.")
    if leading(root).kind.do:
        lines.append(f"Do: {leading(root).kind.do}.")
    set_aside = aside(analysis, incident)
    if set_aside:
        lines.append(f"Set aside: {'; '.join(set_aside)}.")
    return "\n".join(lines)
