"""Serves a monitor: `/metrics` as Prometheus text, `/healthz` and `/readyz` as 200 or 503 with a line that says why."""

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from types import TracebackType
from typing import Any, Final, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from transforms.io.faults import InfrastructureFault
from transforms.records.redaction.text import redact_text

# How soon the server notices that it is to end.
_END_S: Final = 0.1
Respond = Callable[[str, list[tuple[str, str]]], Any]


class Monitored(Protocol):
    """What has metrics, a health and a readiness."""

    registry: CollectorRegistry

    def health(self) -> tuple[bool, str]:
        """Whether it works, and a line that says why not."""
        ...

    def readiness(self) -> tuple[bool, str]:
        """Whether it is at work, and a line that says why not."""
        ...


class MonitorServer:
    """Serves a monitor on host:port within the block; InfrastructureFault where the port is taken."""

    def __init__(self, monitor: Monitored, host: str, port: int) -> None:
        metrics = make_wsgi_app(monitor.registry)
        pages = {"/healthz": monitor.health, "/readyz": monitor.readiness}

        def answer(environment: dict[str, Any], respond: Respond) -> Iterable[bytes]:
            if environment["PATH_INFO"] == "/metrics":
                found: Iterable[bytes] = metrics(environment, respond)
                return found
            if environment["PATH_INFO"] in pages:
                is_well, said = pages[environment["PATH_INFO"]]()
                respond("200 OK" if is_well else "503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8")])
                return [redact_text(said).encode() + b"\n"]
            respond("404 Not Found", [("Content-Type", "text/plain")])
            return [b"/metrics, /healthz or /readyz\n"]

        try:
            self._server: WSGIServer = make_server(host, port, answer, _Server, _SilentHandler)
        except OSError as error:
            raise InfrastructureFault(
                f"The metrics port {host}:{port} cannot be opened ({error.strerror}); choose another --metrics_port or --metrics_host."
            ) from None
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_END_S,), name="metrics", daemon=True)

    def __enter__(self) -> "MonitorServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingMixIn, WSGIServer):
    """Each request has a thread: a client that connects and says nothing must keep neither /healthz nor the end waiting."""

    daemon_threads = True


class _SilentHandler(WSGIRequestHandler):
    timeout = 10.0

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """A scrape every few seconds is no news."""
