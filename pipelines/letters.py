"""Walks over the dead-letter topic, with progress: all letters into an index, or the letters of one record."""

from pipelines.progress import Count
from transforms.io.deadletter_reader import DeadLetterReader, Posted
from transforms.io.letter_index import LetterIndex
from transforms.records.letters import Coordinates


def index_letters(reader: DeadLetterReader, index: LetterIndex) -> None:
    """Take every letter that the topic holds now into the index."""
    ranges = reader.ranges()
    with Count("letters read", sum(one.lag for one in ranges)) as count:
        for letters in reader.letters(ranges):
            index.put(letters)
            count.advance(len(letters))


def find_letter(reader: DeadLetterReader, original: Coordinates) -> tuple[Posted | None, int]:
    """The last letter of the record at the coordinates, else of a gap that begins there; and how many there are."""
    found: Posted | None = None
    times = 0
    ranges = reader.ranges()
    with Count("letters read", sum(one.lag for one in ranges)) as count:
        for letters in reader.letters(ranges):
            for posted in letters:
                if posted.letter.coordinates == original:
                    found = posted if found is None else later(found, posted)
                    times += 1
            count.advance(len(letters))
    return found, times


def later(one: Posted, other: Posted) -> Posted:
    """Of two letters of the same coordinates the one that counts, `other` having been met after `one`.

    A record's goes before a gap's. Within a partition letters come in their order; between partitions their own time decides.
    """
    if one.letter.is_gap != other.letter.is_gap:
        return other if one.letter.is_gap else one
    return other if one.at.partition == other.at.partition or other.written_ms >= one.written_ms else one
