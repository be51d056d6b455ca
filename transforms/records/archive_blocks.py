"""The container of an archive file: Avro's object container format, written and read with a bound on everything.

Nothing that a file says of itself is believed before it is checked: the writer's schema is compared with those of this
project by fingerprint and never parsed, a block is inflated to its limit and no further, and a block's Zstandard frame carries a
checksum, which Avro itself does not have. What is not as it should be raises Corrupt, and nothing else.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b, sha256
from io import BytesIO
from struct import error as StructError  # noqa: N812 - the standard library's name says nothing
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import zstandard
from fastavro import parse_schema, schemaless_reader

from transforms.records.archived import ARCHIVE_SCHEMA, KEY_BYTES, LEAST_BYTES, SCHEMA_VERSION, VALUE_BYTES, Archived, Withheld, from_avro
from transforms.records.record import Headers

CODEC: Final = "zstandard"
# Of records, before compression; a larger record is a block by itself.
BLOCK_BYTES: Final = 512 * 1024
BLOCK_RECORDS: Final = 2000
# What a block may come to, inflated and deflated: one of the largest records, with room.
INFLATED_BYTES: Final = VALUE_BYTES + KEY_BYTES + 2 * BLOCK_BYTES
HEADER_BYTES: Final = 64 * 1024
_MAGIC: Final = b"Obj\x01"
_SYNC_BYTES: Final = 16
_VARINT_BYTES: Final = 10
_LEVEL: Final = 3
_RECORD_OVERHEAD: Final = 128
_WINDOW_BYTES: Final = 32 * 1024 * 1024
_SCHEMA_TEXT: Final = msgspec.json.encode(ARCHIVE_SCHEMA)
_FALSE: Final = b"\0"
_TRUE: Final = b"\1"
_END: Final = b"\0"
# The branches of a union with null.
_NONE: Final = b"\0"
_SOME: Final = b"\2"
# An array's encoding is that of a block with an end: so a block is one call, and that it was read whole can be seen.
_BLOCK_SCHEMA: Final = parse_schema({"type": "array", "items": ARCHIVE_SCHEMA})
_CANONICAL: Final = msgspec.json.Encoder(order="sorted")
_PAYLOAD_ERRORS: Final = (EOFError, StopIteration, StructError, ValueError, TypeError, IndexError, KeyError, ArithmeticError, MemoryError)


class Corrupt(Exception):
    """What is wrong with a file or a block of it. is_framed: the next block's beginning is known all the same."""

    def __init__(self, why: str, *, is_framed: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.is_framed = is_framed


class Source(Protocol):
    """An open file."""

    def read(self, size: int, /) -> bytes: ...


class Header(NamedTuple):
    """What a file says of itself. records: how many it holds in all."""

    sync: bytes
    records: int


def fingerprint(schema: Any) -> bytes:
    """Of a schema as JSON data, whatever its blanks and the order of its fields' attributes."""
    return sha256(_CANONICAL.encode(schema)).digest()


# Every version that was ever written, by fingerprint.
KNOWN: Final = {fingerprint(ARCHIVE_SCHEMA): SCHEMA_VERSION}


# Writing


class Encoded(NamedTuple):
    """A file. content: 16 bytes that are equal for equal records, between its blocks too."""

    content: bytes
    data: bytes


def encode_file(records: list[Archived]) -> Encoded:
    """The file that holds the records in their order."""
    # Not shared: neither it nor a decompressor may be used by two threads at once.
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    frames: list[bytes] = []
    for block in _cut(records):
        data = compressor.compress(encode_records(block))
        frames.append(b"".join((_varint(len(block)), _varint(len(data)), data)))
    content = blake2b(b"".join(frames), digest_size=_SYNC_BYTES).digest()
    return Encoded(content, _encode_header(len(records), content) + b"".join(frame + content for frame in frames))


def encode_records(records: list[Archived]) -> bytes:
    """The records as Avro writes them under the schema, one after the other.

    By hand: through fastavro it takes more than three times as long, most of the price of archiving (docs/adr/015).
    """
    out: list[bytes] = []
    add = out.append
    heads: dict[tuple[str, int], bytes] = {}
    tails: dict[str, bytes] = {}
    for client_id, redacted, withheld, record in ((one.client_id, one.redacted, one.withheld, one.record) for one in records):
        head = heads.get((record.topic, record.partition))
        if head is None:
            head = heads[record.topic, record.partition] = _sized(record.topic.encode()) + _varint(record.partition)
        add(head)
        add(_long(record.offset))
        add(_long(record.timestamp_ms))
        add(_TRUE if record.is_broker_time else _FALSE)
        for held in (record.key, record.value):
            if held is None:
                add(_NONE)
            else:
                size = len(held)
                add(_SOME_SIZES[size] if size < _SIZES else _SOME + _varint(size))
                add(held)
        add(_headers(record.headers) if record.headers else _END)
        tail = tails.get(client_id)
        if tail is None:
            tail = tails[client_id] = _sized(client_id.encode())
        add(tail)
        add(_TRUE if redacted else _FALSE)
        add(_NONE if withheld is None else _withheld(withheld))
    return b"".join(out)


def _headers(headers: Headers) -> bytes:
    pairs = (_sized(name.encode()) + (_NONE if value is None else _SOME + _sized(value)) for name, value in headers)
    return b"".join((_varint(len(headers)), *pairs, _END))


def _withheld(held: Withheld) -> bytes:
    return b"".join((_SOME, _varint(held.size_bytes), _sized(held.sha256), _TRUE if held.truncated else _FALSE))


def _encode_header(records: int, sync: bytes) -> bytes:
    metadata = {
        "avro.codec": CODEC.encode(),
        "avro.schema": _SCHEMA_TEXT,
        "records": str(records).encode(),
        "schema_version": str(SCHEMA_VERSION).encode(),
    }
    pairs = b"".join(_sized(name.encode()) + _sized(value) for name, value in metadata.items())
    return b"".join((_MAGIC, _varint(len(metadata)), pairs, b"\0", sync))


def _cut(records: Iterable[Archived]) -> Iterator[list[Archived]]:
    block: list[Archived] = []
    size = 0
    for one in records:
        own = size_of(one)
        if block and (size + own > BLOCK_BYTES or len(block) >= BLOCK_RECORDS):
            yield block
            block, size = [], 0
        block.append(one)
        size += own
    if block:
        yield block


def size_of(one: Archived) -> int:
    """About what the record takes, in a block and in memory."""
    return one.record.size_bytes + sum(len(name) + len(value or b"") for name, value in one.record.headers) + _RECORD_OVERHEAD


def _sized(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _long(number: int) -> bytes:
    """A number as Avro writes a long; those of a run differ in their last digits alone, most of the time."""
    zigzag = (number << 1) ^ (number >> 63)
    high = zigzag >> 14
    return _LOW[zigzag & 0x3FFF] + _rest(high) if high else _base128(zigzag)


def _varint(number: int) -> bytes:
    """A number that is not negative, as Avro writes a long."""
    return _base128(number << 1)


def _base128(rest: int) -> bytes:
    out = bytearray()
    while rest > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_rest: Final = lru_cache(maxsize=4096)(_base128)
_LOW: Final = tuple(bytes((at & 0x7F | 0x80, at >> 7 | 0x80)) for at in range(1 << 14))
_SIZES: Final = 4096
# A value that is there, of so many bytes.
_SOME_SIZES: Final = tuple(_SOME + _varint(size) for size in range(_SIZES))


# Reading


def read_header(source: Source) -> Header:
    """What stands before the first block; raises Corrupt."""
    if _exactly(source, len(_MAGIC)) != _MAGIC:
        raise Corrupt("it does not begin as an Avro file does")
    metadata = _read_metadata(source)
    sync = _exactly(source, _SYNC_BYTES)
    try:
        schema = msgspec.json.decode(metadata.get("avro.schema", b""))
        version = KNOWN.get(fingerprint(schema))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Corrupt("its schema is no JSON") from None
    if version is None or metadata.get("schema_version") != str(version).encode():
        raise Corrupt("its schema is none of this project's; it was written by something else, or by a newer version")
    codec = metadata.get("avro.codec", b"null").decode(errors="replace")
    if codec != CODEC:
        raise Corrupt(f"its codec is {codec[:32]!r}, not {CODEC}")
    records = metadata.get("records", b"")
    if not records.isdigit() or len(records) > _VARINT_BYTES:
        raise Corrupt("it does not say how many records it holds")
    return Header(sync, int(records))


def _read_metadata(source: Source) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    left = HEADER_BYTES
    while count := _read_varint(source):
        if not 0 < count <= HEADER_BYTES:
            raise Corrupt("its header is not well formed")
        for _ in range(count):
            pair: list[bytes] = []
            for _part in range(2):
                size = _read_varint(source)
                left -= size + 1
                if size < 0 or left < 0:
                    raise Corrupt(f"its header has more than {HEADER_BYTES} bytes")
                pair.append(_exactly(source, size))
            found[pair[0].decode(errors="replace")] = pair[1]
    return found


def read_blocks(source: Source, header: Header) -> Iterator[list[Archived] | Corrupt]:
    """The blocks after the header, and a Corrupt in the place of one that cannot be read; nothing follows one that is not framed.

    At the end a Corrupt where the file holds fewer or more records than it says, which is how a cut between blocks shows.
    """
    told = 0
    while True:
        try:
            framed = _read_frame(source, header.sync)
        except Corrupt as corrupt:
            yield corrupt
            return
        if framed is None:
            break
        count, data = framed
        told += count
        try:
            yield _decode_block(count, _inflate(data))
        except Corrupt as corrupt:
            yield corrupt
    if told != header.records:
        yield Corrupt(f"it holds {told} records where it says {header.records}: it was cut off or changed")


def _read_frame(source: Source, sync: bytes) -> tuple[int, bytes] | None:
    """Count and data of the next block; None at the end of the file."""
    first = source.read(1)
    if not first:
        return None
    count, size = _read_varint(source, first), _read_varint(source)
    if not 0 < count <= INFLATED_BYTES // LEAST_BYTES or not 0 < size <= INFLATED_BYTES:
        raise Corrupt(f"a block claims {count} records in {size} bytes, more than one may have")
    data = _exactly(source, size)
    if _exactly(source, _SYNC_BYTES) != sync:
        raise Corrupt("a block does not end where it says")
    return count, data


def _decode_block(count: int, data: bytes) -> list[Archived]:
    if len(data) < count * LEAST_BYTES:
        raise Corrupt(f"a block claims {count} records in {len(data)} bytes", is_framed=True)
    stream = BytesIO(b"".join((_varint(count), data, b"\0")))
    try:
        found: Any = schemaless_reader(stream, _BLOCK_SCHEMA, None)
        records = [from_avro(one) for one in found]
    except _PAYLOAD_ERRORS as error:
        raise Corrupt(f"a block is not what its schema says ({type(error).__name__})", is_framed=True) from None
    if len(records) != count or stream.tell() != _length(stream):
        raise Corrupt(f"a block holds {len(records)} records where it says {count}", is_framed=True)
    return records


def _length(stream: BytesIO) -> int:
    return stream.getbuffer().nbytes


def _inflate(data: bytes) -> bytes:
    """What was compressed: never more than the limit, whatever the frame claims, and proven by its checksum."""
    try:
        told = zstandard.get_frame_parameters(data)
        if not told.has_checksum or told.content_size in (zstandard.CONTENTSIZE_UNKNOWN, zstandard.CONTENTSIZE_ERROR):
            raise Corrupt("a block's Zstandard frame lacks its checksum or size", is_framed=True)
        if told.content_size > INFLATED_BYTES:
            raise Corrupt(f"a block inflates to {told.content_size} bytes, more than {INFLATED_BYTES}", is_framed=True)
        return zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Corrupt(f"a block is not a whole Zstandard frame ({str(error)[:80]})", is_framed=True) from None


def _read_varint(source: Source, first: bytes = b"") -> int:
    number = 0
    for at in range(_VARINT_BYTES):
        (byte,) = first if first and at == 0 else _exactly(source, 1)
        number |= (byte & 0x7F) << (7 * at)
        if not byte & 0x80:
            return (number >> 1) ^ -(number & 1)
    raise Corrupt("a number in it does not end")


def _exactly(source: Source, size: int) -> bytes:
    data = source.read(size)
    if len(data) != size:
        raise Corrupt("it ends too early")
    return data
