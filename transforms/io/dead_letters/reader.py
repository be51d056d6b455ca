"""Dead letters, of their topic or in files: from its beginning to its end as of now, or some of them as original records."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from transforms.io.dead_letters.files import HeldLetters
from transforms.io.kafka.offsets import OffsetRange
from transforms.io.kafka.single_records import HeldRecords
from transforms.io.kafka.target import KafkaTarget
from transforms.records.dead_letters.letters import Letter, Unavailable, Unreadable, Wanted, coordinates_of, decode_letter
from transforms.records.dead_letters.selection import Coordinates, LetterPlace
from transforms.records.record import KafkaRecord


class Posted(NamedTuple):
    """A letter and where it lies itself. written_ms: when it was written, by its own record timestamp."""

    at: Coordinates
    written_ms: int
    letter: Letter


class Restored(NamedTuple):
    """Letters as the original records, and those to which there is none any more, each with why."""

    records: list[KafkaRecord]
    unavailable: list[tuple[Wanted, Unavailable]]


class Held(Protocol):
    """What topics hold, as HeldRecords tells it."""

    def close(self) -> None: ...

    def ranges(self, topics: Iterable[str]) -> list[OffsetRange]: ...

    def read(self, ranges: list[OffsetRange]) -> Iterator[list[KafkaRecord]]: ...

    def find(self, wanted: Iterable[Coordinates]) -> dict[Coordinates, KafkaRecord]: ...


class DeadLetterReader:
    """Reads letters and what they are about; close it with the owner. It commits nothing and writes nothing.

    unreadable: how many messages were no letters of this version, by why; they are passed over.
    """

    def __init__(self, held: Held, topic: str, originals: Held | None = None, unreadable: Counter[str] | None = None) -> None:
        self._held = held
        self._originals = held if originals is None else originals
        self._topic = topic
        self.unreadable: Counter[str] = Counter() if unreadable is None else unreadable

    @classmethod
    def open(cls, target: KafkaTarget | None, place: LetterPlace) -> "DeadLetterReader":
        """The reader of a cluster's topic, or of files.

        target: None where the letters of files are only looked at; what they do not hold whole cannot be restored then.
        """
        if not place.path:
            assert target is not None
            return cls(HeldRecords(target), place.topic)
        unreadable: Counter[str] = Counter()
        return cls(HeldLetters(place.path, unreadable), "", None if target is None else HeldRecords(target), unreadable)

    def close(self) -> None:
        self._held.close()
        if self._originals is not self._held:
            self._originals.close()

    def ranges(self) -> list[OffsetRange]:
        """All that there is now; a topic that does not exist holds nothing."""
        return self._held.ranges([self._topic])

    def letters(self, ranges: list[OffsetRange]) -> Iterator[list[Posted]]:
        """Every letter of the ranges, in chunks."""
        for messages in self._held.read(ranges):
            yield [posted for message in messages if (posted := self._posted(message)) is not None]

    def _posted(self, message: KafkaRecord) -> Posted | None:
        try:
            return Posted(coordinates_of(message), message.timestamp_ms, decode_letter(message.value))
        except Unreadable as why:
            self.unreadable[str(why)] += 1
            return None

    def letter_at(self, at: Coordinates, original: Coordinates) -> Posted | None:
        """The letter that lies there; None where it was deleted since, or another one lies there now."""
        found = [self._posted(message) for message in self._held.find([at]).values()]
        return next((one for one in found if one is not None and one.letter.coordinates == original), None)

    def restore(self, wanted: list[Wanted]) -> Restored:
        """The original records: out of the letter where it is whole, else read again from Kafka and proven.

        A record is never made of a value that was cut, and never of another record at the same coordinates.
        """
        letters = self._letters_of(wanted)
        found = self._originals.find({letter.coordinates for letter in letters.values() if not letter.is_whole})
        records: list[KafkaRecord] = []
        unavailable: list[tuple[Wanted, Unavailable]] = []
        for one in wanted:
            letter = letters.get(one.at)
            restored = Unavailable.LETTER_GONE if letter is None else _original(letter, found.get(letter.coordinates))
            if isinstance(restored, Unavailable):
                unavailable.append((one, restored))
            else:
                records.append(restored)
        return Restored(records, unavailable)

    def _letters_of(self, wanted: list[Wanted]) -> dict[Coordinates, Letter]:
        """The letters where they were seen before; one that was deleted since, its topic made anew even, is absent."""
        originals = {one.at: one.original for one in wanted}
        letters: dict[Coordinates, Letter] = {}
        for at, message in self._held.find(originals).items():
            posted = self._posted(message)
            if posted is not None and posted.letter.coordinates == originals[at] and not (posted.letter.is_gap or posted.letter.is_mark):
                letters[at] = posted.letter
        return letters


def _original(letter: Letter, found: KafkaRecord | None) -> KafkaRecord | Unavailable:
    """The record as it was rejected; what Kafka holds counts only where it is proven to be the same."""
    if letter.is_whole:
        return letter.record()
    if found is None:
        return Unavailable.GONE
    if not letter.is_of(found):
        return Unavailable.ANOTHER_RECORD
    # Its version was made of the timestamp that the letter tells.
    return KafkaRecord(found.topic, found.partition, found.offset, letter.timestamp_ms, found.key, found.value, found.headers)
