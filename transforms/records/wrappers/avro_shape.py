"""What a value of an Avro schema can come to, worked out from the schema alone, before anything is decoded.

A few bytes can claim millions of values: arrays of nothing, records within records, names that stand again for every value.
So a schema without such a bound is refused, and reading a payload ends where the bound is passed (`avro.py`).
"""

from typing import Any, Final, NamedTuple

from transforms.records.rejects import Fault, Reason

DEPTH: Final = 32
# Of the shortest value, how often a decoder reads on: a string has a length and characters.
_PRIMITIVE_READS: Final = {"null": 0, "boolean": 1, "int": 1, "long": 1, "float": 1, "double": 1, "bytes": 2, "string": 2}
# Bytes of memory and of JSON text, together, in CPython 3.11 on 64 bits (measured, and rounded up); the characters of
# strings come on top, and are never more than the payload has.
_NULL: Final = 16
_SCALAR: Final = 88
_TEXT: Final = 112
_LIST: Final = 96
_DICT: Final = 224
_ENTRY: Final = 112
_ITEM: Final = 16


class Shape(NamedTuple):
    """A type's bound: a value that a decoder reads in so many reads costs at most `free + per_read * reads`.

    reads: that the shortest value takes. depth: how deep values nest.
    """

    free: int
    per_read: int
    reads: int
    depth: int = 1


class Names:
    """The named types of a schema and of those that it refers to; one in the making has no shape yet."""

    def __init__(self) -> None:
        self._shapes: dict[str, Shape | None] = {}

    def begin(self, name: str) -> None:
        if name in self._shapes:
            raise refused(f"defines {name[:80]!r} twice")
        self._shapes[name] = None

    def end(self, name: str, shape: Shape) -> Shape:
        self._shapes[name] = shape
        return shape

    def shape(self, name: str) -> Shape:
        if name not in self._shapes:
            raise refused(f"names {name[:80]!r}, which it does not define before")
        shape = self._shapes[name]
        if shape is None:
            raise refused(f"is recursive: {name[:80]!r} holds itself")
        return shape


def refused(what: str) -> Fault:
    return Fault(Reason.BAD_WRAPPER, f"the value's Avro schema {what}; such schemas are not taken", parsed=False)


def shape_of(schema: Any, names: Names, space: str = "", level: int = 0) -> Shape:
    """The shape of a parsed schema; Fault where there is none. `names` gets the types that it defines."""
    if level > DEPTH:
        raise refused(f"nests deeper than {DEPTH} levels")
    shape = _shape(schema, names, space, level)
    if shape.depth > DEPTH:
        raise refused(f"nests deeper than {DEPTH} levels")
    return shape


def _shape(schema: Any, names: Names, space: str, level: int) -> Shape:
    if isinstance(schema, str):
        return _named(schema, names, space)
    if isinstance(schema, list) and schema:
        return _union([shape_of(one, names, space, level + 1) for one in schema])
    kind = schema.get("type") if isinstance(schema, dict) else None
    if isinstance(kind, dict | list):
        return shape_of(kind, names, space, level + 1)
    if not isinstance(kind, str):
        raise refused("has a type that is none")
    return _complex(kind, schema, names, space, level)


def _complex(kind: str, schema: dict[str, Any], names: Names, space: str, level: int) -> Shape:
    if kind == "array":
        return _array(shape_of(schema.get("items"), names, space, level + 1))
    if kind == "map":
        return _map(shape_of(schema.get("values"), names, space, level + 1))
    if kind in ("record", "enum", "fixed"):
        return _definition(kind, schema, names, space, level)
    return _named(kind, names, space)


def _named(name: str, names: Names, space: str) -> Shape:
    reads = _PRIMITIVE_READS.get(name)
    if reads is None:
        return names.shape(_full(name, space))
    return Shape((_NULL, _SCALAR, _TEXT)[reads], 0, reads)


def _full(name: str, space: str) -> str:
    return name if "." in name or not space else f"{space}.{name}"


def _definition(kind: str, schema: dict[str, Any], names: Names, space: str, level: int) -> Shape:
    name, own = schema.get("name"), schema.get("namespace", space)
    if not isinstance(name, str) or not isinstance(own, str):
        raise refused("has a type without a name")
    full = _full(name, own)
    names.begin(full)
    if kind == "record":
        return names.end(full, _record(schema.get("fields"), names, full.rpartition(".")[0], level))
    if kind == "enum":
        symbols = schema.get("symbols")
        if not isinstance(symbols, list) or not symbols:
            raise refused(f"has an enum {name[:80]!r} without symbols")
        return names.end(full, Shape(_SCALAR + max(len(str(one)) for one in symbols), 0, 1))
    size = schema.get("size")
    if not isinstance(size, int) or size < 1:
        raise refused(f"has a fixed type {name[:80]!r} without a size")
    return names.end(full, Shape(_TEXT, 0, 1))


def _record(fields: Any, names: Names, space: str, level: int) -> Shape:
    if not isinstance(fields, list) or not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in fields):
        raise refused("has a record without fields")
    held = [(one["name"], shape_of(one.get("type"), names, space, level + 1)) for one in fields]
    return Shape(
        _DICT + sum(_ENTRY + len(name) + shape.free for name, shape in held),
        max((shape.per_read for _, shape in held), default=0),
        sum(shape.reads for _, shape in held),
        1 + max((shape.depth for _, shape in held), default=0),
    )


def _union(branches: list[Shape]) -> Shape:
    """Which branch it is takes a read, and any branch may be the one."""
    per_read = max(max(one.free, one.per_read) for one in branches)
    return Shape(0, per_read, 1 + min(one.reads for one in branches), max(one.depth for one in branches))


def _array(items: Shape) -> Shape:
    if not items.reads:
        raise refused("has an array whose items take no bytes")
    return Shape(_LIST, items.per_read + _each(items.free + _ITEM, items.reads), 1, 1 + items.depth)


def _map(values: Shape) -> Shape:
    """Every entry has a key, which takes two reads."""
    return Shape(_DICT, values.per_read + _each(values.free + _ENTRY + _TEXT, values.reads + 2), 1, 1 + values.depth)


def _each(cost: int, reads: int) -> int:
    """A cost by each of the reads that it comes with, rounded up."""
    return -(-cost // reads)
