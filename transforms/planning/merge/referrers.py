"""Referrers: nodes that are no resources and refer to one: episodes, scrape targets, rules.

Each is kept by its own identity; the newest word on it holds. Its relationship with its subject stands while that has not
died since, and moves with it where the record does not name it in full (`names.py`). An episode that counts is the exception:
what each record saw is added up, whatever their order.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from transforms.model.graph import EPISODIC, REFERS, SUBJECT_NAMED
from transforms.planning.facts.changes import Changes, Row
from transforms.planning.facts.mutations import DeleteReferrer, ReferrerKey, UpsertReferrer
from transforms.planning.facts.occurrence_set import count_of, union
from transforms.planning.facts.stored import GraphReader, StoredReferrer, StoredTombstone
from transforms.planning.merge.incarnations import Incarnations
from transforms.planning.merge.names import Mention, Names
from transforms.records.outcomes import Outcome
from transforms.records.record import t_of

ReferrerMutation = UpsertReferrer | DeleteReferrer


def referrer_key(at: ReferrerKey) -> str:
    return f"{at.label}:{at.key}"


@dataclass(slots=True)
class _Place:
    """A referrer as it is stored, and the newer word on it that the batch brought.

    ver: of the newest word, deletes included. gone: that word is a delete. seen: what all that holds has seen.
    """

    stored: StoredReferrer | None
    tombstone: StoredTombstone | None = None
    upsert: UpsertReferrer | None = None
    ver: str = ""
    gone: bool = False
    seen: bytes = b""

    @property
    def mention(self) -> Mention:
        """The subject as the newest word names it."""
        if self.gone:
            return ("", "")
        if self.upsert:
            return (self.upsert.subject, self.upsert.subject_uid)
        return (self.stored.named or self.stored.subject, self.stored.subject_uid) if self.stored else ("", "")

    @property
    def alert(self) -> str:
        """The alert that it is about, or that it raises; "" for none."""
        if self.gone:
            return ""
        if self.upsert:
            return str(self.upsert.props.get("alert", ""))
        return self.stored.alert if self.stored else ""


class Referrers:
    """The referrers of a tenant as far as a batch concerns them."""

    def __init__(self, reader: GraphReader, lives: Incarnations, names: Names) -> None:
        self._reader = reader
        self._lives = lives
        self._names = names
        self._places: dict[ReferrerKey, _Place] = {}

    def apply(self, mutations: list[ReferrerMutation]) -> list[tuple[object, Outcome]]:
        """Take in the batch, after the lives have; the outcome of each mutation."""
        self._load({one.at for one in mutations})
        outcomes: list[tuple[object, Outcome]] = [(one, self._take(one, self._places[one.at])) for one in mutations]
        self._load_subjects()
        changed = self._lives.changed() | self._names.moved()
        for label in REFERS if changed else ():
            for other in self._reader.referrers_of_subjects(label, changed):
                self._places.setdefault(other.at, _place(other, None))
        shown = self._names.newly_shown()
        for other in self._reader.referrers_of_uids(EPISODIC.label, shown) if shown else ():
            self._places.setdefault(other.at, _place(other, None))
        self._load_subjects()
        return outcomes

    def _load_subjects(self) -> None:
        mentions = {place.mention for place in self._places.values()} - {("", "")}
        self._names.load_mentions(mentions)
        self._lives.load({self._names.place(*one) for one in mentions})

    def _subject(self, place: _Place) -> str:
        """The rid that it is about, as far as is known; "" for none."""
        return self._names.place(*place.mention) if place.mention[0] else ""

    def _load(self, wanted: set[ReferrerKey]) -> None:
        tombstones = self._reader.tombstones([referrer_key(at) for at in wanted]) if wanted else {}
        for label in {at.label for at in wanted}:
            stored = self._reader.referrers(label, {at.key for at in wanted if at.label == label})
            for at in wanted:
                if at.label == label:
                    self._places[at] = _place(stored.get(at.key), tombstones.get(referrer_key(at)))

    def _take(self, one: ReferrerMutation, place: _Place) -> Outcome:
        if isinstance(one, UpsertReferrer) and one.seen:
            return self._add(one, place)
        if one.ver <= place.ver:
            return Outcome.UNCHANGED if one.ver == place.ver else Outcome.SUPERSEDED
        place.ver = one.ver
        if isinstance(one, DeleteReferrer):
            was_there = place.stored is not None or place.upsert is not None
            place.gone, place.upsert = True, None
            return Outcome.WRITTEN if was_there or place.tombstone is None else Outcome.UNCHANGED
        place.gone, place.upsert = False, one
        return Outcome.UNCHANGED if place.stored and one.digest == place.stored.digest else Outcome.WRITTEN

    @staticmethod
    def _add(one: UpsertReferrer, place: _Place) -> Outcome:
        """What a record saw counts whether it is the newest or not; the properties are the newest one's."""
        seen = union(place.seen, one.seen)
        is_news = seen != place.seen
        place.seen = seen
        if one.ver > place.ver:
            place.ver, place.upsert = one.ver, one
        return Outcome.WRITTEN if is_news else Outcome.UNCHANGED

    def changed_alerts(self) -> Iterable[tuple[ReferrerKey, str, str]]:
        """The referrers whose alert the batch sets or takes away: where, the alert before, the alert now."""
        for at, place in self._places.items():
            before = place.stored.alert if place.stored else ""
            if place.alert != before:
                yield at, before, place.alert

    def write(self, changes: Changes) -> None:
        """Add what follows for referrers, their relationships, their tombstones and the stubs that these need."""
        for at, place in self._places.items():
            self._write_node(changes, at, place)
            self._write_reference(changes, at, place)

    def _write_node(self, changes: Changes, at: ReferrerKey, place: _Place) -> None:
        stored, upsert = place.stored, place.upsert
        if place.gone:
            changes.hide(StoredTombstone(referrer_key(at), place.ver), place.tombstone)
            if stored is not None:
                changes.referrers_gone.add(at)
            return
        changes.reveal(referrer_key(at), place.tombstone)
        found = self._found(place)
        counted = {"seen": place.seen, **count_of(place.seen)} if place.seen else {}
        is_there = stored is not None and (stored.subject, stored.named) == (found.get("subject", ""), found.get(SUBJECT_NAMED, ""))
        if upsert and stored and is_there and upsert.digest == stored.digest and place.seen == stored.seen:
            changes.referrer_vers[at] = upsert.ver
        elif upsert:
            changes.referrers[at] = {**upsert.props, **counted, **found, "ver": upsert.ver, "hash": upsert.digest}
        elif stored and (place.seen != stored.seen or not is_there):
            changes.referrer_counts[at] = counted | found

    def _found(self, place: _Place) -> Row:
        """The subject as properties: where it is, and where it is not as the record names it, that too."""
        named, subject = place.mention[0], self._subject(place)
        if not subject:
            return {}
        return {"subject": subject} if named == subject else {"subject": subject, SUBJECT_NAMED: named}

    def _write_reference(self, changes: Changes, at: ReferrerKey, place: _Place) -> None:
        subject, stored = self._subject(place), place.stored
        stands = subject != "" and t_of(place.ver) > self._lives.dead_t(subject)
        stood = stored.subject if stored and stored.stands else None
        if stood is not None and (stood != subject or not stands):
            changes.references_gone.add((at, stood))
            changes.pruned.add(stood)
        if stands:
            if stood != subject:
                changes.references.add((at, subject))
            if not self._lives.is_live(subject):
                changes.stubs.add(subject)


def _place(stored: StoredReferrer | None, tombstone: StoredTombstone | None) -> _Place:
    if stored is not None:
        return _Place(stored, tombstone, ver=stored.ver, seen=stored.seen)
    return _Place(None, tombstone, ver=tombstone.ver if tombstone else "", gone=tombstone is not None)
