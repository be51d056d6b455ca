"""What planning asks of a stored graph, and the shapes of the answers.

`GraphReader` is the port: the real store answers it inside the transaction that will write, the in-memory store
answers it in tests, and both pass the same contract suite. Every answer concerns the reader's one tenant.
"""

from collections.abc import Collection
from typing import Any, NamedTuple, Protocol

from transforms.planning.facts.mutations import ReferrerKey


class StoredNode(NamedTuple):
    """A `:Resource` node. ver is "" for a stub, which nothing but its relationships speaks for.

    implies, labels, selector: the properties that derived relationships are judged by.
    capped: of a Pod, the properties that say that more select it than it is joined with.
    """

    rid: str
    uid: str
    ver: str
    digest: bytes
    implies: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    selector: tuple[str, ...] = ()
    capped: tuple[str, ...] = ()

    @property
    def live(self) -> bool:
        return bool(self.ver)


class StoredTombstone(NamedTuple):
    """A `:Tombstone` node: what is dead or hidden, and the version that says so.

    payload: the mutation that is hidden but may come back, encoded; b"" where nothing can.
    refs: what it must be found by besides its key, at most two.
    """

    key: str
    ver: str
    payload: bytes = b""
    refs: tuple[str, ...] = ()


class Triple(NamedTuple):
    """The place of a relationship: there is at most one of a type between two objects."""

    type: str
    source: str
    target: str


class StoredEdge(NamedTuple):
    """A topology relationship in the live graph.

    edge_id, ver: the explicit edge that speaks for it, "" where none does. derived: whether resources imply it.
    named: the ends as the explicit edge names them, where they are found elsewhere; () otherwise.
    """

    triple: Triple
    edge_id: str
    ver: str
    derived: bool = False
    named: tuple[str, ...] = ()


class StoredReferrer(NamedTuple):
    """A node that is no resource. subject: the rid that it is about, "" for none; stands: whether their relationship does.

    named: the subject as the record names it, where it is found elsewhere, else "". subject_uid: as in `UpsertReferrer`.
    seen: for an episode that counts. alert: what joins rules and episodes, "" for none.
    """

    at: ReferrerKey
    ver: str
    digest: bytes
    subject: str
    stands: bool
    seen: bytes = b""
    alert: str = ""
    named: str = ""
    subject_uid: str = ""


class GraphReader(Protocol):
    """Reads of one tenant's stored graph. What is not stored is absent from the answer."""

    def nodes(self, rids: Collection[str]) -> dict[str, StoredNode]: ...

    def node_props(self, rids: Collection[str]) -> dict[str, dict[str, Any]]:
        """The content properties of live nodes, without key and bookkeeping."""

    def rids_of_uids(self, uids: Collection[str]) -> dict[str, set[str]]:
        """The rids of live nodes by uid."""

    def rids_of_bares(self, bares: Collection[str]) -> dict[str, set[str]]:
        """The rids of live nodes with a group, by what they are called without it."""

    def rids_of_kind(self, kind: str) -> set[str]:
        """Every node of the kind, stubs included."""

    def uids_of_kind(self, kind: str) -> dict[str, str]:
        """The uid of every node of the kind by rid, "" for stubs and for what has none."""

    def hidden_of_kind(self, kind: str) -> set[str]:
        """The rids of the kind that have lives which are not shown."""

    def tombstones(self, keys: Collection[str]) -> dict[str, StoredTombstone]: ...

    def tombstones_by_ref(self, refs: Collection[str]) -> list[StoredTombstone]: ...

    def edges(self, edge_ids: Collection[str]) -> dict[str, StoredEdge]: ...

    def edges_at(self, rids: Collection[str]) -> list[StoredEdge]:
        """Every topology relationship that begins or ends at one of the rids."""

    def edges_of_triples(self, triples: Collection[Triple]) -> dict[Triple, StoredEdge]: ...

    def selectors(self, namespaces: Collection[str]) -> dict[str, list[str]]:
        """The selectors of the live objects that select Pods in the namespaces, by rid."""

    def labels(self, namespaces: Collection[str]) -> dict[str, list[str]]:
        """The labels of the live Pods in the namespaces, by rid."""

    def referrers(self, label: str, keys: Collection[str]) -> dict[str, StoredReferrer]: ...

    def referrers_of_subjects(self, label: str, rids: Collection[str]) -> list[StoredReferrer]: ...

    def referrers_of_uids(self, label: str, uids: Collection[str]) -> list[StoredReferrer]:
        """Those whose subject has one of the uids, and may be found by it."""

    def alerting(self, label: str, alerts: Collection[str]) -> list[tuple[str, str]]:
        """The keys of the nodes of a label that are about one of the alerts, each with its alert."""

    def count_episodes(self, alerts: Collection[str]) -> dict[str, int]:
        """How many episodes there are of each of the alerts."""
