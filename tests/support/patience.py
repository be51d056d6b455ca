"""How many examples property tests try: as many as CI has time for, or with `--long` a hundred times as many."""

import os

LONG_VARIABLE = "GRAPH_TESTS_LONG"
_TIMES = 100


def is_long() -> bool:
    return bool(os.environ.get(LONG_VARIABLE))


def examples(number: int) -> int:
    return number * _TIMES if is_long() else number
