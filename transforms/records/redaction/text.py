"""Redaction of texts: secrets taken out of what a person or a program wrote, so that the rest still tells what happened. Pure.

The one redactor of every sink: graph, dead letters, archive, logs, metrics, `--json` and what Flink keeps (docs/adr/019). What it takes out
it takes out in one reading: redacting again changes nothing. Every pattern is RE2's, which never backtracks, and of one text at most
`MOST_FINDS` finds are looked at, so the time is linear in the text.
"""

from collections.abc import Iterator
from typing import Final

import re2

from transforms.records.redaction.rules import FREE, STRICT, Rule
from transforms.records.redaction.secret_names import is_secret_name
from transforms.records.redaction.url import REDACTED

__all__ = ["FREE_SIGNS", "LAST_APPLIED", "REDACTED", "may_hold_secret", "redact_text", "redact_tokens", "shown"]

# Repeats the whole object, Secrets' data included.
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_MOST_PASSES: Final = 8


class _Signs:
    """All rules' signs in one automaton, which says in one pass whose it found. Asked so, RE2 takes a tenth of what a search takes."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        options = re2.Options()
        options.max_mem = 64 * 1024 * 1024
        self._rules = rules
        self._set = re2.Set.SearchSet(options)
        for rule in rules:
            self._set.Add(rule.signs)
        self._set.Compile()
        self.match: Final = self._set.Match
        # An automaton without the memory for its first states matches nothing, and says so nowhere.
        assert self.match("ghp_0123456789abcdef https://u:p@h")

    def __iter__(self) -> Iterator[str]:
        return (rule.signs for rule in self._rules)

    def applied(self, text: str) -> str:
        """The text as all rules leave it. What one wrote may be what another looks for, so they are applied until nothing changes:
        else what is redacted twice, by a producer and here, would be another text than what is redacted once."""
        for _ in range(_MOST_PASSES):
            found = self.match(text)
            if not found:
                break
            before = text
            for number in sorted(found):
                text = self._rules[number].apply(text)
            if text == before:
                break
        return text


_STRICT_SIGNS: Final = _Signs(STRICT)
FREE_SIGNS: Final = _Signs(FREE)


def redact_text(text: str) -> str:
    """Free text without what looks secret in it: tokens, credentials in URLs, headers and arguments, values called passwords and such."""
    return FREE_SIGNS.applied(text)


def redact_tokens(text: str) -> str:
    """A name or identity without what is secret whatever it is called: keys, tokens, credentials in URLs. Other words stay as they are."""
    return _STRICT_SIGNS.applied(text)


def shown(value: object, most: int = 80) -> str:
    """What a message shows of a value of a record: redacted first, then cut, then quoted."""
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
    return repr(redact_text(text)[:most])


def may_hold_secret(name: str, text: str) -> bool:
    """True where a value called `name` had something taken out of it already, or would have by any of the rules here."""
    return REDACTED in text or LAST_APPLIED in text or is_secret_name(name) or redact_text(text) != text
