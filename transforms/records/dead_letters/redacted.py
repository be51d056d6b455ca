"""What of a record may leave Kafka: a dead letter's value, key and headers, and what a stream's state holds. Pure.

Never a secret: what a Secret holds, what nothing could look into and what holds more suspicious texts than are looked at is withheld whole.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
import re2

from transforms.model.limits import KEY_BYTES, RECORD_BYTES
from transforms.records.record import Headers, KafkaRecord, Original
from transforms.records.redaction.secret_names import is_secret_name
from transforms.records.redaction.text import REDACTED, redact_text, redact_tokens
from transforms.records.redaction.tree import RepeatedName, TooSuspicious, is_suspicious, once_named, redact_tree
from transforms.records.wrappers.unwrap import MAGIC

_STATE_PREFIX: Final = "state."
_CLOSED_KIND: Final = "secret"
_ENCODED: Final = "data_base64"
# No record that is taken in nests so deep; whoever walks it would run out of stack.
_DEEPEST: Final = 200


def _latin1() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return options


_SECRET_KEY: Final = re2.compile(rb"(?i)(?:^|::|\|)secret(?::|$)", _latin1())
_SECRET_BODY: Final = re2.compile(rb'(?i)"kind"\s*:\s*"secret', _latin1())
# A letter of a name or of a secret may be written as an escape, which no pattern over the bytes sees through.
_ESCAPED: Final = re2.compile(rb"\\u00[0-7]", _latin1())
# Of no text: other encodings, compressed and binary values hide what they hold.
_CONTROL: Final = re2.compile(rb"[\x00-\x08\x0e-\x1f]", _latin1())


class Kept(NamedTuple):
    """What of a value may leave Kafka; None where it is withheld, and where there is none."""

    value: bytes | None
    withheld: bool = False
    redacted: bool = False


_WITHHELD: Final = Kept(None, withheld=True)


class _Closed(Exception):
    """A value that is or holds a Secret, or nests too deep: nothing of it may be kept."""


def kept_value(record: KafkaRecord, *, parsed: bool = True) -> Kept:
    """The record's value as it may be kept. parsed: it was read as JSON by whoever rejected it; else it may be anything."""
    value = record.value
    if value is None:
        return Kept(None)
    if _SECRET_KEY.search(record.key or b"") or value[:1] == bytes([MAGIC]) or _SECRET_BODY.search(value):
        return _WITHHELD
    if value and _STATE_PREFIX in record.topic and not (parsed and _is_json(value)):
        # Validation stops at the first wrong field: that a value can be parsed is only sure once all of it is.
        return _WITHHELD
    if not is_suspicious(value):
        return Kept(value) if is_text(value) else _WITHHELD
    # Larger ones are rejected for that, and not worth the time that it takes to look for what may stay of them.
    return _redacted(value) if len(value) <= RECORD_BYTES else _WITHHELD


def _redacted(value: bytes) -> Kept:
    try:
        body = json.loads(value, object_pairs_hook=once_named)
        _require_open(body, 0)
        redacted = redact_tree(body)
        return Kept(value) if redacted == body else Kept(msgspec.json.encode(redacted), redacted=True)
    except (_Closed, RepeatedName, TooSuspicious, RecursionError):
        return _WITHHELD
    except ValueError:
        # Lone surrogates come here too: JSON that cannot be written again.
        return _redacted_bytes(value)


def _require_open(body: Any, depth: int) -> None:
    """Return where no Secret is in it, nor anything in base64 that would hide one; _Closed otherwise."""
    if depth > _DEEPEST:
        raise _Closed
    if isinstance(body, dict):
        kind = body.get("kind")
        if _ENCODED in body or (isinstance(kind, str) and kind.lower().startswith(_CLOSED_KIND)):
            raise _Closed
    if isinstance(body, dict | list):
        for one in body.values() if isinstance(body, dict) else body:
            _require_open(one, depth + 1)


def _redacted_bytes(value: bytes) -> Kept:
    """What is no JSON, as text; withheld where it is none either, or where escapes or base64 hide what it says."""
    if not is_text(value) or _ESCAPED.search(value) or _ENCODED.encode() in value:
        return _WITHHELD
    text = value.decode()
    redacted = redact_text(text)
    return Kept(value) if redacted == text else Kept(redacted.encode(), redacted=True)


def is_text(value: bytes) -> bool:
    """Whether it is text in UTF-8, so that patterns see what it says."""
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(value)


def _is_json(value: bytes) -> bool:
    try:
        msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


# Keys come again as objects do.
@lru_cache(maxsize=32 * 1024)
def _kept_key(key: bytes) -> bytes:
    return _through(redact_tokens, key)


def kept_key(key: bytes | None) -> bytes | None:
    """A key without tokens and logins in it, the very same object where it has none; any other word stays, since it names the object."""
    if not key:
        return key
    kept = _kept_key(key) if len(key) <= KEY_BYTES else _through(redact_tokens, key)
    return key if kept == key else kept


def kept_headers(headers: Headers, *, strict: bool = False) -> Headers:
    """The headers without secrets: those that are called after one, and what looks like one in others. strict: what must be one."""
    redact = redact_tokens if strict else redact_text
    return tuple((redact_tokens(name), _header(name, value, redact)) for name, value in headers)


def _header(name: str, value: bytes | None, redact: Callable[[str], str]) -> bytes | None:
    if not value:
        return value
    return REDACTED.encode() if is_secret_name(name) else _through(redact, value)


def _through(redact: Callable[[str], str], value: bytes) -> bytes:
    """The bytes as redaction of their text leaves them; where nothing is taken out, the same bytes, whatever they are."""
    text = value.decode(errors="replace")
    redacted = redact(text)
    return value if redacted == text else redacted.encode()


def sealed(record: KafkaRecord) -> KafkaRecord:
    """The record as a stream's state may hold it, checkpoint after checkpoint: without its value where that may hold a secret.

    Such a record keeps its value's size and SHA-256, which is all that its dead letter would tell of a withheld value.
    """
    value = record.value
    is_open = not value or (value[0] != MAGIC and not is_suspicious(value))
    key, headers = kept_key(record.key), kept_headers(record.headers)
    if is_open and key == record.key and headers == record.headers:
        return record
    original = record.original or Original.of(value, withheld=not is_open, redacted=True)
    return msgspec.structs.replace(record, key=key, value=value if is_open else None, headers=headers, original=original)
