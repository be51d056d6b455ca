"""An index of dead letters by their original coordinates, on disk: memory stays flat however many there are.

It holds where each letter lies and what is shown of it, never a key or a value, and vanishes when it is closed.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from transforms.io.deadletter_reader import Posted
from transforms.io.faults import InfrastructureFault
from transforms.records.letters import Coordinates, Letter, LetterFilter

_DETAIL_CHARACTERS: Final = 300
# A gap begins where a record was; it must not hide that record's letter, nor the letter the gap.
_TABLE: Final = """
CREATE TABLE letters (
  topic TEXT, partition INTEGER, offset INTEGER, is_gap INTEGER,
  at_topic TEXT, at_partition INTEGER, at_offset INTEGER, written_ms INTEGER,
  client_id TEXT, reason TEXT, step TEXT, detail TEXT, size_bytes INTEGER, is_whole INTEGER,
  PRIMARY KEY (topic, partition, offset, is_gap)
) WITHOUT ROWID
"""
# Within a partition letters come in their order; between partitions their own time decides.
_PUT: Final = """
INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
  at_partition = excluded.at_partition, at_offset = excluded.at_offset, written_ms = excluded.written_ms,
  client_id = excluded.client_id, reason = excluded.reason, step = excluded.step, detail = excluded.detail,
  size_bytes = excluded.size_bytes, is_whole = excluded.is_whole
WHERE excluded.at_partition = at_partition OR excluded.written_ms >= written_ms
"""
_GROUPS: Final = """
SELECT client_id, reason, topic, count(*), min(written_ms), max(written_ms), partition, offset
FROM letters WHERE matches(client_id, reason, topic)
GROUP BY client_id, reason, topic ORDER BY client_id, reason, topic
"""
_ENTRIES: Final = """
SELECT
  topic, partition, offset, at_topic, at_partition, at_offset, written_ms,
  client_id, reason, step, detail, size_bytes, is_whole, is_gap
FROM letters WHERE matches(client_id, reason, topic)
"""
_LATEST: Final = " ORDER BY written_ms DESC, at_partition DESC, at_offset DESC LIMIT ?"
_IN_ORDER: Final = " ORDER BY at_partition, at_offset"
_COUNTS: Final = "SELECT client_id, is_gap, count(*) FROM letters WHERE matches(client_id, reason, topic) GROUP BY client_id, is_gap"


class LetterGroup(NamedTuple):
    """Letters of one tenant, reason and source topic. first_ms, last_ms: when they were written. example: one of them."""

    client_id: str
    reason: str
    topic: str
    letters: int
    first_ms: int
    last_ms: int
    example: Coordinates


class LetterEntry(NamedTuple):
    """What is kept of one letter. at: where it lies itself. size_bytes: of the original record, about."""

    coordinates: Coordinates
    at: Coordinates
    written_ms: int
    client_id: str
    reason: str
    step: str
    detail: str
    size_bytes: int
    is_whole: bool
    is_gap: bool


class LetterIndex:
    """The last letter of each original record; close it with the owner."""

    def __init__(self, wanted: LetterFilter) -> None:
        # The empty name makes a database of this connection's own, that spills to the temporary folder.
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = OFF")
        self._rows.execute(_TABLE)
        self._rows.create_function("matches", 3, wanted.matches)

    def close(self) -> None:
        self._rows.close()

    def put(self, letters: Iterable[Posted]) -> None:
        """Take in letters; of the same original record, the last holds."""
        try:
            self._rows.execute("BEGIN")
            self._rows.executemany(_PUT, (_row(posted) for posted in letters))
            self._rows.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise InfrastructureFault(
                f"The index of dead letters cannot be kept ({error}); make room in the temporary folder, or name another with TMPDIR."
            ) from error

    def groups(self) -> Iterator[LetterGroup]:
        """The letters that match, by tenant, reason and source topic."""
        for client_id, reason, topic, letters, first_ms, last_ms, partition, offset in self._rows.execute(_GROUPS):
            yield LetterGroup(client_id, reason, topic, letters, first_ms, last_ms, Coordinates(topic, partition, offset))

    def latest(self, limit: int) -> Iterator[LetterEntry]:
        """The letters that match and were written last, the last of them first."""
        return map(_entry, self._rows.execute(_ENTRIES + _LATEST, (limit,)))

    def in_order(self) -> Iterator[LetterEntry]:
        """The letters that match, in the order in which they lie on their topic."""
        return map(_entry, self._rows.execute(_ENTRIES + _IN_ORDER))

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """How many letters match, by tenant: of records, and of gaps."""
        records: dict[str, int] = {}
        gaps: dict[str, int] = {}
        for client_id, is_gap, count in self._rows.execute(_COUNTS):
            (gaps if is_gap else records)[client_id] = count
        return records, gaps


def _row(posted: Posted) -> tuple[Any, ...]:
    letter: Letter = posted.letter
    shown = (letter.tenant, letter.reason, letter.step, letter.detail[:_DETAIL_CHARACTERS])
    return (*letter.coordinates, letter.is_gap, *posted.at, posted.written_ms, *shown, letter.size_bytes, letter.is_whole)


def _entry(row: tuple[Any, ...]) -> LetterEntry:
    written_ms, client_id, reason, step, detail, size_bytes, is_whole, is_gap = row[6:]
    original, at = Coordinates(*row[:3]), Coordinates(*row[3:6])
    return LetterEntry(original, at, written_ms, client_id, reason, step, detail, size_bytes, bool(is_whole), bool(is_gap))
