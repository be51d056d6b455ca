"""Records as no Kafka client would write them: header names of any bytes, in the protocol's own form.

The formats are those of Kafka's protocol guide: Produce version 3, record batches version 2.
"""

import socket
import struct
import time
from collections.abc import Iterable
from typing import Final, NamedTuple

_PRODUCE: Final = 0
_VERSION: Final = 3
_CLIENT: Final = b"graph-faults"
_TIMEOUT_S: Final = 15.0
_AGAIN_S: Final = 0.2
# What a broker answers of a topic that was made a moment ago: unknown, without a leader, not the leader.
_NOT_YET: Final = frozenset({3, 5, 6})
_POLYNOMIAL: Final = 0x82F63B78
RawHeader = tuple[bytes, bytes | None]


class RawRecord(NamedTuple):
    """A record with the bytes that its headers are to have."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[RawHeader, ...] = ()


def produce_raw(brokers: str, topic: str, partition: int, record: RawRecord) -> int:
    """Write one record to the leader, the only broker there is; its offset. RuntimeError where Kafka refuses it."""
    limit = time.monotonic() + _TIMEOUT_S
    while True:
        code, offset = _produced(brokers, topic, partition, record)
        if not code:
            return offset
        if code not in _NOT_YET or time.monotonic() > limit:
            raise RuntimeError(f"Kafka at {brokers} refused a record with the code {code}")
        time.sleep(_AGAIN_S)


def _produced(brokers: str, topic: str, partition: int, record: RawRecord) -> tuple[int, int]:
    """Kafka's answer: its code, 0 for success, and the record's offset."""
    host, _, port = brokers.partition(":")
    with socket.create_connection((host, int(port)), _TIMEOUT_S) as connection:
        connection.sendall(_request(topic.encode(), partition, _batch(record)))
        answer = _received(connection, struct.unpack(">i", _received(connection, 4))[0])
    # Correlation id, one topic, its name, one partition, its index: then what became of it.
    at = 4 + 4 + 2 + len(topic) + 4 + 4
    code, offset = struct.unpack_from(">hq", answer, at)
    return int(code), int(offset)


def _request(topic: bytes, partition: int, batch: bytes) -> bytes:
    head = struct.pack(">hhih", _PRODUCE, _VERSION, 1, len(_CLIENT)) + _CLIENT
    body = struct.pack(">hhi", -1, -1, int(_TIMEOUT_S * 1000))
    body += struct.pack(">ih", 1, len(topic)) + topic + struct.pack(">iii", 1, partition, len(batch)) + batch
    return struct.pack(">i", len(head + body)) + head + body


def _batch(record: RawRecord) -> bytes:
    fields = b"\0" + _varint(0) + _varint(0) + _bytes(record.key) + _bytes(record.value) + _headers(record.headers)
    records = struct.pack(">i", 1) + _varint(len(fields)) + fields
    # Attributes, last offset's delta, first and last timestamp, no producer, then the records: all that the checksum is over.
    checked = struct.pack(">hiqqqhi", 0, 0, record.timestamp_ms, record.timestamp_ms, -1, -1, -1) + records
    after = struct.pack(">ib", -1, 2) + struct.pack(">I", _crc32c(checked)) + checked
    return struct.pack(">qi", 0, len(after)) + after


def _headers(headers: Iterable[RawHeader]) -> bytes:
    held = list(headers)
    return _varint(len(held)) + b"".join(_bytes(name) + _bytes(value) for name, value in held)


def _bytes(value: bytes | None) -> bytes:
    return _varint(-1) if value is None else _varint(len(value)) + value


def _varint(number: int) -> bytes:
    """Zigzag, seven bits a byte."""
    left = (number << 1) ^ (number >> 63)
    found = bytearray()
    while left > 0x7F:  # noqa: PLR2004 - seven bits
        found.append((left & 0x7F) | 0x80)
        left >>= 7
    found.append(left)
    return bytes(found)


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _received(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = connection.recv(size - len(found))
        if not more:
            raise RuntimeError("Kafka ended the connection: it could not read the request")
        found += more
    return found
