"""What pages ask of the graph, and the shapes of the answers; the real source and its test double answer alike."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Protocol


class Brief(NamedTuple):
    """A resource as lists and pictures show it.

    stub: nothing has described it. ails: why it is ailing; None for one that is not.
    """

    rid: str
    kind: str
    ns: str
    name: str
    stub: bool = False
    ails: str | None = None

    @property
    def label(self) -> str:
        return f"{self.kind}/{self.name}"


class Counted(NamedTuple):
    """How many objects share these; ns is "" for cluster-scoped ones."""

    ns: str
    kind: str
    stub: bool
    sick: bool
    number: int


class Placed(NamedTuple):
    """An object with what controls it and what it runs on, as rids."""

    object: Brief
    owners: tuple[str, ...]
    nodes: tuple[str, ...]


class Listed(NamedTuple):
    """An object of a kind with its numbers. runs: how many objects run on it."""

    object: Brief
    wanted: int | None
    ready: int | None
    owned: bool
    runs: int
    image: str


class EdgesAt(NamedTuple):
    """The first neighbours of one object by one type and direction, and how many there are in all."""

    rid: str
    type: str
    outgoing: bool
    others: tuple[Brief, ...]
    number: int


class Edge(NamedTuple):
    source: str
    type: str
    target: str


class Tenant(NamedTuple):
    """A cluster as it stands; now_ms: by the server's clock."""

    client_id: str
    props: Mapping[str, Any]
    now_ms: int
    objects: int = 0
    incidents: int = 0


class Hit(NamedTuple):
    """What a search found. texts: what was searched of it."""

    client_id: str
    object: Brief
    texts: tuple[str, ...]


Props = dict[str, Any]


class GraphSource(Protocol):
    """Reads one graph. Every answer is of the named tenants alone and holds at most `most` entries, in a fixed order.

    client_ids: None for all tenants.
    """

    def close(self) -> None: ...

    def fleet(self, client_ids: Collection[str] | None, most: int) -> list[Tenant]: ...

    def tenant(self, client_id: str) -> Tenant | None: ...

    def happened(self, client_id: str, most: int) -> list[Props]: ...

    def census(self, client_id: str) -> list[Counted]: ...

    def objects(self, client_id: str, namespaces: Collection[str] | None, most: int) -> list[Placed]: ...

    def of_kinds(self, client_id: str, kinds: Collection[str], most: int) -> list[Listed]: ...

    def bare_pods(self, client_id: str, most: int) -> list[Brief]: ...

    def sick(self, client_id: str, most: int) -> list[Brief]: ...

    def object(self, client_id: str, rid: str) -> tuple[Brief, Props] | None: ...

    def briefs(self, client_id: str, rids: Collection[str]) -> list[Brief]: ...

    def edges_at(self, client_id: str, rids: Collection[str], types: Collection[str], each: int) -> list[EdgesAt]: ...

    def edges_between(self, client_id: str, rids: Collection[str], most: int) -> list[Edge]: ...

    def owners(self, client_id: str, rid: str) -> list[Brief]: ...

    def members_of_namespace(self, client_id: str, ns: str, most: int) -> list[Brief]: ...

    def episodes(self, client_id: str, most: int) -> list[Props]: ...

    def episodes_about(self, client_id: str, rids: Collection[str], most: int) -> list[Props]: ...

    def referrers_of(self, client_id: str, label: str, rid: str, most: int) -> list[Props]: ...

    def incidents(self, client_id: str, *, is_open: bool | None, root: str | None, most: int) -> list[Props]: ...

    def incident(self, client_id: str, iid: str) -> Props | None: ...

    def affected(self, client_id: str, iid: str, most: int) -> list[tuple[str, Brief]]: ...

    def episodes_of_incident(self, client_id: str, iid: str, most: int) -> list[Props]: ...

    def causes_of_incident(self, client_id: str, iid: str, most: int) -> list[tuple[Props, str, str]]: ...

    def incidents_of(self, client_id: str, rid: str, most: int) -> list[tuple[Props, str]]: ...

    def search(self, client_ids: Collection[str] | None, words: Collection[str], most: int) -> list[Hit]: ...
