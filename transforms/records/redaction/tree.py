"""Redaction of parsed JSON: texts as `redact_text` has them, and values by the names that they have.

Out go the data of Secrets and ConfigMaps, what fields, variables and flags hold that are called after secrets, and the last-applied
annotation, which repeats all of that. The names of keys stay: the graph holds them. Time is linear in the value.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any, Final

import msgspec
import re2

from transforms.records.redaction.rules import is_harmless, is_short_password
from transforms.records.redaction.secret_names import SIGNS, is_password_name, is_secret_name
from transforms.records.redaction.text import FREE_SIGNS, LAST_APPLIED, REDACTED, redact_text, redact_tokens

_DATA_FIELDS: Final = frozenset({"data", "stringData", "binaryData"})
_CLOSED_KINDS: Final = frozenset({"secret", "secretlist", "configmap", "configmaplist"})
_CLOUD_EVENT: Final = "specversion"
_ENCODED: Final = "data_base64"
# Pairs, as environment variables, headers and OpenTelemetry's attributes are.
_PAIR_NAMES: Final = ("name", "key")
_PAIR_VALUE: Final = "value"
# Of one value so many texts are looked at that may hold a secret: real objects have a few dozen, a response of Prometheus's some hundreds.
MOST_SUSPICIOUS: Final = 5000
# Whatever any rule may act on, and every way to write it as an escape; one pass over the bytes, for each value.
_SIGNS: Final = "|".join(
    (
        *(f"(?:{sign})" for sign in FREE_SIGNS),
        SIGNS,
        r'(?i:"kind"\s*:\s*"(?:secret|configmap))',
        "last-applied-configuration",
        "data_base64",
        r"\\u00[0-7]",
        r"\\/",
    )
)


class TooSuspicious(Exception):
    """A value with more texts that may hold secrets than are looked at, or nested deeper: it is to be withheld."""


def _automaton() -> "re2.Set":
    """As a set of one: that is asked with half the overhead of a search."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = 64 * 1024 * 1024
    found = re2.Set.SearchSet(options)
    found.Add(_SIGNS)
    found.Compile()
    # An automaton without the memory for its first states matches nothing, and says so nowhere.
    assert found.Match(b'{"password": 1}')
    return found


_SUSPICIOUS: Final = _automaton()


def is_suspicious(text: bytes) -> bool:
    """Whether JSON text may hold anything that is to be taken out; False is certain."""
    return bool(_SUSPICIOUS.Match(text))


def has_repeated_names(text: bytes, parsed: Any) -> bool:
    """Whether an object of the JSON text has a name twice, of which parsing keeps the last. parsed: the same, parsed."""
    if msgspec.json.encode(parsed) == text:
        return False
    try:
        json.loads(text, object_pairs_hook=once_named)
    except RepeatedName:
        return True
    return False


class RepeatedName(Exception):
    """An object of JSON that has a name twice."""


def once_named(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs, for `json.loads`; RepeatedName where only the last of some would be left."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RepeatedName
    return found


def redact_leaf(text: str, kept: frozenset[str] = frozenset()) -> str:
    """A text without what looks secret in it. kept: what the graph holds and so is left, as far as it holds it."""
    full = redact_text(text)
    if full == text or not kept:
        return full
    # Within an identity or another text is held just as well.
    return next((one for one in (full, redact_tokens(text), text) if any(one in held for held in kept)), full)


def redact_tree(body: Any, kept: frozenset[str] = frozenset(), *, in_secret: bool = False) -> Any:
    """A parsed value without its secrets; TooSuspicious where it holds too many. in_secret: it is a Secret, or within one."""
    return _Tree(kept).redacted(body, in_secret=in_secret)


class _Tree:
    """One value's redaction, with what is left of its budget."""

    def __init__(self, kept: frozenset[str]) -> None:
        self._kept = kept
        self._left = MOST_SUSPICIOUS

    def redacted(self, body: Any, *, in_secret: bool = False) -> Any:
        if isinstance(body, str):
            return self._leaf(body)
        if isinstance(body, list):
            return self._list(body, in_secret=in_secret)
        return self._object(body, in_secret=in_secret) if isinstance(body, dict) else body

    def _leaf(self, text: str) -> str:
        if len(text) < _SHORTEST or not FREE_SIGNS.match(text):
            return text
        self._left -= 1
        if self._left < 0:
            raise TooSuspicious
        return redact_leaf(text, self._kept)

    def _object(self, body: dict[str, Any], *, in_secret: bool) -> dict[str, Any]:
        is_event = _CLOUD_EVENT in body
        body = _opened(body) if is_event and _ENCODED in body else body
        kind = body.get("kind")
        is_secret = in_secret or (isinstance(kind, str) and kind.lower() in _CLOSED_KINDS)
        is_pair = _PAIR_VALUE in body and any(isinstance(name := body.get(one), str) and is_secret_name(name) for one in _PAIR_NAMES)
        found = {}
        for field, value in body.items():
            if field in (LAST_APPLIED, _ENCODED):
                found[field] = REDACTED
            elif is_secret and field in _DATA_FIELDS and not is_event:
                found[field] = self._data(value)
            elif (is_pair and field == _PAIR_VALUE) or is_secret_name(field):
                found[self._leaf(field)] = self._secret(field, value, in_secret=is_secret)
            else:
                found[self._leaf(field)] = self.redacted(value, in_secret=is_secret)
        return found

    def _data(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._leaf(name): None if one is None else REDACTED for name, one in value.items()}
        return None if value is None else REDACTED

    def _secret(self, name: str, value: Any, *, in_secret: bool) -> Any:
        """The value of a field that is called after a secret. What it holds under names of its own is told by those."""
        if isinstance(value, str):
            return value if is_harmless(value) or value in self._kept else REDACTED
        if isinstance(value, list):
            return [self._secret(name, one, in_secret=in_secret) for one in value]
        if isinstance(value, dict):
            return {
                self._leaf(field): self._secret(field, one, in_secret=in_secret)
                if field == _PAIR_VALUE or field.endswith("Value") or is_secret_name(field)
                else self.redacted(one, in_secret=in_secret)
                for field, one in value.items()
            }
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return REDACTED if is_number and is_password_name(name) else value

    def _list(self, body: list[Any], *, in_secret: bool) -> list[Any]:
        """A list of arguments says in one what the next is."""
        found, before = [], ""
        for one in body:
            if isinstance(one, str):
                is_value = before.startswith("-") and not one.startswith("-") and one not in self._kept
                found.append(_argument(before, one) if is_value else self._leaf(one))
                if is_value and found[-1] == one:
                    found[-1] = self._leaf(one)
                before = one
            else:
                found.append(self.redacted(one, in_secret=in_secret))
                before = ""
        return found


# Less than any rule's shortest find.
_SHORTEST: Final = 5
_LOGIN_FLAGS: Final = frozenset({"-u", "-U", "--user", "--proxy-user", "--userpwd", "--basic-auth", "--cred", "--creds"})
_PASSWORD_FLAGS: Final = frozenset({"-p", "-P", "-a", "-w"})


def _argument(flag: str, value: str) -> str:
    """The value of a flag, without what is secret in it."""
    if is_harmless(value) or value.startswith(("/", "./")):
        return value
    if flag in _LOGIN_FLAGS:
        user, colon, password = value.partition(":")
        is_login = bool(colon and password) and not (user.isdecimal() and password.isdecimal())
        return f"{user}:{REDACTED}" if is_login and "/" not in user else value
    is_secret = is_secret_name(flag.lstrip("-")) or (flag in _PASSWORD_FLAGS and is_short_password(value))
    return REDACTED if is_secret and "=" not in flag else value


def _opened(event: dict[str, Any]) -> dict[str, Any]:
    """A CloudEvent with its data as JSON in the place of base64; as it is where the data is no JSON."""
    try:
        data = msgspec.json.decode(base64.b64decode(event[_ENCODED], validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return event
    return {field: one for field, one in event.items() if field != _ENCODED} | {"data": data}


def redact_pairs(pairs: Iterable[str]) -> list[str]:
    """Texts of the form `name=value`, as labels and annotations are kept, without the values that are secrets."""
    return [_pair(one) for one in pairs]


def _pair(pair: str) -> str:
    name, sign, value = pair.partition("=")
    return f"{redact_tokens(name)}={redact_label(name, value)}" if sign else redact_text(pair)


def redact_label(name: str, value: str) -> str:
    """The value of a label or annotation, redacted as a whole where its name says that it is a secret."""
    return REDACTED if is_secret_name(name) and not is_harmless(value) else redact_text(value)
