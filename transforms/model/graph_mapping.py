"""An older graph told in words of this one: which of its labels, properties and types are which of ours.

What a mapping does not name is not compared. Names of the older graph are the operator's own; each is checked before it may stand,
quoted, in a statement, and every other text of a mapping is bound as a value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from transforms.model.graph import NODES, RELATIONSHIPS, TENANT_KEY, NodeLabel

LOWER: Final = "lower"
# How a value of the older graph becomes one of ours: JSON text of a map as sorted `key=value` texts; JSON text written as ours is.
PAIRS: Final = "pairs"
JSON: Final = "json"
CONVERSIONS: Final = (PAIRS, JSON)

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_.:/ -]{0,127}"
_IDENTIFIER: Final = re.compile(_NAME)
_PLACEHOLDER: Final = re.compile(rf"\{{({_NAME})(?:\|({LOWER}))?\}}")
_LABELS: Final = {node.label: node for node in NODES if node.digest}
_TYPES: Final = {relationship.type: relationship for relationship in RELATIONSHIPS}


class BadMapping(ValueError):
    """A mapping that cannot be used; the message says what of it and why, in one sentence."""


class KeyPart(NamedTuple):
    """A piece of a key: literal text, or a property's value, in lower case where told."""

    literal: str = ""
    name: str = ""
    lower: bool = False


class MappedProperty(NamedTuple):
    """The older graph's property, and how its value becomes one of ours ("": as it is)."""

    name: str
    conversion: str = ""


@dataclass(frozen=True, slots=True)
class MappedNode:
    """One of our labels in the older graph. labels: any of these. key: what joined gives our key. properties: by our names."""

    node: NodeLabel
    labels: tuple[str, ...]
    key: tuple[KeyPart, ...]
    properties: Mapping[str, MappedProperty]


@dataclass(frozen=True, slots=True)
class GraphMapping:
    """tenant: the property that holds the tenant on every node, "" where the database holds one tenant alone.

    relationships: the older graph's types by ours.
    """

    nodes: tuple[MappedNode, ...]
    relationships: Mapping[str, str] = field(default_factory=dict)
    tenant: str = ""

    @property
    def properties(self) -> dict[str, tuple[str, ...]]:
        """What is compared of nodes: our properties by our label."""
        return {mapped.node.label: tuple(mapped.properties) for mapped in self.nodes}


def parse_mapping(settings: Mapping[str, Any]) -> GraphMapping:
    """The mapping that a settings file declares; BadMapping for one that cannot be used."""
    _only(settings, "the file", ("tenant", "nodes", "relationships"))
    tables = _table(settings, "nodes")
    if not tables:
        raise BadMapping("it must hold a table [nodes.Resource], or of another of our labels")
    nodes = tuple(_node(label, table) for label, table in tables.items())
    tenant = settings.get("tenant", "")
    return GraphMapping(nodes, _relationships(_table(settings, "relationships"), tables), tenant and _identifier("tenant", tenant))


def _node(label: str, table: Any) -> MappedNode:
    where = f"nodes.{label}"
    if label not in _LABELS:
        raise BadMapping(f"{where} is none of our labels, which are {', '.join(_LABELS)}")
    if not isinstance(table, dict):
        raise BadMapping(f"{where} must be a table with `label` and `key`")
    _only(table, where, ("label", "key", "properties"))
    labels = table.get("label", ())
    labels = (labels,) if isinstance(labels, str) else labels
    if not isinstance(labels, tuple | list) or not labels:
        raise BadMapping(f"{where} must say its `label` in the older graph, or a list of labels")
    node = _LABELS[label]
    names = tuple(_identifier(f"{where}.label", name) for name in labels)
    return MappedNode(node, names, _key(where, table.get("key")), _properties(where, node, _table(table, "properties", where)))


def _key(where: str, template: Any) -> tuple[KeyPart, ...]:
    """The parts of a template such as `{kind|lower}:{ns}:{name}`."""
    example = 'such as "{rid}" or "{kind|lower}:{ns}:{name}"'
    if not isinstance(template, str) or not _PLACEHOLDER.search(template):
        raise BadMapping(f"{where} must say its `key` as text with properties in braces, {example}")
    parts: list[KeyPart] = []
    at = 0
    for found in _PLACEHOLDER.finditer(template):
        parts += [KeyPart(literal=template[at : found.start()]), KeyPart(name=found[1], lower=found[2] == LOWER)]
        at = found.end()
    parts.append(KeyPart(literal=template[at:]))
    if any(brace in part.literal for part in parts for brace in "{}"):
        raise BadMapping(
            f"{where}.key is {template!r}; braces hold a property's name, and |{LOWER} after it where it is to be in lower case, {example}"
        )
    return tuple(part for part in parts if part.literal or part.name)


def _properties(where: str, node: NodeLabel, table: Mapping[str, Any]) -> dict[str, MappedProperty]:
    never = {TENANT_KEY, node.key, *node.bookkeeping}
    for name in table:
        if name in never:
            raise BadMapping(f"{where}.properties names {name}, which is no content: {', '.join(sorted(never))} are never compared")
    return {name: _property(f"{where}.properties.{name}", value) for name, value in table.items()}


def _property(where: str, value: Any) -> MappedProperty:
    if isinstance(value, str):
        return MappedProperty(_identifier(where, value))
    if not isinstance(value, dict):
        raise BadMapping(f'{where} must be a name, or a table such as {{ from = "labels", as = "{PAIRS}" }}')
    _only(value, where, ("from", "as"))
    conversion = value.get("as", "")
    if conversion not in ("", *CONVERSIONS):
        raise BadMapping(f"{where}.as is {conversion!r}; it must be one of {', '.join(CONVERSIONS)}")
    return MappedProperty(_identifier(f"{where}.from", value.get("from")), conversion)


def _relationships(table: Mapping[str, Any], nodes: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for ours, theirs in table.items():
        if ours not in _TYPES:
            raise BadMapping(f"relationships.{ours} is none of our types, which are {', '.join(_TYPES)}")
        for end in (_TYPES[ours].source, _TYPES[ours].target):
            if end.label not in nodes:
                raise BadMapping(f"relationships.{ours} joins {end.label}, so it needs the table nodes.{end.label}")
        found[ours] = _identifier(f"relationships.{ours}", theirs)
    doubled = sorted({theirs for theirs in found.values() if list(found.values()).count(theirs) > 1})
    if doubled:
        raise BadMapping(f"relationships gives {doubled[0]} to several of our types; each needs a type of its own")
    return found


def _identifier(where: str, name: Any) -> str:
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise BadMapping(
            f"{where} is {name!r}; a name begins with a letter or underscore and has letters, digits, blanks and _ . : / - "
            "after it, at most 128"
        )
    return name


def _table(settings: Mapping[str, Any], name: str, where: str = "") -> Mapping[str, Any]:
    found = settings.get(name, {})
    if not isinstance(found, dict):
        raise BadMapping(f"{f'{where}.' if where else ''}{name} must be a table")
    return found


def _only(table: Mapping[str, Any], where: str, known: tuple[str, ...]) -> None:
    for name in table:
        if name not in known:
            raise BadMapping(f"{where} has {name!r}, which means nothing here; it may have {', '.join(known)}")
