"""Relationships between resources: what stands at each place, by explicit edges, by derivation, or by both.

There is at most one relationship of a type between two objects. It stands while a live edge id or a derivation says
so. Of the live edge ids that name the same place, the one with the greatest version speaks for it; the others are
kept hidden and take over when it goes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from transforms.model.identity import is_loose
from transforms.planning.facts.changes import Changes, Row
from transforms.planning.facts.mutations import DeleteEdge, UpsertEdge
from transforms.planning.facts.stored import GraphReader, StoredEdge, StoredTombstone, Triple
from transforms.planning.merge.derived import Derived
from transforms.planning.merge.incarnations import Incarnations, rid_key
from transforms.planning.merge.names import Names, with_bare
from transforms.records.outcomes import Outcome
from transforms.records.record import t_of

_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(UpsertEdge).decode

EdgeMutation = UpsertEdge | DeleteEdge


def edge_key(edge_id: str) -> str:
    return f"edge:{edge_id}"


@dataclass(slots=True)
class _Edge:
    """An edge id: the newest word on it (triple None: deleted), its ends as it names them, and how it is stored."""

    ver: str = ""
    triple: Triple | None = None
    shown: StoredEdge | None = None
    hidden: StoredTombstone | None = None


def triple_of(edge: UpsertEdge) -> Triple:
    return Triple(edge.type, edge.source, edge.target)


class Edges:
    """The relationships between a tenant's resources as far as a batch concerns them."""

    def __init__(self, reader: GraphReader, client_id: str, lives: Incarnations, derived: Derived, names: Names) -> None:
        self._reader = reader
        self._names = names
        self._client_id = client_id
        self._lives = lives
        self._derived = derived
        self._edges: dict[str, _Edge] = {}
        self._stored: dict[Triple, StoredEdge] = {}

    def apply(self, mutations: list[EdgeMutation]) -> list[tuple[object, Outcome]]:
        """Take in the batch, after lives and derivations have; the outcome of each mutation."""
        self._load({one.edge_id for one in mutations})
        before = {one.edge_id: (self._edges[one.edge_id].ver, self._edges[one.edge_id].triple) for one in mutations}
        for one in mutations:
            edge = self._edges[one.edge_id]
            if one.ver > edge.ver:
                edge.ver, edge.triple = one.ver, triple_of(one) if isinstance(one, UpsertEdge) else None
        self._load_neighbours()
        shown = self._shown()
        return [(one, self._outcome(one, *before[one.edge_id], shown)) for one in mutations]

    def _load(self, edge_ids: Iterable[str]) -> None:
        wanted = {edge_id for edge_id in edge_ids if edge_id not in self._edges}
        if not wanted:
            return
        shown = self._reader.edges(wanted)
        hidden = self._reader.tombstones([edge_key(edge_id) for edge_id in wanted])
        for edge_id in wanted:
            self._add(edge_id, shown.get(edge_id), hidden.get(edge_key(edge_id)))

    def _add(self, edge_id: str, shown: StoredEdge | None, hidden: StoredTombstone | None) -> None:
        if shown is not None:
            self._stored[shown.triple] = shown
        if edge_id in self._edges or not edge_id:
            return
        edge = self._edges[edge_id] = _Edge(shown=shown, hidden=hidden)
        if shown:
            edge.ver, edge.triple = shown.ver, Triple(shown.triple.type, *(shown.named or shown.triple[1:]))
        elif hidden:
            edge.ver = hidden.ver
            edge.triple = triple_of(_DECODE(hidden.payload)) if hidden.payload else None

    def _load_neighbours(self) -> None:
        """Add the edges whose fate hangs on this batch: at objects that died, came back or are elsewhere, or at the same places."""
        changed = self._lives.changed() | self._names.moved()
        for shown in self._reader.edges_at(changed) if changed else []:
            self._add(shown.edge_id, shown, None)
        self._load_names(edge.triple for edge in self._edges.values() if edge.triple)
        triples = self._derived.judged | {self._place(edge.triple) for edge in self._edges.values() if edge.triple}
        triples |= {edge.shown.triple for edge in self._edges.values() if edge.shown}
        for shown in self._reader.edges_of_triples(triples).values() if triples else ():
            self._add(shown.edge_id, shown, None)
        self._add_hidden(triples, changed)
        self._load_names(edge.triple for edge in self._edges.values() if edge.triple)
        self._lives.load(rid for edge in self._edges.values() if edge.triple for rid in self._place(edge.triple)[1:])
        self._lives.load(rid for triple in [*self._derived.implied, *self._stored] for rid in triple[1:])

    def _add_hidden(self, triples: set[Triple], changed: set[str]) -> None:
        """Add those that are hidden at the places, or at the objects."""
        refs = {rid_key(rid) for rid in with_bare(changed | {triple.source for triple in triples})}
        found = self._reader.tombstones_by_ref(refs) if refs else []
        hidden = [(one, _DECODE(one.payload)) for one in found if one.payload and one.key.startswith("edge:")]
        self._load_names(triple_of(other) for _, other in hidden)
        for one, other in hidden:
            place = self._place(triple_of(other))
            if place in triples or {place.source, place.target, other.source, other.target} & changed:
                self._add(other.edge_id, None, one)

    def _load_names(self, triples: Iterable[Triple]) -> None:
        self._names.load_mentions((rid, "") for triple in triples for rid in triple[1:] if is_loose(rid))

    def _place(self, triple: Triple) -> Triple:
        """Where an edge stands whose ends are named so."""
        source, target = self._names.place(triple.source), self._names.place(triple.target)
        return triple if (source, target) == triple[1:] else Triple(triple.type, source, target)

    def _is_alive(self, edge: _Edge) -> bool:
        if edge.triple is None:
            return False
        t = t_of(edge.ver)
        return all(t > self._lives.dead_t(rid) for rid in self._place(edge.triple)[1:])

    def _shown(self) -> dict[Triple, str]:
        """The edge id that stands at each place."""
        shown: dict[Triple, str] = {}
        for edge_id, edge in self._edges.items():
            if edge.triple and self._is_alive(edge):
                place = self._place(edge.triple)
                rival = shown.get(place)
                if rival is None or edge.ver > self._edges[rival].ver:
                    shown[place] = edge_id
        return shown

    def _outcome(self, one: EdgeMutation, ver: str, triple: Triple | None, shown: dict[Triple, str]) -> Outcome:
        if one.ver < ver:
            return Outcome.SUPERSEDED
        if isinstance(one, DeleteEdge):
            return Outcome.UNCHANGED if ver and triple is None else Outcome.WRITTEN
        place = self._place(triple_of(one))
        if shown.get(place) != one.edge_id:
            return Outcome.SUPERSEDED
        stored = self._stored.get(place)
        return Outcome.UNCHANGED if stored is not None and stored.edge_id == one.edge_id else Outcome.WRITTEN

    def write(self, changes: Changes) -> None:
        """Add what follows for relationships, their stubs and their tombstones."""
        shown = self._shown()
        for triple in self._stored.keys() | shown.keys() | self._derived.judged:
            self._write_place(changes, triple, shown.get(triple))
        for edge_id, edge in self._edges.items():
            self._write_tombstone(changes, edge_id, edge, shown)

    def _write_place(self, changes: Changes, triple: Triple, edge_id: str | None) -> None:
        stored = self._stored.get(triple)
        derived = triple in self._derived.implied if triple in self._derived.judged else stored is not None and stored.derived
        if edge_id is None and not derived:
            if stored is not None:
                changes.edges_gone.add(triple)
                changes.pruned.update(triple[1:])
            return
        now = self._stored_as(triple, edge_id, derived=derived)
        if stored is not None and edge_id and now == stored._replace(ver=now.ver):
            if now != stored:
                changes.edge_vers[triple] = now
        elif now != stored:
            explicit: Row = {"edge_id": now.edge_id, "ver": now.ver} if edge_id else {}
            explicit |= {"named": list(now.named)} if now.named else {}
            changes.edges[triple] = explicit | ({"derived": True} if derived else {})
        changes.stubs.update(rid for rid in triple[1:] if not self._lives.is_live(rid))

    def _stored_as(self, triple: Triple, edge_id: str | None, *, derived: bool) -> StoredEdge:
        if edge_id is None:
            return StoredEdge(triple, "", "", derived)
        edge = self._edges[edge_id]
        assert edge.triple is not None
        return StoredEdge(triple, edge_id, edge.ver, derived, () if edge.triple == triple else edge.triple[1:])

    def _write_tombstone(self, changes: Changes, edge_id: str, edge: _Edge, shown: dict[Triple, str]) -> None:
        key = edge_key(edge_id)
        if edge.triple and shown.get(self._place(edge.triple)) == edge_id:
            changes.reveal(key, edge.hidden)
        elif edge.triple is None:
            changes.hide(StoredTombstone(key, edge.ver), edge.hidden)
        else:
            upsert = UpsertEdge(self._client_id, edge.ver, edge_id, *edge.triple)
            place = self._place(edge.triple)
            refs = (rid_key(place.source), rid_key(place.target))
            changes.hide(StoredTombstone(key, edge.ver, _ENCODE(upsert), refs), edge.hidden)
