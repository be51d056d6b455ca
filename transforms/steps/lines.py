"""How many lines of one kind the log is given: what anybody can cause by the thousand must not fill a disk."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

LOGGED: Final = 10
LOGGED_IN_ALL: Final = 100
WINDOW_S: Final = 60.0


class LineLimit:
    """Room for `each` lines of a tenant and kind, and for `in_all` of all together, a minute. Safe to use from several threads.

    now: seconds of a clock that never goes back.
    """

    def __init__(self, each: int = LOGGED, in_all: int = LOGGED_IN_ALL, now: Callable[[], float] = time.monotonic) -> None:
        self._each = each
        self._in_all = in_all
        self._now = now
        self._changing = threading.Lock()
        self._until = 0.0
        self._told: Counter[tuple[str, str]] = Counter()

    def has_room(self, client_id: str, kind: str) -> bool:
        """Whether one more line may be logged; it counts as logged then. client_id: a known tenant, or what stands for all others."""
        with self._changing:
            if self._now() >= self._until:
                self._until = self._now() + WINDOW_S
                self._told.clear()
            if self._told[client_id, kind] >= self._each or self._told.total() >= self._in_all:
                return False
            self._told[client_id, kind] += 1
            return True

    def clear(self) -> None:
        """Begin anew."""
        with self._changing:
            self._told.clear()


# Of this process: slices and bundles come and go.
LINES: Final = LineLimit()
