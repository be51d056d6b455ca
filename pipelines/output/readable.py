"""What letters hold, made readable: times, bytes as text, and nothing that a terminal would obey."""

from base64 import b64encode
from typing import Any, NamedTuple

import msgspec

from transforms.records.record import from_microseconds


def shown_time(milliseconds: int) -> str:
    """The time in UTC, to the millisecond."""
    try:
        return from_microseconds(milliseconds * 1000).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return f"{milliseconds} ms"


def shown_age(milliseconds: int) -> str:
    """How long that is, in the largest unit that it fills: 42 s, 5 min, 3 h, 12 d."""
    seconds = max(milliseconds, 0) // 1000
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def spoken_number(number: int, noun: str) -> str:
    """The number with its noun, in the singular for one: 1 tenant, 2 tenants."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """The text with every character that a terminal might obey or hide written as an escape; line ends stay."""
    return "".join(one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode() for one in text)


class Readable(NamedTuple):
    """Bytes for reading. encoding: `json` (the text as it is), `text` or `base64`; None for none."""

    value: Any
    encoding: str | None


def readable_text(held: bytes | None) -> Readable:
    """Bytes as text where they are UTF-8, else as base64."""
    if held is None:
        return Readable(None, None)
    try:
        return Readable(held.decode(), "text")
    except UnicodeDecodeError:
        return Readable(b64encode(held).decode(), "base64")


def readable_json(held: bytes | None) -> Readable:
    """Bytes as the JSON text that they are, numbers untouched, else as base64."""
    if held is None:
        return Readable(None, None)
    try:
        msgspec.json.decode(held)
        held.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Readable(b64encode(held).decode(), "base64")
    return Readable(msgspec.Raw(held), "json")
