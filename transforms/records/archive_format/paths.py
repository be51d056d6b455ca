"""Where the project's Avro files lie under their root, and in which order a file holds its records.

The name is a function of what the file holds, so that writing the same records again gives the same file.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from operator import lt
from typing import Final, Generic, NamedTuple, TypeVar

import re2

from transforms.records.archive_format.encoding import Format
from transforms.records.outcomes import NO_TENANT
from transforms.records.record import from_microseconds

# Of the layout; a schema that older readers cannot read is a new one.
LAYOUT_VERSION: Final = 1
VERSION_FOLDER: Final = f"v{LAYOUT_VERSION}"
HOUR_MS: Final = 3_600_000
_HASH_BYTES: Final = 8
# The years that have four digits.
_LATEST_MS: Final = 253_402_300_799_000
_PATH: Final = re2.compile(
    rf"{VERSION_FOLDER}/client_id=(-|[a-z0-9][a-z0-9.-]{{0,62}})/topic=([a-zA-Z0-9._-]{{1,249}})"
    r"/hour=([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2})/([0-9]{1,10})-([0-9]{1,19})-([0-9]{1,19})-([0-9a-f]{16})\.avro"
)

T = TypeVar("T")
# What tells records of one group apart; the offset comes first, then the time, since a topic that is made anew counts from 0 again.
Within = tuple[int, *tuple[int | str, ...]]


class Group(NamedTuple):
    """What the records of one file have in common. client_id: "" where they name none. hour_ms: the beginning of the hour."""

    client_id: str
    topic: str
    partition: int
    hour_ms: int

    @property
    def folder(self) -> str:
        """Relative to the root."""
        hour = from_microseconds(self.hour_ms * 1000).strftime("%Y-%m-%dT%H")
        return f"{VERSION_FOLDER}/client_id={self.client_id or NO_TENANT}/topic={self.topic}/hour={hour}"


class Named(NamedTuple):
    """What a file's path tells."""

    group: Group
    first_offset: int
    last_offset: int
    hash: str


class Layout(NamedTuple, Generic[T]):
    """How records of a kind become files.

    grouped: the records by what a file has in common, each group in the order in which they came. offset, within: a record's place in
    its group, and all of that place. offsets: that of each.
    are_of: whether all the records are of the group, between two offsets.
    """

    format: Format[T]
    grouped: Callable[[Iterable[T]], dict[Group, list[T]]]
    offset: Callable[[T], int]
    within: Callable[[T], Within]
    are_of: Callable[[list[T], Group, int, int], bool]
    offsets: Callable[[Sequence[T]], list[int]]

    def in_order(self, records: Sequence[T]) -> Sequence[T]:
        """The records by place, those at the same one but once: the first of them."""
        offsets = self.offsets(records)
        if all(map(lt, offsets, offsets[1:])):
            return records
        found: dict[Within, T] = {}
        for one in records:
            found.setdefault(self.within(one), one)
        return [found[place] for place in sorted(found)]


def hour_of(timestamp_ms: int) -> int:
    """The beginning of the hour in milliseconds; a time that no calendar has counts to the first or last that one has."""
    within = min(max(timestamp_ms, 0), _LATEST_MS)
    return within - within % HOUR_MS


def path_of(group: Group, first_offset: int, last_offset: int, content: bytes) -> str:
    """Where a file with records of these offsets lies under the root. content: a hash of what it holds."""
    return f"{group.folder}/{group.partition}-{first_offset}-{last_offset}-{content[:_HASH_BYTES].hex()}.avro"


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
