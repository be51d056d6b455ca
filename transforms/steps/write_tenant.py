"""One tenant's batch into the graph: the row at fault is found, and a tenant that cannot be written harms no other."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import structlog

from transforms.io import pulse
from transforms.io.graph_admin.quarantine import Quarantine
from transforms.io.graph_sink import BatchStore
from transforms.io.neo4j.errors import RowRefused, TenantFault, TenantLocked, TenantOutOfTime
from transforms.io.unforeseen import unforeseen
from transforms.planning.facts.changes import NO_DRIFT, Drift, TooMany
from transforms.planning.merge.batches import part_of
from transforms.planning.merge.fold import Interpreted
from transforms.planning.scheduling.adaptive_batch_size import AdaptiveBatchSize, BatchSizeLimits
from transforms.records.outcomes import Outcome
from transforms.records.rejects import Step

_LOG = structlog.get_logger("write")
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 10.0
# Rows of one batch that a defect of the job is found at, one by one, before it is taken to be at the tenant.
MOST_DEFECTS: Final = 20
# Batches that a tenant is written alone for after one that could not be written as it was.
ALONE_BATCHES: Final = 16

Result = tuple[Interpreted, Outcome | RowRefused]


class Settled(NamedTuple):
    """A batch whose transactions have ended: what became of each mutation, and the rows that were committed.

    seconds: that each transaction took. set_aside: why the tenant was quarantined; then `left` has no outcome yet. "": it was not.
    ended_ms: when the last transaction ended, in milliseconds since 1970.
    drift: what manifests found. is_quiet: as in `Written`.
    """

    client_id: str
    results: list[Result]
    rows: int
    seconds: tuple[float, ...] = ()
    set_aside: str = ""
    left: Sequence[Interpreted] = ()
    ended_ms: int = 0
    drift: Drift = NO_DRIFT
    is_quiet: bool = False


class _Aside(Exception):
    """The tenant is in quarantine; the message is why."""


class TenantWriter:
    """Writes tenants' batches, different tenants' from several threads at once; knows what it quarantined while it lives.

    max_failures: so many failures in a row that no row explains set a tenant aside. wait: for so many seconds.
    pace: what a transaction may take; None: a batch is one transaction. progress: told of each transaction that went through,
    and of each that could not while the server takes others'.
    """

    def __init__(
        self,
        store: BatchStore,
        quarantine: Quarantine,
        max_failures: int,
        wait: Callable[[float], object] = time.sleep,
        pace: BatchSizeLimits | None = None,
        progress: Callable[[], object] = pulse.PROCESS.beat,
    ) -> None:
        self._store = store
        self._quarantine = quarantine
        self._max_failures = max_failures
        self._wait = wait
        self._limits = pace
        self._progress = progress
        self._paces: dict[str, AdaptiveBatchSize] = {}
        self._alone: dict[str, int] = {}
        self._aside: dict[str, str] = {}
        self._defects: dict[str, int] = {}
        self._drifts: dict[str, Drift] = {}
        self._quiet: dict[str, bool] = {}

    def heed(self, causes: Callable[[], Mapping[str, str]]) -> None:
        """Take tenants in again that left quarantine. causes: asked for those that still are, where there were any."""
        if self._aside:
            still = causes()
            self._aside = {client_id: cause for client_id, cause in self._aside.items() if client_id in still}

    def is_alone(self, client_id: str) -> bool:
        """Whether the tenant is to be written by itself: it is in quarantine, or failed of late."""
        return client_id in self._alone or client_id in self._aside

    def keep_alone(self, client_ids: Iterable[str]) -> None:
        """Write these tenants by themselves for a while."""
        self._alone |= dict.fromkeys(client_ids, ALONE_BATCHES)

    def is_aside(self, client_id: str) -> bool:
        return client_id in self._aside

    def left(self, client_id: str, batch: Sequence[Interpreted]) -> Settled:
        """What becomes of a batch whose tenant this process set aside."""
        return Settled(client_id, [], 0, set_aside=self._aside[client_id], left=batch)

    def written(self, client_ids: Iterable[str]) -> None:
        """A transaction of these tenants went through."""
        for client_id in client_ids:
            self._quarantine.succeeded(client_id)
        self._progress()

    def write(self, client_id: str, batch: Sequence[Interpreted]) -> Settled:
        """Write the batch, in as many transactions as the tenant's pace has it; where one is refused, its halves, down to the row at fault.

        A defect of the job sets the tenant aside where no row explains it, or too many do.
        Raises InfrastructureFault where it is the server that cannot be used.
        """
        if client_id in self._aside:
            return self.left(client_id, batch)
        if client_id in self._alone:
            self._alone[client_id] -= 1
            if not self._alone[client_id]:
                del self._alone[client_id]
        try:
            return self._write_parts(client_id, batch)
        except _Aside as aside:
            cause = str(aside)
        except Exception as error:  # noqa: BLE001 - the net: what no row explains is the tenant's alone
            cause = unforeseen(error, Step.WRITE, client_id=client_id).detail
            self._quarantine.set_aside(client_id, cause)
        self._aside[client_id] = cause
        return self.left(client_id, batch)

    def _write_parts(self, client_id: str, batch: Sequence[Interpreted]) -> Settled:
        self._defects[client_id] = 0
        self._drifts[client_id] = NO_DRIFT
        results: list[Result] = []
        rows = 0
        seconds: list[float] = []
        for part in self._parts(client_id, batch, seconds):
            more, written = self._write(client_id, part, is_sound=False)
            results += more
            rows += written
        ended_ms, drift, is_quiet = int(time.time() * 1000), self._drifts[client_id], self._quiet.pop(client_id, False)
        return Settled(client_id, results, rows, tuple(seconds), ended_ms=ended_ms, drift=drift, is_quiet=is_quiet)

    def _parts(self, client_id: str, batch: Sequence[Interpreted], seconds: list[float]) -> Iterator[Sequence[Interpreted]]:
        """The batch by the tenant's pace, in its order; notes what each part took."""
        pace = self._paces.setdefault(client_id, AdaptiveBatchSize(self._limits)) if self._limits else None
        at = 0
        while at < len(batch):
            part, rows = part_of(batch, at, pace.rows) if pace else (batch, 0)
            began = time.perf_counter()
            yield part
            seconds.append(time.perf_counter() - began)
            if pace:
                pace.took(rows, seconds[-1])
            at += len(part)

    def _write(self, client_id: str, batch: Sequence[Interpreted], *, is_sound: bool, part: float = 1.0) -> tuple[list[Result], int]:
        """is_sound: a transaction without rows went through since the tenant's last failure that was not a row's alone.

        part: of a transaction's time that the batch may take.
        """
        try:
            return self._written(client_id, batch, part)
        except TooMany:
            return self._write_halves(client_id, batch, is_sound=is_sound, part=part)
        except TenantLocked as locked:
            # Halves of the batch would wait for the same lock, each as long as the whole.
            self._failed(client_id, str(locked), pauses=False)
            return self._write(client_id, batch, is_sound=is_sound, part=part)
        except RowRefused as refused:
            if not is_sound:
                self._await_sound(client_id)
            fault = refused
        except TenantFault as failed:
            self._await_sound(client_id)
            if isinstance(failed, TenantOutOfTime):
                # A half needs half the time; with the whole for each, one row would take eleven times as long to find.
                part /= 2
            if len(batch) > 1:
                fault = RowRefused(str(failed), is_internal=failed.is_internal)
            else:
                again = self._write_one_again(client_id, batch, part)
                if not isinstance(again, RowRefused):
                    return again
                fault = again
        if len(batch) == 1:
            self._blame(client_id, fault)
            return [(batch[0], fault)], 0
        return self._write_halves(client_id, batch, is_sound=True, part=part)

    def _write_halves(self, client_id: str, batch: Sequence[Interpreted], *, is_sound: bool, part: float) -> tuple[list[Result], int]:
        middle = len(batch) // 2
        left, right = (self._write(client_id, half, is_sound=is_sound, part=part) for half in (batch[:middle], batch[middle:]))
        return left[0] + right[0], left[1] + right[1]

    def _blame(self, client_id: str, fault: RowRefused) -> None:
        """Count a row that this job fails at; _Aside where so many in one batch say that it is not the rows."""
        if fault.is_internal:
            self._defects[client_id] += 1
            if self._defects[client_id] > MOST_DEFECTS:
                self._quarantine.set_aside(client_id, str(fault))
                raise _Aside(str(fault))

    def _write_one_again(self, client_id: str, batch: Sequence[Interpreted], part: float) -> tuple[list[Result], int] | RowRefused:
        """A row whose transaction failed may have met what has passed, a deadlock say: it is at fault only if it fails again."""
        try:
            return self._written(client_id, batch, part)
        except RowRefused as refused:
            return refused
        except TenantLocked as locked:
            self._failed(client_id, str(locked), pauses=False)
            return self._write_one_again(client_id, batch, part)
        except TenantFault as failed:
            self._await_sound(client_id)
            return RowRefused(str(failed), is_internal=failed.is_internal)

    def _written(self, client_id: str, batch: Sequence[Interpreted], part: float) -> tuple[list[Result], int]:
        try:
            written = self._store.write_batch(client_id, [one.mutation for one in batch], first_seen(batch), part)
        except (RowRefused, TenantFault, TooMany):
            self.keep_alone((client_id,))
            raise
        if written.drift:
            self._drifts[client_id] = self._drifts[client_id].plus(written.drift)
        # The last of a batch's transactions knows of those before it.
        self._quiet[client_id] = written.is_quiet
        self.written((client_id,))
        return list(zip(batch, written.outcomes, strict=True)), written.rows

    def _await_sound(self, client_id: str) -> None:
        """Return once a transaction of the tenant without a row goes through; _Aside where that fails too often in a row."""
        while True:
            try:
                self._store.probe_tenant(client_id)
            except (RowRefused, TenantFault) as failed:
                self._failed(client_id, str(failed))
            else:
                self._progress()
                return

    def _failed(self, client_id: str, cause: str, *, pauses: bool = True) -> None:
        """Count a failure that no row explains, and return when it is time to try again; _Aside where it was one too many.

        pauses: False after a try that was itself a wait.
        """
        # Before the tenant is blamed: a server that takes no write is nobody's fault but its own.
        self._store.probe_server()
        self._progress()
        failures = self._quarantine.failed(client_id)
        if failures >= self._max_failures:
            self._quarantine.set_aside(client_id, cause)
            raise _Aside(cause)
        wait_s = min(_FIRST_WAIT_S * float(2 ** (failures - 1)), _LONGEST_WAIT_S) if pauses else 0.0
        _LOG.warning("tenant failed", client_id=client_id, failures=failures, of=self._max_failures, cause=cause, seconds_to_wait=wait_s)
        if wait_s:
            self._wait(wait_s)


def first_seen(batch: Sequence[Interpreted]) -> int | None:
    """When the broker got the first of the batch's records; None where it does not say."""
    return min((one.record.timestamp_ms for one in batch if one.record is not None and one.record.is_broker_time), default=None)
