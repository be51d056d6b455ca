"""Many tenants' batches written at the same time, each tenant's one after the other, and small ones of several tenants together.

A tenant is a disjoint component of the graph, so tenants never wait for each other's locks, and while the server works on
one turn the next is planned. Tenants take turns, batch by batch: a tenant with heavy traffic delays the others by one batch, not by all
of its own.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Generic, NamedTuple, TypeVar

from transforms.planning.scheduling.grouping import MOST_SHARE

B = TypeVar("B")
R = TypeVar("R")
# A turn at work for so long is held up: others are written beside it, and what waits behind it keeps none from being queued.
HELD_UP_S: Final = 3.0
_LOOK_S: Final = 0.5
# Times `most` that may be held in all, those of tenants that are held up included.
_WORST: Final = 4
# Turns that may be held up while others are written as if they were not.
_SPARE: Final = 16
# What waits for more is cut among idle writers, in parts of at least so much of a full transaction.
_LEAST_PART: Final = 0.1


class Ended(NamedTuple, Generic[B, R]):
    """What became of a turn. again: turns that its batches are to be written in instead; each of its batches is done, or in one of them."""

    done: list[R]
    again: list[list[tuple[str, B]]]


class _AtWork(NamedTuple, Generic[B]):
    turn: list[tuple[str, B]]
    began: float


class TenantQueues(Generic[B, R]):
    """Runs `write` on every batch submitted, on `writers` threads; close it with the owner.

    write: given a turn, batches of different tenants. share: the part of a full turn that a batch is; by default each is a turn
    of its own. What is small waits for more until its turn is full or nothing else comes.
    most: full turns that wait or are at work; `submit` blocks beyond it, so that memory stays flat. A turn
    that has been at work for `held_up_s` takes no writer's place any more, up to 16 of them, and what waits behind it counts only beyond
    four times that: a tenant that waits for a lock holds up no other. An exception of `write`
    lets go of what waits and is raised by the call at hand, or the next; after that the queues serve again.
    busy_s: seconds in which at least one batch was at work.
    """

    def __init__(
        self,
        write: Callable[[list[tuple[str, B]]], Ended[B, R]],
        writers: int,
        most: int,
        share: Callable[[str, B], float] = lambda _client_id, _batch: 1.0,
        held_up_s: float = HELD_UP_S,
    ) -> None:
        self._write = write
        self._writers = writers
        self._most = most
        self._share = share
        self._held_up_s = held_up_s
        self._pool = ThreadPoolExecutor(writers + _SPARE, thread_name_prefix="writer")
        self._changed = threading.Condition()
        # A tenant is in `_waiting` while it has a batch anywhere, those behind that one in its queue.
        self._waiting: dict[str, deque[tuple[B, float]]] = {}
        self._gathered: list[tuple[str, B]] = []
        self._gathered_share = 0.0
        self._ready: deque[list[tuple[str, B]]] = deque()
        self._shares: dict[str, float] = {}
        self._at_work: dict[int, _AtWork[B]] = {}
        self._turns = 0
        self._batches = 0
        self._held = 0.0
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
            if not self._batches:
                self._began = time.perf_counter()
            share = self._share(client_id, batch)
            self._batches += 1
            self._held += share
            is_known = client_id in self._waiting
            self._waiting.setdefault(client_id, deque()).append((batch, share))
            if not is_known:
                self._enter(client_id)
                self._dispatch()
            return self._take()

    def drain(self) -> list[R]:
        """What is left, once all of it has been written."""
        with self._changed:
            self._await(lambda: not self._batches)
            self._raise()
            return self._take()

    def _enter(self, client_id: str) -> None:
        """Give the tenant's next batch its place in a turn."""
        batch, share = self._waiting[client_id].popleft()
        self._shares[client_id] = share
        if share > MOST_SHARE:
            self._ready.append([(client_id, batch)])
            return
        if self._gathered_share + share > 1:
            self._flush(1)
        self._gathered.append((client_id, batch))
        self._gathered_share += share

    def _flush(self, idle: int) -> None:
        """What was gathered waits no longer for more. idle: writers that have nothing else to do."""
        parts = max(1, min(idle, int(self._gathered_share / _LEAST_PART), len(self._gathered)))
        self._ready.extend(self._gathered[at::parts] for at in range(parts) if self._gathered)
        self._gathered, self._gathered_share = [], 0.0

    def _has_room(self) -> bool:
        if self._held < self._most:
            return True
        behind = sum(self._share_behind(client_id) for one in self._held_up() for client_id, _ in one.turn)
        return self._held - behind < self._most and self._held < _WORST * self._most

    def _share_behind(self, client_id: str) -> float:
        return self._shares[client_id] + sum(share for _, share in self._waiting[client_id])

    def _held_up(self) -> list[_AtWork[B]]:
        since = time.perf_counter() - self._held_up_s
        return [one for one in self._at_work.values() if one.began <= since]

    def _places(self) -> int:
        return self._writers + min(len(self._held_up()), _SPARE) - len(self._at_work)

    def _await(self, done: Callable[[], bool]) -> None:
        """Wait until it is so; meanwhile others take the places of those that are held up."""
        while not done():
            self._flush(self._places() - len(self._ready))
            self._dispatch()
            self._changed.wait(_LOOK_S)
            self._dispatch()

    def _dispatch(self) -> None:
        """Begin the turns that are ready, as far as there are writers."""
        while self._ready and self._places() > 0:
            turn = self._ready.popleft()
            self._turns += 1
            self._at_work[self._turns] = _AtWork(turn, time.perf_counter())
            self._pool.submit(self._work, self._turns, turn)

    def _take(self) -> list[R]:
        done, self._done = self._done, []
        return done

    def _raise(self) -> None:
        if self._error is None:
            return
        self._changed.wait_for(lambda: not self._batches)
        error, self._error = self._error, None
        self._take()
        raise error

    def _let_go(self) -> None:
        """Forget all that is not at work."""
        at_work = {client_id for one in self._at_work.values() for client_id, _ in one.turn}
        self._ready.clear()
        self._gathered, self._gathered_share = [], 0.0
        self._waiting = {client_id: deque() for client_id in at_work}
        self._shares = {client_id: self._shares[client_id] for client_id in at_work}
        self._batches = len(at_work)
        self._held = sum(self._shares.values())

    def _work(self, number: int, turn: list[tuple[str, B]]) -> None:
        """One turn; the next batches of its tenants go behind the other tenants'."""
        error: BaseException | None = None
        ended: Ended[B, R] = Ended([], [])
        try:
            ended = self._write(turn)
        except BaseException as raised:  # noqa: BLE001 - raised again in the thread that the bundle is at work in
            error = raised
        with self._changed:
            del self._at_work[number]
            self._done += ended.done
            again: set[str] = set()
            if error is not None:
                self._error = self._error or error
            elif self._error is None:
                # Before all that waits, in their order: a tenant's later batches wait for them.
                self._ready.extendleft(reversed(ended.again))
                again = {client_id for one in ended.again for client_id, _ in one}
            self._end(client_id for client_id, _ in turn if client_id not in again)
            if error is not None:
                self._let_go()
            self._dispatch()
            if not self._batches:
                self._held = 0.0
                self.busy_s += time.perf_counter() - self._began
            self._changed.notify_all()

    def _end(self, client_ids: Iterable[str]) -> None:
        for client_id in client_ids:
            self._batches -= 1
            self._held -= self._shares[client_id]
            if self._waiting[client_id]:
                self._enter(client_id)
            else:
                del self._waiting[client_id], self._shares[client_id]
