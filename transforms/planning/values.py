"""What every interpretation holds values to: limits of identities and strings, and the hash of contents."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

from transforms.model.limits import IDENTITY_BYTES, STRING_BYTES
from transforms.records.rejects import Fault, Reason

CANONICAL: Final = msgspec.json.Encoder(order="sorted")
_DIGEST_BYTES: Final = 16
LEFT_OUT: Final = "left_out"


def identity(what: str, text: str) -> str:
    size = len(text.encode())
    if size > IDENTITY_BYTES:
        raise Fault(Reason.LIMIT_EXCEEDED, f"{what} has {size} bytes, at most {IDENTITY_BYTES} are taken")
    return text


def checked(props: dict[str, Any]) -> dict[str, Any]:
    """The properties less those with a text beyond the limit, in lists too; `left_out` names these, sorted.

    What is too large costs its property and not the object; identities have a limit of their own, which rejects.
    """
    for value in props.values():
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str) and len(text) * 4 > STRING_BYTES and len(text.encode()) > STRING_BYTES:
                return _without_large(props)
    return props


def _without_large(props: dict[str, Any]) -> dict[str, Any]:
    large = sorted(name for name, value in props.items() if any(map(_is_large, value if isinstance(value, list) else (value,))))
    return {name: value for name, value in props.items() if name not in large} | {LEFT_OUT: large}


def _is_large(value: Any) -> bool:
    return isinstance(value, str) and len(value.encode()) > STRING_BYTES


def pairs_of(mapping: Mapping[str, str] | None) -> list[str] | None:
    """A map as sorted `key=value` texts: the graph stores no maps, and a list can be searched with IN."""
    return sorted(f"{key}={value}" for key, value in mapping.items()) if mapping else None


def digest_of(props: dict[str, Any]) -> bytes:
    """A hash of the properties, equal exactly for equal contents."""
    return blake2b(CANONICAL.encode(props), digest_size=_DIGEST_BYTES).digest()
