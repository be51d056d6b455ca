"""Starts commands of the project from a process that has imported them: a fork in place of seconds of imports.

A command is a process of its own, as it is for a person: it has its own arguments, environment, folder, output, signals and
exit code, and the limit of its files' size from whoever asks; it ends as Python ends. Only what importing the project's modules
leaves behind is shared, and a test in `test_launch.py` holds that no thread is among it.

`python -m tests.support.fork_server SOCKET` listens until its standard input is closed. Each connection asks for one command: a JSON object
with the descriptors of standard output and error beside it. The answers are lines: the pid, then the exit code, negative for a signal.
"""

import gc
import importlib
import json
import os
import pkgutil
import resource
import runpy
import selectors
import signal
import socket
import sys
import warnings
from pathlib import Path
from typing import Any, Final

import pipelines

# What the commands import when they run, too: a forked one finds it there.
PRELOADED: Final = (
    *(one.name for one in pkgutil.walk_packages(pipelines.__path__, "pipelines.") if not one.name.endswith("__main__")),
    "runners.local.cli",
    "runners.local.flink_cli",
)
_LONGEST_REQUEST: Final = 1 << 20


class ForkServer:
    """Listens for commands, forks them and tells how they ended.

    `serve` returns in the process of a command, with what to run; it returns None in the server when the server is to end.
    """

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(16)
        self._children: dict[int, socket.socket] = {}
        self._wake, wake = socket.socketpair()
        self._wake.setblocking(False)
        wake.setblocking(False)
        self._waker = wake
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno())

    def serve(self) -> dict[str, Any] | None:
        with selectors.DefaultSelector() as ready:
            for one in (self._listener, self._wake, sys.stdin):
                ready.register(one, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is sys.stdin:
                        return None
                    if key.fileobj is self._wake:
                        self._reap()
                    elif (request := self._accept()) is not None:
                        return request

    def _accept(self) -> dict[str, Any] | None:
        """The request, in the command's process; None in the server."""
        connection, _ = self._listener.accept()
        data, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_REQUEST, 2)
        while not data.endswith(b"\n"):
            data += connection.recv(_LONGEST_REQUEST)
        pid = os.fork()
        if pid:
            for descriptor in descriptors:
                os.close(descriptor)
            self._children[pid] = connection
            connection.sendall(f"{pid}\n".encode())
            return None
        self._become(descriptors)
        connection.close()
        found: dict[str, Any] = json.loads(data)
        return found

    def _become(self, descriptors: list[int]) -> None:
        """Leave everything of the server's behind."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for connection in (self._listener, self._wake, self._waker, *self._children.values()):
            connection.close()
        null = os.open(os.devnull, os.O_RDONLY)
        for target, descriptor in enumerate([null, *descriptors]):
            os.dup2(descriptor, target)
            os.close(descriptor)

    def _reap(self) -> None:
        while True:
            try:
                self._wake.recv(4096)
            except BlockingIOError:
                break
        for pid in list(self._children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with self._children.pop(pid) as connection:
                    try:
                        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
                    except OSError:
                        continue  # whoever asked is gone


def main(path: str) -> None:
    for name in PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    server = ForkServer(Path(path))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    request = server.serve()
    if request is None:
        return
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    resource.setrlimit(resource.RLIMIT_FSIZE, tuple(request["file_size"]))
    sys.argv = [request["module"], *request["arguments"]]
    # That the program is imported as a module too is what happens in any run where another module imports it.
    warnings.filterwarnings("ignore", message=".* found in sys.modules after import of package", category=RuntimeWarning)
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
