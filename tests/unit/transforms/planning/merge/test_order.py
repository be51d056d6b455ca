"""Any delivery order, duplication and slicing of the same records gives one graph."""

from unittest.mock import patch

import pytest
from hypothesis import given, settings

from tests.support.patience import examples
from tests.support.reference import expected_digest
from tests.support.strategies import TENANT, deliveries, loose_worlds, worlds
from transforms.planning.facts.mutations import Mutation
from transforms.planning.merge.fold import Folded, Interpreted, fold
from transforms.records.record import KafkaRecord
from transforms.testing.memory_graph import MemoryGraphStore

pytestmark = pytest.mark.slow

RECORD = KafkaRecord("t", 0, 0, 0, None, None)


def folded(mutations: list[Mutation]) -> Folded:
    into: Folded = {}
    fold(into, [Interpreted(one, RECORD) for one in mutations])
    return into


def deliver(slices: list[list[Mutation]]) -> MemoryGraphStore:
    store = MemoryGraphStore()
    for one in slices:
        store.write_batch(TENANT, [held.mutation for held in folded(one).values()])
    return store


@settings(max_examples=examples(250), deadline=None)
@given(deliveries())
def test_any_delivery_gives_the_graph_that_the_set_of_mutations_defines(delivery: tuple[list[Mutation], list[list[Mutation]]]) -> None:
    world, slices = delivery
    assert deliver(slices).digest(TENANT).hexdigest() == expected_digest(world).hexdigest()


@settings(max_examples=examples(250), deadline=None)
@given(deliveries(loose_worlds()))
def test_any_delivery_finds_what_is_named_without_its_group(delivery: tuple[list[Mutation], list[list[Mutation]]]) -> None:
    world, slices = delivery
    assert deliver(slices).digest(TENANT).hexdigest() == expected_digest(world).hexdigest()


@settings(max_examples=examples(250), deadline=None)
@given(deliveries())
def test_so_it_does_where_more_select_one_pod_or_raise_one_alert_than_are_joined(
    delivery: tuple[list[Mutation], list[list[Mutation]]],
) -> None:
    world, slices = delivery
    with patch("transforms.planning.merge.selects.MOST_JOINED", 1), patch("transforms.planning.merge.emits.MOST_JOINED", 1):
        assert deliver(slices).digest(TENANT).hexdigest() == expected_digest(world, most_joined=1).hexdigest()


@given(worlds(0), worlds(100), worlds(200))
def test_the_fold_is_associative_commutative_and_idempotent(a: list[Mutation], b: list[Mutation], c: list[Mutation]) -> None:
    held = folded([*a, *b, *c])
    assert folded([*c, *b, *a]) == held
    assert folded([one.mutation for one in folded([*b, *c]).values()] + a) == held
    assert folded([one.mutation for one in held.values()] * 2) == held


@given(worlds())
def test_every_mutation_that_the_fold_drops_is_counted(world: list[Mutation]) -> None:
    into: Folded = {}
    lost = fold(into, [Interpreted(one, RECORD) for one in world])
    assert lost + len(into) == len(world)
