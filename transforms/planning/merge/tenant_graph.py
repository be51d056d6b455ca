"""What is stored of one tenant, as far as planning asks for it, in memory and indexed; kept up to date by changes.

It answers all of `GraphReader` but the questions about contents and referrers, which are too many to keep.
"""

from collections.abc import Collection, Iterable
from typing import Any

from transforms.model.graph import CAPPED_PROPERTIES, SELECTED, SELECTING
from transforms.model.identity import bare_of
from transforms.planning.facts.changes import Changes
from transforms.planning.facts.stored import StoredEdge, StoredNode, StoredTombstone, Triple

LIFE = "life:"
_SELECTING = tuple(f"{label.lower()}:" for label in SELECTING)
_SELECTED = f"{SELECTED.lower()}:"
_BY_NAMESPACE = (*_SELECTING, _SELECTED)


def node_of(rid: str, props: dict[str, Any]) -> StoredNode:
    """A node as planning sees it, from its properties."""
    implies, labels, selector = (tuple(props.get(name) or ()) for name in ("implies", "labels", "selector"))
    capped = tuple(name for name in CAPPED_PROPERTIES if props.get(name))
    digest = bytes(props.get("hash") or b"")
    return StoredNode(rid, props.get("uid") or "", props.get("ver") or "", digest, implies, labels, selector, capped)


def _stub(rid: str) -> StoredNode:
    return StoredNode(rid, "", "", b"")


class KnownGraph:
    """A tenant's nodes, relationships between resources, and tombstones."""

    def __init__(
        self, nodes: Iterable[StoredNode] = (), edges: Iterable[StoredEdge] = (), tombstones: Iterable[StoredTombstone] = ()
    ) -> None:
        self._nodes: dict[str, StoredNode] = {}
        self._by_uid: dict[str, set[str]] = {}
        self._by_bare: dict[str, set[str]] = {}
        self._by_namespace: dict[str, set[str]] = {}
        self._edges: dict[Triple, StoredEdge] = {}
        self._by_edge_id: dict[str, Triple] = {}
        self._at: dict[str, set[Triple]] = {}
        self._tombstones: dict[str, StoredTombstone] = {}
        self._by_ref: dict[str, set[str]] = {}
        for node in nodes:
            self._put_node(node)
        for edge in edges:
            self._put_edge(edge)
        for tombstone in tombstones:
            self._put_tombstone(tombstone)

    def __len__(self) -> int:
        """How many facts are held, a measure of memory."""
        return len(self._nodes) + len(self._edges) + len(self._tombstones)

    def triples(self) -> Iterable[Triple]:
        """Where relationships between resources stand."""
        return self._edges.keys()

    def all_tombstones(self) -> Iterable[StoredTombstone]:
        return self._tombstones.values()

    # Answers

    def nodes(self, rids: Collection[str]) -> dict[str, StoredNode]:
        return _found(self._nodes, rids)

    def rids_of_uids(self, uids: Collection[str]) -> dict[str, set[str]]:
        return {uid: set(rids) for uid, rids in _found(self._by_uid, uids).items()}

    def rids_of_bares(self, bares: Collection[str]) -> dict[str, set[str]]:
        return {bare: set(rids) for bare, rids in _found(self._by_bare, bares).items()}

    def rids_of_kind(self, kind: str) -> set[str]:
        return {rid for rid in self._nodes if rid.startswith(f"{kind}:")}

    def uids_of_kind(self, kind: str) -> dict[str, str]:
        return {rid: node.uid for rid, node in self._nodes.items() if rid.startswith(f"{kind}:")}

    def hidden_of_kind(self, kind: str) -> set[str]:
        return hidden_rids(self._tombstones, kind)

    def tombstones(self, keys: Collection[str]) -> dict[str, StoredTombstone]:
        return _found(self._tombstones, keys) if self._tombstones else {}

    def tombstones_by_ref(self, refs: Collection[str]) -> list[StoredTombstone]:
        if not self._by_ref:
            return []
        keys = {key for found in _found(self._by_ref, refs).values() for key in found}
        return [self._tombstones[key] for key in keys]

    def edges(self, edge_ids: Collection[str]) -> dict[str, StoredEdge]:
        return {edge_id: self._edges[triple] for edge_id, triple in _found(self._by_edge_id, edge_ids).items()}

    def edges_at(self, rids: Collection[str]) -> list[StoredEdge]:
        triples = {triple for found in _found(self._at, rids).values() for triple in found}
        return [self._edges[triple] for triple in triples]

    def edges_of_triples(self, triples: Collection[Triple]) -> dict[Triple, StoredEdge]:
        return _found(self._edges, triples)

    def selectors(self, namespaces: Collection[str]) -> dict[str, list[str]]:
        return {node.rid: list(node.selector) for kind in _SELECTING for node in self._live_in(kind, namespaces)}

    def labels(self, namespaces: Collection[str]) -> dict[str, list[str]]:
        return {node.rid: list(node.labels) for node in self._live_in(_SELECTED, namespaces)}

    def _live_in(self, kind: str, namespaces: Collection[str]) -> list[StoredNode]:
        rids = (rid for namespace in namespaces for rid in self._by_namespace.get(kind + namespace, ()))
        return [self._nodes[rid] for rid in rids]

    # Changes

    def write(self, changes: Changes) -> None:
        """Become what is stored once the changes are; in the order in which the store applies them."""
        for triple in changes.edges_gone:
            self._drop_edge(triple)
        for rid in changes.cleared:
            self._put_node(_stub(rid))
        for rid, props in changes.nodes.items():
            self._put_node(node_of(rid, props))
        for rid, ver in changes.node_vers.items():
            self._nodes[rid] = self._nodes[rid]._replace(ver=ver)
        for rid, known in changes.capped.items():
            node = self._nodes[rid]
            self._nodes[rid] = node._replace(capped=tuple(name for name in CAPPED_PROPERTIES if known.get(name, name in node.capped)))
        for rid in changes.stubs:
            self._nodes.setdefault(rid, _stub(rid))
        put = (
            StoredEdge(triple, row.get("edge_id", ""), row.get("ver", ""), row.get("derived", False), tuple(row.get("named", ())))
            for triple, row in changes.edges.items()
        )
        for edge in put:
            self._put_edge(edge)
        self._edges |= changes.edge_vers
        for key in changes.tombstones_gone:
            self._drop_tombstone(key)
        for tombstone in changes.tombstones.values():
            self._put_tombstone(tombstone)
        self.prune(changes.pruned)

    def prune(self, rids: Collection[str]) -> None:
        """Forget stubs that are gone; only the store knows which of those that might go did, since episodes hold stubs too."""
        for rid in rids:
            self._nodes.pop(rid, None)

    def _put_node(self, node: StoredNode) -> None:
        held = self._nodes.get(node.rid)
        self._nodes[node.rid] = node
        if held is not None and held.uid != node.uid:
            _leave(self._by_uid, held.uid, node.rid)
        if node.uid:
            self._by_uid.setdefault(node.uid, set()).add(node.rid)
        bare = bare_of(node.rid)
        if bare and node.live:
            self._by_bare.setdefault(bare, set()).add(node.rid)
        elif bare:
            _leave(self._by_bare, bare, node.rid)
        if node.rid.startswith(_BY_NAMESPACE):
            kind, namespace, _ = node.rid.split(":", 2)
            place = f"{kind}:{namespace}"
            if node.live:
                self._by_namespace.setdefault(place, set()).add(node.rid)
            else:
                _leave(self._by_namespace, place, node.rid)

    def _put_edge(self, edge: StoredEdge) -> None:
        self._drop_edge(edge.triple)
        self._edges[edge.triple] = edge
        if edge.edge_id:
            self._by_edge_id[edge.edge_id] = edge.triple
        for rid in edge.triple[1:]:
            self._at.setdefault(rid, set()).add(edge.triple)

    def _drop_edge(self, triple: Triple) -> None:
        held = self._edges.pop(triple, None)
        if held is None:
            return
        if self._by_edge_id.get(held.edge_id) == triple:
            del self._by_edge_id[held.edge_id]
        for rid in triple[1:]:
            _leave(self._at, rid, triple)

    def _put_tombstone(self, tombstone: StoredTombstone) -> None:
        self._drop_tombstone(tombstone.key)
        self._tombstones[tombstone.key] = tombstone
        for ref in tombstone.refs:
            self._by_ref.setdefault(ref, set()).add(tombstone.key)

    def _drop_tombstone(self, key: str) -> None:
        held = self._tombstones.pop(key, None)
        for ref in held.refs if held else ():
            _leave(self._by_ref, ref, key)


def hidden_rids(keys: Iterable[str], kind: str) -> set[str]:
    """The rids of the kind in the keys of hidden lives among these."""
    rids = (rid_of_life(key) for key in keys if key.startswith(LIFE))
    return {rid for rid in rids if rid.startswith(f"{kind}:")}


def life_key(rid: str, uid: str) -> str:
    """The key of the tombstone that hides a life."""
    return f"{LIFE}{len(uid)}:{uid}:{rid}"


def rid_of_life(key: str) -> str:
    """The rid in the key of a hidden life."""
    length, _, rest = key.removeprefix(LIFE).partition(":")
    return rest[int(length) + 1 :]


def _found(held: dict[Any, Any], keys: Collection[Any]) -> dict[Any, Any]:
    return {key: held[key] for key in keys if key in held}


def _leave(index: dict[str, set[Any]], key: str, one: Any) -> None:
    members = index.get(key)
    if members is not None:
        members.discard(one)
        if not members:
            del index[key]
