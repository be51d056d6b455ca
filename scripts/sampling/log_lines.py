"""What the containers of a crashing pod write: noise, and the failures that explain the crash."""

from random import Random
from typing import Final, NamedTuple


class Line(NamedTuple):
    """A line of a log. after_s: seconds since the line before."""

    severity: str
    message: str
    after_s: float


_NOISE: Final = (
    ("INFO", "GET /api/v1/items 200 in {number} ms"),
    ("INFO", "cache holds {number} entries"),
    ("DEBUG", "tick {number}"),
    ("WARNING", "no traffic for {number} s"),
    ("", 'level=info msg="health check ok" took={number}ms'),
)
# By the reason of the crash: what is said again and again, and what is said last.
_FAILURES: Final = {
    "BackOff": (("ERROR", "dial tcp 10.96.0.12:5432: connect: connection refused"), ("FATAL", "panic: cannot start without a database")),
    "OOMKilling": (("", 'level=warn msg="GC overhead limit near"'), ("ERROR", "java.lang.OutOfMemoryError: Java heap space")),
}
_REPEATED: Final = 4


def crash_lines(reason: str, random: Random) -> list[Line]:
    """One run of a container up to its crash."""
    again, last = _FAILURES[reason]
    lines: list[Line] = []
    for _ in range(_REPEATED):
        severity, message = random.choice(_NOISE)
        lines.append(Line(severity, message.format(number=random.randint(1, 900)), 0.05))
        lines.append(Line(*again, 0.1))
    return [*lines, Line(*last, 0.05)]
