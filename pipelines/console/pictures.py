"""Pictures as the pages draw them: boxes and lines with the words and addresses that belong to them. No script is needed."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from pipelines.console.render import tenant_link
from transforms.planning.views.neighbourhood import Around, Box, Line, Picture, draw
from transforms.planning.views.source import Brief, Edge

_TITLE_CHARACTERS: Final = 25
_FOLD: Final = "fold "


class Shown(NamedTuple):
    """A box with its text. classes: what it is, for its colour and shape. href: where it leads."""

    box: Box
    title: str
    note: str
    classes: str
    href: str
    says: str


class Drawn(NamedTuple):
    boxes: tuple[Shown, ...]
    lines: tuple[Line, ...]
    width: int
    height: int
    says: str


def picture_of(around: Around, client_id: str, middle: str) -> Drawn:
    """The neighbourhood: a box leads to the picture of its own object, a fold to more of what it holds."""
    columns = dict(around.columns)
    edges = set(around.edges)
    order = {rid: (one.kind, one.name) for rid, one in around.nodes.items()}
    folds = {f"{_FOLD}{number}": fold for number, fold in enumerate(around.folds)}
    for key, fold in folds.items():
        at = columns[fold.rid]
        columns[key] = at + (1 if at > 0 or (at == 0 and fold.outgoing) else -1)
        edges.add(Edge(fold.rid, fold.type, key) if fold.outgoing else Edge(key, fold.type, fold.rid))
        order[key] = ("~", fold.type)
    picture = draw(columns, edges, order)
    boxes = [_object(box, around.nodes[key], client_id, "middle" if key == middle else "") for key, box in _objects(picture)]
    for key, fold in folds.items():
        owner = around.nodes[fold.rid]
        says = f"{fold.number} more by {fold.type} at {owner.label}, folded; opens the picture of {owner.label} with more of each"
        href = tenant_link(client_id, "object", rid=fold.rid, each=100) + "#around"
        boxes.append(Shown(picture.boxes[key], f"+ {fold.number:,} more", fold.type, "fold", href, says))
    total = sum(fold.number for fold in around.folds)
    says = f"{len(around.nodes)} objects, {len(around.edges)} relationships" + (f", {total} folded" if total else "")
    return Drawn(tuple(boxes), picture.lines, picture.width, picture.height, says)


def chain_of(briefs: Mapping[str, Brief], roles: Mapping[str, str], columns: Mapping[str, int], edges: set[Edge], client_id: str) -> Drawn:
    """The causal chain over the topology, causes to the left; roles by colour and shape."""
    picture = draw(columns, edges, {rid: (one.kind, one.name) for rid, one in briefs.items()})
    boxes = [
        _object(box, briefs[key], client_id, f"role-{roles.get(key, 'other').replace(' ', '-')}", roles.get(key, ""))
        for key, box in _objects(picture)
    ]
    says = f"{len(boxes)} objects from cause to symptom, {len(picture.lines)} relationships"
    return Drawn(tuple(boxes), picture.lines, picture.width, picture.height, says)


def _objects(picture: Picture) -> list[tuple[str, Box]]:
    """In the order in which a reader goes through them: by column, then from above."""
    found = [(key, box) for key, box in picture.boxes.items() if not key.startswith(_FOLD)]
    return sorted(found, key=lambda one: (one[1].x, one[1].y))


def _object(box: Box, one: Brief, client_id: str, more: str, role: str = "") -> Shown:
    state = "stub" if one.stub else "sick" if one.ails else "well"
    note = " · ".join(part for part in (role, one.ails or ("only referred to" if one.stub else ""), one.ns) if part)
    says = ", ".join(part for part in (one.label, one.ns and f"in {one.ns}", one.ails or "", role) if part)
    href = tenant_link(client_id, "object", rid=one.rid) + "#around"
    return Shown(box, _cut(one.label), _cut(note), f"{state} {more}".strip(), href, says)


def _cut(text: str) -> str:
    """Beginning and end: names of pods differ at the end."""
    half = _TITLE_CHARACTERS // 2
    return text if len(text) <= _TITLE_CHARACTERS else f"{text[:half]}…{text[-half:]}"
