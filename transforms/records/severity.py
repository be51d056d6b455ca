"""How bad a thing is, by its own word: severities of a closed set, and the level that a log line gives itself."""

from typing import Final

import re2

# The contract keeps the severity as it came and adds one of a closed set to query by.
SEVERITY: Final = {
    "trace": "DEBUG",
    "trce": "DEBUG",
    "debug": "DEBUG",
    "dbug": "DEBUG",
    "d": "DEBUG",
    "info": "INFO",
    "information": "INFO",
    "normal": "INFO",
    "notice": "INFO",
    "i": "INFO",
    "warn": "WARNING",
    "warning": "WARNING",
    "w": "WARNING",
    "error": "ERROR",
    "err": "ERROR",
    "fail": "ERROR",
    "severe": "ERROR",
    "e": "ERROR",
    "crit": "FATAL",
    "critical": "FATAL",
    "fatal": "FATAL",
    "alert": "FATAL",
    "emerg": "FATAL",
    "emergency": "FATAL",
    "panic": "FATAL",
    "f": "FATAL",
}
# Levels of bunyan and pino.
_NUMBERS: Final = {10: "DEBUG", 20: "DEBUG", 30: "INFO", 40: "WARNING", 50: "ERROR", 60: "FATAL"}
UNKNOWN_SEVERITY: Final = "UNKNOWN"
BAD: Final = frozenset({"ERROR", "FATAL"})

# A level stands at the beginning of a line; a word further on belongs to the text.
_HEAD_CHARACTERS: Final = 160
_STAMP: Final = r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T\S+ )?"
_BEFORE: Final = r"(?:^|[\s\[\](){}<>|:,;=-])"
_AFTER: Final = r"(?:[\s\[\](){}<>|:,;-]|$)"
_FIELD: Final = r"""[{,]\s*"(?:@?level|levelname|loglevel|log_level|log\.level|lvl|severity)"\s*:\s*"?"""
_PAIR: Final = r"""(?:^|[\s,;|\[({])(?:level|loglevel|lvl|severity)=["']?"""
_BAD_WORDS: Final = "ERR|ERROR|SEVERE|CRIT|CRITICAL|FATAL|PANIC|ALERT|EMERG|EMERGENCY"
_WORDS: Final = f"TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|{_BAD_WORDS}"
_COLON_WORDS: Final = f"{_WORDS}|FAIL|TRCE|DBUG"

CANDIDATES: Final = (
    _STAMP + r"[EF][0-9]{4} [0-9]{2}:",
    _FIELD + rf"(?:(?i:{_BAD_WORDS})\b|[56]0\b)",
    r'[{,]\s*"s"\s*:\s*"[EF]"',
    _PAIR + rf"(?i:{_BAD_WORDS})\b",
    rf"{_BEFORE}(?:{_BAD_WORDS}){_AFTER}",
    rf"[\[|<(](?i:{_BAD_WORDS})[\]|>)]",
    _STAMP + rf"(?i:{_BAD_WORDS}|FAIL)\s?:",
)
"""Patterns one of which every line matches whose level is ERROR or FATAL; others do too, so ask `line_level` about those."""

# In this order: what is written for machines is surer than a word.
_LEVELS: Final = tuple(
    re2.compile(pattern)
    for pattern in (
        _STAMP + r"([IWEF])[0-9]{4} [0-9]{2}:",
        _FIELD + r"([A-Za-z]+|[1-6]0)\b",
        r'[{,]\s*"s"\s*:\s*"([FEWID])[0-9]?"',
        _PAIR + r"([A-Za-z]+)\b",
        rf"{_BEFORE}({_WORDS}){_AFTER}|[\[|<(]((?i:{_WORDS}))[\]|>)]|{_STAMP}((?i:{_COLON_WORDS}))\s?:",
    )
)


def line_level(line: str) -> str:
    """The level that a line of a log gives itself, as it writes it; "" where it gives none.

    klog's letter, a JSON or logfmt field, or the first word for a level in its head.
    """
    head = line[:_HEAD_CHARACTERS]
    for number, level in enumerate(_LEVELS):
        found = level.search(head if number == len(_LEVELS) - 1 else line)
        if found:
            return str(next(group for group in found.groups() if group))
    return ""


def severity_of(raw: object) -> str:
    """The severity of the closed set that a level means, a word or one of bunyan's numbers; UNKNOWN for any other."""
    if isinstance(raw, str):
        known = SEVERITY.get(raw.strip().lower())
        if known is not None:
            return known
        raw = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 4 else raw  # noqa: PLR2004
    return _NUMBERS.get(raw, UNKNOWN_SEVERITY) if isinstance(raw, int) else UNKNOWN_SEVERITY
