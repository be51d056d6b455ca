"""How many examples property tests try: as many as `scripts/check` has time for, or with `--long` some hundred times as many."""

import os

LONG_VARIABLE = "GRAPH_TESTS_LONG"
_TIMES = 100
# The suite runs many times a day, each time with other examples: a third of them a run finds as much in a day.
_SHARE = 3


def is_long() -> bool:
    return bool(os.environ.get(LONG_VARIABLE))


def examples(number: int) -> int:
    return number * _TIMES if is_long() else max(20, number // _SHARE)
