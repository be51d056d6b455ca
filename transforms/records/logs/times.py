"""When a line was written, by the fields of a collector's record, of which some may be the application's own."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from transforms.model.limits import BODY_AHEAD, EARLIEST
from transforms.records.envelopes.types import Moment
from transforms.records.record import from_microseconds, microseconds

# What Kafka gives a record that has no timestamp.
NO_TIME_MS: Final = -1
# The collector's own, which no application's field replaces. A serializer may name the same moment more finely in another.
_COLLECTORS: Final = ("@timestamp", "date", "timestamp_ns", "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP")
_EITHERS: Final = ("timestamp", "time", "event_time")
_SAME_US: Final = 1_000_000
_AHEAD_US: Final = BODY_AHEAD // BODY_AHEAD.resolution
_EARLIEST_US: Final = microseconds(EARLIEST)
_EARLIEST_S: Final = _EARLIEST_US // 1_000_000
_NANOSECONDS: Final = 1_000_000_000
_LONGEST: Final = 64
# The year 5138 in seconds: a number from there on counts a smaller unit.
_SECONDS_BELOW: Final = 100_000_000_000
_MOMENT: Final = msgspec.json.Decoder(Moment).decode
_ENCODE: Final = msgspec.json.Encoder().encode

# When a line was written, and the same as it stands there, which may be finer; None and "" where nothing says.
LineTime = tuple[datetime | None, str]
NOT_WRITTEN: Final[LineTime] = (None, "")


def written(get: Callable[[str], Any], arrived_ms: int) -> LineTime:
    """The line's time by the fields that `get` gives; what can be no time of the line is passed over.

    The collector's own field decides; `timestamp` and `time`, which applications use too, count where they agree with it to a
    second, or where it is not there.
    arrived_ms: the record's time, NO_TIME_MS for none; a line is written at most a day after it, since clocks differ.
    """
    anchor = next((found for name in _COLLECTORS if (found := plausible(get(name), arrived_ms))[0]), NOT_WRITTEN)
    for name in _EITHERS:
        found = plausible(get(name), arrived_ms)
        if found[0] is None:
            continue
        at_us = microseconds(found[0])
        if anchor[0] is not None:
            if abs(at_us - microseconds(anchor[0])) <= _SAME_US:
                return found
        else:
            return found
    return anchor


def plausible(said: Any, arrived_ms: int) -> LineTime:
    """The moment that a field says, where it can be that of a line in a record of that time."""
    moment = moment_of(said)
    if moment is None:
        return NOT_WRITTEN
    at_us = microseconds(moment)
    if at_us < _EARLIEST_US or (arrived_ms > 0 and at_us > arrived_ms * 1000 + _AHEAD_US):
        return NOT_WRITTEN
    return moment, str(said)


def moment_of(said: Any) -> datetime | None:
    """The moment of an RFC 3339 text with a zone, or of a number of seconds, milli-, micro- or nanoseconds since 1970; else None."""
    if isinstance(said, str) and len(said) <= _LONGEST:
        if said.isascii() and said.isdigit():
            return _since_1970(int(said))
        try:
            return _MOMENT(_ENCODE(said))
        except (msgspec.ValidationError, UnicodeError):
            return None
    if isinstance(said, int | float) and not isinstance(said, bool):
        return _since_1970(said)
    return None


def _since_1970(number: float) -> datetime | None:
    if not _EARLIEST_S <= number < _SECONDS_BELOW * _NANOSECONDS:
        return None
    a_second = 1
    while number >= _SECONDS_BELOW * a_second and a_second < _NANOSECONDS:
        a_second *= 1000
    try:
        return from_microseconds(round(number * 1_000_000 / a_second) if isinstance(number, float) else number * 1_000_000 // a_second)
    except OverflowError:
        return None
