"""The agent's metrics and its health."""

import threading
import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

# No kind falls silent for so long unless its watch is broken: bookmarks come each minute.
STALE_S: Final = 300.0


class AgentMonitor:
    """What a supervisor sees of an agent. Safe to use from several threads. All names are a contract with dashboards and alarms."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        registry = self.registry
        self.records = Counter("graph_agent_records", "Records acknowledged by Kafka.", ("topic",), registry=registry)
        self.bytes = Counter("graph_agent_bytes", "Bytes of their keys and values, before compression.", ("topic",), registry=registry)
        self.failures = Counter("graph_agent_failures", "Records that Kafka refused.", ("topic",), registry=registry)
        self.unchanged = Counter(
            "graph_agent_unchanged", "Changes that tell of nothing the job reads, and were not written.", ("kind",), registry=registry
        )
        self.lists = Counter("graph_agent_lists", "Times that all objects of a kind were read.", ("kind",), registry=registry)
        self.faults = Counter(
            "graph_agent_faults", "Faults of the API server or Prometheus, by what was asked.", ("of",), registry=registry
        )
        self.cut = Counter(
            "graph_agent_cut", "Objects too large for a record, written without status or spec.", ("kind",), registry=registry
        )
        self.objects = Gauge("graph_agent_objects", "Objects that are alive.", ("kind",), registry=registry)
        self.leader = Gauge("graph_agent_leader", "1 while this replica writes.", registry=registry)
        self.synced = Gauge(
            "graph_agent_synced", "1 while all objects of the kind were told and changes follow.", ("kind",), registry=registry
        )
        self.own_clock = Gauge(
            "graph_agent_own_clock", "1 where the topic keeps the producer's time, not the broker's.", ("topic",), registry=registry
        )
        self._lock = threading.Lock()
        self._fault = ""
        self._well_at = time.monotonic()

    def answered(self, topic: str, size: int, fault: str, has_broker_time: bool) -> None:
        """Kafka took a record, or refused it."""
        if fault:
            self.failures.labels(topic).inc()
        else:
            self.records.labels(topic).inc()
            self.bytes.labels(topic).inc(size)
            self.own_clock.labels(topic).set(0 if has_broker_time else 1)

    def is_well(self) -> None:
        """The API server answers, or this replica waits for its turn."""
        with self._lock:
            self._well_at, self._fault = time.monotonic(), ""

    def is_ill(self, why: str) -> None:
        with self._lock:
            self._fault = why

    def health(self) -> tuple[bool, str]:
        """Whether the agent works, and a line that says why not."""
        with self._lock:
            quiet, fault = time.monotonic() - self._well_at, self._fault
        if quiet <= STALE_S:
            return True, f"ok, {quiet:.0f} s since the API server answered"
        return False, f"the API server has not answered for {quiet:.0f} s. {fault}".strip()

    def readiness(self) -> tuple[bool, str]:
        """Whether this replica works; one that waits for its turn does."""
        return self.health()
