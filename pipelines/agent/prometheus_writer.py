"""Targets and rules of a Prometheus server: one record for each that is new or changed, a tombstone for each that is gone."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

import msgspec
import structlog

from pipelines.agent.monitor import AgentMonitor
from pipelines.agent.place import Place
from transforms.io.cluster.api import ApiFault
from transforms.io.cluster.prometheus import PrometheusClient
from transforms.io.cluster.stream import Waiter
from transforms.model.limits import RECORD_BYTES
from transforms.planning.interpret.listed import rule_records, target_records
from transforms.records.agent.keys import key_of
from transforms.records.redaction.tree import TooSuspicious
from transforms.records.rejects import Fault
from transforms.records.topic_names import RULES, TARGETS

log = structlog.get_logger()
EVERY_S: Final = 60.0


class PrometheusWriter:
    """Writes what changed since the last look. For one thread."""

    def __init__(self, client: PrometheusClient, place: Place, monitor: AgentMonitor, stop: Waiter) -> None:
        self._place = place
        self._monitor = monitor
        self._stop = stop
        self._sources: tuple[tuple[str, Callable[[], bytes], Callable[[bytes], dict[str, bytes]], dict[str, bytes]], ...] = (
            (TARGETS, client.targets, target_records, {}),
            (RULES, client.rules, rule_records, {}),
        )

    def run(self) -> None:
        """Until told to stop."""
        while not self._stop.is_set():
            self.write_all()
            self._stop.wait(EVERY_S)

    def write_all(self) -> bool:
        """Look once; whether both answers could be read."""
        done = [self._look(*source) for source in self._sources]
        return all(done)

    def _look(self, topic: str, ask: Callable[[], bytes], cut: Callable[[bytes], dict[str, bytes]], known: dict[str, bytes]) -> bool:
        try:
            found = cut(ask())
        except (ApiFault, Fault, TooSuspicious, msgspec.DecodeError, KeyError, TypeError) as error:
            self._monitor.faults.labels("prometheus").inc()
            log.warning("Prometheus cannot be read", topic=topic, why=str(error)[:200])
            return False
        for raw_key, value in found.items():
            content = blake2b(value, digest_size=8).digest()
            if known.get(raw_key) != content and len(value) <= RECORD_BYTES:
                self._place.write(topic, key_of(self._place.client_id, raw_key), value)
                known[raw_key] = content
        for raw_key in known.keys() - found.keys():
            self._place.write(topic, key_of(self._place.client_id, raw_key), None)
            del known[raw_key]
        return True
