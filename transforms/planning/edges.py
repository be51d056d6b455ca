"""Relationships between resources: what stands at each place, by explicit edges, by derivation, or by both.

There is at most one relationship of a type between two objects. It stands while a live edge id or a derivation says
so. Of the live edge ids that name the same place, the one with the greatest version speaks for it; the others are
kept hidden and take over when it goes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from transforms.planning.changes import Changes
from transforms.planning.derived import Derived
from transforms.planning.lives import Lives, rid_key
from transforms.planning.mutations import DeleteEdge, UpsertEdge
from transforms.planning.stored import GraphReader, StoredEdge, StoredTombstone, Triple
from transforms.records.outcomes import Outcome
from transforms.records.record import t_of

_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(UpsertEdge).decode

EdgeMutation = UpsertEdge | DeleteEdge


def edge_key(edge_id: str) -> str:
    return f"edge:{edge_id}"


@dataclass(slots=True)
class _Edge:
    """An edge id: the newest word on it (triple None: deleted), and how it is stored."""

    ver: str = ""
    triple: Triple | None = None
    shown: StoredEdge | None = None
    hidden: StoredTombstone | None = None


def triple_of(edge: UpsertEdge) -> Triple:
    return Triple(edge.type, edge.source, edge.target)


class Edges:
    """The relationships between a tenant's resources as far as a batch concerns them."""

    def __init__(self, reader: GraphReader, client_id: str, lives: Lives, derived: Derived) -> None:
        self._reader = reader
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
            edge.ver, edge.triple = shown.ver, shown.triple
        elif hidden:
            edge.ver = hidden.ver
            edge.triple = triple_of(_DECODE(hidden.payload)) if hidden.payload else None

    def _load_neighbours(self) -> None:
        """Add the edges whose fate hangs on this batch: at objects that died or came back, or at the same places."""
        changed = self._lives.changed()
        for shown in self._reader.edges_at(changed) if changed else []:
            self._add(shown.edge_id, shown, None)
        triples = self._derived.judged | {edge.triple for edge in self._edges.values() if edge.triple}
        triples |= {edge.shown.triple for edge in self._edges.values() if edge.shown}
        for shown in self._reader.edges_of_triples(triples).values() if triples else ():
            self._add(shown.edge_id, shown, None)
        refs = {rid_key(rid) for rid in changed} | {rid_key(triple.source) for triple in triples}
        for hidden in self._reader.tombstones_by_ref(refs) if refs else []:
            if hidden.payload and hidden.key.startswith("edge:"):
                other = _DECODE(hidden.payload)
                if triple_of(other) in triples or {other.source, other.target} & changed:
                    self._add(other.edge_id, None, hidden)
        self._lives.load(rid for edge in self._edges.values() if edge.triple for rid in edge.triple[1:])
        self._lives.load(rid for triple in [*self._derived.implied, *self._stored] for rid in triple[1:])

    def _is_alive(self, edge: _Edge) -> bool:
        if edge.triple is None:
            return False
        t = t_of(edge.ver)
        return t > self._lives.dead_t(edge.triple.source) and t > self._lives.dead_t(edge.triple.target)

    def _shown(self) -> dict[Triple, str]:
        """The edge id that stands at each place."""
        shown: dict[Triple, str] = {}
        for edge_id, edge in self._edges.items():
            if edge.triple and self._is_alive(edge):
                rival = shown.get(edge.triple)
                if rival is None or edge.ver > self._edges[rival].ver:
                    shown[edge.triple] = edge_id
        return shown

    def _outcome(self, one: EdgeMutation, ver: str, triple: Triple | None, shown: dict[Triple, str]) -> Outcome:
        if one.ver < ver:
            return Outcome.SUPERSEDED
        if isinstance(one, DeleteEdge):
            return Outcome.UNCHANGED if ver and triple is None else Outcome.WRITTEN
        place = triple_of(one)
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
        now = StoredEdge(triple, edge_id or "", self._edges[edge_id].ver if edge_id else "", derived)
        if stored is not None and edge_id and now == stored._replace(ver=now.ver):
            if now != stored:
                changes.edge_vers[triple] = now
        elif now != stored:
            explicit = {"edge_id": now.edge_id, "ver": now.ver} if edge_id else {}
            changes.edges[triple] = explicit | ({"derived": True} if derived else {})
        changes.stubs.update(rid for rid in triple[1:] if not self._lives.is_live(rid))

    def _write_tombstone(self, changes: Changes, edge_id: str, edge: _Edge, shown: dict[Triple, str]) -> None:
        key = edge_key(edge_id)
        if edge.triple and shown.get(edge.triple) == edge_id:
            changes.reveal(key, edge.hidden)
        elif edge.triple is None:
            changes.hide(StoredTombstone(key, edge.ver), edge.hidden)
        else:
            upsert = UpsertEdge(self._client_id, edge.ver, edge_id, *edge.triple)
            refs = (rid_key(edge.triple.source), rid_key(edge.triple.target))
            changes.hide(StoredTombstone(key, edge.ver, _ENCODE(upsert), refs), edge.hidden)
