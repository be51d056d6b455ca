"""What all pages share: the graph, the dead letters, and answers that several readers of the same page have together."""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from pipelines.console.letters import LetterBook
from pipelines.console.params import NotFound
from pipelines.console.principal import Principal
from transforms.planning.views.source import GraphSource, Tenant

_MOST_HELD: Final = 500


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows. content: of the JSON twin too, but for names that begin with an underscore. live_s: renewed so often."""

    template: str
    title: str
    content: dict[str, Any]
    live_s: int = 0


@dataclass
class SharedAnswers:
    """Keeps what was made for a moment; who asks for the same meanwhile waits for it in place of making it too."""

    for_s: float
    _held: dict[Hashable, tuple[float, Any]] = field(default_factory=dict)
    _making: dict[Hashable, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        with self._lock:
            lock = self._making.setdefault(key, threading.Lock())
        with lock:
            until, held = self._held.get(key, (0.0, None))
            if time.monotonic() < until:
                return held
            made = make()
            with self._lock:
                self._held[key] = (time.monotonic() + self.for_s, made)
                if len(self._held) > _MOST_HELD:
                    self._forget()
            return made

    def _forget(self) -> None:
        now = time.monotonic()
        kept = sorted(((until, key) for key, (until, _) in self._held.items() if until > now), key=lambda one: one[0])[-_MOST_HELD // 2 :]
        self._held = {key: self._held[key] for _, key in kept}
        self._making = {key: lock for key, lock in self._making.items() if key in self._held or lock.locked()}


@dataclass(frozen=True, slots=True)
class Site:
    """letters: None where neither Kafka nor a folder of dead letters is configured."""

    source: GraphSource
    letters: LetterBook | None
    answers: SharedAnswers

    def tenant(self, principal: Principal, client_id: str) -> Tenant:
        """The tenant; NotFound for one that is not there or not the reader's, without a look at the graph for the latter."""
        found = self.source.tenant(client_id) if principal.may_see(client_id) else None
        if found is None:
            raise NotFound
        return found
