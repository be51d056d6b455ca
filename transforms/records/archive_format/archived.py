"""What the archive holds of a record: its schema, and how records are told apart, as docs/archive.md documents them."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from transforms.records.archive_format.paths import HOUR_MS, Group, hour_of
from transforms.records.record import KafkaRecord

SCHEMA_VERSION: Final = 1
# Of one value; a larger one is withheld, so that a block has a bound.
VALUE_BYTES: Final = 16 * 1024 * 1024
# Of a key and headers together.
KEY_BYTES: Final = 1024 * 1024
ARCHIVE_SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Record",
    "namespace": "graph_build.archive",
    "fields": [
        {"name": "topic", "type": "string"},
        {"name": "partition", "type": "int"},
        {"name": "offset", "type": "long"},
        {"name": "timestamp_ms", "type": "long"},
        {"name": "is_broker_time", "type": "boolean"},
        {"name": "key", "type": ["null", "bytes"]},
        {"name": "value", "type": ["null", "bytes"]},
        {
            "name": "headers",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Header",
                    "fields": [{"name": "name", "type": "string"}, {"name": "value", "type": ["null", "bytes"]}],
                },
            },
        },
        {"name": "client_id", "type": "string"},
        {"name": "redacted", "type": "boolean"},
        {
            "name": "withheld",
            "type": [
                "null",
                {
                    "type": "record",
                    "name": "Withheld",
                    "fields": [
                        {"name": "bytes", "type": "long"},
                        {"name": "sha256", "type": "bytes"},
                        {"name": "truncated", "type": "boolean"},
                    ],
                },
            ],
        },
    ],
}
# Bytes of the shortest record: what bounds how many a block can hold.
LEAST_BYTES: Final = 11


class Withheld(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A value that is not in the archive: nothing could look into it for secrets, or it was too large (`truncated`)."""

    size_bytes: int
    sha256: bytes
    truncated: bool = False


class Archived(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A record as the archive holds it. client_id: "" where it names none.

    redacted: its value is not the original one: secrets were taken out, or it was unwrapped for that.
    withheld: there was a value, and it is not here; the record's own is None then, which is no tombstone.
    """

    record: KafkaRecord
    client_id: str
    redacted: bool = False
    withheld: Withheld | None = None


def place_of(one: Archived) -> tuple[int, int]:
    """What tells records of one group apart."""
    return one.record.offset, one.record.timestamp_ms


def group_of(one: Archived) -> Group:
    record = one.record
    return Group(one.client_id, record.topic, record.partition, hour_of(record.timestamp_ms))


def grouped(records: Iterable[Archived]) -> dict[Group, list[Archived]]:
    """The records by what a file has in common, each group in the order in which they came."""
    by_key: dict[tuple[str, str, int, int], list[Archived]] = {}
    for one in records:
        record = one.record
        key = (one.client_id, record.topic, record.partition, record.timestamp_ms // HOUR_MS)
        held = by_key.get(key)
        if held is None:
            by_key[key] = [one]
        else:
            held.append(one)
    found: dict[Group, list[Archived]] = {}
    for held in by_key.values():
        found.setdefault(group_of(held[0]), []).extend(held)
    return found


def are_of(records: list[Archived], group: Group, first_offset: int, last_offset: int) -> bool:
    """Whether all the records are of the group, between two offsets."""
    client_id, topic, partition, begin = group
    end = begin + HOUR_MS
    for one in records:
        at = one.record
        if at.topic != topic or at.partition != partition or one.client_id != client_id or not first_offset <= at.offset <= last_offset:
            return False
        # Times that no calendar has are of an hour that is not theirs.
        if not begin <= at.timestamp_ms < end and hour_of(at.timestamp_ms) != begin:
            return False
    return True


def from_avro(found: dict[str, Any]) -> Archived:
    """The record again."""
    headers = tuple((one["name"], one["value"]) for one in found["headers"])
    record = KafkaRecord(
        found["topic"],
        found["partition"],
        found["offset"],
        found["timestamp_ms"],
        found["key"],
        found["value"],
        headers,
        found["is_broker_time"],
    )
    held = found["withheld"]
    withheld = None if held is None else Withheld(held["bytes"], held["sha256"], held["truncated"])
    return Archived(record, found["client_id"], found["redacted"], withheld)
