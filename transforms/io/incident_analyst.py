"""Analyses tenants whose graph has changed: at once, or in the background at most so often.

A failure is logged and counted, and holds nothing up: the graph is as good as before, and the tenant's next change tries again.
"""

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from transforms.io.faults import InfrastructureFault
from transforms.io.neo4j.errors import RowRefused, TenantFault
from transforms.io.unforeseen import unforeseen
from transforms.planning.causes.incidents import Analysed
from transforms.records.rejects import Step

_LOG = structlog.get_logger("incidents")
_LOOK_S: Final = 0.5


class Incidents(Protocol):
    """Keeps the incidents of tenants; see `io/neo4j/incident_store.py`."""

    def analyse(self, client_id: str) -> Analysed: ...


def analysed(store: Incidents, client_id: str) -> bool:
    """Whether the tenant's incidents are up to date now; where not, the log says why."""
    try:
        store.analyse(client_id)
    except (RowRefused, TenantFault, InfrastructureFault) as fault:
        _LOG.warning(
            "incidents not brought up to date", client_id=client_id, cause=str(fault), detail="the tenant's next change tries again"
        )
        return False
    except Exception as error:  # noqa: BLE001 - the net: a defect of the analysis costs incidents, never records
        unforeseen(error, Step.WRITE, client_id=client_id)
        return False
    return True


class Analyst:
    """Analyses in a thread of its own, each tenant at most once in `every_s` seconds; close it with the owner.

    What is due when it is closed is analysed first; what a process that is killed had still to do, the tenant's next change does.
    """

    def __init__(self, store: Incidents, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._every_s = every_s
        self._clock = clock
        self._changed = threading.Condition()
        self._due: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="analyst", daemon=True)
        self._thread.start()

    def submit(self, client_id: str) -> None:
        """Have the tenant analysed as soon as it may be."""
        with self._changed:
            last = self._last.get(client_id)
            self._due.setdefault(client_id, self._clock() if last is None else last + self._every_s)
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while (client_id := self._next()) is not None:
            analysed(self._store, client_id)

    def _next(self) -> str | None:
        """The tenant that is due first, once it is; None once closed and done."""
        with self._changed:
            while True:
                if self._due:
                    at, client_id = min((at, client_id) for client_id, at in self._due.items())
                    now = self._clock()
                    if at <= now or self._closed:
                        del self._due[client_id]
                        self._last[client_id] = now
                        return client_id
                elif self._closed:
                    return None
                self._changed.wait(_LOOK_S)
