"""What every interpretation holds values to: limits of identities and strings, and the hash of contents."""

from collections.abc import Mapping
from hashlib import blake2b
from math import isfinite
from typing import Any, Final

import msgspec

from transforms.model.limits import IDENTITY_BYTES, INTEGER_MAX, INTEGER_MIN, STRING_BYTES
from transforms.records.rejects import Fault, Reason

CANONICAL: Final = msgspec.json.Encoder(order="sorted")
_DIGEST_BYTES: Final = 16


def identity(what: str, text: str) -> str:
    size = len(text.encode())
    if size > IDENTITY_BYTES:
        raise Fault(Reason.LIMIT_EXCEEDED, f"{what} has {size} bytes, at most {IDENTITY_BYTES} are taken")
    return text


def checked(props: dict[str, Any]) -> dict[str, Any]:
    """The properties, all strings within the limit and all numbers such as the graph can hold, those in lists too."""
    for name, value in props.items():
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, str):
                if len(one) * 4 > STRING_BYTES and len(one.encode()) > STRING_BYTES:
                    raise Fault(Reason.LIMIT_EXCEEDED, f"`{name}` has {len(one.encode())} bytes, at most {STRING_BYTES} are taken")
            elif isinstance(one, int | float):
                _check_number(name, one)
    return props


def _check_number(name: str, number: float) -> None:
    if isinstance(number, int):
        if not INTEGER_MIN <= number <= INTEGER_MAX:
            raise Fault(Reason.LIMIT_EXCEEDED, f"`{name}` comes to {number}, which does not fit 64 bits; mend it at the producer")
    elif not isfinite(number):
        raise Fault(Reason.LIMIT_EXCEEDED, f"`{name}` is {number}; only finite numbers are taken")


def pairs_of(mapping: Mapping[str, str] | None) -> list[str] | None:
    """A map as sorted `key=value` texts: the graph stores no maps, and a list can be searched with IN."""
    return sorted(f"{key}={value}" for key, value in mapping.items()) if mapping else None


def digest_of(props: dict[str, Any]) -> bytes:
    """A hash of the properties, equal exactly for equal contents."""
    return blake2b(CANONICAL.encode(props), digest_size=_DIGEST_BYTES).digest()
