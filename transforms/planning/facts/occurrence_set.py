"""What was seen, as a set that any order and any repetition of its parts add up to: counts are computed, never incremented.

A set is the sorted hashes of distinct occurrences, eight bytes each, end to end. Of more than `EXACT` only the smallest
`EXACT + 1` are kept: enough to know that the count is beyond it, and the same ones whichever came first.
"""

from hashlib import blake2b
from typing import Any, Final

EXACT: Final = 256
_BYTES: Final = 8


def seen(identity: str) -> bytes:
    """The set of one occurrence."""
    return blake2b(identity.encode(), digest_size=_BYTES).digest()


def union(one: bytes, other: bytes) -> bytes:
    """Both sets together; associative, commutative and idempotent."""
    if one == other or not other:
        return one
    hashes = {held[at : at + _BYTES] for held in (one, other) for at in range(0, len(held), _BYTES)}
    return b"".join(sorted(hashes)[: EXACT + 1])


def count_of(held: bytes) -> dict[str, Any]:
    """The properties that a set gives its node: how many, exact up to `EXACT`, and whether there were more."""
    number = len(held) // _BYTES
    return {"count": number} if number <= EXACT else {"count": EXACT, "count_capped": True}
