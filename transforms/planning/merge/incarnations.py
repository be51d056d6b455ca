"""Lives and deaths: which life of each object is current, and up to when its relationships are dead.

A rid may be borne by several lives, one per uid. The current one is the one with the greatest version among
those without a later delete (contract, "Order, deletes, replays"). Everything here is a function of the set of
mutations seen, whatever their order: what the live graph does not show is kept as tombstones.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from transforms.model.identity import bare_of, is_loose
from transforms.planning.facts.changes import NO_DRIFT, Changes
from transforms.planning.facts.mutations import DeleteNode, DeleteUid, DeleteUnnamed, EndAbsent, EndSnapshot, UpsertNode
from transforms.planning.facts.stored import GraphReader, StoredNode, StoredTombstone
from transforms.planning.merge.manifests import Manifests
from transforms.planning.merge.names import Names
from transforms.planning.merge.snapshots import Snapshots
from transforms.planning.merge.tenant_graph import LIFE, life_key
from transforms.records.outcomes import Outcome
from transforms.records.record import t_of

_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(UpsertNode).decode


def rid_key(rid: str) -> str:
    return f"rid:{rid}"


def uid_key(uid: str) -> str:
    return f"uid:{uid}"


_UNNAMED: Final = "unnamed:"

Death = DeleteNode | DeleteUid | DeleteUnnamed


def _unnamed_key(rid: str) -> str:
    return f"{_UNNAMED}{rid}"


def _end_key(one: Death) -> str:
    if isinstance(one, DeleteUid):
        return uid_key(one.uid)
    return rid_key(one.rid) if isinstance(one, DeleteNode) else _unnamed_key(one.rid)


@dataclass(slots=True)
class _Verdict:
    """What follows from the lives and deletes of one rid."""

    current: str | None
    relevant: set[str]
    dead_t: str


@dataclass(slots=True)
class _Place:
    """All that is known of one rid: lives by uid as version, deletes, and up to when a snapshot ends what it left out.

    bare: its name without its group, "" where that would be another's. unnamed: up to when what had no uid is deleted.
    shadowed: it is a loose name, and the objects that it may mean are known with their groups.
    """

    stored: StoredNode | None
    bare: str = ""
    is_loose: bool = False
    hidden: dict[str, StoredTombstone] = field(default_factory=dict)
    lives: dict[str, str] = field(default_factory=dict)
    deleted: str = ""
    unnamed: str = ""
    shadowed: bool = False
    left_out: str = ""
    was: _Verdict = field(default_factory=lambda: _Verdict(None, set(), ""))
    now: _Verdict = field(default_factory=lambda: _Verdict(None, set(), ""))


class Incarnation(NamedTuple):
    """A life as derived relationships are judged by it."""

    rid: str
    uid: str
    ver: str
    implies: tuple[str, ...]
    labels: tuple[str, ...]
    selector: tuple[str, ...]


class LifeChange(NamedTuple):
    """What a batch does to the current life of a rid; None: none."""

    rid: str
    was: Incarnation | None
    now: Incarnation | None


def _life(one: UpsertNode) -> Incarnation:
    props = one.props
    return Incarnation(one.rid, one.uid, one.ver, *(tuple(props.get(name) or ()) for name in ("implies", "labels", "selector")))


class Incarnations:
    """The lives of a tenant as far as a batch concerns them: stored ones, and those that the batch adds.

    remembers: some were swept, and are ended by that.
    """

    def __init__(self, reader: GraphReader, client_id: str, names: Names, *, remembers: bool = False) -> None:
        self._reader = reader
        self._client_id = client_id
        self._names = names
        self._remembers = remembers
        self._snapshots = Snapshots(reader)
        self._manifests = Manifests(reader)
        self.drift = NO_DRIFT
        self._places: dict[str, _Place] = {}
        self._ends: dict[str, str] = {}
        self._stored_deletes: dict[str, StoredTombstone] = {}
        self._upserts: dict[tuple[str, str], UpsertNode] = {}

    def load(self, rids: Iterable[str]) -> None:
        """Make the rids known; costs reads only for those that are not yet."""
        wanted = {rid for rid in rids if rid not in self._places}
        if not wanted:
            return
        nodes = self._reader.nodes(wanted)
        self._snapshots.load(wanted)
        self._manifests.load(wanted)
        for rid in wanted:
            self._places[rid] = _Place(nodes.get(rid), bare_of(rid), is_loose(rid))
        places = [(rid, self._places[rid]) for rid in wanted]
        bares = {place.bare for _, place in places if place.bare}
        loose = {rid for rid, place in places if place.is_loose}
        if bares or loose:
            self._names.load(bares | loose)
        self._load_found(wanted, bares)
        uids = {place.stored.uid for _, place in places if place.stored} | {uid for _, place in places for uid in place.hidden}
        self._load_deletes({rid_key(rid) for rid in wanted | bares} | {uid_key(uid) for uid in uids if uid})
        for rid, place in places:
            self._gather(rid, place)
            place.was = place.now = self._judge(rid, place)
            if place.bare or place.is_loose:
                self._set_ends(rid, place)
                place.now = self._judge(rid, place)

    def _load_found(self, wanted: set[str], bares: set[str]) -> None:
        """What is found by a rid: hidden lives, and the end of what had no uid."""
        for tombstone in self._reader.tombstones_by_ref([rid_key(rid) for rid in wanted | bares]):
            if tombstone.key.startswith(LIFE):
                life = _DECODE(tombstone.payload)
                if life.rid in wanted:
                    self._places[life.rid].hidden[life.uid] = tombstone
            elif tombstone.key.startswith(_UNNAMED):
                self._stored_deletes[tombstone.key] = tombstone
                self._ends[tombstone.key] = max(self._ends.get(tombstone.key, ""), tombstone.ver)

    def _load_deletes(self, keys: set[str]) -> None:
        found = self._reader.tombstones(keys - self._stored_deletes.keys())
        self._stored_deletes |= found
        for key, tombstone in found.items():
            self._ends[key] = max(self._ends.get(key, ""), tombstone.ver)

    def _gather(self, rid: str, place: _Place) -> None:
        place.lives = {uid: tombstone.ver for uid, tombstone in place.hidden.items()}
        if place.stored and place.stored.live:
            place.lives[place.stored.uid] = place.stored.ver
        self._set_ends(rid, place, before=True)

    def _set_ends(self, rid: str, place: _Place, *, before: bool = False) -> None:
        """What ends the lives of a rid. before: by the names that were known before the batch."""
        place.deleted, place.unnamed = self._ends_at(rid)
        place.left_out = self._snapshots.end_of(rid)
        if not (place.bare or place.is_loose):
            return
        known = self._names.stored if before else self._names.known
        if place.bare and rid in known(place.bare):
            # Who names no group means every object of the name: a key's tombstone takes what was written under the key.
            deleted, unnamed = self._ends_at(place.bare)
            place.deleted, place.unnamed = max(place.deleted, deleted), max(place.unnamed, unnamed)
        place.shadowed = place.is_loose and bool(known(rid))

    def _ends_at(self, rid: str) -> tuple[str, str]:
        return self._ends.get(rid_key(rid), ""), self._ends.get(_unnamed_key(rid), "")

    def _judge(self, rid: str, place: _Place) -> _Verdict:
        relevant = {uid for uid, ver in place.lives.items() if ver > place.deleted}
        ends = {uid: self._ends.get(uid_key(uid), "") for uid in relevant if uid}
        last_end = max(ends.values(), default="")
        # A life without a uid cannot be ended by uid, so the end of any life known here ends it too.
        ends[""] = max(last_end, place.unnamed)
        absent = {uid: self._manifests.end_of(rid, uid) for uid in relevant}
        alive = [uid for uid in relevant if place.lives[uid] > max(ends[uid], place.left_out, absent[uid])] if not place.shadowed else []
        current = max(alive, key=lambda uid: place.lives[uid], default=None)
        dead_t = t_of(place.deleted)
        if current is None:
            left = [t_of(end) for uid, end in absent.items() if end >= place.lives[uid]]
            dead_t = max(dead_t, t_of(last_end) if relevant else "", t_of(place.unnamed), t_of(place.left_out), *left)
        return _Verdict(current, relevant, dead_t)

    def apply(
        self, upserts: list[UpsertNode], deaths: list[Death], snapshots: list[EndSnapshot], absent: list[EndAbsent]
    ) -> list[tuple[object, Outcome]]:
        """Take in the batch; the outcome of each mutation. `changed` and `write` then tell what follows."""
        self._load_batch(upserts, deaths)
        # Loaded as they are stored first, so that what the snapshots end shows as a change.
        listed = self._manifests.rids_concerned(absent) if absent else set()
        self.load(self._snapshots.rids_concerned(snapshots) | listed)
        self._snapshots.apply(snapshots)
        self._manifests.apply()
        held = {key: self._ends.get(key, "") for key in map(_end_key, deaths)}
        for death in deaths:
            self._ends[_end_key(death)] = max(held[_end_key(death)], death.ver)
        before = {id(one): self._places[one.rid].lives.get(one.uid, "") for one in upserts}
        swept = self._swept(upserts) if self._remembers else {}
        for upsert in upserts:
            if upsert.ver > max(before[id(upsert)], swept.get(life_key(upsert.rid, upsert.uid), "")):
                self._places[upsert.rid].lives[upsert.uid] = upsert.ver
                self._upserts[upsert.rid, upsert.uid] = upsert
        for rid, place in self._places.items():
            self._set_ends(rid, place)
            place.now = self._judge(rid, place)
        if absent:
            gone = sum(self._places[rid].was.current is not None and self._places[rid].now.current is None for rid in listed)
            self.drift = self._manifests.drift(gone, upserts)
        died = [(one, self._death(one, held[_end_key(one)])) for one in deaths]
        markers = [(one, Outcome.CONTROL) for one in (*snapshots, *absent)]
        return [*died, *markers, *((upsert, self._outcome(upsert, before[id(upsert)])) for upsert in upserts)]

    def _load_batch(self, upserts: list[UpsertNode], deaths: list[Death]) -> None:
        ends = [one for one in deaths if isinstance(one, DeleteUid)]
        named = {one.rid for one in deaths if not isinstance(one, DeleteUid)}
        self._load_deletes({uid_key(one.uid) for one in ends} | {uid_key(one.uid) for one in upserts if one.uid})
        self.load({one.rid for one in upserts} | named | (self._rids_of(ends) if ends else set()))
        # Whom a loose name means too, and who gives way to an object that is known with its group only now.
        self.load({rid for name in named if is_loose(name) for rid in self._names.known(name)} | self._names.moved())

    def _swept(self, upserts: list[UpsertNode]) -> dict[str, str]:
        """Of the lives, up to which version a sweep took them away."""
        found = self._reader.tombstones({life_key(one.rid, one.uid) for one in upserts})
        return {key: tombstone.ver for key, tombstone in found.items() if not tombstone.payload}

    def _rids_of(self, ends: list[DeleteUid]) -> set[str]:
        uids = {one.uid for one in ends}
        hidden = self._reader.tombstones_by_ref([uid_key(uid) for uid in uids])
        lives = (_DECODE(tombstone.payload).rid for tombstone in hidden if tombstone.key.startswith("life:"))
        return set().union(lives, *self._reader.rids_of_uids(uids).values())

    def _death(self, one: Death, held: str) -> Outcome:
        """A delete that only says again what was dead already changes nothing that people see."""
        if one.ver < held:
            return Outcome.SUPERSEDED
        if isinstance(one, DeleteNode):
            ended = any(self._places[rid].was.current is not None for rid in (one.rid, *self._names.stored(one.rid)))
        elif isinstance(one, DeleteUnnamed):
            ended = self._places[one.rid].was.current == ""
        else:
            ended = any(place.was.current == one.uid for place in self._places.values())
        return Outcome.WRITTEN if one.ver > held and (ended or not held) else Outcome.UNCHANGED

    def _outcome(self, one: UpsertNode, before: str) -> Outcome:
        place = self._places[one.rid]
        if place.now.current != one.uid or one.ver < before:
            return Outcome.SUPERSEDED
        return Outcome.UNCHANGED if one.ver == before or self._same_content(one, place) else Outcome.WRITTEN

    @staticmethod
    def _same_content(one: UpsertNode, place: _Place) -> bool:
        stored = place.stored
        return stored is not None and stored.live and stored.uid == one.uid and stored.digest == one.digest

    def dead_t(self, rid: str) -> str:
        """Relationships at the rid whose time is at or before this are dead; "" for none. Load first."""
        return self._places[rid].now.dead_t

    def dead_t_before(self, rid: str) -> str:
        """As `dead_t`, before the batch."""
        return self._places[rid].was.dead_t

    def was(self, rid: str) -> Incarnation | None:
        """The current life before the batch."""
        stored = self._places[rid].stored
        if stored is None or not stored.live:
            return None
        return Incarnation(rid, stored.uid, stored.ver, stored.implies, stored.labels, stored.selector)

    def now(self, rid: str) -> Incarnation | None:
        """The current life after the batch."""
        place = self._places[rid]
        current = place.now.current
        if current is None:
            return None
        upsert = self._upserts.get((rid, current))
        if upsert is not None:
            return _life(upsert)
        was = self.was(rid)
        return was if was is not None and was.uid == current else _life(_DECODE(place.hidden[current].payload))

    def changes(self) -> list[LifeChange]:
        """What the batch does to current lives, unchanged contents of a newer version included."""
        found = (LifeChange(rid, self.was(rid), self.now(rid)) for rid in self._places)
        return [change for change in found if change.was != change.now]

    def is_live(self, rid: str) -> bool:
        """Whether a resource record speaks for the rid, so that its node is no stub."""
        return self._places[rid].now.current is not None

    def has_node(self, rid: str) -> bool:
        """Whether the rid's node is stored already, live or a stub."""
        return self._places[rid].stored is not None

    def capped(self, rid: str) -> tuple[str, ...]:
        """What the stored node says of being joined with fewer than select it. Load first."""
        stored = self._places[rid].stored
        return stored.capped if stored else ()

    def changed(self) -> set[str]:
        """The rids at which relationships may have died, or come back."""
        return {rid for rid, place in self._places.items() if place.now.dead_t != place.was.dead_t}

    def write(self, changes: Changes) -> None:
        """Add what follows for nodes and tombstones."""
        self._snapshots.write(changes)
        self._manifests.write(changes)
        for key, ver in self._ends.items():
            refs = (rid_key(key.removeprefix(_UNNAMED)),) if key.startswith(_UNNAMED) else ()
            changes.hide(StoredTombstone(key, ver, refs=refs), self._stored_deletes.get(key))
        displaced = [rid for rid, place in self._places.items() if self._is_displaced(place)]
        props = self._reader.node_props(displaced) if displaced else {}
        for rid, place in self._places.items():
            self._write_node(changes, rid, place)
            for uid in place.lives:
                self._write_life(changes, rid, uid, place, props)
            if place.bare and rid in self._names.known(place.bare):
                newest = max(*self._ends_at(rid), *place.lives.values())
                self._names.write(changes, rid, newest, is_live=place.now.current is not None)

    @staticmethod
    def _is_displaced(place: _Place) -> bool:
        stored = place.stored
        return stored is not None and stored.live and stored.uid in place.now.relevant and place.now.current != stored.uid

    def _write_node(self, changes: Changes, rid: str, place: _Place) -> None:
        current, stored = place.now.current, place.stored
        if current is None:
            if stored is not None and stored.live:
                changes.cleared.append(rid)
                changes.pruned.add(rid)
            return
        one = self._upserts.get((rid, current))
        if one is None and not (stored and stored.live and stored.uid == current):
            one = _DECODE(place.hidden[current].payload)
        if one is None:
            return
        if self._same_content(one, place):
            changes.node_vers[rid] = one.ver
        else:
            changes.nodes[rid] = {**one.props, "ver": one.ver, "hash": one.digest}

    def _write_life(self, changes: Changes, rid: str, uid: str, place: _Place, props: dict[str, dict[str, object]]) -> None:
        key, hidden = life_key(rid, uid), place.hidden.get(uid)
        if uid == place.now.current or uid not in place.now.relevant:
            changes.reveal(key, hidden)
            return
        life = self._upserts.get((rid, uid))
        if life is None and hidden is None and place.stored:
            life = UpsertNode(self._client_id, place.stored.ver, rid, uid, props[rid], place.stored.digest)
        if life is not None:
            refs = (rid_key(rid), uid_key(uid)) if uid else (rid_key(rid),)
            changes.hide(StoredTombstone(key, life.ver, _ENCODE(life), refs), hidden)
