"""When a tenant is read whole: from the first where it is new, else when it comes again and that pays."""

from transforms.io.neo4j.tenant_graph_cache import TenantGraphCache
from transforms.planning.merge.tenant_graph import KnownGraph


class Loads:
    """A tenant of so many facts, in a graph; notes for how many it was asked."""

    def __init__(self, facts: int) -> None:
        self.facts = facts
        self.asked: list[int] = []

    def __call__(self, most: int) -> KnownGraph | None:
        self.asked.append(most)
        return KnownGraph() if self.facts <= most else None


def test_a_new_tenant_is_known_from_the_first_and_a_known_one_is_loaded_when_it_comes_again() -> None:
    mirrors, load = TenantGraphCache(), Loads(10)

    assert mirrors.get("new", 1, 5, load) is not None
    assert mirrors.get("old", 7, 5, load) is None
    assert mirrors.get("old", 8, 5, load) is not None
    assert load.asked == [5_000]


def test_a_large_tenant_is_read_once_its_rows_would_have_cost_as_much() -> None:
    mirrors, load = TenantGraphCache(), Loads(40_000)

    found = [mirrors.get("large", writes, 2_000, load) is not None for writes in range(5, 9)]

    assert found == [False, False, False, True]
    assert load.asked == [32_000, 64_000]


def test_a_tenant_that_is_too_large_is_not_asked_for_again() -> None:
    mirrors, load = TenantGraphCache(most_facts=20_000, tenant_facts=10_000), Loads(10_001)

    assert [mirrors.get("large", writes, 700, load) for writes in range(5, 12)] == [None] * 7
    assert load.asked == [10_000]


def test_nothing_is_read_where_there_is_no_room() -> None:
    mirrors, load = TenantGraphCache(most_facts=0, tenant_facts=10_000), Loads(1)

    assert [mirrors.get("any", writes, 700, load) for writes in (5, 6)] == [None, None]
    assert load.asked == []
