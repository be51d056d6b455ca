"""Batches whose shares add up to one keep every limit together."""

from hypothesis import given
from hypothesis import strategies as st

from transforms.planning.scheduling.grouping import GroupLimits

LIMITS = GroupLimits(rows=2000, size_bytes=1000, tenants=10)


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 2000)), min_size=1, max_size=40))
def test_what_fits_by_shares_is_within_rows_bytes_and_tenants(batches: list[tuple[int, int]]) -> None:
    held: list[tuple[int, int]] = []
    for one in batches:
        if sum(LIMITS.share(*other) for other in (*held, one)) > 1 + 1e-9:
            break
        held.append(one)
    if len(held) > 1:
        assert sum(rows for rows, _ in held) <= LIMITS.rows
        assert sum(size for _, size in held) <= LIMITS.size_bytes
        assert len(held) <= LIMITS.tenants


def test_a_batch_is_nearest_to_the_limit_that_it_takes_most_of_and_never_more_than_all() -> None:
    assert LIMITS.share(1, 1) == 0.1
    assert LIMITS.share(500, 0) == 0.25
    assert LIMITS.share(0, 500) == 0.5
    assert LIMITS.share(9000, 9000) == 1.0
