"""Being asked to stop: SIGTERM and SIGINT end a run after the slice it is in; a second one ends it at once."""

import contextlib
import os
import signal
import sys
from queue import Empty, SimpleQueue
from types import FrameType, TracebackType
from typing import Any, Final, Protocol

_STOPPING: Final = b"\nStopping once what is at work is done and committed; once more stops at once.\n"


class Stopper(Protocol):
    """Knows whether the run is to end, and waits for that."""

    def asked(self) -> bool: ...

    def wait(self, seconds: float) -> bool:
        """Wait for so long, or until asked; whether asked."""
        ...


class StopSignals:
    """Within the block, the first signal sets `asked`; the second one raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self._asked = False
        # Its `put` may interrupt its `get`, as a handler does; an Event's lock would be held then, for good.
        self._woken: SimpleQueue[None] = SimpleQueue()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        self._woken.put(None)
        if sys.stderr.isatty():
            # Nothing but this may be called within a handler: a log line may be half written.
            os.write(sys.stderr.fileno(), _STOPPING)

    def asked(self) -> bool:
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Wait for so long, or until asked; whether asked."""
        if not self._asked:
            with contextlib.suppress(Empty):
                self._woken.get(timeout=seconds)
        return self._asked
