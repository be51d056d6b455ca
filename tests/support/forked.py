"""Commands that a fork server starts, with the part of `subprocess.Popen` that the tests use."""

import json
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from scripts.world import CHECKOUT

_READY_S: Final = 120.0
_POLL_S: Final = 0.01


class Forked:
    """A command that has begun; as `subprocess.Popen` with text and pipes. `returncode` is negative for a signal."""

    def __init__(self, connection: socket.socket, stdout: IO[str], stderr: IO[str] | None) -> None:
        self._lines = connection.makefile("r")
        self._connection = connection
        self.pid = int(self._lines.readline())
        self.stdout, self.stderr = stdout, stderr
        self.returncode: int | None = None
        self._read: dict[IO[str], list[str]] = {}
        self._readers: list[threading.Thread] = []

    def poll(self) -> int | None:
        if self.returncode is None and self._ends_within(0):
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; subprocess.TimeoutExpired where it goes on for longer."""
        if self.returncode is None:
            if not self._ends_within(timeout):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def _ends_within(self, seconds: float | None) -> bool:
        with selectors.DefaultSelector() as ready:
            ready.register(self._connection, selectors.EVENT_READ)
            return bool(ready.select(seconds))

    def _end(self) -> None:
        self.returncode = int(self._lines.readline())
        self._lines.close()
        self._connection.close()

    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]:
        """All that it printed on standard output and error, once it has ended; asked again after a time-out, nothing is missing."""
        limit = None if timeout is None else time.monotonic() + timeout
        pipes = [pipe for pipe in (self.stdout, self.stderr) if pipe is not None]
        if not self._readers:
            self._read = {pipe: [] for pipe in pipes}
            self._readers = [threading.Thread(target=self._drain, args=(pipe,), daemon=True) for pipe in pipes]
            for reader in self._readers:
                reader.start()
        for reader in self._readers:
            reader.join(None if limit is None else max(0.0, limit - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        self.wait(None if limit is None else max(0.0, limit - time.monotonic()))
        out = "".join(self._read[self.stdout])
        return out, "".join(self._read[self.stderr]) if self.stderr is not None else ""

    def _drain(self, pipe: IO[str]) -> None:
        with pipe:
            self._read[pipe].append(pipe.read())

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ForkingLauncher:
    """Starts commands by a fork server of its own; close it at the end."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="graph-forks-")
        self._path = str(Path(self._folder.name) / "socket")
        # Warnings of the imports are the interpreter's to show, as in any run.
        command = [sys.executable, "-m", "tests.support.fork_server", self._path]
        self._server = subprocess.Popen(command, cwd=CHECKOUT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == "ready\n", "the fork server did not start"

    def __call__(self, module: str, arguments: Sequence[str], environment: dict[str, str], stderr: int | IO[str]) -> Forked:
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe() if stderr == subprocess.PIPE else (None, os.dup(_descriptor(stderr)))
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        request = {"module": module, "arguments": [*arguments], "environment": environment, "folder": str(CHECKOUT), "file_size": limit}
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(self._path)
            socket.send_fds(connection, [json.dumps(request).encode() + b"\n"], [out_write, err_write])
        finally:
            os.close(out_write)
            os.close(err_write)
        return Forked(connection, os.fdopen(out_read), None if err_read is None else os.fdopen(err_read))

    def close(self) -> None:
        """End the server; commands that go on are not its children's keeper's any more."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(30)
        assert self._server.stdout is not None
        self._server.stdout.close()
        self._folder.cleanup()


def _descriptor(file: int | IO[str]) -> int:
    return file if isinstance(file, int) else file.fileno()
