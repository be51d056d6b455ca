"""Which tenants are analysed now where one process writes slice after slice, and which wait."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

# A tenant whose graph changes all the time is analysed at most so often.
EVERY_S: Final = 10.0


class AnalysisPace:
    """Lets each tenant be analysed at once, then at most every `every_s` seconds; who changed meanwhile waits until `rest` is asked."""

    def __init__(self, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._waiting: set[str] = set()

    def due(self, changed: Iterable[str]) -> list[str]:
        """Of these and of those that wait, the ones to analyse now, sorted; the others wait."""
        with self._lock:
            now = self._clock()
            self._waiting.update(changed)
            return self._taken([one for one in self._waiting if now - self._last.get(one, -self._every_s) >= self._every_s], now)

    def wait(self, client_ids: Iterable[str]) -> None:
        """Have these analysed when `rest` is asked."""
        with self._lock:
            self._waiting.update(client_ids)

    def rest(self) -> list[str]:
        """All that wait, sorted, to be analysed now."""
        with self._lock:
            return self._taken(list(self._waiting), self._clock())

    def _taken(self, client_ids: list[str], now: float) -> list[str]:
        self._waiting.difference_update(client_ids)
        self._last.update(dict.fromkeys(client_ids, now))
        return sorted(client_ids)


_PACES: Final[dict[Any, AnalysisPace]] = {}


def process_pace(graph: Any) -> AnalysisPace:
    """The pace of a graph, one in a process. graph: a sink; equal ones share it."""
    return _PACES.setdefault(graph, AnalysisPace())
