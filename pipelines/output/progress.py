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


def bar(stream: TextIO = sys.stderr) -> Progress:
    """The bar of every command: done of total, and the time that is left; disabled where the stream is no terminal."""
    console = Console(file=stream)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


class Count:
    """Counts things done, against a total; open it as a context.

    what: what is counted. total: None where nobody knows it.
    """

    def __init__(self, what: str, total: int | None, stream: TextIO = sys.stderr) -> None:
        self._bar = bar(stream)
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
            _LOG.info(self._what, done=self._done, **({} if self._total is None else {"of": self._total}))
