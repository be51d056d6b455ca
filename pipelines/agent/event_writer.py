"""Events: each as it is now, under the identity that Kubernetes gives it, so that telling one again changes nothing."""

import msgspec
import structlog

from pipelines.agent.monitor import AgentMonitor
from pipelines.agent.place import Place
from transforms.io.cluster.api import ApiFault
from transforms.io.cluster.discovery import EVENTS as COLLECTION
from transforms.io.cluster.stream import ListAnew, ObjectStream, Waiter
from transforms.records.agent.events import event_record
from transforms.records.agent.keys import key_of
from transforms.records.topic_names import EVENTS

log = structlog.get_logger()
_PAUSE_S = 15.0


class EventWriter:
    """Writes Events as they come. For one thread."""

    def __init__(self, stream: ObjectStream, place: Place, monitor: AgentMonitor, stop: Waiter) -> None:
        self._stream = stream
        self._place = place
        self._monitor = monitor
        self._stop = stop

    def run(self) -> None:
        """Until told to stop. Events that are there already come first: some may have come while no agent was there."""
        while not self._stop.is_set():
            try:
                self.write_all()
                for change in self._stream.changes():
                    if not change.is_gone:
                        self._write(change.object)
            except ListAnew as why:
                log.warning("everything is read anew", kind=COLLECTION.kind, why=str(why))
            except ApiFault as fault:
                self._monitor.faults.labels(COLLECTION.resource).inc()
                log.warning("the kind cannot be read", kind=COLLECTION.kind, why=str(fault))
                self._stop.wait(_PAUSE_S)
            finally:
                self._stream.close()

    def write_all(self) -> None:
        self._monitor.lists.labels(COLLECTION.kind).inc()
        for raw in self._stream.objects():
            self._write(raw)

    def _write(self, raw: msgspec.Raw) -> None:
        try:
            record = event_record(raw)
        except (msgspec.DecodeError, ValueError) as error:
            log.warning("an Event cannot be read", why=type(error).__name__)
            self._monitor.faults.labels(COLLECTION.resource).inc()
            return
        self._place.write(EVENTS, key_of(self._place.client_id, record.uid), record.value)
