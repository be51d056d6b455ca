"""How bad a thing is, by its own word or number: severities of a closed set."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

# The contract keeps the severity as it came and adds one of a closed set to query by.
SEVERITY: Final = {
    **dict.fromkeys(("trace", "trce", "trc", "verbose", "vrb", "fine", "finer", "finest", "debug", "dbug", "dbg", "d"), "DEBUG"),
    **dict.fromkeys(("info", "inf", "information", "informational", "normal", "notice", "i"), "INFO"),
    **dict.fromkeys(("warn", "warning", "wrn", "w"), "WARNING"),
    **dict.fromkeys(("error", "err", "erro", "eror", "fail", "severe", "e"), "ERROR"),
    **dict.fromkeys(("crit", "critical", "fatal", "fata", "ftl", "alert", "emerg", "emergency", "f"), "FATAL"),
    **dict.fromkeys(("panic", "dpanic", "pani", "pnc"), "FATAL"),
}
UNKNOWN_SEVERITY: Final = "UNKNOWN"
BAD: Final = frozenset({"ERROR", "FATAL"})

# Levels of bunyan and pino.
_NUMBERS: Final = {10: "DEBUG", 20: "DEBUG", 30: "INFO", 40: "WARNING", 50: "ERROR", 60: "FATAL"}
_SYSLOG: Final = dict(enumerate(("FATAL", "FATAL", "FATAL", "ERROR", "WARNING", "INFO", "INFO", "DEBUG")))
_MONOLOG: Final = {100: "DEBUG", 200: "INFO", 250: "INFO", 300: "WARNING", 400: "ERROR", 500: "FATAL", 550: "FATAL", 600: "FATAL"}
_GOOGLE: Final = {100: "DEBUG", 200: "INFO", 300: "INFO", 400: "WARNING", 500: "ERROR", 600: "FATAL", 700: "FATAL", 800: "FATAL"}
_PYTHON: Final = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "FATAL"}
_JAVA: Final = {5000: "DEBUG", 10_000: "DEBUG", 20_000: "INFO", 30_000: "WARNING", 40_000: "ERROR", 50_000: "FATAL"}
_JUL: Final = {300: "DEBUG", 400: "DEBUG", 500: "DEBUG", 700: "INFO", 800: "INFO", 900: "WARNING", 1000: "ERROR"}
_OTEL: Final = {
    **dict.fromkeys(range(1, 9), "DEBUG"),
    **dict.fromkeys(range(9, 13), "INFO"),
    **dict.fromkeys(range(13, 17), "WARNING"),
    **dict.fromkeys(range(17, 21), "ERROR"),
    **dict.fromkeys(range(21, 25), "FATAL"),
}
_AZURE: Final = {0: "DEBUG", 1: "INFO", 2: "WARNING", 3: "ERROR", 4: "FATAL"}

# What a number means depends on the field that holds it: by the field's name in lower case without its punctuation.
_SCALES: Final[dict[str, Mapping[int, str]]] = {
    "level": _MONOLOG | _NUMBERS | {1000: "ERROR", 900: "WARNING", 800: "INFO"},
    "severity": _OTEL | _GOOGLE | _NUMBERS | _SYSLOG,
    "levelno": _PYTHON,
    "levelvalue": _JAVA | _JUL,
    "severitynumber": _OTEL,
    "severitylevel": _AZURE,
    "priority": _SYSLOG,
    "syslogseverity": _SYSLOG,
    "syslogseveritycode": _SYSLOG,
    "syslogpriority": _SYSLOG,
}
# In this order: what is written for people to read is surer than a letter, and a word surer than a number.
_NAMES: Final = (
    *("severity", "level", "lvl", "loglevel", "levelname", "levelstr", "severitytext", "severitylevel", "severitylabel", "sev", "l", "s"),
    *("levelno", "levelvalue", "severitynumber", "syslogseverity", "syslogseveritycode", "syslogpriority", "priority"),
)
_RANK: Final = {name: at for at, name in enumerate(_NAMES)}
# Names that are words of everyday use: only journald's spelling of them is a level.
_CAPITALS_ONLY: Final = frozenset({"priority"})
# Levels that are objects themselves, and objects that hold one: Elastic's, loguru's.
_NESTED: Final = {"level": ("name", "value"), "severity": ("text", "name")}
_HOLDERS: Final = ("log", "record")
# Marks of GELF and syslog: without one, a small number may be a verbosity, which counts the other way round.
_SYSLOG_MARKS: Final = frozenset({"short_message", "full_message", "facility", "syslog_identifier", "appname", "ident"})
_VERBOSITY_MARK: Final = "msg"
_PUNCTUATION: Final = str.maketrans("", "", "@_.- ")
_COLOURS: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_LONGEST_WORD: Final = 64
_LONGEST_NUMBER: Final = 5


class Level(NamedTuple):
    """A level as it is written, and the severity that it means; "" and UNKNOWN for none."""

    raw: str = ""
    severity: str = UNKNOWN_SEVERITY

    @property
    def is_bad(self) -> bool:
        return self.severity in BAD


NO_LEVEL: Final = Level()


def severity_of(raw: object) -> str:
    """The severity of the closed set that a level means, a word or one of bunyan's numbers; UNKNOWN for any other."""
    if isinstance(raw, str):
        known = SEVERITY.get(raw) or _of_word(raw)
        if known is not None:
            return known
        raw = _number(raw)
    return _NUMBERS.get(raw, UNKNOWN_SEVERITY) if isinstance(raw, int) else UNKNOWN_SEVERITY


def level_in(fields: Mapping[str, Any]) -> Level:
    """The level that a structured line gives itself in one of the fields that loggers have for it.

    A word goes before a number, since only the field's name and those beside it tell what a number means.
    """
    found = sorted((_RANK[key], name) for name in fields if (key := _key(name)) in _RANK)
    numbers: list[tuple[str, object]] = []
    for _, name in found:
        said = _unnested(name, fields[name])
        severity = _of_word(said) if isinstance(said, str) and not _is_stray(name, said) else None
        if severity is not None:
            return Level(_shown(said), severity)
        numbers.append((name, said))
    for name, said in numbers:
        severity = _of_number(name, said, fields)
        if severity is not None:
            return Level(_shown(said), severity)
    return next((level for name in _HOLDERS if (level := _nested(fields.get(name))) != NO_LEVEL), NO_LEVEL)


def is_level_name(name: str) -> bool:
    """Whether a field of that name may hold a level, or an object with one."""
    return _key(name) in _RANK or name in _HOLDERS


def syslog_level(number: int) -> Level:
    """The level of a syslog priority, which holds the facility too."""
    return Level(str(number), _SYSLOG[number % 8])


def _nested(held: object) -> Level:
    return level_in({"level": held["level"]}) if isinstance(held, dict) and "level" in held else NO_LEVEL


def _unnested(name: str, said: object) -> object:
    if not isinstance(said, dict):
        return said
    return next((said[inner] for inner in _NESTED.get(_key(name), ()) if isinstance(said.get(inner), str | int)), None)


def _is_stray(name: str, said: str) -> bool:
    """Whether a field called by one letter holds a small one, which is no level."""
    return len(name) == 1 and len(said) == 1 and not said.isupper()


def _key(name: str) -> str:
    key = name.lower().translate(_PUNCTUATION)
    return "" if key in _CAPITALS_ONLY and not name.isupper() else key


def _of_word(raw: str) -> str | None:
    """The severity of a word, colours, blanks and slog's offsets (`ERROR+2`) aside; None for any other."""
    if len(raw) > _LONGEST_WORD:
        return None
    word = _COLOURS.sub("", raw).strip(" \t[]<>:").lower()
    return SEVERITY.get(word) or SEVERITY.get(word.partition("+")[0].partition("-")[0])


def _of_number(name: str, said: object, fields: Mapping[str, Any]) -> str | None:
    number = _number(said) if isinstance(said, str) else said
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    key = _key(name)
    known = _SCALES.get(key, _NUMBERS).get(number)
    if known is None and key == "level" and (not _SYSLOG_MARKS.isdisjoint(fields) or _VERBOSITY_MARK not in fields):
        return _SYSLOG.get(number)
    return known


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None


def _shown(said: object) -> str:
    return str(said)[:_LONGEST_WORD]
