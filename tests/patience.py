"""How many examples property tests try: as many as CI has time for, or with `--long` a hundred times as many."""

import os

LONG_VARIABLE = "GRAPH_TESTS_LONG"
_TIMES = 100


def examples(number: int) -> int:
    return number * _TIMES if os.environ.get(LONG_VARIABLE) else number
