"""Records as the archive's files hold them: bytes under its schema, and records again.

By hand: through fastavro both take several times as long (docs/adr/015).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain, islice, repeat
from operator import attrgetter
from typing import Final, NamedTuple

from transforms.records.archive_format.archived import (
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
from transforms.records.archive_format.encoding import BLOCK_BYTES, BLOCK_RECORDS, Format, base128, sized, varint
from transforms.records.archive_format.paths import Layout
from transforms.records.archive_format.runs import RECORD_OVERHEAD, Run, RunView
from transforms.records.record import Headers, KafkaRecord

_FALSE: Final = b"\0"
_TRUE: Final = b"\1"
_END: Final = b"\0"
# The branches of a union with null.
_NONE: Final = b"\0"
_SOME: Final = b"\2"
_CONTINUED: Final = 0x80
_LOW_BITS: Final = 14
_LOW_MASK: Final = (1 << _LOW_BITS) - 1
_LONG_BITS: Final = 63
# The lowest bits of a number that has more: seven of an offset, whose higher ones last for 64 records, fourteen of a time.
_FIRST: Final = tuple(bytes((at | _CONTINUED,)) for at in range(_CONTINUED))
_LOW: Final = tuple(bytes((at & 0x7F | _CONTINUED, at >> 7 | _CONTINUED)) for at in range(1 << _LOW_BITS))


class _Kept(dict[int, bytes]):
    """Bytes by number, made once for each, as long as there are not too many."""

    _MOST: Final = 1 << 16

    def __init__(self, make: Callable[[int], bytes]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, number: int) -> bytes:
        if len(self) >= self._MOST:
            self.clear()
        found = self[number] = self._make(number)
        return found


_RESTS: Final = _Kept(base128)
# What stands before so many bytes that may be null.
_HEADS: Final = _Kept(lambda size: _SOME + varint(size))


def sizes_of(records: Sequence[Archived]) -> list[int]:
    """About what each record takes, in a block and in memory."""
    if isinstance(records, RunView):
        return [
            RECORD_OVERHEAD + len(key or b"") + len(value or b"") for key, value in zip(records.run.keys, records.run.values, strict=True)
        ]
    held = [one.record for one in records]
    sizes = [RECORD_OVERHEAD + len(one.key or b"") + len(one.value or b"") for one in held]
    if any([one.headers for one in held]):  # noqa: C419 - a list is faster
        return [size + sum(len(name) + len(value or b"") for name, value in one.headers) for size, one in zip(sizes, held, strict=True)]
    return sizes


def _offsets(records: Sequence[Archived]) -> list[int]:
    return records.run.offsets if isinstance(records, RunView) else [one.record.offset for one in records]


# Writing


def encode_blocks(records: Sequence[Archived]) -> Iterator[tuple[int, bytes]]:
    """The records as Avro writes them under the schema, in blocks, with how many each holds."""
    for block in _cut(records):
        # The first offsets of a partition are too small for what goes over many at once.
        small = bisect_left(_offsets(block), _CONTINUED >> 1)
        head, rest = block[:small], block[small:]
        encoded = (_encode_at_once(rest) or b"".join(map(_encode, rest))) if rest else b""
        yield len(block), b"".join(map(_encode, head)) + encoded


def _cut(records: Sequence[Archived]) -> Iterator[Sequence[Archived]]:
    reached = list(accumulate(sizes_of(records)))
    begin = 0
    while begin < len(records):
        before = reached[begin - 1] if begin else 0
        end = bisect_right(reached, before + BLOCK_BYTES, begin, min(begin + BLOCK_RECORDS, len(records)))
        end = max(end, begin + 1)
        yield records[begin:end]
        begin = end


def _encode_at_once(block: Sequence[Archived]) -> bytes | None:
    """None where records differ in more than they mostly do, or a number is too small."""
    run, redacted = (block.run, None) if isinstance(block, RunView) else _as_run(block)
    return _encode_run(run, redacted) if run else None


def _as_run(block: Sequence[Archived]) -> tuple[Run | None, list[bool] | None]:
    """Records that differ only in what most differ in, and which are redacted; None where there is more to them."""
    records = [one.record for one in block]
    first, number = records[0], len(records)
    if (
        [one.topic for one in records].count(first.topic) < number
        or [one.partition for one in records].count(first.partition) < number
        or [one.is_broker_time for one in records].count(first.is_broker_time) < number
        or [one.client_id for one in block].count(block[0].client_id) < number
        or [one.withheld for one in block].count(None) < number
        or any([one.headers for one in records])  # noqa: C419 - a list is faster
    ):
        return None, None
    offsets, times = [one.offset for one in records], [one.timestamp_ms for one in records]
    keys, values = [one.key for one in records], [one.value for one in records]
    run = Run(block[0].client_id, first.topic, first.partition, first.is_broker_time, offsets, times, keys, values)
    return run, [one.redacted for one in block]


def _encode_run(run: Run, redacted: list[bool] | None) -> bytes | None:
    """Each step goes over all records at once; None where a number is too small for that. redacted: None where none is."""
    offsets, times = [one << 1 for one in run.offsets], [one << 1 for one in run.times]
    if min(offsets) < _CONTINUED or min(times) <= _LOW_MASK:
        return None
    prefix = sized(run.topic.encode()) + varint(run.partition)
    tenant = _END + sized(run.client_id.encode())
    ends = tenant + _FALSE + _NONE, tenant + _TRUE + _NONE
    parts = zip(
        repeat(prefix),
        [_FIRST[one & 0x7F] for one in offsets],
        [_RESTS[one >> 7] for one in offsets],
        [_LOW[one & _LOW_MASK] for one in times],
        [_RESTS[one >> _LOW_BITS] for one in times],
        repeat(_TRUE if run.is_broker_time else _FALSE),
        [_NONE if one is None else _HEADS[len(one)] for one in run.keys],
        [one or b"" for one in run.keys],
        [_NONE if one is None else _HEADS[len(one)] for one in run.values],
        [one or b"" for one in run.values],
        repeat(ends[False]) if redacted is None else [ends[one] for one in redacted],
        strict=False,
    )
    return b"".join(chain.from_iterable(parts))


def _encode(one: Archived) -> bytes:
    """Any record."""
    record = one.record
    return b"".join(
        (
            sized(record.topic.encode()),
            varint(record.partition),
            long(record.offset),
            long(record.timestamp_ms),
            _TRUE if record.is_broker_time else _FALSE,
            _NONE if record.key is None else _SOME + sized(record.key),
            _NONE if record.value is None else _SOME + sized(record.value),
            _suffix(one),
        )
    )


def long(number: int) -> bytes:
    """A number as Avro writes a long."""
    return base128((number << 1) ^ (number >> _LONG_BITS))


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
    Format(ARCHIVE_SCHEMA, SCHEMA_VERSION, LEAST_BYTES, encode_blocks, from_avro, decode_usual),
    grouped,
    attrgetter("record.offset"),
    place_of,
    are_of,
    _offsets,
)
