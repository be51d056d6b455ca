"""Derived relationships: a function of the newest version of the resources that imply them.

When a resource no longer implies a relationship, it goes. Its time is that of the resource's version, so the death of
the object at the other end takes it away until the resource is reported again. What is implied but dead is kept as a
tombstone that the other end is found by, in case a late record gives that object back.
"""

from typing import NamedTuple

from transforms.planning.facts.changes import Changes
from transforms.planning.facts.implied import Implied, parse_implied
from transforms.planning.facts.stored import GraphReader, StoredTombstone, Triple
from transforms.planning.merge.incarnations import Incarnation, Incarnations, rid_key
from transforms.planning.merge.names import Mention, Names, at_cluster_scope, guess_ref, is_open, with_bare
from transforms.planning.merge.selects import Selects
from transforms.records.record import t_of


class _Claim(NamedTuple):
    """What a resource implied before the batch and implies after it."""

    rid: str
    was: Incarnation | None
    now: Incarnation | None
    before: list[Implied]
    after: list[Implied]


def _claim(rid: str, was: Incarnation | None, now: Incarnation | None) -> _Claim:
    return _Claim(rid, was, now, parse_implied(was.implies) if was else [], parse_implied(now.implies) if now else [])


class Derived:
    """The derived relationships of a tenant as far as a batch concerns them.

    judged: every place whose derived side was judged anew; `implied`: those of them that stand.
    """

    def __init__(self, reader: GraphReader, lives: Incarnations, names: Names, most: int = 0) -> None:
        self._reader = reader
        self._lives = lives
        self._names = names
        self._selects = Selects(reader, lives, most)
        self._waiting: dict[str, StoredTombstone] = {}
        self._kept: dict[str, StoredTombstone] = {}
        self.judged: set[Triple] = set()
        self.implied: set[Triple] = set()

    def apply(self) -> None:
        """Judge what the batch may have changed, after the lives have taken it in."""
        changes = self._lives.changes()
        rids = {change.rid for change in changes} | self._implying_others()
        self._lives.load(rids)
        claims = [_claim(rid, self._lives.was(rid), self._lives.now(rid)) for rid in rids]
        self._load(claims)
        for claim in claims:
            self._judge(claim)
        self._selects.apply(changes)
        self._lives.load(self._selects.capped)
        self.judged |= self._selects.judged
        self.implied |= self._selects.implied

    def _implying_others(self) -> set[str]:
        """Resources that imply a relationship with an object that died or came back, or with one whose place is known only now."""
        changed = self._lives.changed() | self._names.moved()
        found = {end for edge in (self._reader.edges_at(changed) if changed else []) for end in edge.triple[1:]}
        refs = {rid_key(rid) for rid in with_bare(changed)} | {guess_ref(uid) for uid in self._names.newly_shown()}
        for tombstone in self._reader.tombstones_by_ref(refs) if refs else []:
            if tombstone.key.startswith("implied:"):
                found.add(tombstone.payload.decode())
        return found

    def _load(self, claims: list[_Claim]) -> None:
        """All that judging needs, in one read each."""
        self._names.load_mentions(_mention(one) for claim in claims for one in [*claim.before, *claim.after])
        keys = {_waiting_key(claim.rid, one) for claim in claims if claim.was for one in claim.before}
        self._waiting = self._reader.tombstones(keys) if keys else {}
        mentions = {_mention(one) for claim in claims for one in claim.after}
        self._lives.load({rid for rid, uid in mentions if not is_open(rid, uid)})
        self._lives.load({place(*one) for one in mentions if is_open(*one) for place in (self._names.place, self._names.place_before)})

    def _place(self, one: Implied) -> Implied:
        """The relationship with the object where it is, as far as is known."""
        if not is_open(*_mention(one)):
            return one
        return one._replace(other=self._names.place(*_mention(one)))

    def _place_before(self, one: Implied) -> Implied:
        return one._replace(other=self._names.place_before(*_mention(one)))

    def _judge(self, claim: _Claim) -> None:
        stands = set()
        for one in claim.after:
            place = self._place(one)
            alive = claim.now is not None and t_of(claim.now.ver) > self._lives.dead_t(place.other)
            if alive:
                stands.add(place.triple(claim.rid))
            self._wait(claim, one, place, alive=alive)
        if not self._is_as_before(claim, stands):
            self.implied |= stands
            for one in [*claim.before, *claim.after]:
                self.judged.add(one.triple(claim.rid))
                if is_open(*_mention(one)):
                    others = (self._place(one), self._place_before(one), *_at_cluster_scope(one))
                    self.judged.update(other.triple(claim.rid) for other in others)

    def _is_as_before(self, claim: _Claim, stands: set[Triple]) -> bool:
        """True for a resource that implies, alive, just what it implied, alive, before: a resync."""
        if claim.was is None or claim.before != claim.after or len(stands) < len(claim.after):
            return False
        if any(self._place(one) != self._place_before(one) for one in claim.after if is_open(*_mention(one))):
            return False
        t = t_of(claim.was.ver)
        return all(t > self._lives.dead_t_before(self._place(one).other) for one in claim.after)

    def _wait(self, claim: _Claim, one: Implied, place: Implied, *, alive: bool) -> None:
        """Keep what is dead or guessed where its other end, or its owner's uid, will find it."""
        refs = (() if alive else (rid_key(place.other),)) + ((guess_ref(one.owner_uid),) if one.owner_uid else ())
        if refs:
            key = _waiting_key(claim.rid, one)
            self._kept[key] = StoredTombstone(key, "", claim.rid.encode(), refs)

    def write(self, changes: Changes) -> None:
        """Add what follows for tombstones and Pods; the relationships themselves are written with the explicit ones."""
        self._selects.write(changes)
        for key, kept in self._kept.items():
            changes.hide(kept, self._waiting.get(key))
        for key, stored in self._waiting.items():
            if key not in self._kept:
                changes.reveal(key, stored)


def _mention(one: Implied) -> Mention:
    return (one.other, one.owner_uid)


def _waiting_key(rid: str, one: Implied) -> str:
    return f"implied:{one.type}:{len(rid)}:{rid}:{one.other}:{one.owner_uid}"


def _at_cluster_scope(one: Implied) -> tuple[Implied, ...]:
    return (one._replace(other=at_cluster_scope(one.other)),) if one.owner_uid else ()
