"""Standing by: a second run of a consumer group waits until the first one ends or dies, then takes its place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from runners.loops.retries import fault_retries
from runners.loops.stop import Stopper
from transforms.io.faults import GraphTooNew, InfrastructureFault

_LOG = structlog.get_logger("standby")
# How often a run that stands by looks whether the lease was given back. One look is one small transaction.
LOOK_S: Final = 0.25
_SHORTEST_S: Final = 0.02
_FIRST_WAIT_S: Final = 1.0


class Held(Protocol):
    """The lease of another run, as `transforms.io.graph_admin.lease` finds it."""

    @property
    def host(self) -> str: ...

    @property
    def left_s(self) -> float: ...


class StandbyObserver(Protocol):
    """Told how the wait goes: health."""

    def standing_by(self, host: str) -> None: ...

    def cycle_failed(self, sentence: str) -> None: ...


@dataclass(slots=True)
class Standby:
    """Waits until `attempt` takes the lease.

    attempt: takes the lease if it can be taken; None once this run holds it, otherwise who does.
    max_faults: so many infrastructure faults in a row end the wait, by raising the last one. A look that got an answer starts the count
    anew, so that a run may stand by for months. A graph that a newer version has changed ends it at once.
    """

    attempt: Callable[[], Held | None]
    max_faults: int
    stopper: Stopper
    observer: StandbyObserver
    _told: str = ""

    def run(self) -> bool:
        """True once this run holds the lease, at the latest `LOOK_S` after it was free; False where asked to stop before."""
        retries = fault_retries(self.stopper, _FIRST_WAIT_S, self.max_faults, _LOG, final=(GraphTooNew,))
        while not self.stopper.asked():
            held = retries(self._look)
            if held is None:
                return not self.stopper.asked()
            self.stopper.wait(min(LOOK_S, max(held.left_s, _SHORTEST_S)))
        return False

    def _look(self) -> Held | None:
        if self.stopper.asked():
            return None
        try:
            held = self.attempt()
        except InfrastructureFault as fault:
            self.observer.cycle_failed(fault.sentence)
            raise
        if held is not None:
            self.observer.standing_by(held.host)
            if held.host != self._told:
                self._told = held.host
                _LOG.info("standing by", active=held.host)
        elif self._told:
            _LOG.warning("taking over", before=self._told)
        return held
