"""Bodies that were decoded before, found again by the text of the record."""

from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from transforms.records.envelopes.types import Body, Moment
from transforms.records.memo import GenerationalCache
from transforms.records.record import microseconds

# Of `weight_of`; with the bodies made of it a generation takes about six times as much memory, whatever the bodies.
GENERATION_WEIGHT: Final = 18 * 1024 * 1024
# What an entry and an object take beyond their text, in eighths of their memory: `[{},{},{}]` takes much more than a text of its length.
_ENTRY_WEIGHT: Final = 8
_OBJECT_WEIGHT: Final = 24


class Timed(NamedTuple):
    """A value taken apart: its time in microseconds since 1970, and all the rest of it."""

    at_us: int
    rest: bytes


class Contents:
    """Bodies decoded before, by their text less the value of `at`: what a resync says again is not decoded again.

    A value takes part if `at` is written once, plainly, and is the body's own time; then two values that differ in
    nothing else are the same body at two times. A body never holds what only the record's key says.
    weight: of a generation, by `weight_of`.
    """

    def __init__(self, weight: int = GENERATION_WEIGHT) -> None:
        self._memo: GenerationalCache[tuple[str, bytes], Body] = GenerationalCache(weight)

    def find(self, topic: str, timed: Timed) -> Body | None:
        return self._memo.get((topic, timed.rest))

    def keep(self, topic: str, timed: Timed, body: Body) -> None:
        self._memo.put((topic, timed.rest), body, weight_of(timed.rest))


def weight_of(text: bytes) -> int:
    """What is held of a body, by its text: half as much again as its bytes for an ordinary one, and more where it has many small parts."""
    return len(text) + _ENTRY_WEIGHT * (text.count(b",") + text.count(b"[")) + _OBJECT_WEIGHT * text.count(b"{")


_AT: Final = b'"at":"'
_AT_NAME: Final = b'"at"'
_BEFORE_NAME: Final = frozenset(b"{,")
# An escape could spell a second `at` in a way that is not seen here.
_ESCAPE: Final = b"\\u"
CONTENT_BYTES: Final = 16 * 1024


def take_time(value: bytes) -> Timed | None:
    """The value's own time and the rest; None where that cannot be told without decoding."""
    if len(value) > CONTENT_BYTES:
        return None
    start = value.find(_AT)
    if start < 1 or value[start - 1] not in _BEFORE_NAME or value.count(_AT_NAME) != 1 or _ESCAPE in value:
        return None
    start += len(_AT)
    end = value.find(b'"', start)
    at_us = _parse_time(value[start:end])
    return None if at_us is None else Timed(at_us, value[:start] + value[end:])


@lru_cache(maxsize=1024)
def _parse_time(text: bytes) -> int | None:
    """The time in microseconds, as the envelopes take it; None where they would not."""
    try:
        return microseconds(_MOMENT.decode(b'"' + text + b'"'))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


_MOMENT: Final = msgspec.json.Decoder(Moment)
