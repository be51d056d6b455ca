"""The container of the project's Avro files: Avro's object container format, written and read with a bound on everything.

Nothing that a file says of itself is believed before it is checked: the writer's schema is compared with those of this
project by fingerprint and never parsed, a block is inflated to its limit and no further, and a block's Zstandard frame carries a
checksum, which Avro itself does not have. What is not as it should be raises Corrupt, and nothing else.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from io import BytesIO
from struct import error as StructError  # noqa: N812 - the standard library's name says nothing
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import zstandard
from fastavro import schemaless_reader

from transforms.records.archive_format.encoding import BLOCK_BYTES, Format, T, fingerprint, sized, varint

CODEC: Final = "zstandard"
# Of the largest record.
RECORD_BYTES: Final = 17 * 1024 * 1024
# What a block may come to, inflated and deflated: one of the largest records, with room.
INFLATED_BYTES: Final = RECORD_BYTES + 2 * BLOCK_BYTES
HEADER_BYTES: Final = 64 * 1024
_MAGIC: Final = b"Obj\x01"
_SYNC_BYTES: Final = 16
_VARINT_BYTES: Final = 10
# Of blocks of records that are much alike, the lowest level makes less than the third does, in three quarters of the time (measured).
_LEVEL: Final = 1
_WINDOW_BYTES: Final = 32 * 1024 * 1024
_ERRORS: Final = (EOFError, StopIteration, StructError, ValueError, TypeError, IndexError, KeyError, ArithmeticError, MemoryError)
_PAYLOAD_ERRORS: Final = (*_ERRORS, msgspec.ValidationError)


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


# Writing


class Encoded(NamedTuple):
    """A file. content: 16 bytes that are equal for equal records, between its blocks too."""

    content: bytes
    data: bytes


def encode_file(format_: Format[T], records: Sequence[T]) -> Encoded:
    """The file that holds the records in their order."""
    # Not shared: neither it nor a decompressor may be used by two threads at once.
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    frames: list[bytes] = []
    for count, block in format_.encode(records):
        data = compressor.compress(block)
        frames.append(b"".join((varint(count), varint(len(data)), data)))
    content = blake2b(b"".join(frames), digest_size=_SYNC_BYTES).digest()
    return Encoded(content, _encode_header(format_, len(records), content) + b"".join(frame + content for frame in frames))


def _encode_header(format_: Format[T], records: int, sync: bytes) -> bytes:
    metadata = {
        "avro.codec": CODEC.encode(),
        "avro.schema": format_.schema_text,
        "records": str(records).encode(),
        "schema_version": str(format_.version).encode(),
    }
    pairs = b"".join(sized(name.encode()) + sized(value) for name, value in metadata.items())
    return b"".join((_MAGIC, varint(len(metadata)), pairs, b"\0", sync))


# Reading


def read_header(format_: Format[T], source: Source) -> Header:
    """What stands before the first block; raises Corrupt."""
    if _exactly(source, len(_MAGIC)) != _MAGIC:
        raise Corrupt("it does not begin as an Avro file does")
    metadata = _read_metadata(source)
    sync = _exactly(source, _SYNC_BYTES)
    try:
        schema = msgspec.json.decode(metadata.get("avro.schema", b""))
        version = format_.known.get(fingerprint(schema))
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


def read_blocks(format_: Format[T], source: Source, header: Header) -> Iterator[list[T] | Corrupt]:
    """The blocks after the header, and a Corrupt in the place of one that cannot be read; nothing follows one that is not framed.

    At the end a Corrupt where the file holds fewer or more records than it says, which is how a cut between blocks shows.
    """
    told = 0
    while True:
        try:
            framed = _read_frame(source, header.sync, format_.least_bytes)
        except Corrupt as corrupt:
            yield corrupt
            return
        if framed is None:
            break
        count, data = framed
        told += count
        try:
            yield _decode_block(format_, count, _inflate(data))
        except Corrupt as corrupt:
            yield corrupt
    if told != header.records:
        yield Corrupt(f"it holds {told} records where it says {header.records}: it was cut off or changed")


def _read_frame(source: Source, sync: bytes, least_bytes: int) -> tuple[int, bytes] | None:
    """Count and data of the next block; None at the end of the file."""
    first = source.read(1)
    if not first:
        return None
    count, size = _read_varint(source, first), _read_varint(source)
    if not 0 < count <= INFLATED_BYTES // least_bytes or not 0 < size <= INFLATED_BYTES:
        raise Corrupt(f"a block claims {count} records in {size} bytes, more than one may have")
    data = _exactly(source, size)
    if _exactly(source, _SYNC_BYTES) != sync:
        raise Corrupt("a block does not end where it says")
    return count, data


def _decode_block(format_: Format[T], count: int, data: bytes) -> list[T]:
    if len(data) < count * format_.least_bytes:
        raise Corrupt(f"a block claims {count} records in {len(data)} bytes", is_framed=True)
    quick = format_.quick(count, data)
    if quick is not None:
        return quick
    stream = BytesIO(b"".join((varint(count), data, b"\0")))
    try:
        found: Any = schemaless_reader(stream, format_.block_schema, None)
        records = [format_.decode(one) for one in found]
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
