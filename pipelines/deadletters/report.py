"""Dead letters as people and machines read them: groups, single letters, one letter whole."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from rich.table import Table
from rich.text import Text

from pipelines.output.command import console
from pipelines.output.readable import printable, readable_json, readable_text, shown_time
from transforms.io.dead_letters.index import LetterEntry, LetterGroup
from transforms.io.dead_letters.reader import Posted
from transforms.records.dead_letters.letters import Letter

_WIDTH: Final = 180
_GROUP_HEADS: Final = ("tenant", "reason", "topic", "letters", "replayed", "first written", "last written", "example")
_GAP_HEADS: Final = ("lost before they were taken in", "gaps", "offsets", "first written", "last written", "example begins at")
_ENTRY_HEADS: Final = ("record", "tenant", "reason", "written", "replayed at", "detail")
_NUMBERS: Final = frozenset({"letters", "replayed", "gaps", "offsets"})
_LABEL_WIDTH: Final = 11


def list_object(groups: list[LetterGroup], latest: list[LetterEntry], unreadable: Counter[str]) -> dict[str, Any]:
    """The object of `list --json`."""
    return {
        "letters": sum(group.letters for group in groups if not group.is_gap),
        "replayed": sum(group.replayed for group in groups),
        "gaps": sum(group.letters for group in groups if group.is_gap),
        "unreadable": dict(unreadable),
        "groups": [_group_object(group) for group in groups],
        "latest": [entry_object(entry) for entry in latest],
    }


def _group_object(group: LetterGroup) -> dict[str, Any]:
    return {
        "client_id": group.client_id,
        "reason": group.reason,
        "topic": group.topic,
        "letters": group.letters,
        "replayed": group.replayed,
        **({"offsets_lost": group.lost} if group.is_gap else {}),
        "first_written": shown_time(group.first_ms),
        "last_written": shown_time(group.last_ms),
        "example": str(group.example),
    }


def entry_object(entry: LetterEntry) -> dict[str, Any]:
    """One letter of `list --json` and of a dry run."""
    return {
        "coordinates": str(entry.original),
        "client_id": entry.client_id,
        "reason": entry.reason,
        "step": entry.step,
        "detail": entry.detail,
        "written": shown_time(entry.written_ms),
        "letter": str(entry.at),
        "replayed": None if entry.replayed_ms is None else shown_time(entry.replayed_ms),
    }


def print_list(groups: list[LetterGroup], latest: list[LetterEntry], unreadable: Counter[str]) -> None:
    """Print the groups, gaps apart, and the last letters where some were asked for."""
    records = [group for group in groups if not group.is_gap]
    gaps = [group for group in groups if group.is_gap]
    out = console(_WIDTH)
    if records:
        out.print(_table(_GROUP_HEADS, map(_group_row, records)))
    if gaps:
        out.print(_table(_GAP_HEADS, map(_gap_row, gaps)))
    if latest:
        print_entries(latest)
    if not groups:
        out.print("No dead letters match.", highlight=False)
    for sentence in unreadable_sentences(unreadable):
        out.print(sentence, highlight=False, markup=False)


def print_entries(entries: list[LetterEntry]) -> None:
    """Print single letters as a table."""
    console(_WIDTH).print(_table(_ENTRY_HEADS, map(_entry_row, entries)))


def unreadable_sentences(unreadable: Counter[str]) -> list[str]:
    """What to say of messages that are no letters; nothing where there are none."""
    why = ", ".join(f"{number:,} {name}" for name, number in sorted(unreadable.items()))
    return [f"{unreadable.total():,} messages are no dead letters of this version and were passed over: {why}."] if why else []


def _group_row(group: LetterGroup) -> tuple[str, ...]:
    return (group.client_id, group.reason, group.topic, f"{group.letters:,}", f"{group.replayed:,}", *_times(group), str(group.example))


def _gap_row(group: LetterGroup) -> tuple[str, ...]:
    return (group.topic, f"{group.letters:,}", f"{group.lost:,}", *_times(group), str(group.example))


def _times(group: LetterGroup) -> tuple[str, str]:
    return shown_time(group.first_ms), shown_time(group.last_ms)


def _entry_row(entry: LetterEntry) -> tuple[str, ...]:
    return (str(entry.original), entry.client_id, entry.reason, shown_time(entry.written_ms), _replayed(entry), entry.detail)


def _replayed(entry: LetterEntry) -> str:
    return "" if entry.replayed_ms is None else shown_time(entry.replayed_ms)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table()
    for head in heads:
        table.add_column(head, justify="right" if head in _NUMBERS else "left", overflow="fold")
    for row in rows:
        # As Text: what a record holds is no markup.
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def letter_object(posted: Posted, times: int, replayed_ms: int | None = None) -> dict[str, Any]:
    """The object of `show --json`. times: how many letters lie there of the same coordinates."""
    letter = posted.letter
    key, value = readable_text(letter.key), readable_json(_shown_value(letter))
    headers = [{"name": name, "value": (one := readable_text(held)).value, "encoding": one.encoding} for name, held in letter.headers]
    record = {
        "timestamp": shown_time(letter.timestamp_ms),
        "timestamp_ms": letter.timestamp_ms,
        "key": key.value,
        "key_encoding": key.encoding,
        "headers": headers,
        "value": value.value,
        "value_encoding": value.encoding,
        "value_bytes": letter.value_bytes,
        "value_sha256": letter.value_sha256,
        "withheld": letter.withheld,
        "redacted": letter.redacted,
        "truncated": letter.truncated,
    }
    return {
        "coordinates": str(letter.coordinates),
        "client_id": letter.client_id,
        "reason": letter.reason,
        "detail": letter.detail,
        "step": letter.step,
        "written": shown_time(posted.written_ms),
        "letter": str(posted.at),
        "letters": times,
        "replayed": None if replayed_ms is None else shown_time(replayed_ms),
        **({"offsets_lost": letter.lost} if letter.is_gap else record),
    }


def letter_text(posted: Posted, times: int, replayed_ms: int | None = None) -> str:
    """The letter for reading."""
    letter = posted.letter
    more = f", the last of {times:,}" if times > 1 else ""
    lines = [
        str(letter.coordinates),
        _line("reason", letter.reason),
        _line("detail", letter.detail),
        _line("step", letter.step),
        _line("tenant", letter.tenant),
        _line("written", f"{shown_time(posted.written_ms)} as {posted.at}{more}"),
        *([] if replayed_ms is None else [_line("replayed", f"{shown_time(replayed_ms)}; the job took the record in")]),
    ]
    return printable("\n".join(lines + (_gap_lines(letter) if letter.is_gap else _record_lines(letter))))


def _gap_lines(letter: Letter) -> list[str]:
    return [_line("lost", f"{letter.lost:,} offsets; there is no record to it, so nothing of it can be replayed")]


def _record_lines(letter: Letter) -> list[str]:
    headers = [_line("header", f"{name}: {_one_line(held)}") for name, held in letter.headers]
    size = "none" if letter.value_bytes is None else f"{letter.value_bytes:,} bytes, SHA-256 {letter.value_sha256}"
    lines = [_line("timestamp", shown_time(letter.timestamp_ms)), _line("key", _one_line(letter.key)), *headers, _line("value", size)]
    lines += [_line("", sentence) for sentence in _less(letter)]
    value = readable_json(_shown_value(letter))
    if value.encoding == "json":
        lines.append(msgspec.json.format(bytes(value.value), indent=2).decode())
    elif value.encoding:
        lines += [_line("", "base64, since it is no JSON text:"), str(value.value)]
    return lines


def _less(letter: Letter) -> list[str]:
    said = (
        (letter.withheld, "withheld: it is or may be a Secret; a replay reads it again from Kafka and proves it by its SHA-256"),
        (letter.redacted, "redacted: what looks secret was taken out; a replay reads the original again from Kafka"),
        (letter.truncated, "truncated: value, key or headers are cut; a replay reads the original again from Kafka"),
    )
    return [sentence for holds, sentence in said if holds]


def _shown_value(letter: Letter) -> bytes | None:
    return None if letter.withheld else letter.value


def _one_line(held: bytes | None) -> str:
    shown = readable_text(held)
    return (
        "none"
        if shown.encoding is None
        else str(shown.value).replace("\n", "\\n")
        if shown.encoding == "text"
        else f"{shown.value} (base64)"
    )


def _line(label: str, text: str) -> str:
    return f"  {label:<{_LABEL_WIDTH}}{text}"
