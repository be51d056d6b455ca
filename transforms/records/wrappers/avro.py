"""Avro payloads of a schema registry, as the JSON text of the same value.

Decoded by the writer's schema. Moments become RFC 3339, decimals and UUIDs text, bytes base64; a null is an absent field,
since an Avro record cannot leave one out. What a payload comes to is bounded while it is read, not afterwards: reading ends
where it may have cost `COST_BYTES` by its schema, and a decimal has at most `DECIMAL_BYTES`.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Context, Decimal
from io import BytesIO
from struct import error as StructError  # noqa: N812 - the standard library's name says nothing
from typing import Any, Final
from uuid import UUID

import msgspec
from fastavro import parse_schema, schemaless_reader
from fastavro.read import LOGICAL_READERS
from fastavro.schema import SchemaParseException, UnknownType

from transforms.records.record import from_microseconds
from transforms.records.rejects import Fault, Reason
from transforms.records.wrappers.avro_shape import Names, Shape, refused, shape_of

SCHEMA_BYTES: Final = 256 * 1024
# Of memory and JSON text together, by the bound that the schema gives: three times what the largest record comes to.
COST_BYTES: Final = 64 * 1024 * 1024
# JSON text for a payload of so many bytes: names of fields and of symbols cost a payload next to nothing.
JSON_FREE_BYTES: Final = 8 * 1024
JSON_PER_BYTE: Final = 32
# 154 digits: twice those of the widest decimals that databases have. Turning one to text takes the square of its length.
DECIMAL_BYTES: Final = 64
_LARGEST_SCALE: Final = 1024
_DIGITS: Final = Context(prec=len(str(2 ** (8 * DECIMAL_BYTES))))
_DECIMAL: Final = "decimal"
_BOUNDED_DECIMAL: Final = "graph-build-decimal"
_LOOKED_INTO: Final = (dict, list, datetime)
_SHOWN: Final = 120
# What holds other types in a schema.
_TYPED: Final = frozenset({"type", "fields", "items", "values"})
_ENCODE: Final = msgspec.json.Encoder().encode
# What fastavro raises for a schema, and for a payload, that is not what it should be.
_SCHEMA_ERRORS: Final = (SchemaParseException, UnknownType, ValueError, TypeError, KeyError, AttributeError, RecursionError)
_PAYLOAD_ERRORS: Final = (EOFError, StopIteration, StructError, ValueError, TypeError, IndexError, KeyError, ArithmeticError, MemoryError)


class _CountedReads(BytesIO):
    """A payload that lets itself be read so many times and no more: every value takes a read at least."""

    def __init__(self, payload: bytes, most: int) -> None:
        super().__init__(payload)
        self._left = most

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise _limit(f"the Avro payload of {self.getbuffer().nbytes} bytes holds too many values for its schema")
        return super().read(size)


class AvroReader:
    """Reads the payloads of one schema; Fault where the schema is refused.

    schemas: the texts of those that it refers to, each before whoever refers to it, and of itself at last.
    """

    def __init__(self, schemas: Sequence[str]) -> None:
        names, known = Names(), dict[str, Any]()
        self._shape: Shape
        self._schema: Any
        for text in schemas:
            raw = _raw(text)
            self._shape = shape_of(raw, names)
            try:
                self._schema = parse_schema(_with_bounded_decimals(_moments(raw)), known)
            except _SCHEMA_ERRORS as error:
                raise refused(f"is not valid ({str(error)[:_SHOWN]})") from None
        if not isinstance(self._schema, dict) or self._schema.get("type") != "record":
            raise refused("is no record")

    def __call__(self, payload: bytes) -> bytes:
        """The JSON text of a payload; raises Fault."""
        stream = self._stream(payload)
        try:
            value = schemaless_reader(stream, self._schema, None)
            _drop_nulls(value)
            text = _ENCODE(value)
        except _PAYLOAD_ERRORS as error:
            said = f"the payload is not what its Avro schema says ({type(error).__name__}: {str(error)[:_SHOWN]})"
            raise Fault(Reason.BAD_WRAPPER, said, parsed=False) from None
        if stream.tell() != len(payload):
            said = (
                f"the payload has {len(payload)} bytes, of which its Avro schema reads {stream.tell()}; write it with the schema it names"
            )
            raise Fault(Reason.BAD_WRAPPER, said, parsed=False)
        if len(text) > JSON_FREE_BYTES + JSON_PER_BYTE * len(payload):
            raise _limit(f"the Avro payload of {len(payload)} bytes comes to {len(text)} bytes of JSON, most of it names of its schema")
        return text

    def _stream(self, payload: bytes) -> BytesIO:
        """The payload; one that could pass the bound counts what is read of it, which costs time."""
        shape = self._shape
        room = COST_BYTES - shape.free
        if room < 0:
            raise _limit(f"an Avro payload of that schema comes to {shape.free} bytes at least")
        # Every read but an empty string's takes a byte, and that is announced in one.
        most = room // max(shape.per_read, 1)
        return BytesIO(payload) if 2 * len(payload) <= most else _CountedReads(payload, most)


def _limit(what: str) -> Fault:
    return Fault(Reason.LIMIT_EXCEEDED, f"{what}; split it at the producer, or write shorter names", parsed=False)


def _with_bounded_decimals(raw: Any) -> Any:
    """The schema with this module's own reading of decimals in place of fastavro's, which has no bound."""
    if isinstance(raw, list):
        return [_with_bounded_decimals(one) for one in raw]
    if not isinstance(raw, dict):
        return raw
    changed = {name: _with_bounded_decimals(one) for name, one in raw.items()}
    return changed | {"logicalType": _BOUNDED_DECIMAL} if raw.get("logicalType") == _DECIMAL else changed


def _bounded_decimal(data: bytes, schema: Any = None, _reader_schema: Any = None) -> Decimal:
    """The decimal in two's complement; Fault for more than `DECIMAL_BYTES`."""
    if len(data) > DECIMAL_BYTES:
        raise _limit(f"a decimal of the Avro payload has {len(data)} bytes, at most {DECIMAL_BYTES} are taken")
    scale = schema.get("scale", 0)
    if not isinstance(scale, int) or abs(scale) > _LARGEST_SCALE:
        raise ValueError("a decimal's scale is no number of digits")
    return Decimal(int.from_bytes(data, "big", signed=True)).scaleb(-scale, _DIGITS)


# fastavro's own way to give a logical type a meaning. The name is this project's, so that nobody else's decimals change.
LOGICAL_READERS[f"bytes-{_BOUNDED_DECIMAL}"] = _bounded_decimal
LOGICAL_READERS[f"fixed-{_BOUNDED_DECIMAL}"] = _bounded_decimal


def _raw(text: str) -> Any:
    if len(text) > SCHEMA_BYTES:
        raise refused(f"has {len(text)} characters, more than {SCHEMA_BYTES}")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        # A primitive type may be written without quotes around it by old registries; it would be no envelope anyway.
        raise refused("is no JSON") from None


def _drop_nulls(value: Any) -> None:
    """Take the nulls out of the value, in place: a copy of it would cost as much again."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"the moment {value.isoformat()} has no zone; use timestamp-millis, -micros or -nanos")
        return
    if isinstance(value, dict):
        for name in [name for name, one in value.items() if one is None]:
            del value[name]
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, _LOOKED_INTO):
            _drop_nulls(one)


def _moments(raw: Any) -> Any:
    """The schema with `timestamp-…` types that are no moments called so: Iceberg's, which are not adjusted to UTC."""
    if isinstance(raw, list):
        return [_moments(one) for one in raw]
    if not isinstance(raw, dict):
        return raw
    told = {name: _moments(one) if name in _TYPED else one for name, one in raw.items()}
    if raw.get("adjust-to-utc") is False and str(raw.get("logicalType")).startswith("timestamp-"):
        told["logicalType"] = f"local-{raw['logicalType']}"
    return told


def _read_nanos(data: int, *_schemas: Any) -> datetime:
    return from_microseconds(data // 1000)


def _read_local_nanos(data: int, *_schemas: Any) -> datetime:
    return from_microseconds(data // 1000).replace(tzinfo=None)


def _read_uuid(data: bytes, *_schemas: Any) -> UUID:
    return UUID(bytes=bytes(data))


# Of Avro 1.12, which the library does not read itself.
LOGICAL_READERS.setdefault("long-timestamp-nanos", _read_nanos)
LOGICAL_READERS.setdefault("long-local-timestamp-nanos", _read_local_nanos)
LOGICAL_READERS.setdefault("fixed-uuid", _read_uuid)
