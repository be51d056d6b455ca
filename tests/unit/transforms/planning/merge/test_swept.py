"""A sweep changes nothing that people see, whenever it comes: what is dead stays dead, and what nothing newer speaks of is there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.patience import examples
from tests.support.reference import expected_digest
from tests.support.strategies import TENANT, deliveries
from tests.unit.transforms.planning.merge.test_order import folded
from transforms.planning.facts.changes import Changes, Floors
from transforms.planning.facts.mutations import DeleteNode, DeleteUid, Mutation, UpsertNode
from transforms.planning.facts.stored import StoredTombstone
from transforms.planning.facts.values import digest_of
from transforms.planning.merge.swept import place_of, places_of, swept_into
from transforms.records.outcomes import Outcome
from transforms.records.record import make_ver, time_limit
from transforms.testing.memory_graph import MemoryGraphStore

pytestmark = pytest.mark.slow


def ver(t: int) -> str:
    return make_ver(t, "t", 0, t)


def pod(name: str, t: int, uid: str = "") -> UpsertNode:
    props = {"kind": "Pod", "ns": "a", "name": name, "image": str(t)} | ({"uid": uid} if uid else {})
    return UpsertNode(TENANT, ver(t), f"pod:a:{name}", uid, props, digest_of(props))


def sweep(store: MemoryGraphStore, t: int, *, all_of_them: bool = True) -> int:
    """As the sweep of the real store does; all_of_them: those too that hide something."""
    tenant = store.tenants[TENANT]
    kept = [one for one in tenant._tombstones.values() if one.ver and one.ver <= time_limit(t) and (all_of_them or not one.payload)]
    places = tenant.tombstones({place for one in kept for place in places_of(one)})
    tenant.write(Changes(tombstones=swept_into(kept, places), tombstones_gone={one.key for one in kept}))
    tenant.floors = Floors(swept=max(tenant.floors.swept, time_limit(t)))
    return len(kept)


@settings(max_examples=examples(300), deadline=None)
@given(deliveries(), st.lists(st.integers(0, 8), min_size=1, max_size=20))
def test_the_graph_is_a_function_of_the_set_whenever_it_is_swept(
    delivery: tuple[list[Mutation], list[list[Mutation]]], moments: list[int]
) -> None:
    world, slices = delivery
    store = MemoryGraphStore()
    for at, one in enumerate(slices):
        store.write_batch(TENANT, [held.mutation for held in folded(one).values()])
        sweep(store, moments[at % len(moments)], all_of_them=False)

    assert store.digest(TENANT).hexdigest() == expected_digest(world).hexdigest()


def test_an_old_object_that_is_still_there_is_taken_in_after_a_sweep_and_one_that_is_gone_is_not() -> None:
    store = MemoryGraphStore()
    store.write_batch(TENANT, [pod("gone", 5), DeleteNode(TENANT, ver(20), "pod:a:gone"), DeleteUid(TENANT, ver(20), "u")])
    assert sweep(store, 30) == 2

    outcomes = store.write_batch(TENANT, [pod("still", 5), pod("gone", 6), pod("by-uid", 7, "u"), pod("again", 21, "u")]).outcomes

    assert outcomes == [Outcome.WRITTEN, Outcome.SUPERSEDED, Outcome.SUPERSEDED, Outcome.WRITTEN]
    assert {rid for rid, node in store.tenants[TENANT].resources.items() if "stub" not in node} == {"pod:a:still", "pod:a:again"}
    assert store.write_batch(TENANT, [pod("gone", 31)]).outcomes == [Outcome.WRITTEN]


def test_a_life_that_was_displaced_is_ended_by_the_sweep() -> None:
    store = MemoryGraphStore()
    store.write_batch(TENANT, [pod("p", 5, "first"), pod("p", 10, "second")])
    assert sweep(store, 30) == 1

    assert store.write_batch(TENANT, [pod("p", 5, "first")]).outcomes == [Outcome.SUPERSEDED]
    store.write_batch(TENANT, [DeleteUid(TENANT, ver(40), "second")])
    assert not store.digest(TENANT).nodes
    assert store.write_batch(TENANT, [pod("p", 6, "first")]).outcomes == [Outcome.WRITTEN], "newer than what was swept"


def test_what_is_swept_again_holds_by_its_greatest_version_and_takes_a_few_bytes() -> None:
    key = "rid:pod:a:p"
    once = swept_into([StoredTombstone(key, ver(5)), StoredTombstone("rid:pod:a:q", ver(1))], {})

    assert swept_into([StoredTombstone(key, ver(3))], once)[place_of(key)] == once[place_of(key)]
    assert swept_into([StoredTombstone(key, ver(9))], once)[place_of(key)] != once[place_of(key)]
    many = swept_into((StoredTombstone(f"rid:pod:a:{at}", ver(at)) for at in range(200_000)), {})
    assert sum(len(one.payload) for one in many.values()) < 60 * 200_000


def test_what_is_below_a_floor_is_told_as_such_and_not_as_overtaken() -> None:
    store = MemoryGraphStore()
    store.write_batch(TENANT, [pod("there", 50)])
    store.tenants[TENANT].floors = Floors(state=time_limit(30))

    outcomes = store.write_batch(
        TENANT, [pod("past", 10), pod("there", 40), pod("new", 31), DeleteNode(TENANT, ver(20), "pod:a:x")]
    ).outcomes

    assert outcomes == [Outcome.BELOW_FLOOR, Outcome.SUPERSEDED, Outcome.WRITTEN, Outcome.BELOW_FLOOR]
    assert "pod:a:past" not in store.tenants[TENANT].resources


def test_a_floor_of_episodes_keeps_no_state_out() -> None:
    store = MemoryGraphStore()
    store.write_batch(TENANT, [pod("a", 50)])
    store.tenants[TENANT].floors = Floors(episodes=time_limit(30))

    assert store.write_batch(TENANT, [pod("b", 10)]).outcomes == [Outcome.WRITTEN]
