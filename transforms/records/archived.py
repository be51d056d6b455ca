"""What a file of the archive is: its schema, its name, and the records in it, as docs/archive.md documents them.

The name is a function of what the file holds, so that writing the same records again gives the same file.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from operator import lt
from typing import Any, Final, NamedTuple

import msgspec

from transforms.records.outcomes import NO_TENANT
from transforms.records.record import KafkaRecord, from_microseconds

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

_FOLDER: Final = f"v{SCHEMA_VERSION}"
HOUR_MS: Final = 3_600_000
_HASH_BYTES: Final = 8
# The years that have four digits.
_LATEST_MS: Final = 253_402_300_799_000
_PATH: Final = re.compile(
    rf"{_FOLDER}/client_id=(-|[a-z0-9][a-z0-9.-]{{0,62}})/topic=([a-zA-Z0-9._-]{{1,249}})"
    r"/hour=([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2})/([0-9]{1,10})-([0-9]{1,19})-([0-9]{1,19})-([0-9a-f]{16})\.avro"
)


class Withheld(msgspec.Struct, frozen=True, array_like=True):
    """A value that is not in the archive: nothing could look into it for secrets, or it was too large (`truncated`)."""

    size_bytes: int
    sha256: bytes
    truncated: bool = False


class Archived(msgspec.Struct, frozen=True, array_like=True):
    """A record as the archive holds it. client_id: "" where it names none.

    redacted: its value is not the original one: secrets were taken out, or it was unwrapped for that.
    withheld: there was a value, and it is not here; the record's own is None then, which is no tombstone.
    """

    record: KafkaRecord
    client_id: str
    redacted: bool = False
    withheld: Withheld | None = None


class Group(NamedTuple):
    """What the records of one file have in common. hour_ms: the beginning of the hour."""

    client_id: str
    topic: str
    partition: int
    hour_ms: int

    @property
    def folder(self) -> str:
        """Relative to the root of the archive."""
        hour = from_microseconds(self.hour_ms * 1000).strftime("%Y-%m-%dT%H")
        return f"{_FOLDER}/client_id={self.client_id or NO_TENANT}/topic={self.topic}/hour={hour}"


class Named(NamedTuple):
    """What a file's path tells."""

    group: Group
    first_offset: int
    last_offset: int
    hash: str


def hour_of(timestamp_ms: int) -> int:
    """The beginning of the hour in milliseconds; a time that no calendar has counts to the first or last that one has."""
    within = min(max(timestamp_ms, 0), _LATEST_MS)
    return within - within % HOUR_MS


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


def in_order(records: list[Archived]) -> list[Archived]:
    """The records by offset, those at the same coordinates and time but once: the first of them."""
    offsets = [one.record.offset for one in records]
    if all(map(lt, offsets, offsets[1:])):
        return records
    found: dict[tuple[int, int], Archived] = {}
    for one in records:
        found.setdefault(place_of(one), one)
    return [found[place] for place in sorted(found)]


def place_of(one: Archived) -> tuple[int, int]:
    """What tells records of one group apart; the time too, since a topic that is made anew counts from 0 again."""
    return one.record.offset, one.record.timestamp_ms


def path_of(group: Group, records: list[Archived], content: bytes) -> str:
    """Where a file with these records, in their order, lies under the root. content: a hash of what it holds."""
    first, last = records[0].record.offset, records[-1].record.offset
    return f"{group.folder}/{group.partition}-{first}-{last}-{content[:_HASH_BYTES].hex()}.avro"


def parse_path(path: str) -> Named | None:
    """What the path of a file tells, relative to the root; None for what is no file of the archive."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    hour_ms = parse_hour(found[3])
    if hour_ms is None:
        return None
    client_id = "" if found[1] == NO_TENANT else found[1]
    return Named(Group(client_id, found[2], int(found[4]), hour_ms), int(found[5]), int(found[6]), found[7])


def parse_hour(text: str) -> int | None:
    """The beginning of an hour written as YYYY-MM-DDTHH, in milliseconds; None for none."""
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000


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
