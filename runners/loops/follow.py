"""Micro-batches: one bounded run after the other, until asked to stop; faults are waited out, up to a limit."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from runners.loops.bounded import RunTotals
from runners.loops.retries import fault_retries
from runners.loops.stop import Stopper
from transforms.io.faults import GraphTooNew, InfrastructureFault, LeaseHeldElsewhere

_LOG = structlog.get_logger("follow")
_FIRST_WAIT_S: Final = 1.0
# What no wait mends.
_FINAL: Final = (LeaseHeldElsewhere, GraphTooNew)


class CycleObserver(Protocol):
    """Told of each micro-batch: health."""

    def cycle_done(self) -> None: ...

    def cycle_failed(self, sentence: str) -> None: ...


@dataclass(slots=True)
class Follow:
    """Runs `run_once` every `every_s` seconds; a run that took longer is followed at once.

    max_faults: so many infrastructure faults in a row end it, by raising the last one. Between them it waits 1 s, 2 s,
    4 s and so on, at most a minute. A run that went through starts the count anew. Another run that has the consumer
    group ends it at once.
    """

    run_once: Callable[[RunTotals], None]
    every_s: float
    max_faults: int
    stopper: Stopper
    observer: CycleObserver
    totals: RunTotals = field(default_factory=RunTotals)

    def run(self) -> RunTotals:
        """Until asked to stop; what was read and what became of it, in all."""
        retries = fault_retries(self.stopper, _FIRST_WAIT_S, self.max_faults, _LOG, final=_FINAL)
        while not self.stopper.asked():
            started = retries(self._cycle)
            if started is not None:
                self.stopper.wait(max(0.0, self.every_s - (time.monotonic() - started)))
        return self.totals

    def _cycle(self) -> float | None:
        """One micro-batch; when it began, or None where it was not to begin any more."""
        if self.stopper.asked():
            return None
        started = time.monotonic()
        try:
            self.run_once(self.totals)
        except _FINAL:
            raise
        except InfrastructureFault as fault:
            self.observer.cycle_failed(fault.sentence)
            raise
        self.observer.cycle_done()
        return started
