"""The level that a line of a log gives itself, in the ways in which loggers write it."""

import re
from typing import Any, Final

import msgspec
import re2

from transforms.records.severity import NO_LEVEL, SEVERITY, Level, level_in, severity_of, syslog_level

# A level stands at the beginning of a line; a word further on belongs to the text.
_HEAD_CHARACTERS: Final = 160
# What runtimes write before a line that nobody has parsed: containerd's time, stream and tag.
_RUNTIME: Final = r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T\S+ )?(?:std(?:out|err) [FP] )?"
_STAMP: Final = rf"^{_RUNTIME}"
_TIME: Final = rf"^{_RUNTIME}\[?[0-9]{{2,4}}[-/][0-9]{{2}}[-/][0-9]{{2,4}}[T ,]+[0-9:.,]{{8,}}(?:Z| ?[+-][0-9:]{{4,6}})?\]?"
# What follows a level of one letter: MongoDB's component, or Abseil's file.
_COMPONENT: Final = r"(?:: | +(?:[A-Z]{2,}|-) | [^\s:]+:[0-9]+\])"
_COLOUR: Final = r"(?:(?:\x1b|\\u001[bB]|\\x1[bB]|\\033|#033|\^\[)?\[[0-9;]{0,12}m)"
_BEFORE: Final = rf"(?:^|[\s\[\](){{}}<>|:,;=-]|{_COLOUR})"
_AFTER: Final = rf"(?:[\s\[\](){{}}<>|:,;!-]|{_COLOUR}|$)"

_BAD_WORDS: Final = "ERR|ERROR|SEVERE|CRIT|CRITICAL|FATAL|PANIC|ALERT|EMERG|EMERGENCY"
# As logrus, log15, zerolog and zap abbreviate them.
_BAD_SHORT: Final = "ERRO|EROR|FATA|FTL|PANI|PNC|DPANIC"
_OTHER_WORDS: Final = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING"
_OTHER_SHORT: Final = "TRC|DBG|DEBU|INF|WRN|VRB|TRCE|DBUG"
_BAD_ALL: Final = f"{_BAD_WORDS}|{_BAD_SHORT}"
_ALL: Final = f"{_BAD_ALL}|{_OTHER_WORDS}|{_OTHER_SHORT}"

_NAME: Final = (
    r"""[@_]?(?i:(?:log|syslog)?[._]?(?:level|severity|priority)(?:[._]?(?:name|no|str|value|text|number|code|label|level))?|lvl|sev|l)"""
)
_QUOTE: Final = r"""\\?"?"""
# Which loguru puts before a level's name.
_ICON: Final = r"""(?:\\?"icon\\?"\s*:\s*\\?"[^"]{0,16}\\?"\s*,\s*)?"""
_FIELD: Final = rf"""[{{,]\s*\\?"{_NAME}\\?"\s*:\s*(?:\{{\s*{_ICON}\\?"(?:name|value|text)\\?"\s*:\s*)?{_QUOTE}\[?{_COLOUR}*"""
_PAIR: Final = r"""(?:^|[\s,;|\[({])(?:level|loglevel|log_level|log\.level|levelname|lvl|severity|sev|at|l)=["'\[]?"""
_NUMBERS: Final = r"(?:[0-4]|1[7-9]|2[1-4]|[456]0|[45678]00|550|1000|[45]0000)"
_BAD_PRIORITIES: Final = "|".join(str(number) for number in range(192) if number % 8 <= 3)  # noqa: PLR2004 - error and worse
_TEXT: Final = rf"""\\?"(?:log|message|msg)\\?"\s*:\s*\\?"{_COLOUR}*"""


def _word(words: str, *, group: str = "") -> tuple[str, ...]:
    """Where loggers write a level as a word. group: "?:" for patterns that need not say which word it was."""
    take = f"({group}" if group else "("
    return (
        rf"{_BEFORE}{take}{words}){_AFTER}",
        rf"[\[|<(]\s*{take}(?i:{words}))\s*[\]|>)]",
        rf"{_STAMP}{_COLOUR}*{take}(?i:{words}|FAIL)){_COLOUR}*\s?:",
        # Monolog (`app.ERROR:`), Celery (`: ERROR/Main`), Apache (`[core:error]`), zap and swift-log (`<time> error `),
        # programs of syslog (`sshd[7]: fatal: `).
        rf"[a-z]\.{take}{words}):",
        rf": {take}{words})/",
        rf"\[[a-z_0-9]*:{take}(?i:{words}))\]",
        rf"{_TIME}[ \t]+{take}(?i:{words}))[ \t:]",
        rf"\[[0-9]{{1,10}}\]:? {take}(?i:{words})): ",
    )


CANDIDATES: Final = (
    _STAMP + r"[EF](?:[0-9]{4})?[0-9]{4} [0-9]{2}:",
    _STAMP + rf"<(?:{_BAD_PRIORITIES})>",
    _STAMP + r"[EF], \[",
    _TIME + r":? [EF]" + _COMPONENT,
    _FIELD + rf"(?:(?i:{_BAD_ALL})\b|{_NUMBERS}\b)",
    r'[{,]\s*\\?"[sS]\\?"\s*:\s*\\?"(?:[EF]|(?i:ERROR|FATAL))\b',
    r'"[sS]everity_?[nN]umber\\?"\s*:\s*"?20\b',
    _PAIR + rf"{_COLOUR}*(?i:{_BAD_ALL})\b",
    _TEXT + rf"(?:{_BAD_ALL}){_AFTER}",
    *_word(_BAD_ALL, group="?:"),
)
"""Patterns one of which every line matches whose level is ERROR or FATAL; others do too, so ask `line_level` about those."""

# In this order: what is written for machines is surer than a word.
_PATTERNS: Final = tuple(
    re2.compile(pattern)
    for pattern in (
        _STAMP + r"([IWEF])(?:[0-9]{4})?[0-9]{4} [0-9]{2}:",
        _STAMP + r"([DIWEF]), \[",
        _TIME + r":? ([DIWEF])" + _COMPONENT,
        _FIELD + r"([A-Za-z]+|[1-6]0)\b",
        r'[{,]\s*\\?"[sS]\\?"\s*:\s*\\?"([FEWID])[0-9]?\b',
        _PAIR + rf"{_COLOUR}*([A-Za-z]+)\b",
    )
)
_WORD: Final = re2.compile("|".join(_word(_ALL)))
_PRIORITY: Final = re2.compile(_STAMP + r"<([0-9]{1,3})>")
_HIGHEST_PRIORITY: Final = 191
_START: Final = re2.compile(_STAMP)
# Python's own, which replaces many at once much faster; no part of it can be tried twice.
_COLOURS: Final = re.compile(rf"{_COLOUR}|\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b]*+(?:\x07|\x1b\\)?|[ -/]*+[0-~])")
_ESCAPE: Final = "\x1b"
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any]).decode
# Fields of a structured line that may be a line of another logger.
_INNER: Final = ("log", "message", "msg")


def without_colours(line: str) -> str:
    """The line as a terminal would show it, less colours and cursor movements."""
    return _COLOURS.sub("", line) if _ESCAPE in line else line


def line_level(line: str, *, within: int = 1) -> Level:
    """The level that a line gives itself; NO_LEVEL where it gives none.

    klog's letter, syslog's priority, a field of a JSON or logfmt line, or the first word for a level in its head.
    within: how many lines deep a line may lie in others, as Docker's JSON has the application's.
    """
    line = _COLOURS.sub("", line)
    start = _START.search(line)
    text = line[start.end() :] if start else line
    if text.startswith("{"):
        level = _of_object(text, within)
        if level is not None:
            return level
    priority = _PRIORITY.search(line)
    if priority and int(priority.group(1)) <= _HIGHEST_PRIORITY:
        return syslog_level(int(priority.group(1)))
    for pattern in _PATTERNS:
        found = pattern.search(line)
        if found and (pattern is not _PATTERNS[-1] or found.group(1).lower() in SEVERITY):
            return Level(found.group(1), severity_of(found.group(1)))
    return _of_word(line)


def _of_object(text: str, within: int) -> Level | None:
    """The level of a line that is a JSON object, or of another logger's line in it; None where it is no object."""
    try:
        fields = _OBJECT(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    level = level_in(fields)
    if level != NO_LEVEL:
        return level
    inner = next((fields[name] for name in _INNER if isinstance(fields.get(name), str)), "")
    return line_level(inner, within=within - 1) if inner and within else NO_LEVEL


def _of_word(line: str) -> Level:
    found = _WORD.search(line[:_HEAD_CHARACTERS])
    if not found:
        return NO_LEVEL
    word = next(group for group in found.groups() if group)
    return Level(word, severity_of(word))
