"""One session of writing: from when this process may write until it may not. Each kind has a thread; one more keeps time."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from pipelines.agent.event_writer import EventWriter
from pipelines.agent.kind_writer import CLOCK_MARGIN_MS, KindWriter
from pipelines.agent.monitor import AgentMonitor
from pipelines.agent.place import Place
from pipelines.agent.prometheus_writer import PrometheusWriter
from transforms.io.cluster.api import ApiClient, ApiFault
from transforms.io.cluster.discovery import EVENTS, Collection, collections
from transforms.io.cluster.prometheus import PrometheusClient
from transforms.io.cluster.stream import ObjectStream
from transforms.io.faults import InfrastructureFault
from transforms.records.agent.keys import marker_key, tenant_key
from transforms.records.agent.markers import MANIFEST, heartbeat, manifest_part, registration
from transforms.records.manifests import parts_of
from transforms.records.topic_names import HEARTBEATS, REGISTRY, RESOURCES

log = structlog.get_logger()
# Kinds that are read whole at the same time.
_AT_ONCE: Final = 2
_TICK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Work:
    """What is read. kinds, custom, events, calls: as the options name them. cluster_name, labels: for the registry."""

    kinds: frozenset[str]
    custom: tuple[str, ...]
    events: bool
    prometheus_url: str
    cluster_name: str = ""
    manifest_s: float = 300.0
    heartbeat_s: float = 30.0
    silence_s: float = 90.0
    calls: bool = True


class Session:
    """Writes until `end`. A session ends for good: whoever may write again begins a new one."""

    def __init__(self, api: ApiClient, work: Work, place: Place, monitor: AgentMonitor) -> None:
        self._api = api
        self._work = work
        self._place = place
        self._monitor = monitor
        self.stop = threading.Event()
        self._slots = threading.Semaphore(_AT_ONCE)
        self._writers: dict[Collection, KindWriter] = {}
        self.fault = ""

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread("time", self._keep_time)
        if self._work.events:
            stream = ObjectStream(self._api, EVENTS, self.stop, self._work.silence_s, bookmarks=False)
            self._thread("events", EventWriter(stream, self._place, self._monitor, self.stop).run)
        if self._work.prometheus_url:
            client = PrometheusClient(self._work.prometheus_url)
            self._thread("prometheus", PrometheusWriter(client, self._place, self._monitor, self.stop).run)

    def end(self) -> None:
        """Write nothing more. Threads that wait for the API server end when it next says something."""
        self.stop.set()

    def _thread(self, name: str, run: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                run()
            except InfrastructureFault as fault:
                self.fault = fault.sentence
            except Exception as error:
                log.exception("a defect ended a thread", thread=name)
                self.fault = f"The agent met a defect ({type(error).__name__}); the log has the place. It starts anew."

        threading.Thread(target=guarded, name=name, daemon=True).start()

    def _keep_time(self) -> None:
        self.register()
        due = {self._beat: 0.0, self._discover: 0.0, self._write_manifests: time.monotonic() + self._work.manifest_s}
        every = {self._beat: self._work.heartbeat_s, self._discover: self._work.manifest_s, self._write_manifests: self._work.manifest_s}
        while not self.stop.wait(_TICK_S):
            for act, at in due.items():
                if time.monotonic() >= at and not self.stop.is_set():
                    # What could not be done is tried again soon.
                    due[act] = time.monotonic() + (every[act] if act() else min(5.0, every[act]))

    def register(self) -> None:
        """Say that the cluster is there."""
        said = registration(self._place.client_id, self._work.cluster_name, {"agent": "graph-agent"})
        self._place.write(REGISTRY, tenant_key(self._place.client_id), said)

    def _beat(self) -> bool:
        """A sign of life, only while the API server answers."""
        try:
            self._api.get("/readyz")
        except ApiFault as fault:
            self._monitor.faults.labels("readyz").inc()
            self._monitor.is_ill(str(fault))
            return False
        self._monitor.is_well()
        self._place.write(HEARTBEATS, tenant_key(self._place.client_id), heartbeat(self._place.client_id))
        return True

    def _discover(self) -> bool:
        """Begin with kinds that are new; of one that is gone, its own watch tells."""
        try:
            found = collections(self._api, self._work.kinds, self._work.custom)
        except ApiFault as fault:
            self._monitor.faults.labels("discovery").inc()
            log.warning("kinds cannot be discovered", why=str(fault))
            return False
        for of in found:
            if of not in self._writers:
                self._writers[of] = self._writer(of)
                self._thread(of.kind, self._writers[of].run)
        return True

    def _writer(self, of: Collection) -> KindWriter:
        stream = ObjectStream(self._api, of, self.stop, self._work.silence_s)
        return KindWriter(of, stream, self._place, self._monitor, self._slots, self.stop, calls=self._work.calls)

    def _write_manifests(self) -> bool:
        """What is alive, of each kind of which all is known. The time comes first: what is written later is not concerned."""
        at_ms = self._place.time_ms(RESOURCES)
        for of, writer in list(self._writers.items()):
            alive = writer.alive()
            if at_ms is None or alive is None:
                continue
            for part, entries in parts_of(alive):
                value = manifest_part(of.kind, of.api_version, at_ms - CLOCK_MARGIN_MS, part, entries)
                self._place.write(RESOURCES, marker_key(self._place.client_id, MANIFEST, of.token, part), value)
        return at_ms is not None

    def once(self) -> bool:
        """Everything once, in this thread; whether every kind was read and acknowledged."""
        self.register()
        done = []
        for of in collections(self._api, self._work.kinds, self._work.custom):
            try:
                done.append(self._writer(of).write_all())
            except ApiFault as fault:
                log.warning("the kind cannot be read", kind=of.kind, why=str(fault))
                done.append(False)
        if self._work.events:
            stream = ObjectStream(self._api, EVENTS, self.stop, self._work.silence_s, bookmarks=False)
            EventWriter(stream, self._place, self._monitor, self.stop).write_all()
            stream.close()
        if self._work.prometheus_url:
            client = PrometheusClient(self._work.prometheus_url)
            done.append(PrometheusWriter(client, self._place, self._monitor, self.stop).write_all())
        return self._beat() and all(done)
