"""What a supervisor asks of a running job: `/metrics` as Prometheus text, `/healthz` as 200 or 503."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from types import MappingProxyType, TracebackType
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, make_wsgi_app

from runners.loops.bounded import SliceReport
from transforms.io import pulse
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import HeldBack, OffsetGap, PartitionFault, Place
from transforms.planning.lifecycle.liveness import State
from transforms.records.outcomes import NO_TENANT, Tally
from transforms.records.redaction.text import redact_text, redact_tokens

_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)
# How soon the server notices that it is to end.
_END_S: Final = 0.1
# With series of their own; each has a dozen, which stay for the life of the process.
MOST_TENANTS: Final = 5_000
Respond = Callable[[str, list[tuple[str, str]]], Any]


class Monitor:
    """The run's metrics and its health; observes runs and cycles.

    stale_s: unhealthy when no slice and no micro-batch went through for so many seconds, and within the slice at work no tenant
    was got on with either. progress: of tenants.
    """

    def __init__(self, stale_s: float, progress: pulse.Pulse = pulse.PROCESS) -> None:
        self._stale_s = stale_s
        self._progress = progress
        self._last_done = time.monotonic()
        self._fault = ""
        self._known: set[Place] = set()
        self._tenants_shown = {NO_TENANT}
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        named = self.registry
        self._records = Counter("graph_records", "Records by what became of them.", ["client_id", "outcome"], registry=named)
        self._rejects = Counter("graph_rejects", "Rejected records by reason.", ["client_id", "reason"], registry=named)
        self._internal = Counter("graph_internal_faults", "Defects of the job that were met, by step.", ["step"], registry=named)
        self._lost = Counter("graph_offsets_lost", "Offsets deleted before they were taken in.", ["topic", "partition"], registry=named)
        self._gaps = Counter("graph_gaps", "Gaps met: offsets deleted, or a log cut back.", ["topic", "partition"], registry=named)
        self._lag = Gauge("graph_lag_offsets", "Offsets not yet taken in, as of the last look.", ["topic", "partition"], registry=named)
        self._aside = Gauge(
            "graph_partitions_set_aside",
            "1 while it cannot be read and others can.",
            ["topic", "partition", "cause"],
            registry=named,
        )
        self._held = Gauge(
            "graph_held_back_offsets", "Offsets behind a transaction that is not ended.", ["topic", "partition"], registry=named
        )
        self._shown_aside: dict[Place, str] = {}
        self._shown_held: set[Place] = set()
        self._bytes = Counter("graph_read_bytes", "Bytes of keys and values read.", registry=named)
        self._slices = Histogram("graph_slice_seconds", "Duration of a slice, from reading to commit.", buckets=_SECONDS, registry=named)
        self._committed = Gauge("graph_last_commit_timestamp_seconds", "When a slice was last committed.", registry=named)
        self._tenants = Gauge("graph_tenants", "Tenants by state.", ["state"], registry=named)
        self._turned = Counter("graph_tenant_transitions", "Tenants whose state became another.", ["state"], registry=named)
        self._faults = Counter("graph_faults", "Infrastructure faults that ended a micro-batch.", registry=named)

    # What runs tell

    def planned(self, lag: dict[Place, int]) -> None:
        self._show_lag(lag)

    def committed(self, slice_: SliceReport) -> None:
        self._count(slice_.outcomes, slice_.reasons, slice_.size_bytes, slice_.internal)
        self._slices.observe(slice_.seconds)
        self._committed.set_to_current_time()
        self._show_lag(slice_.lag)
        # A backlog may take one micro-batch hours; what commits slices is well.
        self.cycle_done()

    def _count(
        self, outcomes: Tally, reasons: Mapping[tuple[str, str], int], size_bytes: int, internal: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        for (client_id, outcome), number in outcomes.items():
            self._records.labels(self._shown(client_id), outcome.value).inc(number)
        for (client_id, reason), number in reasons.items():
            self._rejects.labels(self._shown(client_id), reason).inc(number)
        for step, number in internal.items():
            self._internal.labels(step).inc(number)
        self._bytes.inc(size_bytes)

    def _shown(self, client_id: str) -> str:
        """The tenant's own label, for the first `MOST_TENANTS`; the others are counted together."""
        if len(self._tenants_shown) < MOST_TENANTS:
            self._tenants_shown.add(client_id)
        return redact_tokens(client_id) if client_id in self._tenants_shown else NO_TENANT

    def _show_lag(self, lag: dict[Place, int]) -> None:
        """A partition once seen stays: nothing left there is a 0, no series that ends."""
        self._known.update(lag)
        for topic, partition in self._known - self._shown_aside.keys():
            # Of one that cannot be read nobody knows how much is left: it stays at what was last known.
            self._lag.labels(topic, partition).set(lag.get((topic, partition), 0))

    def lost(self, gap: OffsetGap) -> None:
        self._gaps.labels(gap.topic, gap.partition).inc()
        self._lost.labels(gap.topic, gap.partition).inc(gap.end - gap.start)

    def aside(self, faults: Iterable[PartitionFault]) -> None:
        """These partitions, and no others, cannot be read now."""
        now = {fault.place: fault.cause for fault in faults}
        for place, cause in self._shown_aside.items() - now.items():
            self._aside.labels(*place, cause).set(0)
        for place, cause in now.items():
            self._aside.labels(*place, cause).set(1)
        self._shown_aside = now

    def held_back(self, held: Iterable[HeldBack]) -> None:
        """Open transactions hide these offsets, and no others."""
        now = {one.place: one.offsets for one in held}
        self._shown_held.update(now)
        for topic, partition in self._shown_held:
            self._held.labels(topic, partition).set(now.get((topic, partition), 0))

    def turned(self, state: State) -> None:
        """A tenant came into the state."""
        self._turned.labels(state.value).inc()

    def counted(self, states: Mapping[State, int]) -> None:
        """There are so many tenants in each state."""
        for state in State:
            self._tenants.labels(state.value).set(states.get(state, 0))

    def cycle_done(self) -> None:
        self._last_done, self._fault = time.monotonic(), ""

    def cycle_failed(self, sentence: str) -> None:
        self._fault = sentence
        self._faults.inc()

    def health(self) -> tuple[bool, str]:
        """Whether micro-batches go through, and a line that says why not."""
        # A tenant that is held up keeps the others' slice from its commit for a while; a fault that ended the slice counts as it is.
        last = self._last_done if self._fault else max(self._last_done, self._progress.at)
        quiet = time.monotonic() - last
        if quiet <= self._stale_s:
            return True, f"ok, {quiet:.0f} s since the last slice or micro-batch"
        return False, f"nothing went through for {quiet:.0f} s, more than {self._stale_s:.0f} s. {self._fault}".strip()


class MonitorServer:
    """Serves a monitor on host:port within the block; InfrastructureFault where the port is taken."""

    def __init__(self, monitor: Monitor, host: str, port: int) -> None:
        metrics = make_wsgi_app(monitor.registry)

        def answer(environment: dict[str, Any], respond: Respond) -> Iterable[bytes]:
            if environment["PATH_INFO"] == "/metrics":
                found: Iterable[bytes] = metrics(environment, respond)
                return found
            if environment["PATH_INFO"] == "/healthz":
                is_well, said = monitor.health()
                respond("200 OK" if is_well else "503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8")])
                return [redact_text(said).encode() + b"\n"]
            respond("404 Not Found", [("Content-Type", "text/plain")])
            return [b"/metrics or /healthz\n"]

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
