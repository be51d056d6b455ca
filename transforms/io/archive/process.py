"""The archive's writer as the job sees it: one process for each root, started when first needed and again after it ended."""

import atexit
import fcntl
import itertools
import os
import subprocess
import sys
import weakref
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import Pipe
from typing import Final

import structlog

from transforms.io.archive.writer import Verb, answer_of, frame
from transforms.io.faults import InfrastructureFault
from transforms.records.archive_format.runs import Gathered

_LOG = structlog.get_logger("avro")
_END_S: Final = 5.0
# The most that Linux gives any user; what is handed over at once takes about as much.
_PIPE_BYTES: Final = 1024 * 1024


class ArchiveProcess:
    """Writes records of bundles, each of them a lane, to the archive at `root`; lanes of several threads take turns."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._numbers = itertools.count()
        self._child: _Child | None = None
        self._left: dict[int, Future[list[str]]] = {}
        # The numbers of lanes that are no more, and of which the process may hold records.
        self.dropped: deque[int] = deque()
        # One thread, so that what is asked and answered keeps its order. It starts the process too: Linux ends that one with the
        # thread it was started by.
        self.thread: Final = ThreadPoolExecutor(1, "archive")

    def start(self) -> None:
        """Begin to start the process, for whoever will need it soon; does not wait."""
        self.thread.submit(self.child)

    def lane(self) -> "BundleStream":
        """A lane for the records of one bundle."""
        return BundleStream(self, next(self._numbers))

    def leave(self, writing: "Future[list[str]]") -> int:
        """Keep what is being written for whoever will await it; the number to ask `settle` for."""
        number = next(self._numbers)
        self._left[number] = writing
        return number

    def settle(self, number: int) -> list[str]:
        """Return when what was left under that number is written: its files, or what `Lane.write` gives as its exception."""
        return self._left.pop(number).result()

    def child(self) -> "_Child":
        """The process, which runs. For `thread` alone."""
        if self._child is None or self._child.has_ended():
            self._child = _Child(self.root)
        return self._child

    def end(self) -> None:
        """End the process, once what was asked of it is done; what was not written is forgotten."""
        self.thread.shutdown()
        if self._child is not None:
            self._child.close()
            self._child = None


class BundleStream:
    """Records of one bundle on their way to files. Not for several threads at once.

    What was handed over and not written is dropped with it: of a bundle that failed nobody tells.
    """

    def __init__(self, process: ArchiveProcess, number: int) -> None:
        self.number = number
        self._process = process
        # Only noted: this is done wherever the lane happens to end, where no lock may be waited for.
        weakref.finalize(self, process.dropped.append, number).atexit = False
        # Always the same one, that of the first records: another does not hold them.
        self._child: _Child | None = None
        self._fault: InfrastructureFault | None = None
        self._number_held = 0

    def hold(self, gathered: Gathered) -> int:
        """Hand records over, to be written with the next `write`; how many bytes they take. Does not wait."""
        sent = frame(self.number, Verb.HOLD, gathered)
        self._number_held += len(gathered)
        self._process.thread.submit(self._send, sent)
        return len(sent)

    def write(self) -> "Future[list[str]]":
        """Begin to write what was handed over; the result, the paths of the files, is there when files hold all of it.

        Its exception is an InfrastructureFault where they cannot.
        """
        number, self._number_held = self._number_held, 0
        return self._process.thread.submit(self._write, number)

    def _send(self, sent: bytes) -> None:
        if self._fault is not None:
            raise self._fault
        try:
            if self._child is None:
                self._child = self._process.child()
            while self._process.dropped:
                self._child.send(frame(self._process.dropped.popleft(), Verb.FORGET))
            self._child.send(sent)
        except InfrastructureFault as fault:
            self._fault = fault
            raise

    def _write(self, number: int) -> list[str]:
        self._send(frame(self.number, Verb.WRITE, number))
        assert self._child is not None
        answer = answer_of(self._child.receive())
        for one in answer.told:
            getattr(_LOG, one.pop("level"))(one.pop("event"), **one)
        if answer.fault:
            raise InfrastructureFault(answer.fault)
        if answer.error:
            raise RuntimeError(answer.error)
        return answer.paths


class _Child:
    """The process, while it runs. Raises InfrastructureFault once it has ended."""

    def __init__(self, root: str) -> None:
        self._root = root
        # Two pipes, and not one socket: of a pipe the size can be set, so that a chunk goes at once and is not waited for.
        asked, self._asks = Pipe(duplex=False)
        self._answers, answered = Pipe(duplex=False)
        _widen(self._asks.fileno())
        with asked, answered:
            theirs = (asked.fileno(), answered.fileno())
            command = [sys.executable, "-m", "transforms.io.archive.writer", *map(str, theirs), str(os.getpid()), root]
            # Modules are found where this process finds them, wherever it runs and however it was started.
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            try:
                self._process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, pass_fds=theirs)
            except OSError as error:
                self._asks.close()
                self._answers.close()
                raise InfrastructureFault(
                    f"The process that writes the archive at {root} cannot be started ({error.strerror}); nothing after the last "
                    "committed offsets counts as done: make room for one more process, then run again."
                ) from error

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def send(self, sent: bytes) -> None:
        try:
            self._asks.send_bytes(sent)
        except OSError as error:
            raise self._ended() from error

    def receive(self) -> bytes:
        try:
            return self._answers.recv_bytes()
        except (EOFError, OSError) as error:
            raise self._ended() from error

    def _ended(self) -> InfrastructureFault:
        self.close()
        return InfrastructureFault(
            f"The process that writes the archive at {self._root} ended with {self._process.returncode}; nothing after the last "
            "committed offsets counts as done: see what it printed, or whether the machine was short of memory, then run again."
        )

    def close(self) -> None:
        """Have it end, and wait for that."""
        self._asks.close()
        self._answers.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _widen(descriptor: int) -> None:
    """Where the system lets a pipe hold so much."""
    with suppress(AttributeError, OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


_processes: Final[dict[str, ArchiveProcess]] = {}


def archive_process(root: str) -> ArchiveProcess:
    """The writer of the archive at a root, one for this process; slices come and go, how far it was written is kept."""
    return _processes.get(root) or _processes.setdefault(root, ArchiveProcess(root))


@atexit.register
def _end_all() -> None:
    for one in _processes.values():
        one.end()
