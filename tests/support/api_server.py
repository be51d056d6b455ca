"""A small API server over HTTP: lists and watches as the real one writes them, from scripts that tests give it."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from transforms.io.cluster.api import ApiClient
from transforms.io.cluster.target import ClusterTarget

Parameters = dict[str, str]
END = "k8s.io/initial-events-end"


class Pause:
    """Nothing is said for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Broken:
    """The connection breaks within a line."""


class Answer:
    """An answer as a whole."""

    def __init__(self, body: Any, status: int = 200) -> None:
        self.body = body if isinstance(body, bytes) else msgspec.json.encode(body)
        self.status = status


Script = Answer | Iterable[Any]


def bookmark(version: int, *, is_end: bool = False) -> dict[str, Any]:
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if is_end:
        metadata["annotations"] = {END: "true"}
    return {"type": "BOOKMARK", "object": {"kind": "Pod", "apiVersion": "v1", "metadata": metadata}}


def status(code: int, message: str) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "code": code, "message": message}


class ApiServer:
    """Plays, for each path, one script after the other, the last one again and again; notes what was asked."""

    def __init__(self) -> None:
        self._scripts: dict[str, list[Script]] = defaultdict(list)
        self.asked: list[tuple[str, Parameters]] = []
        self.sent: list[tuple[str, str, bytes]] = []
        self._lock = threading.Lock()
        self._clients: list[ApiClient] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server._answer(self)

            def do_POST(self) -> None:
                server._take(self)

            do_PUT = do_POST  # noqa: N815 - the base class looks for it

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def client(self) -> ApiClient:
        """A client of this server, closed with it."""
        self._clients.append(ApiClient(ClusterTarget(self.url), "test", 2.0))
        return self._clients[-1]

    def play(self, path: str, *scripts: Script) -> None:
        self._scripts[path] += scripts

    def asked_of(self, path: str) -> list[Parameters]:
        return [parameters for at, parameters in self.asked if at == path]

    def take(self, method: str, path: str, body: bytes) -> Answer:
        """What a POST or PUT is answered; tests may replace it."""
        del method, path
        return Answer(body)

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.sent.append((request.command, request.path, body))
        _write(request, self.take(request.command, request.path, body))

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            self.asked.append((parts.path, parameters))
            scripts = self._scripts[parts.path]
            script = Answer(status(404, "not found"), 404) if not scripts else scripts.pop(0) if len(scripts) > 1 else scripts[0]
        if isinstance(script, Answer):
            _write(request, script)
        else:
            _stream(request, script)

    def __enter__(self) -> "ApiServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for client in self._clients:
            client.close()
        self._http.shutdown()
        self._http.server_close()


def _write(request: BaseHTTPRequestHandler, answer: Answer) -> None:
    request.send_response(answer.status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(answer.body)))
    request.end_headers()
    request.wfile.write(answer.body)


def _stream(request: BaseHTTPRequestHandler, lines: Iterable[Any]) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    request.close_connection = True
    try:
        for line in lines:
            if isinstance(line, Pause):
                time.sleep(line.seconds)
                continue
            if isinstance(line, Broken):
                _chunk(request, b'{"type":"ADDED","obj')
                request.connection.close()
                return
            _chunk(request, (line if isinstance(line, bytes) else msgspec.json.encode(line)) + b"\n")
        _chunk(request, b"")
    except (OSError, ValueError):
        return


def _chunk(request: BaseHTTPRequestHandler, data: bytes) -> None:
    request.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
    request.wfile.flush()
