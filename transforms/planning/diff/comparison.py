"""What differs between two graphs of one tenant, found by walking both in the order of their keys.

Of each side no more than the current node is looked at, so graphs of any size are compared in bounded memory: what is kept are
counts, and a limited number of examples. Values are equal where their canonical JSON is, as for the graph digest.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from transforms.planning.diff.value_diff import ShownValues, shown_values
from transforms.planning.facts.values import CANONICAL

_END: Final = None


class Begins(NamedTuple):
    """A relationship by its type and the node that it ends at."""

    type: str
    label: str
    key: str


class Line(NamedTuple):
    """A live node: the properties that are compared, with plain values, and the relationships that begin at it."""

    key: str
    props: dict[str, Any]
    out: list[Begins]


class Where(StrEnum):
    """On which side something is; BOTH: on both, with other properties."""

    LEFT = "only_left"
    RIGHT = "only_right"
    BOTH = "differing"


class NodeExample(NamedTuple):
    """A node that differs. values: the properties that differ, of one that is on both sides."""

    where: Where
    label: str
    key: str
    values: tuple[ShownValues, ...] = ()


class RelationshipExample(NamedTuple):
    """A relationship that is on one side alone."""

    where: Where
    type: str
    source: str
    target: str


class KeysOutOfOrder(Exception):
    """A graph gave its nodes in another order than that of their keys' code points, so that nothing can be said of it.

    An older graph does, which has no index by the key, where keys part with an emoji in one and one of U+E000 to U+FFFF in the other.
    """


def side_by_side(left: Iterable[Line], right: Iterable[Line]) -> Iterator[tuple[Line | None, Line | None]]:
    """Both sides' nodes in the order of their keys; None where a side has none of that key, or has it fewer times."""
    lefts, rights = _in_order(left), _in_order(right)
    one, other = next(lefts, _END), next(rights, _END)
    while one is not _END or other is not _END:
        if other is _END or (one is not _END and one.key < other.key):
            yield one, None
            one = next(lefts, _END)
        elif one is _END or other.key < one.key:
            yield None, other
            other = next(rights, _END)
        else:
            yield one, other
            one, other = next(lefts, _END), next(rights, _END)


def _in_order(lines: Iterable[Line]) -> Iterator[Line]:
    before = ""
    for line in lines:
        if line.key < before:
            raise KeysOutOfOrder(f"the key {line.key!r} came after {before!r}")
        before = line.key
        yield line


@dataclass(slots=True)
class Differences:
    """Counts of what differs, by label or type and side, and up to `limit` examples of each side for nodes and relationships."""

    limit: int
    nodes: Counter[tuple[str, Where]] = field(default_factory=Counter)
    relationships: Counter[tuple[str, Where]] = field(default_factory=Counter)
    node_examples: list[NodeExample] = field(default_factory=list)
    relationship_examples: list[RelationshipExample] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.nodes or self.relationships)

    def add(self, label: str, left: Line | None, right: Line | None) -> None:
        """Take in what one pair of `side_by_side` says of the nodes of a label."""
        where, key = _where(left, right)
        if where is not Where.BOTH:
            self._add_node(where, label, key)
        elif left and right and CANONICAL.encode(left.props) != CANONICAL.encode(right.props):
            self._add_node(where, label, key, left.props, right.props)
        lefts, rights = (Counter(line.out) if line else Counter[Begins]() for line in (left, right))
        for side, only in ((Where.LEFT, lefts - rights), (Where.RIGHT, rights - lefts)):
            for begins, number in sorted(only.items(), key=str):
                self._add_relationship(side, key, begins, number)

    def _add_node(self, where: Where, label: str, key: str, *props: dict[str, Any]) -> None:
        self.nodes[label, where] += 1
        if self.of_nodes(where) <= self.limit:
            self.node_examples.append(NodeExample(where, label, key, _differing(key, *props) if props else ()))

    def _add_relationship(self, where: Where, key: str, begins: Begins, number: int) -> None:
        self.relationships[begins.type, where] += number
        if sum(1 for one in self.relationship_examples if one.where is where) < self.limit:
            self.relationship_examples.append(RelationshipExample(where, begins.type, key, begins.key))

    def of_nodes(self, where: Where) -> int:
        return _of(self.nodes, where)

    def of_relationships(self, where: Where) -> int:
        return _of(self.relationships, where)


def _of(counted: Counter[tuple[str, Where]], where: Where) -> int:
    return sum(number for (_, side), number in counted.items() if side is where)


def _where(left: Line | None, right: Line | None) -> tuple[Where, str]:
    if left and right:
        return Where.BOTH, left.key
    found = left or right
    assert found is not None, "a pair without a node"
    return (Where.LEFT if left else Where.RIGHT), found.key


def _differing(key: str, left: dict[str, Any], right: dict[str, Any]) -> tuple[ShownValues, ...]:
    return tuple(
        shown_values(key, name, left.get(name), right.get(name))
        for name in sorted(left.keys() | right.keys())
        if CANONICAL.encode(left.get(name)) != CANONICAL.encode(right.get(name))
    )
