"""An index of dead letters by their original records, on disk: memory stays flat however many there are.

It holds where each letter lies and what is shown of it, never a key or a value, and vanishes when it is closed.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from transforms.io.dead_letters.reader import Posted
from transforms.io.faults import InfrastructureFault
from transforms.records.dead_letters.letters import Wanted
from transforms.records.dead_letters.selection import Coordinates, LetterFilter

_DETAIL_CHARACTERS: Final = 300
# A topic that was made anew holds other records at the same offsets: the timestamp tells them apart. A gap begins where
# a record was; it must not hide that record's letter, nor the letter the gap.
_TABLE: Final = """
CREATE TABLE letters (
  topic TEXT, partition INTEGER, offset INTEGER, timestamp_ms INTEGER, is_gap INTEGER,
  at_topic TEXT, at_partition INTEGER, at_offset INTEGER, written_ms INTEGER,
  client_id TEXT, reason TEXT, step TEXT, detail TEXT, size_bytes INTEGER, lost INTEGER,
  PRIMARY KEY (topic, partition, offset, timestamp_ms, is_gap)
) WITHOUT ROWID
"""
# Of each letter, the marks that say that it was replayed: the last of each partition, or file.
_MARKS: Final = """
CREATE TABLE marks (
  topic TEXT, partition INTEGER, offset INTEGER, timestamp_ms INTEGER,
  at_topic TEXT, at_partition INTEGER, at_offset INTEGER, written_ms INTEGER,
  PRIMARY KEY (topic, partition, offset, timestamp_ms, at_topic, at_partition)
) WITHOUT ROWID
"""
# A mark is of the letters before it: what is rejected again after a replay is open again.
_SHOWN: Final = """
CREATE VIEW shown AS SELECT *, (
  SELECT max(marks.written_ms) FROM marks
  WHERE marks.topic = letters.topic AND marks.partition = letters.partition AND marks.offset = letters.offset
    AND marks.timestamp_ms = letters.timestamp_ms AND NOT letters.is_gap
    AND CASE WHEN marks.at_topic = letters.at_topic AND marks.at_partition = letters.at_partition
      THEN marks.at_offset > letters.at_offset ELSE marks.written_ms >= letters.written_ms END
) AS replayed_ms FROM letters
"""
_MARK: Final = "INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
# Within a partition, or a file, letters come in their order; between them their own time decides.
_PUT: Final = """
INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (topic, partition, offset, timestamp_ms, is_gap) DO UPDATE SET
  at_topic = excluded.at_topic, at_partition = excluded.at_partition, at_offset = excluded.at_offset, written_ms = excluded.written_ms,
  client_id = excluded.client_id, reason = excluded.reason, step = excluded.step, detail = excluded.detail,
  size_bytes = excluded.size_bytes, lost = excluded.lost
WHERE (excluded.at_topic = at_topic AND excluded.at_partition = at_partition) OR excluded.written_ms >= written_ms
"""
_MATCHING: Final = "FROM shown WHERE matches(client_id, reason, topic, partition, offset)"
_GROUPS: Final = f"""
SELECT client_id, reason, topic, is_gap, count(*), sum(lost), count(replayed_ms), min(written_ms), max(written_ms), partition, offset
{_MATCHING} GROUP BY client_id, reason, topic, is_gap ORDER BY client_id, reason, topic
"""
_LATEST: Final = f"""
SELECT topic, partition, offset, at_topic, at_partition, at_offset, written_ms, client_id, reason, step, detail, replayed_ms
{_MATCHING} AND (? OR replayed_ms IS NULL) ORDER BY written_ms DESC, at_topic, at_partition DESC, at_offset DESC LIMIT ?
"""
# A tenant with many hides nothing of another's.
_LATEST_OF_EACH: Final = f"""
SELECT topic, partition, offset, at_topic, at_partition, at_offset, written_ms, client_id, reason, step, detail, replayed_ms FROM (
  SELECT *, row_number() OVER (
    PARTITION BY client_id, reason ORDER BY written_ms DESC, at_topic, at_partition DESC, at_offset DESC) AS place
  {_MATCHING}
) WHERE place <= ? ORDER BY written_ms DESC, at_topic, at_partition DESC, at_offset DESC
"""  # noqa: S608 - made of constants
_WANTED: Final = f"""
SELECT at_topic, at_partition, at_offset, topic, partition, offset, client_id, size_bytes, timestamp_ms
{_MATCHING} AND NOT is_gap AND (? OR replayed_ms IS NULL) ORDER BY at_topic, at_partition, at_offset
"""


class LetterGroup(NamedTuple):
    """Letters of one tenant, reason and source topic.

    lost: for gaps, how many offsets they tell of. replayed: how many of the letters were replayed.
    first_ms, last_ms: when they were written. example: one of them.
    """

    client_id: str
    reason: str
    topic: str
    is_gap: bool
    letters: int
    lost: int
    replayed: int
    first_ms: int
    last_ms: int
    example: Coordinates


class LetterEntry(NamedTuple):
    """What is shown of one letter. at: where it lies itself. replayed_ms: when it was replayed; None where it was not."""

    original: Coordinates
    at: Coordinates
    written_ms: int
    client_id: str
    reason: str
    step: str
    detail: str
    replayed_ms: int | None = None


class LetterIndex:
    """The last letter of each original record; close it with the owner.

    Raises InfrastructureFault where the temporary folder has no room for it.
    """

    def __init__(self, wanted: LetterFilter) -> None:
        # The empty name makes a database of this connection's own, that spills to the temporary folder.
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = OFF")
        for statement in (_TABLE, _MARKS, _SHOWN):
            self._rows.execute(statement)
        self._rows.create_function("matches", 5, wanted.matches)

    def close(self) -> None:
        self._rows.close()

    def put(self, letters: Iterable[Posted]) -> None:
        """Take in letters, and the marks of replayed ones, in any order; of the same original record, the last holds."""
        rows: list[tuple[Any, ...]] = []
        marks: list[tuple[Any, ...]] = []
        for posted in letters:
            if posted.letter.is_mark:
                marks.append(_mark(posted))
            else:
                rows.append(_row(posted))
        try:
            self._rows.execute("BEGIN")
            self._rows.executemany(_PUT, rows)
            self._rows.executemany(_MARK, marks)
            self._rows.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise _fault(error) from error

    def groups(self) -> Iterator[LetterGroup]:
        """The letters that match, by tenant, reason and source topic."""
        for client_id, reason, topic, is_gap, letters, lost, replayed, first_ms, last_ms, partition, offset in self._select(_GROUPS):
            example = Coordinates(topic, partition, offset)
            yield LetterGroup(client_id, reason, topic, bool(is_gap), letters, lost, replayed, first_ms, last_ms, example)

    def latest(self, limit: int, *, only_open: bool = False) -> Iterator[LetterEntry]:
        """The letters that match and were written last, the last of them first. only_open: those that were not replayed."""
        for row in self._select(_LATEST, not only_open, limit):
            yield LetterEntry(Coordinates(*row[:3]), Coordinates(*row[3:6]), *row[6:])

    def latest_of_each(self, limit: int) -> Iterator[LetterEntry]:
        """As `latest`, but so many of each tenant and reason."""
        for row in self._select(_LATEST_OF_EACH, limit):
            yield LetterEntry(Coordinates(*row[:3]), Coordinates(*row[3:6]), *row[6:])

    def wanted(self, *, again: bool = False) -> Iterator[Wanted]:
        """The letters of records that match, in the order in which they lie on their topic. again: those that were replayed too."""
        for row in self._select(_WANTED, again):
            yield Wanted(Coordinates(*row[:3]), Coordinates(*row[3:6]), *row[6:])

    def _select(self, statement: str, *parameters: Any) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._rows.execute(statement, parameters)
        except sqlite3.OperationalError as error:
            raise _fault(error) from error


def _row(posted: Posted) -> tuple[Any, ...]:
    letter = posted.letter
    shown = (letter.tenant, letter.reason, letter.step, letter.detail[:_DETAIL_CHARACTERS])
    key = (*letter.coordinates, letter.timestamp_ms, letter.is_gap)
    return (*key, *posted.at, posted.written_ms, *shown, letter.size_bytes, letter.lost)


def _mark(posted: Posted) -> tuple[Any, ...]:
    return (*posted.letter.coordinates, posted.letter.timestamp_ms, *posted.at, posted.written_ms)


def _fault(error: sqlite3.OperationalError) -> InfrastructureFault:
    return InfrastructureFault(
        f"The index of dead letters cannot be kept ({error}); make room in the temporary folder, or name another with TMPDIR."
    )
