"""What every interpretation holds values to: no secrets, limits of identities and strings, and the hash of contents."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from math import isfinite
from typing import Any, Final

import msgspec

from transforms.model.limits import IDENTITY_BYTES, INTEGER_MAX, INTEGER_MIN, ITEMS, STRING_BYTES
from transforms.records.redaction.text import redact_text, redact_tokens
from transforms.records.redaction.tree import MOST_SUSPICIOUS, TooSuspicious, is_suspicious, redact_pairs, redact_tree
from transforms.records.rejects import Fault, Reason

CANONICAL: Final = msgspec.json.Encoder(order="sorted")
_DIGEST_BYTES: Final = 16
LEFT_OUT: Final = "left_out"


# Properties that hold names, which say what something is called and may hold any word; all others are free text.
_NAMES: Final = frozenset(
    (
        *("kind", "ns", "name", "uid", "api_version", "owners", "node", "pod_ip", "image", "service_ips", "implies", "subject", "keys"),
        *("job", "instance", "container", "group", "alert", "claim", "volume", "target", "hosts", "service_account", "expr"),
    )
)
_PAIRS: Final = frozenset({"labels", "annotations", "selector"})
# Redacted as the tree that it is, before it became text.
_STATUS: Final = "status"
# JSON made of a spec: redacted as a tree, so that it stays JSON.
_FACTS: Final = "facts"


def identity(what: str, text: str) -> str:
    """The text as the identity of something: without a token or login in it, and not too long. Fault where it is."""
    size = len(text.encode())
    if size > IDENTITY_BYTES:
        raise Fault(Reason.LIMIT_EXCEEDED, f"{what} has {size} bytes, at most {IDENTITY_BYTES} are taken")
    return _named(text)


# Objects are named again and again.
_named: Final = lru_cache(maxsize=32 * 1024)(redact_tokens)


def sealed(props: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The properties as the graph may hold them, and the hash of these: without secrets or what is too large.

    Every property of every mutation passes here. Redaction comes before hashing; one look tells of most that there is none to be done.
    """
    encoded = CANONICAL.encode(props)
    if is_suspicious(encoded):
        props = {name: _redacted(name, value) for name, value in props.items()}
        encoded = CANONICAL.encode(props)
    kept = checked(props)
    return kept, _hash_of(encoded if kept is props else CANONICAL.encode(kept))


def _redacted(name: str, value: Any) -> Any:
    if name == _STATUS:
        return value
    if name == _FACTS:
        return status_text(msgspec.json.decode(value))
    redact = redact_tokens if name in _NAMES else redact_text
    if isinstance(value, list):
        return sorted(redact_pairs(value)) if name in _PAIRS else [redact(one) if isinstance(one, str) else one for one in value]
    return redact(value) if isinstance(value, str) else value


def status_text(status: dict[str, Any]) -> str:
    """A status as JSON text without secrets; Fault where it holds more that looks secret than is looked at."""
    encoded = CANONICAL.encode(status)
    if is_suspicious(encoded):
        try:
            encoded = CANONICAL.encode(redact_tree(status))
        except TooSuspicious:
            said = f"`status` holds more than {MOST_SUSPICIOUS} texts that may be secrets; leave them out at the producer"
            raise Fault(Reason.LIMIT_EXCEEDED, said) from None
    return encoded.decode()


def checked(props: dict[str, Any]) -> dict[str, Any]:
    """The properties less those with a text beyond the limit, in lists too; `left_out` names these, sorted.

    What is too large costs its property and not the object; identities have a limit of their own, which rejects. Fault for a number that
    the graph cannot hold, and for a list with more entries than a record's items.
    """
    has_large = False
    for name, value in props.items():
        is_list = isinstance(value, list)
        if is_list and len(value) > ITEMS:
            said = f"`{name}` has {len(value)} entries, at most {ITEMS} are taken; split it at the producer"
            raise Fault(Reason.LIMIT_EXCEEDED, said)
        for one in value if is_list else (value,):
            if isinstance(one, str):
                has_large = has_large or (len(one) * 4 > STRING_BYTES and _is_large(one))
            elif isinstance(one, int | float):
                _check_number(name, one)
    return _without_large(props) if has_large else props


def _without_large(props: dict[str, Any]) -> dict[str, Any]:
    large = sorted(name for name, value in props.items() if any(map(_is_large, value if isinstance(value, list) else (value,))))
    return {name: value for name, value in props.items() if name not in large} | {LEFT_OUT: large}


def _is_large(value: Any) -> bool:
    return isinstance(value, str) and len(value.encode()) > STRING_BYTES


def _check_number(name: str, number: float) -> None:
    if isinstance(number, int):
        if not INTEGER_MIN <= number <= INTEGER_MAX:
            raise Fault(Reason.LIMIT_EXCEEDED, f"`{name}` comes to {number}, which does not fit 64 bits; mend it at the producer")
    elif not isfinite(number):
        raise Fault(Reason.LIMIT_EXCEEDED, f"`{name}` is {number}; only finite numbers are taken")


def pairs_of(mapping: Mapping[str, str] | None) -> list[str] | None:
    """A map as sorted `key=value` texts: the graph stores no maps, and a list can be searched with IN."""
    return sorted(f"{key}={value}" for key, value in mapping.items()) if mapping else None


def clean_pairs_of(mapping: Mapping[str, str] | None) -> list[str]:
    """The same without secrets, for what is hashed or named after it."""
    pairs = pairs_of(mapping) or []
    return sorted(redact_pairs(pairs)) if is_suspicious(CANONICAL.encode(pairs)) else pairs


def digest_of(props: dict[str, Any]) -> bytes:
    """A hash of the properties, equal exactly for equal contents."""
    return _hash_of(CANONICAL.encode(props))


def _hash_of(encoded: bytes) -> bytes:
    return blake2b(encoded, digest_size=_DIGEST_BYTES).digest()
