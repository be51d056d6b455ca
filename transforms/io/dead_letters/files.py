"""Dead letters in Avro files instead of their topic: written by the job, read as if each file were a partition of the topic."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from transforms.io.archive.avro_files import AvroFiles
from transforms.io.dead_letters.gaps import gap_letter
from transforms.io.dead_letters.writer import letter_of
from transforms.io.kafka.offsets import OffsetGap, OffsetRange
from transforms.records.dead_letters.blocks import LETTERS, LetterFile
from transforms.records.dead_letters.letters import Letter, Wanted, encode_letter, replay_mark
from transforms.records.dead_letters.selection import Coordinates
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reject

# Of letters that are held before they are written.
_HELD_BYTES: Final = 8 * 1024 * 1024
_END_MS: Final = 2**62
_CALLED: Final = "The folder of dead letters"
_CORRUPT: Final = "in corrupt files"


class LetterFileWriter:
    """Writes rejects to files; what `flush` returned for, they hold. The same letter again is not written again."""

    # A file is there or it is not: what failed is sent again with its slice, and nothing is left over.
    has_failed: Final = False

    def __init__(self, path: str) -> None:
        self._files = AvroFiles(path, LETTERS, _CALLED)
        self._held: list[LetterFile] = []
        self._held_bytes = 0

    def send(self, reject: Reject) -> None:
        """Hold one reject; InfrastructureFault where those that were held cannot be written."""
        self._hold(letter_of(reject))

    def send_gap(self, gap: OffsetGap) -> None:
        """Hold the record of offsets that Kafka deleted before they were taken in."""
        self._hold(gap_letter(gap))

    def send_mark(self, wanted: Wanted) -> None:
        """Hold the mark that a letter was replayed."""
        self._hold(replay_mark(wanted))

    def _hold(self, letter: Letter) -> None:
        self._held.append(LetterFile(int(time.time() * 1000), letter))
        self._held_bytes += letter.size_bytes
        if self._held_bytes >= _HELD_BYTES:
            self.flush()

    def flush(self) -> None:
        """Return when files hold every reject that was sent; InfrastructureFault when one cannot be written."""
        held, self._held, self._held_bytes = self._held, [], 0
        self._files.write(held)


class HeldLetters:
    """What the files hold, as messages of a topic would have it: each file a partition, its letters the offsets from 0 on.

    unreadable: told how many blocks were corrupt and passed over.
    """

    def __init__(self, path: str, unreadable: Counter[str]) -> None:
        self._files = AvroFiles(path, LETTERS, _CALLED)
        self._unreadable = unreadable

    def close(self) -> None:
        """Nothing is open between two calls."""

    def ranges(self, _topics: Iterable[str]) -> list[OffsetRange]:
        """Every file that is there now."""
        before = self._files.corrupt.total()
        found = [OffsetRange(file.path, 0, 0, self._files.count(file)) for file in self._files.find(0, _END_MS)]
        self._tell(before)
        return found

    def read(self, ranges: list[OffsetRange]) -> Iterator[list[KafkaRecord]]:
        """The letters of the ranges, in chunks."""
        for one in ranges:
            if one.lag <= 0:
                continue
            before = self._files.corrupt.total()
            for at, block in self._blocks(one.topic):
                held = [_message(one.topic, number, written) for number, written in enumerate(block, at) if one.start <= number < one.end]
                if held:
                    yield held
            self._tell(before)

    def find(self, wanted: Iterable[Coordinates]) -> dict[Coordinates, KafkaRecord]:
        """The letters at the coordinates; those that are gone are absent."""
        by_path: dict[str, set[int]] = {}
        for one in wanted:
            by_path.setdefault(one.topic, set()).add(one.offset)
        return {
            Coordinates(path, 0, number): _message(path, number, written)
            for path, numbers in by_path.items()
            for at, block in self._blocks(path)
            for number, written in enumerate(block, at)
            if number in numbers
        }

    def _tell(self, before: int) -> None:
        """Count what was corrupt since then."""
        corrupt = self._files.corrupt.total() - before
        if corrupt:
            self._unreadable[_CORRUPT] += corrupt

    def _blocks(self, path: str) -> Iterator[tuple[int, list[LetterFile]]]:
        """The blocks of a file, with the number of the first letter in each; what is corrupt has no numbers."""
        file = self._files.at(path)
        number = 0
        for block in self._files.blocks(file) if file else ():
            yield number, block
            number += len(block)


def _message(path: str, number: int, written: LetterFile) -> KafkaRecord:
    return KafkaRecord(path, 0, number, written.written_ms, written.letter.key, encode_letter(written.letter))
