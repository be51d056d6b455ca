"""What a sweep took away of tombstones, kept small: of each its key's hash and its version, and nothing else.

A tombstone must go on to hold against what is older, however late that is read, and against nothing else: an old object that nothing
newer speaks of is still there. So a sweep moves it, with many others, into one of `_PLACES` tombstones of tombstones, and
planning finds it there as if it stood where it was. What it hid, a displaced life or an edge at a dead object, is not kept: the sweep
ends it.
"""

import zlib
from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from transforms.planning.stored import GraphReader, StoredTombstone

_HASH_BYTES: Final = 8
# Of the hash, in hexadecimal digits: 65,536 places, so that one of a tenant with a million dead holds about 15.
_PLACE_DIGITS: Final = 4
_PREFIX: Final = "swept:"
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(dict[bytes, str]).decode


def place_of(key: str) -> str:
    """The key of the tombstone that keeps what became of this one."""
    return _PREFIX + _hash(key).hex()[:_PLACE_DIGITS]


def _hash(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=_HASH_BYTES).digest()


def swept_into(gone: Iterable[tuple[str, str]], held: Mapping[str, StoredTombstone]) -> dict[str, StoredTombstone]:
    """The places, once keys with their versions are swept into them; the greatest version of each key holds.

    held: the places as they are stored.
    """
    found: dict[str, dict[bytes, str]] = {}
    for key, ver in gone:
        place = place_of(key)
        if place not in found:
            found[place] = _entries(held.get(place))
        found[place][_hash(key)] = max(ver, found[place].get(_hash(key), ""))
    return {
        place: StoredTombstone(place, "", zlib.compress(_ENCODE(dict(sorted(entries.items()))))) for place, entries in sorted(found.items())
    }


def _entries(place: StoredTombstone | None) -> dict[bytes, str]:
    return _DECODE(zlib.decompress(place.payload)) if place else {}


class Remembering:
    """A tenant's stored graph with the tombstones that were swept; answers as `GraphReader` does."""

    def __init__(self, reader: GraphReader) -> None:
        self._reader = reader
        self._places: dict[str, dict[bytes, str]] = {}
        self.nodes = reader.nodes
        self.node_props = reader.node_props
        self.rids_of_uids = reader.rids_of_uids
        self.rids_of_kind = reader.rids_of_kind
        self.tombstones_by_ref = reader.tombstones_by_ref
        self.edges = reader.edges
        self.edges_at = reader.edges_at
        self.edges_of_triples = reader.edges_of_triples
        self.selectors = reader.selectors
        self.labels = reader.labels
        self.referrers = reader.referrers
        self.referrers_of_subjects = reader.referrers_of_subjects
        self.alerting = reader.alerting
        self.count_episodes = reader.count_episodes

    def tombstones(self, keys: Collection[str]) -> dict[str, StoredTombstone]:
        found = self._reader.tombstones(keys)
        left = [key for key in keys if key not in found]
        places = {place_of(key) for key in left} - self._places.keys()
        held = self._reader.tombstones(places) if places else {}
        self._places |= {place: _entries(held.get(place)) for place in places}
        for key in left:
            ver = self._places[place_of(key)].get(_hash(key))
            if ver is not None:
                found[key] = StoredTombstone(key, ver)
        return found
