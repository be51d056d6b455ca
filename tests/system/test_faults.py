"""The fault suite in its short form: one round of every fault of the table, on the stack of the session."""

from collections.abc import Iterator

import pytest

from runners.local.stack import LocalStack
from scripts.faulting.suite import run_round
from scripts.faulting.table import FAULTS, Fault
from tests.support.forked import ForkingLauncher

SEED = 7


@pytest.fixture
def mended(stack: LocalStack) -> Iterator[LocalStack]:
    """The stack, whole again afterwards, whatever a fault left of it."""
    yield stack
    stack.up()


SHORT = [fault for fault in FAULTS if fault.in_short]


@pytest.mark.parametrize("fault", SHORT, ids=[fault.name for fault in SHORT])
def test_after_a_fault_what_the_table_says_holds(mended: LocalStack, launch: ForkingLauncher, fault: Fault) -> None:
    assert run_round(fault, mended, SEED, 0, short=True, launch=launch)
