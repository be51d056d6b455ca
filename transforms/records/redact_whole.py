"""Redaction of whole values for the archive, which must give the same graph when they are read again.

It takes out all that `redact_json` does, and leaves what a graph needs: the names of a Secret's keys, what tells of a secret in a
text but is none, and the data of a CloudEvent, which base64 must not hide.
"""

import base64
import binascii
from typing import Any, Final

import msgspec
import re2

from transforms.records.redact import LAST_APPLIED, REDACTED, is_secret_name, redact_text, redact_url

# Whatever any rule here may act on, and every way to write it as an escape; one pass over the bytes, for each value.
_SIGNS: Final = (
    r"(?i:secret|passw|passphrase|pwd|token|credential|api[_-]?key|private[_-]?key|access[_-]?key|auth|bearer|basic)"
    r"|PRIVATE KEY|eyJ|A[KS]IA|gh[pousr]_|(?i:://|%3A%2F%2F)[^/?&\s@\"]*(?:@|%40)"
    r"|last-applied-configuration|data_base64|\\u00[0-7]|\\/"
)
_SECRET_FIELDS: Final = frozenset({"data", "stringData", "binaryData"})
_SECRET_KINDS: Final = frozenset({"secret", "secretlist"})
_CLOUD_EVENT: Final = "specversion"
_ENCODED: Final = "data_base64"


def _automaton() -> "re2.Set":
    """As a set of one: that is asked with half the overhead of a search."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
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


def redact_leaf(text: str, kept: frozenset[str] = frozenset()) -> str:
    """A text without what looks secret in it. kept: what the graph holds and so is left, as far as it holds it."""
    full = redact_text(redact_url(text))
    if full == text or not kept:
        return full
    # Within an identity or another text is held just as well.
    return next((one for one in (full, redact_text(text), redact_url(text), text) if any(one in held for held in kept)), full)


def redact_whole(body: Any, kept: frozenset[str] = frozenset(), *, in_secret: bool = False) -> Any:
    """A parsed value without its secrets. in_secret: it is a Secret, or within one."""
    if isinstance(body, str):
        return redact_leaf(body, kept)
    if isinstance(body, list):
        return [redact_whole(one, kept, in_secret=in_secret) for one in body]
    if not isinstance(body, dict):
        return body
    is_event = _CLOUD_EVENT in body
    body = _opened(body) if is_event and _ENCODED in body else body
    kind, name = body.get("kind"), body.get("name")
    is_secret = in_secret or (isinstance(kind, str) and kind.lower() in _SECRET_KINDS)
    is_variable = isinstance(name, str) and is_secret_name(name)

    def redacted(field: str, one: Any) -> Any:
        if field in (LAST_APPLIED, _ENCODED) or (is_variable and field == "value" and not (isinstance(one, str) and one in kept)):
            return REDACTED
        if is_secret and field in _SECRET_FIELDS and not is_event:
            return dict.fromkeys(one, REDACTED) if isinstance(one, dict) else None if one is None else REDACTED
        return redact_whole(one, kept, in_secret=is_secret)

    return {field: redacted(field, one) for field, one in body.items()}


def _opened(event: dict[str, Any]) -> dict[str, Any]:
    """A CloudEvent with its data as JSON in the place of base64; as it is where the data is no JSON."""
    try:
        data = msgspec.json.decode(base64.b64decode(event[_ENCODED], validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return event
    return {field: one for field, one in event.items() if field != _ENCODED} | {"data": data}
