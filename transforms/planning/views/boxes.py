"""The map: a tenant as boxes in boxes, packed so that the same objects always stand at the same places.

Nothing vanishes: every object is shown, counted in a folded group that is shown, or filtered away on request and counted too.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from transforms.planning.views.source import Brief, Counted, Placed

MOST_OPEN: Final = 2_500
MOST_GROUPS: Final = 40
CLUSTER_SCOPED: Final = ""
REST: Final = "…"
TILE: Final = 14
_PAD: Final = 6
_HEAD: Final = 16
_LETTER: Final = 6
_OWNED_MOST: Final = 8


class Tile(NamedTuple):
    """An object and its place."""

    object: Brief
    x: int
    y: int


class Frame(NamedTuple):
    """A box with its title. key: of its group; object: what it stands for, where that is an object itself.

    number, sick: objects in it, shown or not. folded: how many of them are not shown.
    """

    key: str
    title: str
    depth: int
    x: int
    y: int
    width: int
    height: int
    number: int
    sick: int
    folded: int
    object: Brief | None = None


class Counts(NamedTuple):
    """all = shown + folded + filtered. sick: of those that are shown or folded."""

    all: int
    shown: int
    folded: int
    filtered: int
    sick: int


@dataclass(frozen=True, slots=True)
class TenantMap:
    frames: tuple[Frame, ...]
    tiles: tuple[Tile, ...]
    counts: Counts
    width: int
    height: int


@dataclass(slots=True)
class _Node:
    """A box before it has a place."""

    key: str
    title: str
    object: Brief | None = None
    children: list["_Node"] = field(default_factory=list)
    leaves: list[Brief] = field(default_factory=list)
    folded: int = 0
    folded_sick: int = 0
    width: int = 0
    height: int = 0
    places: list[tuple["_Node", int, int]] = field(default_factory=list)
    per_row: int = 1
    tiles_at: int = 0


class Kept(NamedTuple):
    """What is not filtered away: of some kinds, or sick ones alone; everything where nothing is named."""

    kinds: frozenset[str] = frozenset()
    only_sick: bool = False

    def keeps(self, kind: str, *, sick: bool) -> bool:
        return (not self.kinds or kind in self.kinds) and (sick or not self.only_sick)


def open_namespaces(census: Iterable[Counted], asked: Collection[str], kept: Kept) -> frozenset[str]:
    """Whose objects are shown one by one: all, where there are few; else those asked for, as far as there is room."""
    sizes: dict[str, int] = {}
    for one in census:
        if kept.keeps(one.kind, sick=one.sick):
            sizes[one.ns] = sizes.get(one.ns, 0) + one.number
    if sum(sizes.values()) <= MOST_OPEN:
        return frozenset(sizes)
    return frozenset(name for name in asked if name in sizes)


def map_of(census: Sequence[Counted], placed: Sequence[Placed], opened: Collection[str], kept: Kept, *, by_node: bool = False) -> TenantMap:
    """The map of all that the census counts.

    placed: the objects of the open namespaces. by_node: boxes are nodes with what runs on them, in place of namespaces and owners.
    """
    shown = [one for one in placed if kept.keeps(one.object.kind, sick=one.object.ails is not None)]
    # Sick ones come first where there is no room for all.
    shown = sorted(shown, key=lambda one: (one.object.ails is None, one.object.rid))[:MOST_OPEN]
    shown.sort(key=lambda one: one.object.rid)
    total = sum(one.number for one in census)
    passed = [one for one in census if kept.keeps(one.kind, sick=one.sick)]
    groups = _by_node(shown) if by_node else _by_namespace(shown)
    _fold(groups, passed, shown, opened, by_node=by_node)
    root = _Node("", "", children=_few(groups))
    _pack(root, ratio=2.4)
    frames: list[Frame] = []
    tiles: list[Tile] = []
    _place(root, 0, 0, 0, frames, tiles)
    folded = sum(one.number for one in passed) - len(shown)
    counts = Counts(total, len(shown), folded, total - sum(one.number for one in passed), sum(one.number for one in passed if one.sick))
    return TenantMap(tuple(frames[1:]), tuple(tiles), counts, root.width, root.height)


def _by_namespace(shown: Sequence[Placed]) -> dict[str, _Node]:
    """Namespace, then the topmost owner, or the kind of what has none; a Namespace's own object is its box."""
    objects = {one.object.rid: one for one in shown}
    owning = {owner for one in shown for owner in one.owners if owner in objects}
    groups: dict[str, _Node] = {}
    boxes: dict[str, _Node] = {}
    for rid, one in objects.items():
        top = _top(rid, objects)
        ns = one.object.ns or (one.object.name if rid.startswith("namespace:") else CLUSTER_SCOPED)
        group = groups.setdefault(ns, _Node(f"ns/{ns}", ns or "cluster-scoped"))
        if rid.startswith("namespace:"):
            group.object = one.object
        elif top == rid and rid in owning:
            _box(boxes, group, rid, one.object.label).object = one.object
        elif top != rid:
            _box(boxes, group, top, objects[top].object.label).leaves.append(one.object)
        else:
            _box(boxes, group, f"kind/{ns}/{one.object.kind}", one.object.kind).leaves.append(one.object)
    return groups


def _by_node(shown: Sequence[Placed]) -> dict[str, _Node]:
    groups: dict[str, _Node] = {}
    nodes = {one.object.rid for one in shown if one.object.rid.startswith("node:")}
    for one in shown:
        on = one.object.rid if one.object.rid in nodes else next((node for node in one.nodes), "")
        key = f"node/{on}" if on else "node/"
        group = groups.setdefault(on or CLUSTER_SCOPED, _Node(key, on.rpartition(":")[2] or "on no node"))
        if one.object.rid == on:
            group.object = one.object
        else:
            group.leaves.append(one.object)
    return groups


def _box(boxes: dict[str, _Node], group: _Node, key: str, title: str) -> _Node:
    if key not in boxes:
        boxes[key] = _Node(key, title)
        group.children.append(boxes[key])
    return boxes[key]


def _top(rid: str, objects: dict[str, Placed]) -> str:
    """The topmost owner within the same namespace; the first by rid where there are several."""
    seen = {rid}
    for _ in range(_OWNED_MOST):
        ns = objects[rid].object.ns
        owner = next((one for one in objects[rid].owners if one in objects and one not in seen and objects[one].object.ns == ns), None)
        if owner is None:
            return rid
        seen.add(owner)
        rid = owner
    return rid


def _fold(groups: dict[str, _Node], passed: Sequence[Counted], shown: Sequence[Placed], opened: Collection[str], *, by_node: bool) -> None:
    """Count what is not shown into the groups where it belongs; in the view by nodes, into one group of each namespace."""
    there: dict[tuple[str, bool], int] = {}
    for one in shown:
        at = (one.object.ns, one.object.ails is not None)
        there[at] = there.get(at, 0) + 1
    left: dict[tuple[str, bool], int] = {}
    for counted in passed:
        left[counted.ns, counted.sick] = left.get((counted.ns, counted.sick), 0) + counted.number
    for (ns, sick), number in sorted(left.items()):
        more = number - there.get((ns, sick), 0)
        if more <= 0:
            continue
        key = f"folded/{ns}" if by_node else ns
        title = f"{ns or 'cluster-scoped'} (folded)" if by_node and ns not in opened else ns or "cluster-scoped"
        group = groups.setdefault(key, _Node(f"ns/{ns}", title))
        group.folded += more
        group.folded_sick += more if sick else 0


def _few(groups: dict[str, _Node]) -> list[_Node]:
    """At most forty closed groups: the sickest and largest have a box of their own, the rest one together."""
    closed = [one for one in groups.values() if not one.children and not one.leaves]
    if len(closed) <= MOST_GROUPS:
        return [groups[key] for key in sorted(groups)]
    closed.sort(key=lambda one: (-one.folded_sick, -one.folded, one.key))
    rest = closed[MOST_GROUPS - 1 :]
    gone = {one.key for one in rest}
    other = _Node(
        REST, f"{len(rest)} other groups", folded=sum(one.folded for one in rest), folded_sick=sum(one.folded_sick for one in rest)
    )
    # A Namespace's own object, shown as the title of a box, is a tile where the box is not shown.
    other.leaves = [one.object for one in rest if one.object is not None]
    return [groups[key] for key in sorted(groups) if groups[key].key not in gone] + [other]


def _pack(node: _Node, ratio: float = 1.4) -> None:
    """Give a box its size and its children their places: rows of about one width, in the order of their keys."""
    for child in node.children:
        _pack(child)
    least = max(len(node.title) * _LETTER + 24, 60)
    per_row = max(1, math.ceil(math.sqrt(len(node.leaves) * ratio)), (least - _PAD) // TILE if node.leaves else 1)
    node.per_row = per_row
    area = sum((child.width + _PAD) * (child.height + _PAD) for child in node.children)
    goal = max(least, int(math.sqrt(area * ratio)), *(child.width for child in node.children), 0)
    x, y, row = _PAD, _HEAD + _PAD, 0
    right = least
    for child in node.children:
        if x > _PAD and x + child.width > goal + _PAD:
            x, y, row = _PAD, y + row + _PAD, 0
        node.places.append((child, x, y))
        right = max(right, x + child.width + _PAD)
        x, row = x + child.width + _PAD, max(row, child.height)
    node.tiles_at = y + row + (_PAD if row else 0)
    rows = math.ceil(len(node.leaves) / per_row)
    node.width = max(right, _PAD * 2 + min(per_row, len(node.leaves)) * TILE)
    note = _HEAD if node.folded else 0
    node.height = node.tiles_at + rows * TILE + note + _PAD


def _place(node: _Node, x: int, y: int, depth: int, frames: list[Frame], tiles: list[Tile]) -> tuple[int, int]:
    """Enter the box and all in it at their places; how many objects it holds, and how many of them are sick."""
    at = len(frames)
    frames.append(Frame(node.key, node.title, depth, x, y, node.width, node.height, 0, 0, node.folded, node.object))
    own = [*node.leaves, *([node.object] if node.object else [])]
    number, sick = node.folded + len(own), node.folded_sick + sum(one.ails is not None for one in own)
    for child, dx, dy in node.places:
        more, more_sick = _place(child, x + dx, y + dy, depth + 1, frames, tiles)
        number, sick = number + more, sick + more_sick
    for place, leaf in enumerate(node.leaves):
        row, column = divmod(place, node.per_row)
        tiles.append(Tile(leaf, x + _PAD + column * TILE, y + node.tiles_at + row * TILE))
    frames[at] = frames[at]._replace(number=number, sick=sick)
    return number, sick
