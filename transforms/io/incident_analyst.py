"""Analyses tenants whose graph has changed: at once, or in the background at most so often.

A failure is logged and counted, and holds nothing up: the graph is as good as before. The tenant's next change tries again, and in the
background so does the analyst, after a pause that grows with each failure.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

import structlog

from transforms.io.faults import InfrastructureFault, said_by
from transforms.io.neo4j.errors import RowRefused, TenantFault
from transforms.io.unforeseen import unforeseen
from transforms.planning.causes.incidents import Analysed
from transforms.records.rejects import Step

_LOG = structlog.get_logger("incidents")
_LOOK_S: Final = 0.5
_LONGEST_S: Final = 600.0
_DOUBLINGS: Final = 10
_AGAIN: Final = "the tenant's next change tries again"


class Incidents(Protocol):
    """Keeps the incidents of tenants; see `io/neo4j/incident_store.py`."""

    def analyse(self, client_ids: Iterable[str]) -> dict[str, Analysed | Exception]: ...

    def restless(self) -> list[str]:
        """The tenants in which something may be wrong, sorted: those whose incidents a process that was killed may have owed."""
        ...


def analysed(store: Incidents, client_ids: Iterable[str]) -> dict[str, Analysed | None]:
    """What became of each tenant's incidents; None where they are not up to date, and the log says why."""
    wanted = sorted(set(client_ids))
    try:
        found = store.analyse(wanted)
    except (RowRefused, TenantFault, InfrastructureFault) as fault:
        _LOG.warning("incidents not brought up to date", tenants=len(wanted), cause=said_by(fault), detail=_AGAIN)
        return dict.fromkeys(wanted)
    except Exception as error:  # noqa: BLE001 - the net: a defect of the analysis costs incidents, never records
        unforeseen(error, Step.WRITE)
        return dict.fromkeys(wanted)
    return {client_id: _told(client_id, found[client_id]) for client_id in wanted}


def _told(client_id: str, outcome: Analysed | Exception) -> Analysed | None:
    if isinstance(outcome, Analysed):
        return outcome
    if isinstance(outcome, RowRefused | TenantFault):
        _LOG.warning("incidents not brought up to date", client_id=client_id, cause=str(outcome), detail=_AGAIN)
    else:
        unforeseen(outcome, Step.WRITE, client_id=client_id)
    return None


def restless(store: Incidents) -> list[str]:
    """As the store says; none, and the log says why, where it cannot be asked."""
    try:
        return store.restless()
    except (RowRefused, TenantFault, InfrastructureFault) as fault:
        _LOG.warning("incidents of an earlier run not brought up to date", cause=said_by(fault), detail=_AGAIN)
    except Exception as error:  # noqa: BLE001 - the net, as below
        unforeseen(error, Step.WRITE)
    return []


class Analyst:
    """Analyses in a thread of its own, each tenant at most once in `every_s` seconds; close it with the owner.

    What is due at once is analysed together. What failed is due again after `every_s`, then twice that, and so on up to ten minutes.
    What is due when it is closed is analysed first. It begins with all tenants in which something may be wrong: nobody knows what a process
    that was killed had still to do.
    """

    def __init__(self, store: Incidents, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._every_s = every_s
        self._clock = clock
        self._changed = threading.Condition()
        self._due: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._done: list[tuple[str, bool]] = []
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="analyst", daemon=True)
        self._thread.start()

    def submit(self, client_ids: Iterable[str]) -> None:
        """Have the tenants analysed as soon as they may be."""
        with self._changed:
            for client_id in client_ids:
                last = self._last.get(client_id)
                self._due.setdefault(client_id, self._clock() if last is None else last + self._every_s)
            self._changed.notify()

    def take_done(self) -> list[tuple[str, bool]]:
        """The tenants that were analysed since it was last asked, and whether that succeeded: for who may count."""
        with self._changed:
            done, self._done = self._done, []
        return done

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        self.submit(restless(self._store))
        while client_ids := self._next():
            found = analysed(self._store, client_ids)
            with self._changed:
                self._done += [(client_id, outcome is not None) for client_id, outcome in found.items()]
                if not self._closed:
                    self._again(found)

    def _again(self, found: Mapping[str, Analysed | None]) -> None:
        """Have what failed analysed again, later each time."""
        for client_id, outcome in found.items():
            if outcome is not None:
                self._failures.pop(client_id, None)
                continue
            failures = self._failures[client_id] = self._failures.get(client_id, 0) + 1
            self._due[client_id] = self._clock() + min(self._every_s * 2 ** min(failures - 1, _DOUBLINGS), _LONGEST_S)

    def _next(self) -> list[str]:
        """The tenants that are due, once any is; none once closed and done."""
        with self._changed:
            while True:
                now = self._clock()
                if due := sorted(client_id for client_id, at in self._due.items() if at <= now or self._closed):
                    for client_id in due:
                        del self._due[client_id]
                        self._last[client_id] = now
                    return due
                if self._closed:
                    return []
                self._changed.wait(_LOOK_S)
