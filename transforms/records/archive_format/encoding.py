"""What a kind of Avro file holds, and how numbers and texts are written in it; `avro_blocks` has the container around."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any, Final, Generic, TypeVar

import msgspec
from fastavro import parse_schema

# Of records, before compression; a larger record is a block by itself.
BLOCK_BYTES: Final = 512 * 1024
BLOCK_RECORDS: Final = 2000
_CANONICAL: Final = msgspec.json.Encoder(order="sorted")

T = TypeVar("T")


def fingerprint(schema: Any) -> bytes:
    """Of a schema as JSON data, whatever its blanks and the order of its fields' attributes."""
    return sha256(_CANONICAL.encode(schema)).digest()


class Format(Generic[T]):
    """What a kind of file holds, and how.

    schema: of a record. version: of the schema. least_bytes: of the shortest record, which bounds how many a block can hold.
    encode: records in their order, one after the other as the schema says, cut into blocks, with how many each holds; a block has
    at most about `BLOCK_BYTES` and `BLOCK_RECORDS`, or one record. decode: a record out of what fastavro reads.
    quick: reads a block faster where it holds nothing unusual; else None, and fastavro reads it. It must accept nothing that fastavro
    would not read as the same.
    """

    def __init__(
        self,
        schema: dict[str, Any],
        version: int,
        least_bytes: int,
        encode: Callable[[Sequence[T]], Iterator[tuple[int, bytes]]],
        decode: Callable[[dict[str, Any]], T],
        quick: Callable[[int, bytes], list[T] | None] = lambda _count, _data: None,
    ) -> None:
        self.version = version
        self.least_bytes = least_bytes
        self.encode = encode
        self.decode = decode
        self.quick = quick
        self.schema_text: Final = msgspec.json.encode(schema)
        # Every version that was ever written, by fingerprint.
        self.known: Final = {fingerprint(schema): version}
        # An array's encoding is that of a block with an end: so a block is one call, and that it was read whole can be seen.
        self.block_schema: Final = parse_schema({"type": "array", "items": schema})


def sized(data: bytes) -> bytes:
    """Bytes or UTF-8 as Avro writes them: their length, and they."""
    return varint(len(data)) + data


def varint(number: int) -> bytes:
    """A number that is not negative, as Avro writes a long."""
    return base128(number << 1)


def base128(rest: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    out = bytearray()
    while rest > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)
