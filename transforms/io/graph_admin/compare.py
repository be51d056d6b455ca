"""Two graphs of one tenant read side by side, page by page in the order of their keys, in bounded memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from transforms.io.faults import InfrastructureFault
from transforms.io.neo4j.digest import GraphDigest
from transforms.model.graph import NODES, NodeLabel
from transforms.model.graph_mapping import GraphMapping
from transforms.planning.diff.comparison import Differences, KeysOutOfOrder, Line, side_by_side

OnProgress = Callable[[int], None]


class Pair(NamedTuple):
    """A tenant as it is called on the left and on the right; left is "" where an older graph holds no tenant's name."""

    left: str
    right: str


class Side(Protocol):
    """One of the graphs. Whatever keeps it from being read is an InfrastructureFault."""

    def tenants(self) -> list[str]: ...

    def writes(self, client_id: str) -> int | None: ...

    def nodes(self, node: NodeLabel, client_id: str) -> Iterator[Line]: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class TenantComparison:
    """What two graphs of a tenant come to. digests: of what was compared; of whole graphs, those of `tenants digest`.

    written: the sides on which somebody wrote the tenant meanwhile.
    """

    tenant: Pair
    digests: tuple[GraphDigest, GraphDigest]
    differences: Differences
    written: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        left, right = self.digests
        return left.hexdigest() == right.hexdigest() and not self.differences


def compare_tenant(
    left: Side, right: Side, tenant: Pair, mapping: GraphMapping | None, limit: int, progress: OnProgress
) -> TenantComparison:
    """Compare a tenant's graphs, or what the mapping names of them; limit: examples of each side, of nodes and of relationships.

    progress: told how many more nodes were read. InfrastructureFault where a graph cannot be read, or not in the order of its keys.
    """
    found = TenantComparison(tenant, (GraphDigest(), GraphDigest()), Differences(limit))
    before = left.writes(tenant.left), right.writes(tenant.right)
    for node in compared_labels(mapping):
        lefts = _counted(found.digests[0], node, left.nodes(node, tenant.left), progress)
        rights = _counted(found.digests[1], node, right.nodes(node, tenant.right), progress)
        try:
            for one, other in side_by_side(lefts, rights):
                found.differences.add(node.label, one, other)
        except KeysOutOfOrder as error:
            raise InfrastructureFault(
                f"The graphs cannot be read side by side, since one is not in the order of its keys ({error}); for a graph of this job "
                "let it make its constraints, for an older one map keys that do not mix emojis with compatibility characters."
            ) from error
    after = left.writes(tenant.left), right.writes(tenant.right)
    found.written = tuple(side for side, was, now in zip(("left", "right"), before, after, strict=True) if was != now)
    return found


def compared_labels(mapping: GraphMapping | None) -> list[NodeLabel]:
    return [mapped.node for mapped in mapping.nodes] if mapping else [node for node in NODES if node.digest]


def _counted(digest: GraphDigest, node: NodeLabel, lines: Iterable[Line], progress: OnProgress) -> Iterator[Line]:
    for line in lines:
        digest.add_contract(node, line.key, line.props)
        for begins in line.out:
            digest.add_relationship(begins.type, node.label, line.key, begins.label, begins.key)
        progress(1)
        yield line
