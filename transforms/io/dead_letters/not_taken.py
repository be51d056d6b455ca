"""Which letters of a replay's slice came to nothing: kept in a file of this machine, which the slice's steps share."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from transforms.records.dead_letters.letters import Wanted
from transforms.records.record import KafkaRecord


class RecordId(NamedTuple):
    """A record for good: a topic that was made anew has others at the same coordinates."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int


def id_of_record(record: KafkaRecord) -> RecordId:
    return RecordId(record.topic, record.partition, record.offset, record.timestamp_ms)


def id_of_letter(wanted: Wanted) -> RecordId:
    return RecordId(*wanted.original, wanted.timestamp_ms)


_LINE: Final = msgspec.json.Decoder(RecordId)


class NotTaken:
    """Original records that were rejected again, or that there are no more; any step may add, from any thread.

    path: of a file that need not exist.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def add(self, records: Iterable[RecordId]) -> None:
        """Add records; one that was added before counts once."""
        lines = b"".join(msgspec.json.encode(one) + b"\n" for one in records)
        if lines:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab", buffering=0) as out:
                out.write(lines)

    def taken(self, letters: Iterable[Wanted]) -> list[Wanted]:
        """Of these letters, those whose records were not added."""
        try:
            with self._path.open("rb") as lines:
                added = {_LINE.decode(line) for line in lines}
        except FileNotFoundError:
            added = set()
        return [one for one in letters if id_of_letter(one) not in added]
