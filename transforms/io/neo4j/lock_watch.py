"""Ends transactions that wait for a lock, long before their own time limit would.

Neo4j has one limit for all that a transaction does. What a batch may take is far more than what is worth waiting for a lock
that somebody holds, and the server tells the two apart: while it waits, a transaction is `Blocked by` another one.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import neo4j
import structlog
from neo4j.exceptions import DriverError, Neo4jError

from transforms.model import inspection

_LOG: Final = structlog.get_logger("graph")
_LOOK_S: Final = 0.5
_ASK_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 60.0


class _Watched(NamedTuple):
    """When a transaction began, and the seconds that it may wait for a lock."""

    begun: float
    lock_s: float


class LockWatch:
    """Watches one driver's transactions; safe to use from several threads. Close it before the driver.

    A server that does not answer, or does not let this user see transactions, leaves them to their own time limit.
    """

    def __init__(self, driver: neo4j.Driver, database: str) -> None:
        self._driver = driver
        self._database = database
        self._begun: dict[str, _Watched] = {}
        self._blockers: dict[str, str] = {}
        self._pause_s = 0.0
        self._ended = threading.Event()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def close(self) -> None:
        """Return when the watch has ended."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    @contextmanager
    def watching(self, lock_s: float) -> Iterator[str]:
        """Watch the transaction of this block; gives the mark that it must bear as metadata under `TRANSACTION_MARK`.

        lock_s: seconds that it may wait for a lock; it is ended up to half a second later.
        """
        mark = secrets.token_hex(8)
        with self._guard:
            self._begun[mark] = _Watched(time.monotonic(), lock_s)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="locks", daemon=True)
                self._thread.start()
        try:
            yield mark
        finally:
            with self._guard:
                self._begun.pop(mark, None)
                self._blockers.pop(mark, None)

    def blocker(self, mark: str) -> str:
        """What the watch ended the transaction for, as the server says it; "" where it did not."""
        return self._blockers.get(mark, "")

    def _watch(self) -> None:
        while not self._ended.wait(max(_LOOK_S, self._pause_s)):
            overdue = self._overdue()
            if not overdue:
                continue
            try:
                self._end_blocked(overdue)
                self._pause_s = 0.0
            except (Neo4jError, DriverError) as error:
                if not self._pause_s:
                    _LOG.warning("locks are not watched", detail=f"{error}"[:300])
                self._pause_s = _LONGEST_PAUSE_S

    def _overdue(self) -> dict[str, float]:
        """The marks of transactions that may have waited too long, each with the seconds that it may wait."""
        now = time.monotonic()
        with self._guard:
            return {mark: one.lock_s for mark, one in self._begun.items() if now - one.begun >= one.lock_s}

    def _end_blocked(self, overdue: dict[str, float]) -> None:
        with self._driver.session(database=self._database, default_access_mode=neo4j.READ_ACCESS) as session:
            asked = neo4j.Query(inspection.BLOCKED_TRANSACTIONS, timeout=_ASK_S)
            blocked = {
                row["mark"]: row for row in session.run(asked, marks=list(overdue)) if row["waited_ms"] >= overdue[row["mark"]] * 1000
            }
            if not blocked:
                return
            with self._guard:
                self._blockers |= {mark: row["status"] for mark, row in blocked.items() if mark in self._begun}
            ids = [row["id"] for row in blocked.values()]
            session.run(neo4j.Query(inspection.END_TRANSACTIONS, timeout=_ASK_S), ids=ids).consume()
