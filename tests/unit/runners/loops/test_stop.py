"""The first signal asks to stop, the second one ends at once, and what handled them before does so again."""

import os
import signal
import sys
import threading
import time
from types import FrameType

import pytest

from runners.loops.stop import StopSignals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_sets_asked_and_the_second_interrupts(number: signal.Signals) -> None:
    with StopSignals() as stop:
        assert not stop.asked()
        os.kill(os.getpid(), number)
        assert stop.asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)


def test_handlers_are_restored_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

    with StopSignals():
        assert signal.getsignal(signal.SIGTERM) not in before

    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_wait_that_nobody_cuts_short_lasts_its_time() -> None:
    started = time.monotonic()
    with StopSignals() as stop:
        assert not stop.wait(0.05)
        assert not stop.wait(0)

    assert time.monotonic() - started >= 0.05


def test_a_signal_cuts_a_wait_short_and_every_later_one() -> None:
    started = time.monotonic()
    with StopSignals() as stop:
        sender = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM))
        sender.start()
        assert stop.wait(30)
        assert stop.wait(30)
        sender.join()

    assert time.monotonic() - started < 10


def test_a_signal_at_any_line_of_a_wait_neither_hangs_it_nor_is_lost() -> None:
    """A handler that takes a lock which the interrupted wait holds would hang here."""
    lines = 0

    def signal_at(wanted: int, stop: StopSignals) -> None:
        nonlocal lines
        lines = 0

        def trace(_frame: FrameType, event: str, _argument: object) -> object:
            nonlocal lines
            lines += event == "line"
            if event == "line" and lines == wanted:
                os.kill(os.getpid(), signal.SIGTERM)
            return trace

        before = sys.gettrace()
        sys.settrace(trace)  # type: ignore[arg-type]
        try:
            stop.wait(0.01)
        finally:
            sys.settrace(before)

    wanted = 0
    while wanted <= lines:
        wanted += 1
        with StopSignals() as stop:
            signal_at(wanted, stop)
            assert stop.asked() == (wanted <= lines)
    assert wanted > 2
