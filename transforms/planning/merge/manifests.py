"""Manifests: what an agent's list of what is alive leaves out is gone since the time of the list.

For each part of a kind the newest manifest holds, and of those that speak for an object the newest. It ends the lives up to its time that
it does not name, and nothing else; one that a later manifest names again is alive again. So the graph depends on the set of records alone.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from transforms.planning.facts.changes import Changes, Drift
from transforms.planning.facts.mutations import EndAbsent, UpsertNode
from transforms.planning.facts.stored import GraphReader, StoredTombstone
from transforms.planning.merge.snapshots import end_before, kind_of
from transforms.records.manifests import entry_of, parts_at, rid_hash, split, uid_hash, uids_by_rid

# Before the entries: what a sweep took away has none, and holds nothing any more.
_MARK: Final = b"\x01"
_Part = tuple[str, str]


def manifest_key(kind: str, part: str) -> str:
    return f"manifest:{kind}:{part}"


class _Known(NamedTuple):
    """The newest manifest of a part. uids: hashes by the hash of the rid."""

    ver: str
    entries: bytes
    uids: dict[bytes, frozenset[bytes]]


class Manifests:
    """The newest manifests of a tenant, as far as a batch concerns them."""

    def __init__(self, reader: GraphReader) -> None:
        self._reader = reader
        self._stored: dict[_Part, StoredTombstone | None] = {}
        self._known: dict[_Part, _Known] = {}
        self._new: list[EndAbsent] = []
        self._uids: dict[str, dict[str, str]] = {}

    def load(self, rids: Iterable[str]) -> None:
        """Make the manifests known that may speak for the rids."""
        self._load_parts({(kind_of(rid), part) for rid in rids for part in parts_at(rid)})

    def _load_parts(self, parts: set[_Part]) -> None:
        wanted = parts - self._stored.keys()
        if not wanted:
            return
        found = self._reader.tombstones([manifest_key(*part) for part in wanted])
        for part in wanted:
            stored = self._stored[part] = found.get(manifest_key(*part))
            if stored is not None and stored.payload:
                entries = stored.payload[len(_MARK) :]
                self._known[part] = _Known(stored.ver, entries, uids_by_rid(entries))

    def end_of(self, rid: str, uid: str) -> str:
        """Versions of the life up to this one are ended by a manifest; "" for none. Load first."""
        if not self._known:
            return ""
        kind = kind_of(rid)
        speaking = [one for part in parts_at(rid) if (one := self._known.get((kind, part))) is not None]
        if not speaking:
            return ""
        newest = max(speaking, key=lambda one: one.ver)
        return "" if _names(newest, rid, uid) else end_before(newest.ver)

    def rids_concerned(self, ends: list[EndAbsent]) -> set[str]:
        """The rids whose fate the batch may change."""
        self._load_parts({(one.kind, one.part) for one in ends})
        self._new = [one for one in ends if one.ver > self._ver((one.kind, one.part))]
        concerned: set[str] = set()
        for one in self._new:
            known = _Known(one.ver, one.alive, uids_by_rid(one.alive))
            uids = self._uids_of(one.kind)
            unnamed = {rid for rid, uid in uids.items() if not uid or not _names(known, rid, uid)}
            concerned |= {rid for rid in unnamed | self._reader.hidden_of_kind(one.kind) if one.part in parts_at(rid)}
        return concerned

    def _uids_of(self, kind: str) -> dict[str, str]:
        """As it was stored before the batch; read once for all parts."""
        if kind not in self._uids:
            self._uids[kind] = self._reader.uids_of_kind(kind)
        return self._uids[kind]

    def _ver(self, part: _Part) -> str:
        known = self._known.get(part)
        return known.ver if known is not None else ""

    def apply(self) -> None:
        """Take in the batch, of which the concerned rids were asked for."""
        for one in self._new:
            if one.ver > self._ver((one.kind, one.part)):
                self._known[one.kind, one.part] = _Known(one.ver, one.alive, uids_by_rid(one.alive))

    def drift(self, gone: int, upserts: Iterable[UpsertNode]) -> Drift:
        """How far the batch's manifests and the graph were apart. gone: lives that they ended."""
        if not self._new:
            return Drift()
        coming = {entry_of(one.rid, one.uid) for one in upserts}
        missing = 0
        for one in self._new:
            here = {entry_of(rid, uid) for rid, uid in self._uids_of(one.kind).items()}
            missing += len(set(split(one.alive)) - here - coming)
        return Drift(gone, missing)

    def write(self, changes: Changes) -> None:
        """Add what follows for tombstones."""
        for part, known in self._known.items():
            changes.hide(StoredTombstone(manifest_key(*part), known.ver, _MARK + known.entries), self._stored.get(part))


def _names(known: _Known, rid: str, uid: str) -> bool:
    """Whether the manifest names the life. One without a uid is whatever has the name."""
    uids = known.uids.get(rid_hash(rid))
    return uids is not None and (not uid or uid_hash(uid) in uids)
