"""Batches of several tenants in one transaction: as if each were alone, and all of it or nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.groups import Delivery, given_in_groups
from tests.support.strategies import deliveries
from transforms.io.neo4j.errors import NotTogether
from transforms.io.neo4j.rows import together, writes
from transforms.model import cypher, limits
from transforms.model.graph import TENANT_KEY
from transforms.planning.facts.changes import Changes, Floors, Plan, TenantBatch, TooMany
from transforms.planning.facts.mutations import Mutation, UpsertNode
from transforms.planning.facts.stored import GraphReader, Triple
from transforms.planning.facts.values import digest_of
from transforms.planning.merge.plan import plan_batch
from transforms.records.record import make_ver
from transforms.testing import memory_graph
from transforms.testing.memory_graph import MemoryGraphStore

pytestmark = pytest.mark.slow


def pods(client_id: str, number: int) -> list[Mutation]:
    found: list[Mutation] = []
    for at in range(number):
        props = {"kind": "Pod", "ns": "shop", "name": f"p{at}"}
        found.append(UpsertNode(client_id, make_ver(1, "t", 0, at), f"pod:shop:p{at}", "", props, digest_of(props)))
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(deliveries(), min_size=1, max_size=4))
def test_tenants_that_are_written_together_have_the_graphs_and_outcomes_that_each_has_alone(tenants: list[Delivery]) -> None:
    given_in_groups(MemoryGraphStore(), "group", tenants)


def test_a_group_of_which_one_cannot_be_planned_says_which_and_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryGraphStore()

    def planned(tenant: GraphReader, client_id: str, mutations: list[Mutation], floors: Floors) -> Plan:
        if client_id == "large":
            raise TooMany(1)
        return plan_batch(tenant, client_id, mutations, floors)

    monkeypatch.setattr(memory_graph, "plan_batch", planned)
    batches = [TenantBatch(client_id, pods(client_id, 2)) for client_id in ("a", "large", "b")]
    with pytest.raises(NotTogether) as caught:
        store.write_group(batches)
    assert caught.value.client_ids == {"large"}
    assert store.tenants == {}
    with pytest.raises(TooMany):
        store.write_group(batches[1:2])


def test_a_group_that_comes_to_too_many_rows_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_graph, "MOST_GROUP_ROWS", 5)
    store = MemoryGraphStore()
    with pytest.raises(TooMany):
        store.write_group([TenantBatch("a", pods("a", 3)), TenantBatch("b", pods("b", 3))])
    assert store.tenants == {}
    assert store.write_group([TenantBatch("a", pods("a", 6))])[0].rows == 6, "alone it may come to more"
    assert limits.MOST_GROUP_ROWS > 0


def test_one_kind_of_change_is_one_statement_with_the_rows_of_all_tenants_in_their_order() -> None:
    def changes(name: str) -> Changes:
        found = Changes(node_vers={f"pod:a:{name}": "v"}, stubs={f"pod:a:stub-{name}"})
        found.edges[Triple("RUNS_ON", f"pod:a:{name}", "node::n")] = {"edge_id": name}
        found.pruned = {f"pod:a:stub-{name}"}
        return found

    tenants = [(client_id, changes(client_id)) for client_id in ("a", "b", "c")]

    found = list(together(tenants))

    places = [cypher.WRITE_ORDER[one.statement] for one in found]
    assert places == sorted(set(places))
    assert [[row[TENANT_KEY] for row in one.rows] for one in found] == [["a", "b", "c"]] * 4
    assert sum(len(one.rows) for one in found) == sum(len(one.rows) for client_id, one_s in tenants for one in writes(client_id, one_s))
