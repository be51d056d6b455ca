"""Processes that this stack started, and no others: known by pid and start time, so a reused pid is never touched."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import psutil

from runners.local.faults import StackFault

STOP_S: Final = 40.0
_POLL_S: Final = 0.1


class _Started(msgspec.Struct, frozen=True):
    pid: int
    created: float


class ServiceProcess:
    """A server process with its folder: `process.json` says which one it is, `server.log` what it prints."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.log = folder / "server.log"
        self._file = folder / "process.json"
        self._child: subprocess.Popen[bytes] | None = None

    def find(self) -> psutil.Process | None:
        """The running process, or None; a record left by a crash does not count."""
        try:
            started = msgspec.json.decode(self._file.read_bytes(), type=_Started)
            process = psutil.Process(started.pid)
            same = abs(process.create_time() - started.created) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except (FileNotFoundError, msgspec.DecodeError, psutil.NoSuchProcess):
            return None
        return process if same else None

    def listens_on(self, ports: Iterable[int]) -> bool:
        """Whether the process is there and itself listens on all of the ports: what answers there is then no other's."""
        process = self.find()
        try:
            found = process.net_connections("inet") if process else []
        except psutil.Error:
            return False
        own = {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}
        return process is not None and own >= set(ports)

    def start(self, command: Sequence[str], environment: dict[str, str] | None = None) -> None:
        """Start detached from this terminal, output to the log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            # Kept: a Popen that is collected while its process runs warns.
            self._child = process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )
        self._file.write_bytes(msgspec.json.encode(_Started(process.pid, psutil.Process(process.pid).create_time())))

    def await_ready(self, is_ready: Callable[[], bool], within_s: float) -> None:
        """Return when the server answers; StackFault when it ends or stays silent."""
        limit = time.monotonic() + within_s
        while not is_ready():
            if self.find() is None:
                raise StackFault(f"{self.name} ended while starting; its log {self.log} says why: {self._last_words()}")
            if time.monotonic() > limit:
                raise StackFault(f"{self.name} did not answer within {within_s:.0f} s; its log {self.log} may say why.")
            time.sleep(_POLL_S)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " / ".join(line.strip() for line in lines[-3:])[:400] or "nothing"

    def exit_code(self) -> int | None:
        """The exit code of the process that this object started; None while it runs."""
        return None if self._child is None else self._child.poll()

    def stop(self) -> bool:
        """End the process, gracefully if it can; True if there was one. Nothing of it is left afterwards."""
        process = self.find()
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
                try:
                    process.wait(STOP_S)
                except psutil.TimeoutExpired:
                    process.kill()
                    process.wait(STOP_S)
        if self._child is not None:
            # A killed process reads as a zombie while its other threads still end; only its end can be collected.
            self._child.wait(STOP_S)
        self._file.unlink(missing_ok=True)
        return process is not None


def require_free_port(name: str, port: int, flag: str) -> None:
    """Return when nothing listens on the loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StackFault(f"Port {port} for {name} is taken by another process; free it or choose one with {flag}.") from None
