"""What an infrastructure fault ends is run again after a growing wait, up to a limit of faults in a row, unless asked to stop."""

from collections.abc import Callable
from typing import Any, Final

from structlog.typing import FilteringBoundLogger
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from runners.loops.stop import Stopper
from transforms.io.faults import InfrastructureFault

_LONGEST_WAIT_S: Final = 60.0


def fault_retries(
    stopper: Stopper, first_wait_s: float, max_faults: int, log: FilteringBoundLogger, final: tuple[type[InfrastructureFault], ...]
) -> Retrying:
    """Calls a function until it returns; raises the fault that was one too many, and any other exception at once.

    Waits `first_wait_s`, then twice as long after each fault, at most a minute, and no longer once the stopper is asked.
    final: faults that no wait mends.
    """

    def wait(seconds: float) -> None:
        stopper.wait(seconds)

    return Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, InfrastructureFault) and not isinstance(error, final)),
        wait=wait_exponential(multiplier=first_wait_s, max=_LONGEST_WAIT_S),
        stop=stop_after_attempt(max_faults),
        sleep=wait,
        before_sleep=_logs(log, max_faults),
        reraise=True,
    )


def _logs(log: FilteringBoundLogger, max_faults: int) -> Callable[[RetryCallState], Any]:
    def note(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        assert isinstance(error, InfrastructureFault)
        log.error("fault", detail=error.sentence, faults=state.attempt_number, of=max_faults, seconds_to_wait=state.upcoming_sleep)

    return note
