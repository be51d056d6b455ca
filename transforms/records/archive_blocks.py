"""Records as the archive's files hold them: bytes under its schema, and records again.

By hand where nothing about a record is unusual: through fastavro both take several times as long (docs/adr/015).
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from transforms.records.archived import (
    ARCHIVE_SCHEMA,
    LEAST_BYTES,
    SCHEMA_VERSION,
    Archived,
    Withheld,
    are_of,
    from_avro,
    grouped,
    place_of,
)
from transforms.records.avro_format import BLOCK_BYTES, BLOCK_RECORDS, Format, base128, sized, varint
from transforms.records.avro_paths import Layout
from transforms.records.record import Headers, KafkaRecord

_RECORD_OVERHEAD: Final = 128
_FALSE: Final = b"\0"
_TRUE: Final = b"\1"
_END: Final = b"\0"
# The branches of a union with null.
_NONE: Final = b"\0"
_SOME: Final = b"\2"
_LOW_BITS: Final = 14
_LOW_MASK: Final = (1 << _LOW_BITS) - 1
_LOW: Final = tuple(bytes((at & 0x7F | 0x80, at >> 7 | 0x80)) for at in range(1 << _LOW_BITS))
_LONG_BITS: Final = 63
_SIZES: Final = 4096
# A value that is there, of so many bytes; a key, behind the flag of the broker's time.
_VALUE_SIZES: Final = tuple(_SOME + varint(size) for size in range(_SIZES))
_KEY_SIZES: Final = tuple(tuple(flag + head for head in _VALUE_SIZES) for flag in (_FALSE, _TRUE))
_rest: Final = lru_cache(maxsize=4096)(base128)


def size_of(one: Archived) -> int:
    """About what the record takes, in a block and in memory."""
    record = one.record
    key, value, size = record.key, record.value, _RECORD_OVERHEAD
    if key is not None:
        size += len(key)
    if value is not None:
        size += len(value)
    if record.headers:
        size += sum(len(name) + len(held or b"") for name, held in record.headers)
    return size


# Writing


def encode_blocks(records: Iterable[Archived]) -> Iterator[tuple[int, bytes]]:
    """The records as Avro writes them under the schema, in blocks, with how many each holds."""
    out: list[bytes] = []
    count = size = 0
    topic, partition, prefix = "", -1, b""
    suffixes: dict[str, bytes] = {}
    for one in records:
        record = one.record
        own = size_of(one)
        if count and (size + own > BLOCK_BYTES or count >= BLOCK_RECORDS):
            yield count, b"".join(out)
            out, count, size = [], 0, 0
        count += 1
        size += own
        if record.partition != partition or record.topic != topic:
            topic, partition = record.topic, record.partition
            prefix = sized(topic.encode()) + varint(partition)
        key, value = record.key, record.value
        key_size, value_size = _SIZES if key is None else len(key), _SIZES if value is None else len(value)
        key_head = _KEY_SIZES[record.is_broker_time][key_size] if key_size < _SIZES else _key_head(record)
        value_head = _VALUE_SIZES[value_size] if value_size < _SIZES else _NONE if value is None else _SOME + varint(value_size)
        if one.redacted or record.headers or one.withheld is not None:
            suffix = _suffix(one)
        else:
            suffix = suffixes.get(one.client_id) or suffixes.setdefault(one.client_id, _suffix(one))
        out += (prefix, long(record.offset), long(record.timestamp_ms), key_head, key or b"", value_head, value or b"", suffix)
    if count:
        yield count, b"".join(out)


def long(number: int) -> bytes:
    """A number as Avro writes a long; those of a run differ in their last digits alone, most of the time."""
    zigzag = (number << 1) ^ (number >> 63)
    high = zigzag >> _LOW_BITS
    return _LOW[zigzag & _LOW_MASK] + _rest(high) if high else base128(zigzag)


def _key_head(record: KafkaRecord) -> bytes:
    flag = _TRUE if record.is_broker_time else _FALSE
    return flag + _NONE if record.key is None else flag + _SOME + varint(len(record.key))


def _suffix(one: Archived) -> bytes:
    """All that follows the value."""
    headers = _headers(one.record.headers) if one.record.headers else _END
    flag = _TRUE if one.redacted else _FALSE
    return b"".join((headers, sized(one.client_id.encode()), flag, _NONE if one.withheld is None else _withheld(one.withheld)))


def _headers(headers: Headers) -> bytes:
    pairs = (sized(name.encode()) + (_NONE if value is None else _SOME + sized(value)) for name, value in headers)
    return b"".join((varint(len(headers)), *pairs, _END))


def _withheld(held: Withheld) -> bytes:
    return b"".join((_SOME, varint(held.size_bytes), sized(held.sha256), _TRUE if held.truncated else _FALSE))


# Reading


class _Unusual(Exception):
    """What is left to fastavro."""


class _Alike(NamedTuple):
    """What the usual records of a block have in common: the bytes around what differs, and what those say."""

    prefix: bytes
    topic: str
    partition: int
    plain: bytes
    redacted: bytes
    client_id: str


def decode_usual(count: int, data: bytes) -> list[Archived] | None:
    """The records of a block of one topic, partition and tenant, without headers; None for any other block, whatever it is."""
    try:
        records = list(islice(_usual(data), count + 1))
    except (_Unusual, IndexError, UnicodeDecodeError):
        return None
    return records if len(records) == count else None


def _usual(data: bytes) -> Iterator[Archived]:
    alike = _alike(data)
    prefix, topic, partition, plain, redacted, client_id = alike
    past_prefix, past_suffix, end = len(prefix), len(plain), len(data)
    offset_high = time_high = 0
    offset_rest = time_rest = b""
    at = 0
    while at < end:
        if not data.startswith(prefix, at):
            raise _Unusual
        at += past_prefix
        # The higher bytes are those of the record before, most of the time.
        if offset_rest and data[at] & data[at + 1] & 0x80 and data.startswith(offset_rest, at + 2):
            offset = data[at] & 0x7F | (data[at + 1] & 0x7F) << 7 | offset_high
            at += 2 + len(offset_rest)
        else:
            offset, at, offset_high, offset_rest = _far(data, at)
        if time_rest and data[at] & data[at + 1] & 0x80 and data.startswith(time_rest, at + 2):
            time = data[at] & 0x7F | (data[at + 1] & 0x7F) << 7 | time_high
            at += 2 + len(time_rest)
        else:
            time, at, time_high, time_rest = _far(data, at)
        flag = data[at]
        key, at = _bytes(data, at + 1)
        value, at = _bytes(data, at)
        is_redacted = not data.startswith(plain, at)
        if offset & 1 or time & 1 or flag > 1 or (is_redacted and not data.startswith(redacted, at)):
            raise _Unusual
        at += past_suffix
        yield Archived(KafkaRecord(topic, partition, offset >> 1, time >> 1, key, value, (), flag == 1), client_id, is_redacted)
    if at != end:
        raise _Unusual


def _alike(data: bytes) -> _Alike:
    """What the first record says that all should."""
    size, at = _number(data, 0)
    topic = data[at : at + size].decode()
    partition, at = _number(data, at + size)
    prefix = data[:at]
    for _ in range(2):
        at = _far(data, at)[1]
    _, at = _bytes(data, at + 1)
    _, at = _bytes(data, at)
    size, begin = _number(data, at + 1)
    client_id = data[begin : begin + size].decode()
    around = data[at : begin + size]
    if around[0]:
        raise _Unusual
    return _Alike(prefix, topic, partition, around + _FALSE + _NONE, around + _TRUE + _NONE, client_id)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number that is not negative, and what follows it."""
    zigzag, at, _, _ = _far(data, at)
    if zigzag & 1:
        raise _Unusual
    return zigzag >> 1, at


def _far(data: bytes, at: int) -> tuple[int, int, int, bytes]:
    """A number as it is written, what follows it, what its bytes from the third on come to, and they."""
    number = shift = 0
    begin = at
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte
            break
        shift += 7
        if shift > _LONG_BITS:
            raise _Unusual
    if number >> (_LONG_BITS + 1):
        raise _Unusual
    return number, at, number & ~_LOW_MASK, data[begin + 2 : at]


def _bytes(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Bytes that may be null, and what follows them."""
    if data[at] != _SOME[0]:
        if data[at]:
            raise _Unusual
        return None, at + 1
    size, at = (data[at + 1] >> 1, at + 2) if data[at + 1] < 0x80 and not data[at + 1] & 1 else _number(data, at + 1)  # noqa: PLR2004
    end = at + size
    if end > len(data):
        raise _Unusual
    return data[at:end], end


ARCHIVE: Final = Layout(
    Format(ARCHIVE_SCHEMA, SCHEMA_VERSION, LEAST_BYTES, encode_blocks, from_avro, decode_usual), grouped, place_of, are_of
)
