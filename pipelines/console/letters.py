"""Dead letters for pages: an index in this process that follows their topic or files, and one letter whole on request."""

import threading
import time
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import structlog

from transforms.io.dead_letters.index import LetterEntry, LetterGroup, LetterIndex
from transforms.io.dead_letters.reader import DeadLetterReader, Posted
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.partitions import Place
from transforms.records.dead_letters.selection import Coordinates, LetterFilter

_LOG: Final = structlog.get_logger("console")
# So many of each tenant and reason are listed; all are counted.
MOST_OF_EACH: Final = 200


@dataclass(frozen=True, slots=True)
class LettersRead:
    """The dead letters as of one moment, by the monotonic clock. entries: the newest, the last written first."""

    groups: tuple[LetterGroup, ...] = ()
    entries: tuple[LetterEntry, ...] = ()
    at: float | None = None
    problem: str = ""

    def groups_of(self, client_ids: Collection[str] | None) -> list[LetterGroup]:
        """Those of the tenants; what has no tenant is for readers of all."""
        return [one for one in self.groups if client_ids is None or one.client_id in client_ids]

    def entries_of(self, client_ids: Collection[str] | None, reason: str, client_id: str, most: int) -> list[LetterEntry]:
        found = (one for one in self.entries if client_ids is None or one.client_id in client_ids)
        found = (one for one in found if reason in ("", one.reason) and client_id in ("", one.client_id))
        return [one for one, _ in zip(found, range(most), strict=False)]

    def entry(self, client_ids: Collection[str] | None, original: Coordinates) -> LetterEntry | None:
        return next((one for one in self.entries if one.original == original and (client_ids is None or one.client_id in client_ids)), None)


class LetterBook:
    """Reads dead letters again and again in a thread of its own; pages see what was read last. Close it with the owner.

    open_reader: makes a reader. every_s: between two looks.
    """

    def __init__(self, open_reader: Callable[[], DeadLetterReader], every_s: float) -> None:
        self._open, self._every_s = open_reader, every_s
        self._ended = threading.Event()
        self._one = threading.Lock()
        self.now = LettersRead()
        self._thread = threading.Thread(target=self._follow, name="dead letters", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def letter(self, entry: LetterEntry) -> Posted | None:
        """The letter of an entry; None where it was deleted since."""
        with self._one, closing(self._open()) as reader:
            return reader.letter_at(entry.at, entry.original)

    def _follow(self) -> None:
        while not self._ended.is_set():
            try:
                with closing(self._open()) as reader, closing(LetterIndex(LetterFilter())) as index:
                    self._index(reader, index)
            except InfrastructureFault as fault:
                _LOG.warning("dead letters cannot be read", cause=fault.sentence)
                self.now = LettersRead(self.now.groups, self.now.entries, self.now.at, "Dead letters cannot be read at the moment.")
            self._ended.wait(self._every_s)

    def _index(self, reader: DeadLetterReader, index: LetterIndex) -> None:
        """Until the topic is another one than before: an end that was passed already says so."""
        beyond: dict[Place, int] = {}
        while not self._ended.is_set():
            held = reader.ranges()
            if any(one.end < beyond.get(one.place, 0) for one in held):
                return
            new = [one._replace(start=max(one.start, beyond.get(one.place, 0))) for one in held]
            new = [one for one in new if one.lag > 0]
            for letters in reader.letters(new):
                index.put(letters)
            if new or self.now.at is None or self.now.problem:
                self.now = LettersRead(tuple(index.groups()), tuple(index.latest_of_each(MOST_OF_EACH)), time.monotonic())
            beyond |= {one.place: one.end for one in held}
            self._ended.wait(self._every_s)
