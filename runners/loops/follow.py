"""Micro-batches: one bounded run after the other, until asked to stop; faults are waited out, up to a limit."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from runners.loops.bounded import RunTotals
from transforms.io.faults import InfrastructureFault, LeaseHeldElsewhere

_LOG = structlog.get_logger("follow")
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 60.0


class Stopper(Protocol):
    """Knows whether the run is to end, and waits for that."""

    def asked(self) -> bool: ...

    def wait(self, seconds: float) -> bool: ...


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
    _faults: int = 0

    def run(self) -> RunTotals:
        """Until asked to stop; what was read and what became of it, in all."""
        while not self.stopper.asked():
            started = time.monotonic()
            self.stopper.wait(self._cycle(started))
        return self.totals

    def _cycle(self, started: float) -> float:
        """One micro-batch; the seconds to wait after it."""
        try:
            self.run_once(self.totals)
        except LeaseHeldElsewhere:
            raise
        except InfrastructureFault as fault:
            self._faults += 1
            self.observer.cycle_failed(fault.sentence)
            if self._faults >= self.max_faults:
                raise
            wait = min(_FIRST_WAIT_S * float(2 ** (self._faults - 1)), _LONGEST_WAIT_S)
            _LOG.error("fault", detail=fault.sentence, faults=self._faults, of=self.max_faults, seconds_to_wait=wait)
            return wait
        self._faults = 0
        self.observer.cycle_done()
        return max(0.0, self.every_s - (time.monotonic() - started))
