"""Many tenants' batches written at the same time, each tenant's one after the other.

A tenant is a disjoint component of the graph, so tenants never wait for each other's locks, and while the server works on
one batch the next is planned. Tenants take turns, batch by batch: a loud one delays the others by one batch, not by all
of its own.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Generic, TypeVar

B = TypeVar("B")
R = TypeVar("R")
# A batch at work for so long is held up: others are written beside it, and what waits behind it keeps none from being queued.
HELD_UP_S: Final = 3.0
_LOOK_S: Final = 0.5
# Times `most` that may be held in all, those of tenants that are held up included.
_WORST: Final = 4
# Tenants that may be held up while others are written as if they were not.
_SPARE: Final = 16


class TenantQueues(Generic[B, R]):
    """Runs `write` on every batch submitted, on `writers` threads; close it with the owner.

    most: batches that wait or are at work; `submit` blocks beyond it, so that memory stays flat. A batch
    that has been at work for `held_up_s` takes no writer's place any more, up to 16 of them, and what waits behind it counts only beyond
    four times that: a tenant that waits for a lock holds up no other. An exception of `write`
    lets go of what waits and is raised by the call at hand, or the next; after that the queues serve again.
    busy_s: seconds in which at least one batch was at work.
    """

    def __init__(self, write: Callable[[str, B], R], writers: int, most: int, held_up_s: float = HELD_UP_S) -> None:
        self._write = write
        self._writers = writers
        self._most = most
        self._held_up_s = held_up_s
        self._pool = ThreadPoolExecutor(writers + _SPARE, thread_name_prefix="writer")
        self._ready: deque[str] = deque()
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[B]] = {}
        self._held = 0
        self._at_work: dict[str, float] = {}
        self._began = 0.0
        self._done: list[R] = []
        self._error: BaseException | None = None
        self.busy_s = 0.0

    def close(self) -> None:
        """Let go of what waits, and return when what is at work has ended."""
        with self._changed:
            self._let_go()
        self._pool.shutdown()

    def submit(self, client_id: str, batch: B) -> list[R]:
        """Queue a batch; what has been written since the last call, in no particular order."""
        with self._changed:
            self._await(lambda: self._error is not None or self._has_room())
            self._raise()
            if not self._held:
                self._began = time.perf_counter()
            self._held += 1
            is_at_work = client_id in self._waiting
            self._waiting.setdefault(client_id, deque()).append(batch)
            if not is_at_work:
                self._ready.append(client_id)
                self._dispatch()
            return self._take()

    def _has_room(self) -> bool:
        if self._held < self._most:
            return True
        behind = sum(1 + len(self._waiting[client_id]) for client_id in self._held_up())
        return self._held - behind < self._most and self._held < _WORST * self._most

    def _held_up(self) -> list[str]:
        since = time.perf_counter() - self._held_up_s
        return [client_id for client_id, began in self._at_work.items() if began <= since]

    def _await(self, done: Callable[[], bool]) -> None:
        """Wait until it is so; meanwhile others take the places of those that are held up."""
        while not done():
            self._changed.wait(_LOOK_S)
            self._dispatch()

    def _dispatch(self) -> None:
        """Begin the turns of tenants that are ready, as far as there are writers."""
        places = self._writers + min(len(self._held_up()), _SPARE)
        while self._ready and len(self._at_work) < places:
            client_id = self._ready.popleft()
            self._at_work[client_id] = time.perf_counter()
            self._pool.submit(self._turn, client_id)

    def drain(self) -> list[R]:
        """What is left, once all of it has been written."""
        with self._changed:
            self._await(lambda: not self._held)
            self._raise()
            return self._take()

    def _take(self) -> list[R]:
        done, self._done = self._done, []
        return done

    def _raise(self) -> None:
        if self._error is None:
            return
        self._changed.wait_for(lambda: not self._held)
        error, self._error = self._error, None
        self._take()
        raise error

    def _let_go(self) -> None:
        self._held -= sum(map(len, self._waiting.values()))
        for queue in self._waiting.values():
            queue.clear()

    def _turn(self, client_id: str) -> None:
        """One batch of a tenant; its next one goes behind the other tenants'."""
        with self._changed:
            queue = self._waiting[client_id]
            if not queue:
                del self._at_work[client_id]
                self._end(client_id)
                return
            batch = queue.popleft()
        error: BaseException | None = None
        try:
            result = self._write(client_id, batch)
        except BaseException as raised:  # noqa: BLE001 - raised again in the thread that the bundle is at work in
            error = raised
        with self._changed:
            self._held -= 1
            del self._at_work[client_id]
            if error is None:
                self._done.append(result)
            else:
                self._error = self._error or error
                self._let_go()
            self._end(client_id)

    def _end(self, client_id: str) -> None:
        if self._waiting[client_id]:
            self._ready.append(client_id)
        else:
            del self._waiting[client_id]
        self._dispatch()
        if not self._held:
            self.busy_s += time.perf_counter() - self._began
        self._changed.notify_all()
