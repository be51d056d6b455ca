"""A rejected record's text in lines, with the line marked that its fault is about, as far as the detail tells."""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

MOST_LINES: Final = 2_000
MOST_CHARACTERS: Final = 2_000
_PATH: Final = re.compile(r"\$((?:\.[\w-]+|\[\d+\]|\[\.\.\.\])+)")
_FIELD: Final = re.compile(r"(?:field|lacks|missing|without) [`'\"]([A-Za-z_][\w.-]{0,80})[`'\"]|`([A-Za-z_][\w-]{0,80})` is\b")
_BYTE: Final = re.compile(r"\bbyte (\d{1,9})\b")
Path = tuple[str, ...]


class TextLine(NamedTuple):
    text: str
    marked: bool = False


def marked_json(held: bytes, detail: str) -> list[TextLine]:
    """JSON text in lines. Where the detail names a path or a field, its line is marked, or the object's where the field is missing."""
    lines = list(_lines(msgspec.json.decode(held), (), 0, ""))
    wanted = _wanted(detail)
    paths = [path for path, _ in lines]
    best = max((len(_shared(path, wanted)) for path in paths), default=0) if wanted else 0
    at = next((number for number, path in enumerate(paths) if best and len(_shared(path, wanted)) == best and len(path) == best), -1)
    if wanted and at < 0 and "." not in "".join(wanted):
        at = next((number for number, path in enumerate(paths) if path and path[-1] == wanted[-1]), -1)
    if at < 0 and wanted:
        at = 0
    return [TextLine(text[:MOST_CHARACTERS], number == at) for number, (_, text) in enumerate(lines[:MOST_LINES])]


def marked_text(text: str, detail: str) -> list[TextLine]:
    """Other text in lines; the one with the byte that the detail names is marked."""
    found = _BYTE.search(detail)
    lines, passed = [], 0
    for line in text.split("\n")[:MOST_LINES]:
        end = passed + len(line.encode("utf-8", "surrogatepass")) + 1
        lines.append(TextLine(line[:MOST_CHARACTERS], found is not None and passed <= int(found[1]) < end))
        passed = end
    return lines


def _wanted(detail: str) -> Path:
    path = _PATH.search(detail)
    field = _FIELD.search(detail)
    parts = tuple(re.findall(r"\.([\w-]+)|(\[(?:\d+|\.\.\.)\])", path[1])) if path else ()
    found = tuple(name or index for name, index in parts)
    name = (field[1] or field[2]) if field else ""
    return (*found, name) if name and (not found or found[-1] != name) else found


def _shared(path: Path, wanted: Path) -> Path:
    count = 0
    for one, other in zip(path, wanted, strict=False):
        if other not in (one, "[...]"):
            break
        count += 1
    return path[:count]


def _lines(value: Any, path: Path, depth: int, name: str, end: str = "") -> Iterator[tuple[Path, str]]:
    indent = "  " * depth + name
    if isinstance(value, dict) and value:
        yield path, f"{indent}{{"
        for number, (key, one) in enumerate(value.items(), start=1):
            yield from _lines(one, (*path, key), depth + 1, f"{_text(key)}: ", "," if number < len(value) else "")
        yield path, f"{'  ' * depth}}}{end}"
    elif isinstance(value, list) and value:
        yield path, f"{indent}["
        for number, one in enumerate(value):
            yield from _lines(one, (*path, f"[{number}]"), depth + 1, "", "," if number + 1 < len(value) else "")
        yield path, f"{'  ' * depth}]{end}"
    else:
        yield path, f"{indent}{_text(value)}{end}"


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
