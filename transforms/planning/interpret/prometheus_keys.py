"""What a response of Prometheus lists, each under a key of its own.

A response's record has one key, so what it lists is called by its own name, as an envelope without a key is. Names are not
always unique (a burn-rate alert has several rules; a kubelet is scraped on several paths): of those that share one, the
first in the order of what tells them apart bears it, the others bear a hash too.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

_HASH_BYTES = 8


class Listed(NamedTuple):
    """A name, and all that identifies its bearer among others of that name."""

    name: str
    told_by: tuple[str, ...]


def keys_of(listed: Sequence[Listed]) -> list[str]:
    """The key of each; equal ones for those that nothing tells apart. It depends on the set alone, not on its order."""
    first: dict[str, tuple[str, ...]] = {}
    for name, told_by in listed:
        first[name] = min(first.get(name, told_by), told_by)
    return [name if told_by == first[name] else f"{name}|{hash_of(told_by)}" for name, told_by in listed]


def hash_of(texts: Sequence[str]) -> str:
    """A hash of texts, each of which counts as a whole."""
    framed = b"".join(len(text.encode()).to_bytes(4) + text.encode() for text in texts)
    return blake2b(framed, digest_size=_HASH_BYTES).hexdigest()
