"""Progress of long work: a bar on a terminal; elsewhere a line in the log now and then."""

import sys
import time
from types import TracebackType
from typing import Final, TextIO

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LOG = structlog.get_logger("progress")
_EVERY_S: Final = 5.0


class Count:
    """Counts things done, against a total; open it as a context.

    what: what is counted.
    """

    def __init__(self, what: str, total: int, stream: TextIO = sys.stderr) -> None:
        console = Console(file=stream)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task = self._bar.add_task(what, total=total)
        self._what, self._total, self._done = what, total, 0
        self._told = time.monotonic()

    def __enter__(self) -> "Count":
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def advance(self, number: int) -> None:
        self._done += number
        self._bar.advance(self._task, number)
        if self._bar.disable and time.monotonic() - self._told >= _EVERY_S:
            self._told = time.monotonic()
            _LOG.info(self._what, done=self._done, of=self._total)
