"""Manifests: what of a kind is alive at a moment, in 24 digits an object, for the agent that writes them and the job that reads them.

An object is named by hashes of its rid and of its uid, so that a manifest holds no name. A manifest of many objects comes in parts: those
objects whose hash begins with the same hexadecimal digits. The parts of one manifest are independent of each other.
"""

from collections.abc import Collection, Iterator
from hashlib import blake2b
from itertools import pairwise
from typing import Final

RID_BYTES: Final = 8
UID_BYTES: Final = 4
ENTRY_BYTES: Final = RID_BYTES + UID_BYTES
# Of one part; what an agent of ten times as many would write still fits into a record.
MOST_ENTRIES: Final = 20_000
PART_ENTRIES: Final = 4_096
MOST_DIGITS: Final = 2
_DIGITS: Final = "0123456789abcdef"


def rid_hash(rid: str) -> bytes:
    return blake2b(rid.encode(), digest_size=RID_BYTES).digest()


def uid_hash(uid: str) -> bytes:
    return blake2b(uid.encode(), digest_size=UID_BYTES).digest()


def entry_of(rid: str, uid: str) -> bytes:
    """What stands for an object. rid, uid: as the graph has them."""
    return rid_hash(rid) + uid_hash(uid)


def parts_of(entries: Collection[bytes]) -> Iterator[tuple[str, bytes]]:
    """The parts of a manifest: the digits with which their objects' hashes begin, and the entries one after the other, sorted."""
    digits = 0
    while digits < MOST_DIGITS and len(entries) > PART_ENTRIES * len(_DIGITS) ** digits:
        digits += 1
    parts: dict[str, list[bytes]] = {part: [] for part in _names(digits)}
    for entry in sorted(entries):
        parts[entry.hex()[:digits]].append(entry)
    for part, held in parts.items():
        yield part, b"".join(held)


def _names(digits: int) -> list[str]:
    names = [""]
    for _ in range(digits):
        names = [name + digit for name in names for digit in _DIGITS]
    return names


def parts_at(rid: str) -> tuple[str, ...]:
    """The names of all parts that an object may be in, from the smallest manifest to the largest."""
    beginning = rid_hash(rid).hex()
    return tuple(beginning[:digits] for digits in range(MOST_DIGITS + 1))


def is_part(text: str) -> bool:
    return len(text) <= MOST_DIGITS and not text.strip(_DIGITS)


def pack(entries: bytes) -> str:
    """As text: in hexadecimal digits, in which no rule of redaction can see a token."""
    return entries.hex()


def unpack(text: str, part: str) -> bytes:
    """The entries of a part; ValueError where they are not whole, not sorted, too many, or of another part."""
    entries = bytes.fromhex(text)
    if entries.hex() != text:
        raise ValueError("the entries are no lower-case hexadecimal digits")
    count, rest = divmod(len(entries), ENTRY_BYTES)
    if rest:
        raise ValueError(f"{len(entries)} bytes are no whole number of entries of {ENTRY_BYTES}")
    if count > MOST_ENTRIES:
        raise ValueError(f"{count} entries, at most {MOST_ENTRIES} are taken; write smaller parts")
    held = split(entries)
    if any(one >= two for one, two in pairwise(held)):
        raise ValueError("the entries are not sorted, or one is there twice")
    if part and not all(one.hex().startswith(part) for one in (held[:1] + held[-1:])):
        raise ValueError(f"the entries are not all of the part {part}")
    return entries


def split(entries: bytes) -> list[bytes]:
    return [entries[at : at + ENTRY_BYTES] for at in range(0, len(entries), ENTRY_BYTES)]


def uids_by_rid(entries: bytes) -> dict[bytes, frozenset[bytes]]:
    """The hashes of the uids that are alive, by the hash of the rid."""
    found: dict[bytes, frozenset[bytes]] = {}
    for one in split(entries):
        at, uid = one[:RID_BYTES], one[RID_BYTES:]
        found[at] = found.get(at, frozenset()) | {uid}
    return found
