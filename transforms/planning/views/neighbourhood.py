"""What is around an object, hop by hop, and where each of it stands in a picture; the same graph gives the same picture."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from transforms.planning.views.source import Brief, Edge, EdgesAt

MOST_HOPS: Final = 4
MOST_NODES: Final = 150
EACH: Final = 12

BOX_WIDTH: Final = 200
BOX_HEIGHT: Final = 44
_GAP: Final = 12
_COLUMN_GAP: Final = 90
_ROWS: Final = 14
_MARGIN: Final = 16


class Fold(NamedTuple):
    """Neighbours of `rid` that are not shown: how many, by the type and direction that lead to them."""

    rid: str
    type: str
    outgoing: bool
    number: int


@dataclass(frozen=True, slots=True)
class Around:
    """What was found. columns: signed hops from the middle, negative where the relationship comes in."""

    nodes: dict[str, Brief]
    columns: dict[str, int]
    edges: tuple[Edge, ...]
    folds: tuple[Fold, ...]


class Box(NamedTuple):
    """A node of a picture; a fold's has its number. x, y: of its upper left corner."""

    key: str
    x: int
    y: int
    width: int = BOX_WIDTH
    height: int = BOX_HEIGHT


class Line(NamedTuple):
    """A relationship of a picture, as a curve from one box to another."""

    edge: Edge
    path: str
    label_x: int
    label_y: int


class Picture(NamedTuple):
    boxes: dict[str, Box]
    lines: tuple[Line, ...]
    width: int
    height: int


def explore(start: Brief, hops: int, ask: Callable[[Collection[str]], Sequence[EdgesAt]], most: int = MOST_NODES) -> Around:
    """Walk from `start`; of each node's neighbours by one type and direction, those beyond what `ask` tells are folded.

    ask: the neighbours of some objects. At most `most` nodes: what is beyond is folded too, so that nothing is left out in silence.
    """
    nodes, columns = {start.rid: start}, {start.rid: 0}
    edges: set[Edge] = set()
    missing: dict[tuple[str, str, bool], int] = {}
    frontier = [start.rid]
    for _ in range(min(hops, MOST_HOPS)):
        found: list[str] = []
        for at in sorted(ask(frontier), key=lambda one: (frontier.index(one.rid), one.type, one.outgoing)):
            shown = 0
            for other in at.others:
                if other.rid not in nodes and len(nodes) < most:
                    nodes[other.rid] = other
                    columns[other.rid] = columns[at.rid] + _step(columns[at.rid], outgoing=at.outgoing)
                    found.append(other.rid)
                if other.rid in nodes:
                    shown += 1
                    edges.add(Edge(at.rid, at.type, other.rid) if at.outgoing else Edge(other.rid, at.type, at.rid))
            if at.number > shown:
                missing[at.rid, at.type, at.outgoing] = at.number - shown
        frontier = found
    folds = [Fold(*at, number) for at, number in sorted(missing.items())]
    return Around(nodes, columns, tuple(sorted(edges)), tuple(folds))


def _step(column: int, *, outgoing: bool) -> int:
    """Away from the middle, on the side where the walk is."""
    if column == 0:
        return 1 if outgoing else -1
    return 1 if column > 0 else -1


def draw(columns: Mapping[str, int], edges: Collection[Edge], order: Mapping[str, tuple[str, ...]]) -> Picture:
    """Place boxes in columns, left to right, and the lines between them.

    order: what boxes of a column are sorted by; a box stands near those that it is joined with in the column before.
    """
    boxes: dict[str, Box] = {}
    x = _MARGIN
    middle = max((len(_in(columns, column)) for column in set(columns.values())), default=1)
    height = min(middle, _ROWS) * (BOX_HEIGHT + _GAP)
    near = _neighbours(edges)
    for column in sorted(set(columns.values())):
        keys = sorted(_in(columns, column), key=lambda key: (_above(key, near, boxes), order.get(key, (key,)), key))
        for first in range(0, len(keys), _ROWS):
            part = keys[first : first + _ROWS]
            top = _MARGIN + (height - len(part) * (BOX_HEIGHT + _GAP)) // 2
            for row, key in enumerate(part):
                boxes[key] = Box(key, x, top + row * (BOX_HEIGHT + _GAP))
            x += BOX_WIDTH + (_GAP * 2 if first + _ROWS < len(keys) else 0)
        x += _COLUMN_GAP
    lines = tuple(_line(edge, boxes) for edge in sorted(edges) if edge.source in boxes and edge.target in boxes)
    return Picture(boxes, lines, x - _COLUMN_GAP + _MARGIN, height + _MARGIN * 2)


def _in(columns: Mapping[str, int], column: int) -> list[str]:
    return [key for key, one in columns.items() if one == column]


def _neighbours(edges: Collection[Edge]) -> dict[str, set[str]]:
    near: dict[str, set[str]] = {}
    for edge in edges:
        near.setdefault(edge.source, set()).add(edge.target)
        near.setdefault(edge.target, set()).add(edge.source)
    return near


def _above(key: str, near: Mapping[str, set[str]], boxes: Mapping[str, Box]) -> float:
    placed = sorted(boxes[other].y for other in near.get(key, ()) if other in boxes)
    return sum(placed) / len(placed) if placed else 0.0


def _line(edge: Edge, boxes: Mapping[str, Box]) -> Line:
    a, b = boxes[edge.source], boxes[edge.target]
    forward = b.x >= a.x + a.width
    backward = a.x >= b.x + b.width
    x1 = a.x + (a.width if forward or not backward else 0)
    x2 = b.x + (b.width if backward or not forward else 0)
    y1, y2 = a.y + a.height // 2, b.y + b.height // 2
    bend = max(30, abs(x2 - x1) // 2)
    c1 = x1 + (bend if forward or not backward else -bend)
    c2 = x2 + (bend if backward or not forward else -bend)
    return Line(edge, f"M{x1} {y1} C{c1} {y1} {c2} {y2} {x2} {y2}", (x1 + x2) // 2, (y1 + y2) // 2 - 4)
