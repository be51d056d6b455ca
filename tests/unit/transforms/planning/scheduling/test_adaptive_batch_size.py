"""A tenant's transactions grow and shrink with what the server does in the time that one should take."""

from transforms.planning.scheduling.adaptive_batch_size import AdaptiveBatchSize, BatchSizeLimits

LIMITS = BatchSizeLimits(rows_least=100, rows_most=2000, target_s=1.0)


def test_a_tenant_begins_with_the_most_and_keeps_it_while_the_server_is_fast() -> None:
    pace = AdaptiveBatchSize(LIMITS)
    assert pace.rows == 2000
    pace.took(2000, 0.1)
    assert pace.rows == 2000


def test_slow_transactions_halve_the_next_down_to_the_least() -> None:
    pace, seen = AdaptiveBatchSize(LIMITS), []
    for _ in range(6):
        pace.took(pace.rows, 5.0)
        seen.append(pace.rows)
    assert seen == [1000, 500, 250, 125, 100, 100]


def test_a_slow_transaction_of_few_rows_halves_those() -> None:
    pace = AdaptiveBatchSize(LIMITS)
    pace.took(600, 9.0)
    assert pace.rows == 300


def test_it_grows_again_by_full_and_fast_transactions_only() -> None:
    pace = AdaptiveBatchSize(LIMITS)
    pace.took(2000, 9.0)
    pace.took(1000, 9.0)
    assert pace.rows == 500
    pace.took(20, 0.001)
    assert pace.rows == 500, "few rows are always fast"
    pace.took(500, 1.5)
    assert pace.rows == 500, "about as long as it should"
    for _ in range(4):
        pace.took(pace.rows, 0.1)
    assert pace.rows == 2000
