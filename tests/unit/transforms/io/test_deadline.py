"""A limit on how long a call may take that cannot be interrupted."""

import threading

import pytest

from transforms.io.deadline import Overdue, within


def test_what_the_call_returns_is_returned_and_what_it_raises_is_raised() -> None:
    def fail() -> None:
        raise LookupError("not there")

    assert within(5, lambda: 7) == 7
    assert within(5, lambda: None) is None
    with pytest.raises(LookupError, match="not there"):
        within(5, fail)


def test_a_call_that_does_not_return_is_left_and_does_not_keep_the_process() -> None:
    let_go = threading.Event()

    with pytest.raises(Overdue):
        within(0.05, let_go.wait)

    (left,) = [thread for thread in threading.enumerate() if thread.name == "deadline"]
    assert left.daemon
    let_go.set()
    left.join(5)
    assert not left.is_alive()
