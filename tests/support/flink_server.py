"""A real HTTP server on loopback that answers as it is told to, for who asks Flink's REST interface."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FlinkServer:
    """answers: by "METHOD /path", a body, or several of which the last is given again and again; a path without one is a 404.

    asked: what came in, in order, each "METHOD /path" with its body where it had one.
    """

    def __init__(self, address: str, answers: Mapping[str, Any]) -> None:
        self.address = address
        self.asked: list[tuple[str, Any]] = []
        self._answers = {asked: list(answer) if isinstance(answer, tuple) else [answer] for asked, answer in answers.items()}

    def answer(self, asked: str, body: bytes) -> tuple[int, bytes]:
        self.asked.append((asked, json.loads(body) if body else None))
        left = self._answers.get(asked)
        if left is None:
            return 404, b'{"errors": ["not found"]}'
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, int):
            return answer, b"no"
        return 200, answer if isinstance(answer, bytes) else json.dumps(answer).encode()


@contextmanager
def serving(answers: Mapping[str, Any]) -> Iterator[FlinkServer]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = flink.answer(f"{self.command} {self.path}", body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PATCH = _reply  # noqa: N815  (the names are the base class's)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        flink = FlinkServer(f"127.0.0.1:{server.server_port}", answers)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield flink
        finally:
            server.shutdown()
            thread.join()
