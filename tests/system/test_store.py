"""The real store and the in-memory one answer alike, and the real one finds the row that Neo4j refuses."""

import time
from contextlib import closing
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.golden.test_statements import OF_ALL_TENANTS, statements
from tests.support.groups import given_in_groups
from tests.support.reference import expected_digest
from tests.support.strategies import CREATED, TENANT, deliveries, loose_worlds
from tests.system.world import World, locked
from tests.unit.transforms.planning.merge.test_order import deliver, folded
from transforms.io.graph_admin.quarantine import Quarantine
from transforms.io.neo4j.errors import NotTogether, RowRefused, TenantLocked
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.io.neo4j.time_limits import TimeLimits
from transforms.planning.facts.changes import TenantBatch
from transforms.planning.facts.mutations import DeleteNode, DeleteUid, Mutation, UpsertEdge, UpsertNode, UpsertReferrer
from transforms.planning.facts.values import digest_of
from transforms.planning.merge.fold import Interpreted
from transforms.records.outcomes import Outcome
from transforms.records.record import KafkaRecord, make_ver
from transforms.steps.write_tenant import TenantWriter

RECORD = KafkaRecord("t", 0, 0, 1_772_352_000_000, None, None)
_RUNS = count()


def upsert(name: str, t: int, uid: str = "", client_id: str = TENANT) -> UpsertNode:
    props = {"kind": "Pod", "ns": "shop", "name": name} | ({"uid": uid} if uid else {})
    return UpsertNode(client_id, make_ver(t, "t", 0, t), f"pod:shop:{name}", uid, props, digest_of(props))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries())
def test_any_delivery_gives_the_graph_that_the_set_of_mutations_defines(
    store: Neo4jGraphStore, delivery: tuple[list[Mutation], list[list[Mutation]]]
) -> None:
    world, slices = delivery
    client_id = f"run-{next(_RUNS)}"
    outcomes = [store.write_batch(client_id, [held.mutation for held in folded(one).values()]).outcomes for one in slices]

    assert store.digest(client_id).hexdigest() == expected_digest(world).hexdigest() == deliver(slices).digest(TENANT).hexdigest()
    assert [len(batch) for batch in outcomes] == [len(folded(one)) for one in slices]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries(loose_worlds()))
def test_any_delivery_finds_what_is_named_without_its_group(
    store: Neo4jGraphStore, delivery: tuple[list[Mutation], list[list[Mutation]]]
) -> None:
    world, slices = delivery
    client_id = f"loose-{next(_RUNS)}"
    for one in slices:
        store.write_batch(client_id, [held.mutation for held in folded(one).values()])

    assert store.digest(client_id).hexdigest() == expected_digest(world).hexdigest()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(deliveries(), min_size=1, max_size=4))
def test_tenants_that_are_written_together_have_the_graphs_and_outcomes_that_each_has_alone(
    store: Neo4jGraphStore, tenants: list[tuple[list[Mutation], list[list[Mutation]]]]
) -> None:
    given_in_groups(store, f"group-{next(_RUNS)}", tenants)


def test_a_group_of_which_one_cannot_be_planned_says_which_and_writes_nothing(world: World, store: Neo4jGraphStore) -> None:
    for client_id in ("sound", "spoilt"):
        store.write_batch(client_id, [upsert("a", 1, client_id=client_id)])
    world.cypher("MATCH (n:Resource {client_id: 'spoilt'}) SET n.hash = 'by hand'")
    # Nobody's mirror is asked.
    other = Neo4jGraphStore(world.neo4j_target, TimeLimits(group_s=60))
    batches = [TenantBatch(client_id, [upsert("a", 2, client_id=client_id), upsert("b", 2)]) for client_id in ("new", "sound", "spoilt")]
    try:
        with pytest.raises(NotTogether) as caught:
            other.write_group(batches)
        assert caught.value.client_ids == {"spoilt"}
        assert other.tenants() == ["sound", "spoilt"]
        assert [one.outcomes for one in other.write_group(batches[:2])] == [[Outcome.WRITTEN] * 2, [Outcome.UNCHANGED, Outcome.WRITTEN]]
    finally:
        other.close()


def test_a_life_that_another_displaces_comes_back_with_its_moment(world: World, store: Neo4jGraphStore) -> None:
    """The driver gives a moment back in a type of its own, which cannot be kept aside."""

    def life(t: int, uid: str) -> UpsertNode:
        props = {"kind": "Pod", "ns": "shop", "name": "a", "uid": uid, "created": CREATED}
        return UpsertNode(TENANT, make_ver(t, "t", 0, t), "pod:shop:a", uid, props, digest_of(props))

    slices: list[list[Mutation]] = [[life(1, "u1")], [life(2, "u2")], [DeleteUid(TENANT, make_ver(3, "t", 0, 3), "u2")]]
    for one in slices:
        # Nobody's mirror is asked.
        with closing(Neo4jGraphStore(world.neo4j_target, TimeLimits(group_s=60))) as other:
            other.write_batch(TENANT, one)

    assert store.digest(TENANT).hexdigest() == deliver(slices).digest(TENANT).hexdigest()
    (row,) = world.cypher("MATCH (n:Resource {client_id: $id}) RETURN n.uid AS uid, n.created AS created", id=TENANT)
    assert (row["uid"], row["created"].to_native()) == ("u1", CREATED)


def test_a_group_waits_for_a_lock_for_a_moment_alone(world: World, store: Neo4jGraphStore) -> None:
    batches = [TenantBatch(client_id, [upsert("a", 1, client_id=client_id)]) for client_id in ("a-1", "a-2", "a-3")]
    store.write_group(batches)
    with locked(world, "a-2"):
        began = time.monotonic()
        with pytest.raises(TenantLocked):
            store.write_group(batches)
        assert time.monotonic() - began < 2.5, "a tenant alone would wait for five seconds"
        assert store.write_group([batches[0], batches[2]])[0].outcomes == [Outcome.UNCHANGED]


def test_a_group_with_a_row_that_neo4j_refuses_writes_nothing(world: World, store: Neo4jGraphStore) -> None:
    refused = TenantBatch("b-2", [upsert("refused", 1, uid="u" * 40_000, client_id="b-2")])
    with pytest.raises(RowRefused):
        store.write_group([TenantBatch("b-1", [upsert("a", 1, client_id="b-1")]), refused])
    assert store.tenants() == []


GATEWAY = "gateway.networking.istio.io:mesh:g"


def gateway(t: int) -> UpsertNode:
    props = {"kind": "Gateway", "ns": "mesh", "name": "g", "api_version": "networking.istio.io/v1", "bare": "gateway:mesh:g"}
    return UpsertNode(TENANT, make_ver(t, "t", 0, t), GATEWAY, "", props, digest_of(props))


def test_a_graph_from_before_groups_were_part_of_rids_is_brought_over_where_it_stands(world: World, store: Neo4jGraphStore) -> None:
    about = {"message": "m", "subject": GATEWAY}
    event = UpsertReferrer(TENANT, make_ver(3, "t", 0, 3), "Episodic", "e", GATEWAY, about, digest_of(about))
    edge = UpsertEdge(TENANT, make_ver(4, "t", 0, 4), "e1", "CONTROLS", "gateway:mesh:g", "pod:shop:a")
    store.write_batch(TENANT, [gateway(1), upsert("a", 2), edge, event])
    new = store.digest(TENANT).hexdigest()
    world.cypher("MATCH (n:Resource) WHERE n.bare IS NOT NULL SET n.rid = n.bare REMOVE n.bare")
    world.cypher("MATCH (e:Episodic) SET e.subject = 'gateway:mesh:g'")
    world.cypher("MATCH (c:Cluster) REMOVE c.spelling")
    world.cypher("MATCH ()-[r:CONTROLS]->() REMOVE r.named")
    assert store.digest(TENANT).hexdigest() != new

    for _ in range(2):
        store.ensure_schema()
        assert store.digest(TENANT).hexdigest() == new

    assert store.write_batch(TENANT, [gateway(5)]).outcomes == [Outcome.UNCHANGED]
    gone = DeleteNode(TENANT, make_ver(6, "t", 0, 6), "gateway:mesh:g")
    assert store.write_batch(TENANT, [gone]).outcomes == [Outcome.WRITTEN]
    assert world.cypher("MATCH (n:Resource) RETURN n.rid AS rid") == [{"rid": "pod:shop:a"}]


def test_outcomes_tell_what_became_of_each_mutation(store: Neo4jGraphStore) -> None:
    first, newer_same, newer_other = upsert("a", 5), upsert("a", 6), upsert("a", 7, uid="u")
    gone = DeleteNode(TENANT, make_ver(9, "t", 0, 9), "pod:shop:a")

    def written(*mutations: Mutation) -> list[Outcome]:
        return store.write_batch(TENANT, mutations).outcomes

    assert written(first) == [Outcome.WRITTEN]
    assert written(first) == [Outcome.UNCHANGED]
    assert written(newer_same) == [Outcome.UNCHANGED]
    assert written(first) == [Outcome.SUPERSEDED]
    assert written(newer_other) == [Outcome.WRITTEN]
    assert written(gone) == [Outcome.WRITTEN]
    assert written(gone) == [Outcome.UNCHANGED]
    assert written(newer_other) == [Outcome.SUPERSEDED]


def test_a_batch_that_neo4j_refuses_is_split_until_the_row_is_found(world: World, store: Neo4jGraphStore) -> None:
    # The codec never lets such a uid through; the index refuses a value of this size.
    refused = upsert("refused", 1, uid="u" * 40_000)
    batch = [Interpreted(one, RECORD) for one in (*(upsert(f"ok-{number}", 1) for number in range(30)), refused)]

    results = TenantWriter(store, Quarantine(store), 3).write(TENANT, batch).results

    assert [one.mutation for one, outcome in results if isinstance(outcome, RowRefused)] == [refused]
    assert sum(1 for _, outcome in results if outcome is Outcome.WRITTEN) == 30
    assert world.cypher("MATCH (n:Pod) RETURN count(n) AS pods") == [{"pods": 30}]


def test_a_transaction_that_fails_leaves_no_tenant_behind(world: World, store: Neo4jGraphStore) -> None:
    with pytest.raises(RowRefused):
        store.write_batch("nobody", [upsert("refused", 1, uid="u" * 40_000, client_id="nobody")])

    assert store.tenants() == []


def test_records_at_or_below_the_floor_are_told_as_such(world: World, store: Neo4jGraphStore) -> None:
    store.write_batch(TENANT, [upsert("a", 1)])
    world.cypher("MATCH (c:Cluster {client_id: $id}) SET c.floor = $floor", id=TENANT, floor=make_ver(5, "t", 0, 5))

    assert store.write_batch(TENANT, [upsert("b", 5), upsert("c", 6)]).outcomes == [Outcome.BELOW_FLOOR, Outcome.WRITTEN]


def test_the_first_batch_makes_the_cluster_and_only_signs_of_life_touch_its_times_later(world: World, store: Neo4jGraphStore) -> None:
    for first in (50, 10, None):
        store.write_batch(TENANT, [upsert("a", 7)], first)
    store.write_batch("af-11", [upsert("a", 7, client_id="af-11")])

    seen = world.cypher(
        "MATCH (c:Cluster) RETURN c.client_id AS id, c.first_seen AS first, c.last_seen AS last, c.state AS state ORDER BY id"
    )
    assert seen[0] == {"id": TENANT, "first": 50, "last": 50, "state": "ACTIVE"}
    assert seen[1]["first"] == seen[1]["last"] > 1_700_000_000_000


def test_every_statement_finds_its_nodes_by_index(world: World, store: Neo4jGraphStore) -> None:
    asked = {
        name: statement for name, statement in statements().items() if not name.startswith(("schema", "AWAIT", "SERVER", *OF_ALL_TENANTS))
    }
    assert len(asked) > 60
    for name, statement in asked.items():
        rows = [{"rid": "r", "key": "k", "source": "a", "target": "b", "ver": "v", "props": {}, "client_id": "c"}]
        summary = world.graph.execute_query(f"EXPLAIN {statement}", client_id="c", rows=rows).summary
        plan = str(summary.plan)
        assert "NodeByLabelScan" not in plan, name
        assert "AllNodesScan" not in plan, name
        assert "RelationshipTypeScan" not in plan, name
