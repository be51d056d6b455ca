"""What every store must do with batches of several tenants at once."""

from typing import Protocol

from tests.support.reference import expected_digest
from tests.support.strategies import TENANT
from transforms.io.neo4j.digest import GraphDigest
from transforms.planning.facts.changes import TenantBatch, Written
from transforms.planning.facts.mutations import Mutation
from transforms.planning.merge.fold import Folded, Interpreted, fold
from transforms.testing.memory_graph import MemoryGraphStore

Delivery = tuple[list[Mutation], list[list[Mutation]]]


class GroupStore(Protocol):
    """A store of the contract."""

    def write_group(self, batches: list[TenantBatch]) -> list[Written]: ...

    def digest(self, client_id: str) -> GraphDigest: ...


def given_in_groups(store: GroupStore, name: str, tenants: list[Delivery]) -> None:
    """Each tenant's slices, the first ones together, then the second ones: every graph and outcome is as if it were alone."""
    alone = [MemoryGraphStore() for _ in tenants]
    client_ids = [f"{name}-{at}" for at in range(len(tenants))]
    for at in range(max(len(slices) for _, slices in tenants)):
        batches = {number: _folded(slices[at]) for number, (_, slices) in enumerate(tenants) if at < len(slices)}
        # In no order: locks are taken in that of the ids, and outcomes come in the given one.
        order = sorted(batches, key=lambda number: (number * 7 + at) % 5)
        written = store.write_group([TenantBatch(client_ids[number], batches[number]) for number in order])
        expected = [alone[number].write_batch(TENANT, batches[number]) for number in order]
        assert [one.outcomes for one in written] == [one.outcomes for one in expected]
        assert [one.rows for one in written] == [one.rows for one in expected]
    for client_id, (world, _) in zip(client_ids, tenants, strict=True):
        assert store.digest(client_id).hexdigest() == expected_digest(world).hexdigest()


def _folded(mutations: list[Mutation]) -> list[Mutation]:
    found: Folded = {}
    fold(found, [Interpreted(one, None) for one in mutations])
    return [one.mutation for one in found.values()]
