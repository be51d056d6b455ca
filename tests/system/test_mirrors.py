"""A tenant's mirror is what is stored, whoever else writes; it saves reads and never shows in the graph."""

from collections.abc import Iterator
from itertools import count

import neo4j
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.reference import expected_digest
from tests.support.strategies import TENANT, deliveries
from tests.system.world import World
from tests.unit.transforms.planning.merge.test_order import folded
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.io.neo4j.tenant_transaction import TenantsTransaction
from transforms.io.neo4j.time_limits import TimeLimits
from transforms.planning.facts.changes import TenantBatch
from transforms.planning.facts.mutations import Mutation
from transforms.planning.merge.tenant_graph import KnownGraph

_RUNS = count()
Stores = tuple[Neo4jGraphStore, Neo4jGraphStore]


@pytest.fixture
def stores(world: World) -> Iterator[Stores]:
    limits = TimeLimits(group_s=60)
    found = (Neo4jGraphStore(world.neo4j_target, limits), Neo4jGraphStore(world.neo4j_target, limits))
    found[0].ensure_schema()
    yield found
    for store in found:
        store.close()


def stored(world: World, client_id: str) -> KnownGraph:
    """The tenant as it is in the database."""

    def load(tx: neo4j.ManagedTransaction) -> KnownGraph | None:
        loaded = TenantsTransaction(tx).planned({client_id: lambda reader: reader.load(10_000)})[client_id]
        assert isinstance(loaded, KnownGraph)
        return loaded

    with world.graph.session() as session:
        found = session.execute_read(load)
    assert found is not None
    return found


def facts(graph: KnownGraph, *, stubs: bool) -> tuple[object, ...]:
    nodes = {rid: node for rid, node in graph._nodes.items() if stubs or node.live}
    return nodes, graph._edges, graph._tombstones, graph._by_uid, graph._by_edge_id, graph._by_ref, graph._at, graph._by_namespace


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries(), st.data())
def test_a_mirror_is_what_is_stored_and_two_writers_do_not_mislead_each_other(
    world: World, stores: Stores, delivery: tuple[list[Mutation], list[list[Mutation]]], data: st.DataObject
) -> None:
    mutations, slices = delivery
    client_id = f"mirrored-{next(_RUNS)}"
    for one in slices:
        store = stores[data.draw(st.sampled_from([0, 0, 0, 1]))]
        store.write_batch(client_id, [held.mutation for held in folded(one).values()])
        mirror = store._mirrors._mirrors.get(client_id)
        if mirror is not None:
            kept = stored(world, client_id)
            assert facts(mirror.graph, stubs=False) == facts(kept, stubs=False)
            assert set(mirror.graph._nodes) <= set(kept._nodes), "a node that is not stored would not be made"

    assert stores[0].digest(client_id).hexdigest() == expected_digest(mutations).hexdigest()
    assert client_id != TENANT


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(deliveries(), min_size=2, max_size=4), st.data())
def test_tenants_that_are_written_together_have_mirrors_that_are_what_is_stored(
    world: World, stores: Stores, tenants: list[tuple[list[Mutation], list[list[Mutation]]]], data: st.DataObject
) -> None:
    client_ids = [f"together-{next(_RUNS)}" for _ in tenants]
    for at in range(max(len(slices) for _, slices in tenants)):
        store = stores[data.draw(st.sampled_from([0, 0, 0, 1]))]
        batches = [
            TenantBatch(client_id, [held.mutation for held in folded(slices[at]).values()])
            for client_id, (_, slices) in zip(client_ids, tenants, strict=True)
            if at < len(slices)
        ]
        store.write_group(batches[::-1])
        for one in batches:
            mirror = store._mirrors._mirrors.get(one.client_id)
            if mirror is not None:
                kept = stored(world, one.client_id)
                assert facts(mirror.graph, stubs=False) == facts(kept, stubs=False)

    for client_id, (mutations, _) in zip(client_ids, tenants, strict=True):
        assert stores[0].digest(client_id).hexdigest() == expected_digest(mutations).hexdigest()
