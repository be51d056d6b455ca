"""Where the objects are that records do not name in full: without an API group, or in a namespace that is a guess.

Both are found by what the tenant's records say of objects, whatever their order (docs/adr/024):

- A loose name (`gateway:mesh:public`) is that of the one object of its kind, namespace and name that any record speaks for with
  a group. Where there is none, or more than one, it names an object of its own.
- A namespace is a guess where the model does not know the kind's scope. An object of the uid without a namespace shows that the
  kind is cluster-scoped; that is kept from then on.

A rid with a group is known while its object lives, by its node, and after that by a tombstone.
"""

from collections.abc import Iterable
from typing import Final

from transforms.model.identity import bare_of, is_loose, parse_rid
from transforms.model.kinds import SCOPE_OF_TOKEN
from transforms.planning.facts.changes import Changes
from transforms.planning.facts.stored import GraphReader, StoredTombstone

_NAMED: Final = "named:"
_NOBODY: Final = frozenset[str]()

# A rid as a record names it, and the uid that may tell where it is, "" for none.
Mention = tuple[str, str]


def is_open(rid: str, uid: str = "") -> bool:
    """Whether what the tenant's records say may tell that the object is elsewhere."""
    return uid != "" or is_loose(rid)


def shows_scope(rid: str) -> bool:
    """True for an object without a namespace, of a kind whose scope the model does not know."""
    kind, namespace, _ = rid.split(":", 2)
    return not namespace and kind not in SCOPE_OF_TOKEN


def guess_ref(uid: str) -> str:
    """What is kept of a guess is found by this, once an object of the uid shows its scope."""
    return f"owner:{uid}"


def at_cluster_scope(rid: str) -> str:
    found = parse_rid(rid)
    assert found is not None
    return str(found._replace(namespace=""))


def with_bare(rids: Iterable[str]) -> set[str]:
    """The rids, and what who names no group calls them: what was kept before groups were part of rids is found by that."""
    held = set(rids)
    return held | ({bare_of(rid) for rid in held} - {""})


class Names:
    """What is known of a tenant's names as far as a batch concerns them: as it is stored, and with what the batch adds.

    spoken: the rids that the batch's records speak for. shown: the uids of objects that they show to be cluster-scoped.
    """

    def __init__(self, reader: GraphReader, spoken: Iterable[str] = (), shown: Iterable[str] = ()) -> None:
        self._reader = reader
        self._said: dict[str, set[str]] = {}
        for rid in spoken:
            bare = bare_of(rid)
            if bare:
                self._said.setdefault(bare, set()).add(rid)
        self._stored: dict[str, frozenset[str]] = {}
        self._tombstones: dict[str, StoredTombstone] = {}
        self._scopes: dict[str, StoredTombstone | None] = {}
        self._shown = set(shown)
        self.load(self._said)
        self._load_scopes(self._shown)

    def load(self, bares: Iterable[str]) -> None:
        """Make the loose names known; costs reads only for those that are not yet."""
        wanted = {bare for bare in bares if bare not in self._stored}
        if not wanted:
            return
        found = self._reader.rids_of_bares(wanted)
        for tombstone in self._reader.tombstones_by_ref([_bare_ref(bare) for bare in wanted]):
            rid = tombstone.key.removeprefix(_NAMED)
            self._tombstones[rid] = tombstone
            found.setdefault(bare_of(rid), set()).add(rid)
        for bare in wanted:
            self._stored[bare] = frozenset(found.get(bare, ()))

    def _load_scopes(self, uids: set[str]) -> None:
        wanted = uids - self._scopes.keys()
        if wanted:
            found = self._reader.tombstones([_scope_key(uid) for uid in wanted])
            self._scopes |= {uid: found.get(_scope_key(uid)) for uid in wanted}

    def load_mentions(self, mentions: Iterable[Mention]) -> None:
        """Make known where the objects are that are named so."""
        held = {one for one in mentions if is_open(*one)}
        if not held:
            return
        self._load_scopes({uid for _, uid in held if uid})
        names = {rid for rid, _ in held} | {at_cluster_scope(rid) for rid, uid in held if uid}
        self.load({rid for rid in names if is_loose(rid)})

    def stored(self, bare: str) -> frozenset[str]:
        """The rids with a group that were spoken for under the name before the batch."""
        return self._stored.get(bare, _NOBODY)

    def known(self, bare: str) -> frozenset[str]:
        """The same after the batch."""
        said = self._said.get(bare)
        return self.stored(bare) | said if said else self.stored(bare)

    def place(self, rid: str, uid: str = "") -> str:
        """Where the object is, as far as is known after the batch. Load first."""
        if not is_open(rid, uid):
            return rid
        if uid and (uid in self._shown or self._scopes.get(uid)):
            rid = at_cluster_scope(rid)
        return _only(rid, self.known(rid)) if is_loose(rid) else rid

    def place_before(self, rid: str, uid: str = "") -> str:
        """The same before the batch."""
        if not is_open(rid, uid):
            return rid
        if uid and self._scopes.get(uid):
            rid = at_cluster_scope(rid)
        return _only(rid, self.stored(rid)) if is_loose(rid) else rid

    def moved(self) -> set[str]:
        """The rids from which what is named loosely may move away."""
        return {rid for bare in self._said if self.known(bare) != self.stored(bare) for rid in (bare, *self.stored(bare))}

    def newly_shown(self) -> set[str]:
        """The uids of objects that are known to be cluster-scoped only now."""
        return {uid for uid in self._shown if not self._scopes.get(uid)}

    def write_scopes(self, changes: Changes) -> None:
        """Keep what the batch shows."""
        for uid in self._shown:
            changes.hide(StoredTombstone(_scope_key(uid), ""), self._scopes.get(uid))

    def write(self, changes: Changes, rid: str, ver: str, *, is_live: bool) -> None:
        """Keep that a rid with a group was spoken for: while it lives, its node says so. ver: of the newest word on it."""
        stored = self._tombstones.get(rid)
        if is_live:
            changes.reveal(_NAMED + rid, stored)
        else:
            newest = max(ver, stored.ver) if stored else ver
            changes.hide(StoredTombstone(_NAMED + rid, newest, refs=(_bare_ref(bare_of(rid)),)), stored)


def _only(rid: str, known: frozenset[str]) -> str:
    return next(iter(known)) if len(known) == 1 else rid


def _bare_ref(bare: str) -> str:
    return f"bare:{bare}"


def _scope_key(uid: str) -> str:
    return f"scope:{uid}"
