"""What a sweep took away of tombstones, kept small: of each its key's hash and its version, and nothing else.

A tombstone must go on to hold against what is older, however late that is read, and against nothing else: an old object that nothing
newer speaks of is still there. So a sweep moves it, with others, into one of 65,536 tombstones of tombstones, and planning finds
it there as if it stood where it was. One that is found by another's name is kept whole. What a tombstone hid, a displaced life or an
edge at a dead object, is not kept: the sweep ends it.
"""

import zlib
from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from transforms.planning.facts.stored import GraphReader, StoredTombstone

_HASH_BYTES: Final = 8
# Of the hash, in hexadecimal digits: the place of a tenant with a million dead holds about 15.
_PLACE_DIGITS: Final = 4
_PREFIX: Final = "swept:"


class _Place(msgspec.Struct, array_like=True, omit_defaults=True):
    """by_key: versions by the hash of the key. by_ref: tombstones that are found by a reference that belongs here: key, version, refs."""

    by_key: dict[bytes, str] = {}
    by_ref: dict[str, tuple[str, tuple[str, ...]]] = {}


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(_Place).decode


def place_of(name: str) -> str:
    """The key of the tombstone that keeps what became of the one of this key, or of those with this reference."""
    return _PREFIX + _hash(name).hex()[:_PLACE_DIGITS]


def _hash(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=_HASH_BYTES).digest()


def places_of(tombstone: StoredTombstone) -> set[str]:
    """Where it goes once it is swept."""
    return {place_of(name) for name in _names(tombstone)}


def _names(tombstone: StoredTombstone) -> tuple[str, ...]:
    return tombstone.refs if _is_whole(tombstone) else (tombstone.key,)


def _is_whole(tombstone: StoredTombstone) -> bool:
    return bool(tombstone.refs) and not tombstone.payload


def swept_into(gone: Iterable[StoredTombstone], held: Mapping[str, StoredTombstone]) -> dict[str, StoredTombstone]:
    """The places, once tombstones are swept into them; of each key the greatest version holds. held: the places as they are stored."""
    found: dict[str, _Place] = {}
    for one in gone:
        for name in _names(one):
            place = found.setdefault(place_of(name), _place(held.get(place_of(name))))
            if _is_whole(one):
                place.by_ref[one.key] = max((one.ver, one.refs), place.by_ref.get(one.key, ("", ())))
            else:
                place.by_key[_hash(name)] = max(one.ver, place.by_key.get(_hash(name), ""))
    return {key: StoredTombstone(key, "", _packed(place)) for key, place in sorted(found.items())}


def _place(stored: StoredTombstone | None) -> _Place:
    return _DECODE(zlib.decompress(stored.payload)) if stored else _Place({}, {})


def _packed(place: _Place) -> bytes:
    """The same bytes for the same contents."""
    return zlib.compress(_ENCODE(_Place(dict(sorted(place.by_key.items())), dict(sorted(place.by_ref.items())))))


class Remembering:
    """A tenant's stored graph with the tombstones that were swept; answers as `GraphReader` does."""

    def __init__(self, reader: GraphReader) -> None:
        self._reader = reader
        self._places: dict[str, _Place] = {}
        self.nodes = reader.nodes
        self.node_props = reader.node_props
        self.rids_of_uids = reader.rids_of_uids
        self.rids_of_bares = reader.rids_of_bares
        self.rids_of_kind = reader.rids_of_kind
        self.uids_of_kind = reader.uids_of_kind
        self.hidden_of_kind = reader.hidden_of_kind
        self.edges = reader.edges
        self.edges_at = reader.edges_at
        self.edges_of_triples = reader.edges_of_triples
        self.selectors = reader.selectors
        self.labels = reader.labels
        self.referrers = reader.referrers
        self.referrers_of_subjects = reader.referrers_of_subjects
        self.referrers_of_uids = reader.referrers_of_uids
        self.alerting = reader.alerting
        self.count_episodes = reader.count_episodes

    def tombstones(self, keys: Collection[str]) -> dict[str, StoredTombstone]:
        found = self._reader.tombstones(keys)
        left = [key for key in keys if key not in found]
        self._load(left)
        vers = ((key, self._places[place_of(key)].by_key.get(_hash(key))) for key in left)
        return {**found, **{key: StoredTombstone(key, ver) for key, ver in vers if ver is not None}}

    def tombstones_by_ref(self, refs: Collection[str]) -> list[StoredTombstone]:
        found = {one.key: one for one in self._reader.tombstones_by_ref(refs)}
        self._load(refs)
        for ref in refs:
            for key, (ver, others) in self._places[place_of(ref)].by_ref.items():
                if ref in others:
                    found.setdefault(key, StoredTombstone(key, ver, refs=others))
        return list(found.values())

    def _load(self, names: Iterable[str]) -> None:
        wanted = {place_of(name) for name in names} - self._places.keys()
        held = self._reader.tombstones(wanted) if wanted else {}
        self._places |= {place: _place(held.get(place)) for place in wanted}
