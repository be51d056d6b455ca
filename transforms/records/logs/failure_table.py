"""The families of failures compiled into one automaton, and those of a settings file checked.

All patterns are tried in one pass over a line, whose time is linear in the line whatever the patterns are.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple

import re2

from transforms.records.logs.failures import FAMILIES, Families
from transforms.records.logs.line_level import CANDIDATES

MOST_FAMILIES: Final = 64
MOST_PATTERNS: Final = 512
PATTERN_CHARACTERS: Final = 512
# What one line is looked at for: the beginning of a longer one tells of it.
MATCHED_CHARACTERS: Final = 8 * 1024
_MEMORY_BYTES: Final = 64 * 1024 * 1024
_TOO_LARGE: Final = "its patterns are too large together; leave some out, or write smaller repetitions"
_REASON: Final = re2.compile(r"LOG_[A-Z][A-Z0-9_]{0,59}")


class BadPattern(ValueError):
    """Families that cannot be used; the message says which and why, in one sentence."""


class Hits(NamedTuple):
    """What a line matched. family: the reason of the first family, "" for none. level: it may be a line of level ERROR or FATAL."""

    family: str
    level: bool


NO_HITS: Final = Hits("", level=False)


class FailureTable:
    """The families compiled into one automaton; raises BadPattern for such as cannot be."""

    def __init__(self, families: Families) -> None:
        self._reasons: list[str] = []
        self._set = re2.Set.SearchSet(_options())
        for pattern in CANDIDATES:
            self._set.Add(pattern)
        for reason, patterns in families:
            for pattern in patterns:
                self._set.Add(f"(?i:{pattern})")
                self._reasons.append(reason)
        try:
            self._set.Compile()
        except re2.error:
            raise BadPattern(_TOO_LARGE) from None
        # An automaton without the memory for its first states matches nothing, and says so nowhere.
        if self.hits("ERROR") is NO_HITS:
            raise BadPattern(_TOO_LARGE)

    def hits(self, line: str) -> Hits:
        """What the line matches within its first `MATCHED_CHARACTERS`; linear in them."""
        found = self._set.Match(line if len(line) <= MATCHED_CHARACTERS else line[:MATCHED_CHARACTERS])
        if not found:
            return NO_HITS
        families = [number for number in found if number >= len(CANDIDATES)]
        return Hits(self._reasons[min(families) - len(CANDIDATES)] if families else "", level=len(families) < len(found))


@lru_cache(maxsize=4)
def failure_table(own: Families = ()) -> FailureTable:
    """The table of the families given, before the declared ones."""
    return FailureTable(own + FAMILIES)


def parse_families(found: Any) -> Families:
    """The families of a settings file, `{families: {reason: [pattern, ...]}}`; BadPattern names what is wrong with it."""
    families = found.get("families") if isinstance(found, dict) else None
    if not isinstance(families, dict) or set(found) != {"families"}:
        raise BadPattern("it must hold the table `families` and nothing else: reasons with their lists of patterns")
    if len(families) > MOST_FAMILIES:
        raise BadPattern(f"it declares {len(families)} families, at most {MOST_FAMILIES} are taken")
    read = tuple((reason, _patterns(reason, patterns)) for reason, patterns in families.items())
    number = sum(len(patterns) for _, patterns in read)
    if number > MOST_PATTERNS:
        raise BadPattern(f"it declares {number} patterns, at most {MOST_PATTERNS} are taken")
    failure_table(read)
    return read


def _patterns(reason: str, patterns: Any) -> tuple[str, ...]:
    if not _REASON.fullmatch(reason):
        raise BadPattern(f"the reason {reason[:80]!r} must be LOG_ and then capital letters, digits and underscores, at most 64 in all")
    if not isinstance(patterns, list) or not patterns or not all(isinstance(one, str) for one in patterns):
        raise BadPattern(f"{reason} must be a list of patterns, each a string")
    for pattern in patterns:
        _check(reason, pattern)
    return tuple(patterns)


def _check(reason: str, pattern: str) -> None:
    if len(pattern) > PATTERN_CHARACTERS:
        raise BadPattern(f"a pattern of {reason} has {len(pattern)} characters, at most {PATTERN_CHARACTERS} are taken")
    try:
        compiled = re2.compile(f"(?i:{pattern})", _options())
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise BadPattern(f"{pattern!r} of {reason} is no RE2 pattern: {said}") from None
    if compiled.search(""):
        raise BadPattern(f"{pattern!r} of {reason} matches an empty line, so every line; say what must be there")


def _options() -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.never_capture = False
    options.log_errors = False
    return options
