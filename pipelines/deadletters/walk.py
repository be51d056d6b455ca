"""Walks over the dead-letter topic, with progress: all letters into an index, or the letters of one record."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

from pipelines.output.progress import Count
from transforms.io.dead_letters.index import LetterIndex
from transforms.io.dead_letters.reader import DeadLetterReader, Posted
from transforms.io.kafka.offsets import Place
from transforms.records.dead_letters.selection import Coordinates, LetterFilter


def index_letters(reader: DeadLetterReader, index: LetterIndex, beyond: Mapping[Place, int] | None = None) -> dict[Place, int]:
    """Take every letter that the topic holds now into the index; the offsets up to which it was read.

    beyond: where to begin, by partition; at the topic's beginning where it says nothing.
    """
    held = reader.ranges()
    ranges = [one._replace(start=max(one.start, (beyond or {}).get(one.place, 0))) for one in held]
    ranges = [one for one in ranges if one.lag > 0]
    with Count("letters read", sum(one.lag for one in ranges)) as count:
        for letters in reader.letters(ranges):
            index.put(letters)
            count.advance(len(letters))
    return {**(beyond or {}), **{one.place: one.end for one in held}}


class FoundLetter(NamedTuple):
    """times: how many letters there are of these coordinates. replayed_ms: when it was replayed; None where it was not."""

    posted: Posted | None
    times: int
    replayed_ms: int | None


def find_letter(reader: DeadLetterReader, original: Coordinates) -> FoundLetter:
    """The last letter of the record at the coordinates, else of a gap that begins there."""
    found: Posted | None = None
    marks: list[Posted] = []
    times = 0
    ranges = reader.ranges()
    with Count("letters read", sum(one.lag for one in ranges)) as count:
        for letters in reader.letters(ranges):
            for posted in letters:
                if posted.letter.coordinates != original:
                    continue
                if posted.letter.is_mark:
                    marks.append(posted)
                else:
                    found = posted if found is None else later(found, posted)
                    times += 1
            count.advance(len(letters))
    return FoundLetter(found, times, None if found is None else replayed_ms(found, marks))


def replayed_ms(letter: Posted, marks: Sequence[Posted]) -> int | None:
    """When the letter was replayed, as `list` tells it; None where none of the marks is of it."""
    with closing(LetterIndex(LetterFilter())) as index:
        index.put([letter, *marks])
        (entry,) = index.latest(1)
    return entry.replayed_ms


def later(one: Posted, other: Posted) -> Posted:
    """Of two letters of the same coordinates the one that counts, `other` having been met after `one`.

    A record's goes before a gap's. Within a partition, or a file, letters come in their order; between partitions their own time decides.
    """
    if one.letter.is_gap != other.letter.is_gap:
        return other if one.letter.is_gap else one
    return other if one.at[:2] == other.at[:2] or other.written_ms >= one.written_ms else one
