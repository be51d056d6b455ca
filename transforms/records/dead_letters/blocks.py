"""Dead letters as Avro files hold them: the schema, records of it, and how letters become files, as docs/records.md documents them."""

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
from fastavro import parse_schema, schemaless_writer

from transforms.records.archive_format.encoding import BLOCK_BYTES, BLOCK_RECORDS, Format
from transforms.records.archive_format.paths import Group, Layout, Within, hour_of
from transforms.records.dead_letters.letters import DEADLETTER_VERSION, Letter

_TEXT: Final = ["null", "string"]
_BYTES: Final = ["null", "bytes"]
_LONG: Final = ["null", "long"]
_HEADER: Final = {"type": "record", "name": "Header", "fields": [{"name": "name", "type": "string"}, {"name": "value", "type": _BYTES}]}
LETTER_SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Letter",
    "namespace": "graph_build.deadletters",
    "fields": [
        {"name": "written_ms", "type": "long"},
        {"name": "reason", "type": "string"},
        {"name": "detail", "type": "string"},
        {"name": "step", "type": "string"},
        {"name": "client_id", "type": _TEXT},
        {"name": "topic", "type": "string"},
        {"name": "partition", "type": "int"},
        {"name": "offset", "type": "long"},
        {"name": "timestamp_ms", "type": "long"},
        {"name": "key", "type": _BYTES},
        {"name": "headers", "type": {"type": "array", "items": _HEADER}},
        {"name": "value", "type": _BYTES},
        {"name": "withheld", "type": "boolean"},
        {"name": "redacted", "type": "boolean"},
        {"name": "truncated", "type": "boolean"},
        {"name": "value_bytes", "type": _LONG},
        {"name": "value_sha256", "type": _TEXT},
        {"name": "gap_end", "type": _LONG},
    ],
}
# Bytes of the shortest letter: one for each field.
_LEAST_BYTES: Final = len(LETTER_SCHEMA["fields"])
_PARSED: Final = parse_schema(LETTER_SCHEMA)


class LetterFile(NamedTuple):
    """A letter, and when it was written, in milliseconds since 1970."""

    written_ms: int
    letter: Letter


def _encode(letters: Iterable[LetterFile]) -> Iterator[tuple[int, bytes]]:
    out, count = BytesIO(), 0
    for one in letters:
        if count and (out.tell() + one.letter.size_bytes > BLOCK_BYTES or count >= BLOCK_RECORDS):
            yield count, out.getvalue()
            out, count = BytesIO(), 0
        schemaless_writer(out, _PARSED, _to_avro(one))
        count += 1
    if count:
        yield count, out.getvalue()


def _to_avro(one: LetterFile) -> dict[str, Any]:
    letter = one.letter
    fields = {name: getattr(letter, name) for name in letter.__struct_fields__ if name not in ("version", "headers", "gap_end")}
    gap_end = None if letter.gap_end is msgspec.UNSET else letter.gap_end
    return {
        **fields,
        "written_ms": one.written_ms,
        "headers": [{"name": name, "value": value} for name, value in letter.headers],
        "gap_end": gap_end,
    }


def _decode(found: dict[str, Any]) -> LetterFile:
    """The letter again; ValidationError where it is none that this project writes."""
    headers = [(one["name"], one["value"]) for one in found["headers"]]
    told = {name: value for name, value in found.items() if name not in ("written_ms", "gap_end")} | {"headers": headers}
    if found["gap_end"] is not None:
        told["gap_end"] = found["gap_end"]
    letter = msgspec.convert({**told, "version": DEADLETTER_VERSION}, Letter, builtin_types=(bytes,))
    return LetterFile(found["written_ms"], letter)


def _grouped(letters: Iterable[LetterFile]) -> dict[Group, list[LetterFile]]:
    found: dict[Group, list[LetterFile]] = {}
    for one in letters:
        found.setdefault(_group_of(one), []).append(one)
    return found


def _group_of(one: LetterFile) -> Group:
    letter = one.letter
    return Group(letter.client_id or "", letter.topic, letter.partition, hour_of(letter.timestamp_ms))


def _within(one: LetterFile) -> Within:
    """A record that is rejected again for the same reason is the same letter; for another reason it is one more."""
    letter = one.letter
    return letter.offset, letter.timestamp_ms, letter.reason, letter.step, letter.lost


def _are_of(letters: list[LetterFile], group: Group, first_offset: int, last_offset: int) -> bool:
    return all(_group_of(one) == group and first_offset <= one.letter.offset <= last_offset for one in letters)


def _offsets(letters: Sequence[LetterFile]) -> list[int]:
    return [one.letter.offset for one in letters]


LETTERS: Final = Layout(
    Format(LETTER_SCHEMA, DEADLETTER_VERSION, _LEAST_BYTES, _encode, _decode),
    _grouped,
    attrgetter("letter.offset"),
    _within,
    _are_of,
    _offsets,
)
