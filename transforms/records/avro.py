"""Avro payloads of a schema registry, as the JSON text of the same value.

Decoded by the writer's schema. Moments become RFC 3339, decimals and UUIDs text, bytes base64; a null is an absent field,
since an Avro record cannot leave one out.
"""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from struct import error as StructError  # noqa: N812 - the standard library's name says nothing
from typing import Any, Final
from uuid import UUID

import msgspec
from fastavro import parse_schema, schemaless_reader
from fastavro.read import LOGICAL_READERS
from fastavro.schema import SchemaParseException, UnknownType

from transforms.records.avro_shape import Names, Shape, refused, shape_of
from transforms.records.record import from_microseconds
from transforms.records.rejects import Fault, Reason

SCHEMA_BYTES: Final = 256 * 1024
JSON_BYTES: Final = 64 * 1024 * 1024
_SHOWN: Final = 120
# What holds other types in a schema.
_TYPED: Final = frozenset({"type", "fields", "items", "values"})
_ENCODE: Final = msgspec.json.Encoder().encode
# What fastavro raises for a schema, and for a payload, that is not what it should be.
_SCHEMA_ERRORS: Final = (SchemaParseException, UnknownType, ValueError, TypeError, KeyError, AttributeError, RecursionError)
_PAYLOAD_ERRORS: Final = (EOFError, StopIteration, StructError, ValueError, TypeError, IndexError, KeyError, ArithmeticError, MemoryError)


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
                self._schema = parse_schema(_moments(raw), known)
            except _SCHEMA_ERRORS as error:
                raise refused(f"is not valid ({str(error)[:_SHOWN]})") from None
        if not isinstance(self._schema, dict) or self._schema.get("type") != "record":
            raise refused("is no record")

    def __call__(self, payload: bytes) -> bytes:
        """The JSON text of a payload; raises Fault."""
        most = self._shape.free + self._shape.per_byte * len(payload)
        if most > JSON_BYTES:
            said = f"the Avro payload of {len(payload)} bytes may come to {most} bytes of JSON by its schema; split it at the producer"
            raise Fault(Reason.LIMIT_EXCEEDED, said, parsed=False)
        stream = BytesIO(payload)
        try:
            value = schemaless_reader(stream, self._schema, None)
            text = _ENCODE(_present(value))
        except _PAYLOAD_ERRORS as error:
            said = f"the payload is not what its Avro schema says ({type(error).__name__}: {str(error)[:_SHOWN]})"
            raise Fault(Reason.BAD_WRAPPER, said, parsed=False) from None
        if stream.tell() != len(payload):
            said = (
                f"the payload has {len(payload)} bytes, of which its Avro schema reads {stream.tell()}; write it with the schema it names"
            )
            raise Fault(Reason.BAD_WRAPPER, said, parsed=False)
        return text


def _raw(text: str) -> Any:
    if len(text) > SCHEMA_BYTES:
        raise refused(f"has {len(text)} characters, more than {SCHEMA_BYTES}")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        # A primitive type may be written without quotes around it by old registries; it would be no envelope anyway.
        raise refused("is no JSON") from None


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


def _present(value: Any) -> Any:
    """The value without its nulls."""
    if isinstance(value, dict):
        return {name: _present(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_present(one) for one in value]
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(f"the moment {value.isoformat()} has no zone; use timestamp-millis, -micros or -nanos")
    return value
