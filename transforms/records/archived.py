"""What a file of the archive is: its schema, its name, and the records in it.

The name is a function of what the file holds, so that writing the same records again gives the same file.
"""

import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from transforms.records.outcomes import NO_TENANT
from transforms.records.record import KafkaRecord, from_microseconds

SCHEMA_VERSION: Final = 1
HOUR_MS: Final = 3_600_000
_OPTIONAL_BYTES: Final = ["null", "bytes"]
_HEADER: Final = {
    "type": "record",
    "name": "Header",
    "fields": [{"name": "name", "type": "string"}, {"name": "value", "type": _OPTIONAL_BYTES}],
}
_WITHHELD: Final = {
    "type": "record",
    "name": "Withheld",
    "fields": [{"name": "bytes", "type": "long"}, {"name": "sha256", "type": "bytes"}, {"name": "truncated", "type": "boolean"}],
}
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
        {"name": "key", "type": _OPTIONAL_BYTES},
        {"name": "value", "type": _OPTIONAL_BYTES},
        {"name": "headers", "type": {"type": "array", "items": _HEADER}},
        {"name": "client_id", "type": "string"},
        {"name": "redacted", "type": "boolean"},
        {"name": "withheld", "type": ["null", _WITHHELD]},
    ],
}
_HASH_DIGITS: Final = 16
_PATH: Final = re.compile(
    rf"v{SCHEMA_VERSION}/client_id=([^/]+)/topic=([^/]+)/hour=([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}})"
    r"/([0-9]{1,10})-([0-9]{1,19})-([0-9]{1,19})-[0-9a-f]{16}\.avro"
)


class Withheld(msgspec.Struct, frozen=True, array_like=True):
    """A value that is not in the archive: it may be secret, or was too large (`truncated`)."""

    size_bytes: int
    sha256: bytes
    truncated: bool = False


class Archived(msgspec.Struct, frozen=True, array_like=True):
    """A record as the archive holds it. client_id: "" where it names none. withheld: the record had a value that is not here."""

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


class Named(NamedTuple):
    """What a file's path tells."""

    group: Group
    first_offset: int
    last_offset: int


def group_of(one: Archived) -> Group:
    at = one.record
    return Group(one.client_id, at.topic, at.partition, at.timestamp_ms - at.timestamp_ms % HOUR_MS)


def path_of(group: Group, records: list[Archived]) -> str:
    """Where a file with these records, in their order, lies under the root."""
    content = sha256(msgspec.msgpack.encode(records)).hexdigest()[:_HASH_DIGITS]
    first, last = records[0].record.offset, records[-1].record.offset
    hour = from_microseconds(group.hour_ms * 1000).strftime("%Y-%m-%dT%H")
    folder = f"v{SCHEMA_VERSION}/client_id={group.client_id or NO_TENANT}/topic={group.topic}/hour={hour}"
    return f"{folder}/{group.partition}-{first}-{last}-{content}.avro"


def parse_path(path: str) -> Named | None:
    """What the path of a file tells, relative to the root; None for what is no file of the archive."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    try:
        hour = datetime.strptime(found[3], "%Y-%m-%dT%H").replace(tzinfo=UTC)
    except ValueError:
        return None
    client_id = "" if found[1] == NO_TENANT else found[1]
    return Named(Group(client_id, found[2], int(found[4]), int(hour.timestamp()) * 1000), int(found[5]), int(found[6]))


def to_avro(one: Archived) -> dict[str, Any]:
    record, withheld = one.record, one.withheld
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "is_broker_time": record.is_broker_time,
        "key": record.key,
        "value": record.value,
        "headers": [{"name": name, "value": value} for name, value in record.headers],
        "client_id": one.client_id,
        "redacted": one.redacted,
        "withheld": withheld and {"bytes": withheld.size_bytes, "sha256": withheld.sha256, "truncated": withheld.truncated},
    }


def from_avro(found: dict[str, Any]) -> Archived:
    """The record again."""
    headers = tuple((one["name"], one["value"]) for one in found["headers"])
    at = (found["topic"], found["partition"], found["offset"], found["timestamp_ms"])
    record = KafkaRecord(*at, found["key"], found["value"], headers, found["is_broker_time"])
    held = found["withheld"]
    return Archived(record, found["client_id"], found["redacted"], held and Withheld(held["bytes"], held["sha256"], held["truncated"]))
