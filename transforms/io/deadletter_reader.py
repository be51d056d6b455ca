"""The dead-letter topic as letters: from its beginning to its end as of now, or some of them by position."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from transforms.io.kafka_held import HeldRecords
from transforms.io.kafka_target import KafkaTarget
from transforms.records.letters import Coordinates, Letter, Unreadable, coordinates_of, decode_letter
from transforms.records.record import KafkaRecord


class Posted(NamedTuple):
    """A letter and where it lies itself. written_ms: when it was written, by its own record timestamp."""

    at: Coordinates
    written_ms: int
    letter: Letter


class Restored(NamedTuple):
    """Letters as the original records, and the letters to which there is none any more, each with why."""

    records: list[KafkaRecord]
    unavailable: list[tuple[Letter, str]]


class DeadLetterReader:
    """Reads letters and what they are about; close it with the owner. It commits nothing and writes nothing.

    unreadable: how many messages were no letters of this version, by why; they are passed over.
    """

    def __init__(self, target: KafkaTarget, topic: str) -> None:
        self._held = HeldRecords(target)
        self._topic = topic
        self.unreadable: Counter[str] = Counter()

    def close(self) -> None:
        self._held.close()

    def letters(self) -> Iterator[list[Posted]]:
        """Every letter of the topic, in chunks; a topic that does not exist holds none."""
        for messages in self._held.read(self._held.ranges([self._topic])):
            yield [posted for message in messages if (posted := self._posted(message)) is not None]

    def _posted(self, message: KafkaRecord) -> Posted | None:
        try:
            return Posted(coordinates_of(message), message.timestamp_ms, decode_letter(message.value))
        except Unreadable as why:
            self.unreadable[str(why)] += 1
            return None

    def at(self, positions: Iterable[Coordinates]) -> dict[Coordinates, Letter]:
        """The letters at these positions of the topic; those that retention has deleted since are absent."""
        return {at: decode_letter(message.value) for at, message in self._held.find(positions).items()}

    def restore(self, letters: list[Letter]) -> Restored:
        """The original records: out of the letter where it is whole, else read again from Kafka and proven.

        A record is never made of a value that was cut, and never of another record at the same coordinates.
        """
        found = self._held.find({letter.coordinates for letter in letters if not letter.is_whole})
        records: list[KafkaRecord] = []
        unavailable: list[tuple[Letter, str]] = []
        for letter in letters:
            original = found.get(letter.coordinates)
            if letter.is_whole:
                records.append(letter.record())
            elif original is None:
                unavailable.append((letter, "Kafka no longer holds the record"))
            elif letter.is_of(original):
                records.append(original_of(letter, original))
            else:
                unavailable.append((letter, "Kafka holds another record there: the topic was made anew"))
        return Restored(records, unavailable)


def original_of(letter: Letter, found: KafkaRecord) -> KafkaRecord:
    """The record as it was rejected: what Kafka holds, at the timestamp that its version was made of."""
    return KafkaRecord(found.topic, found.partition, found.offset, letter.timestamp_ms, found.key, found.value, found.headers)
