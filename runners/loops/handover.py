"""Handing over: a run that is told to stop while another one stands by does not keep it waiting for the slice at work."""

import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final

import structlog

from runners.loops.stop import Stopper

_LOG = structlog.get_logger("standby")
# So long the slice at work may go on; whatever takes longer is left to the run that takes over.
GRACE_S: Final = 1.0
_LOOK_S: Final = 0.1


def _leave() -> None:
    """End the process as a kill does, but with exit code 0: threads of the slice at work may wait for servers for minutes."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class Handover:
    """Within the block, a run that is asked to stop has `grace_s` seconds to end; then its lease is given back and the process ends.

    Nothing of the slice at work is committed then, and whoever takes over reads it again: as safe as a kill, and it takes no longer.
    give_back: gives the lease back. leave: ends the process.
    """

    def __init__(
        self, stopper: Stopper, give_back: Callable[[], None], grace_s: float = GRACE_S, leave: Callable[[], None] = _leave
    ) -> None:
        self._stopper = stopper
        self._give_back = give_back
        self._grace_s = grace_s
        self._leave = leave
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="handover", daemon=True)

    def __enter__(self) -> "Handover":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()

    def join(self, seconds: float) -> None:
        """Wait until nothing of it is at work any more, at most so long."""
        self._thread.join(seconds)

    def _watch(self) -> None:
        while not self._stopper.asked():
            if self._ended.wait(_LOOK_S):
                return
        if self._ended.wait(self._grace_s):
            return
        _LOG.warning("handing over in the middle of a slice", detail="nothing of it is committed; the run that takes over reads it again")
        self._give_back()
        self._leave()
