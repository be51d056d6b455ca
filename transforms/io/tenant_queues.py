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
from typing import Generic, TypeVar

B = TypeVar("B")
R = TypeVar("R")


class TenantQueues(Generic[B, R]):
    """Runs `write` on every batch submitted, on `writers` threads; close it with the owner.

    most: batches that wait or are at work; `submit` blocks beyond it, so that memory stays flat. An exception of `write`
    lets go of what waits and is raised by the call at hand, or the next; after that the queues serve again.
    busy_s: seconds in which at least one batch was at work.
    """

    def __init__(self, write: Callable[[str, B], R], writers: int, most: int) -> None:
        self._write = write
        self._most = most
        self._pool = ThreadPoolExecutor(writers, thread_name_prefix="writer")
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[B]] = {}
        self._held = 0
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
            self._changed.wait_for(lambda: self._error or self._held < self._most)
            self._raise()
            if not self._held:
                self._began = time.perf_counter()
            self._held += 1
            is_at_work = client_id in self._waiting
            self._waiting.setdefault(client_id, deque()).append(batch)
            if not is_at_work:
                self._pool.submit(self._turn, client_id)
            return self._take()

    def drain(self) -> list[R]:
        """What is left, once all of it has been written."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held)
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
            if error is None:
                self._done.append(result)
            else:
                self._error = self._error or error
                self._let_go()
            self._end(client_id)

    def _end(self, client_id: str) -> None:
        if self._waiting[client_id]:
            self._pool.submit(self._turn, client_id)
        else:
            del self._waiting[client_id]
        if not self._held:
            self.busy_s += time.perf_counter() - self._began
        self._changed.notify_all()
