"""What every interpretation holds values to: limits of identities and strings, and the hash of contents."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

from transforms.model.limits import IDENTITY_BYTES, ITEMS, STRING_BYTES
from transforms.records.rejects import Fault, Reason

CANONICAL: Final = msgspec.json.Encoder(order="sorted")
_DIGEST_BYTES: Final = 16


def identity(what: str, text: str) -> str:
    size = len(text.encode())
    if size > IDENTITY_BYTES:
        raise Fault(Reason.LIMIT_EXCEEDED, f"{what} has {size} bytes, at most {IDENTITY_BYTES} are taken")
    return text


def checked(props: dict[str, Any]) -> dict[str, Any]:
    """The properties, all strings within the limit, those in lists too, and no list longer than a record's items."""
    for name, value in props.items():
        if isinstance(value, list) and len(value) > ITEMS:
            said = f"`{name}` has {len(value)} entries, at most {ITEMS} are taken; split it at the producer"
            raise Fault(Reason.LIMIT_EXCEEDED, said)
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str) and len(text) * 4 > STRING_BYTES and len(text.encode()) > STRING_BYTES:
                raise Fault(Reason.LIMIT_EXCEEDED, f"`{name}` has {len(text.encode())} bytes, at most {STRING_BYTES} are taken")
    return props


def pairs_of(mapping: Mapping[str, str] | None) -> list[str] | None:
    """A map as sorted `key=value` texts: the graph stores no maps, and a list can be searched with IN."""
    return sorted(f"{key}={value}" for key, value in mapping.items()) if mapping else None


def digest_of(props: dict[str, Any]) -> bytes:
    """A hash of the properties, equal exactly for equal contents."""
    return blake2b(CANONICAL.encode(props), digest_size=_DIGEST_BYTES).digest()
