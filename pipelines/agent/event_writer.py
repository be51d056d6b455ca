"""Events: each as it is now, under the identity that Kubernetes gives it, so that telling one again changes nothing.

The API server does not cache Events and sends no bookmarks about them. So where few come, their watch is soon too old to be resumed, and
all of them are read anew every few minutes: those that were written are remembered by a hash, and written once.
"""

from hashlib import blake2b
from typing import Final

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
_PAUSE_S: Final = 15.0
_HASH_BYTES: Final = 8


class EventWriter:
    """Writes Events as they come. For one thread."""

    def __init__(self, stream: ObjectStream, place: Place, monitor: AgentMonitor, stop: Waiter) -> None:
        self._stream = stream
        self._place = place
        self._monitor = monitor
        self._stop = stop
        # By a hash of the uid: one of what was written.
        self._written: dict[bytes, bytes] = {}

    def run(self) -> None:
        """Until told to stop. Events that are there already come first: some may have come while no agent was there."""
        while not self._stop.is_set():
            try:
                self.write_all()
                for change in self._stream.changes():
                    self._write(change.object, is_gone=change.is_gone)
            except ListAnew as why:
                log.info("everything is read anew", kind=COLLECTION.kind, why=str(why))
            except ApiFault as fault:
                self._monitor.faults.labels(COLLECTION.resource).inc()
                log.warning("the kind cannot be read", kind=COLLECTION.kind, why=str(fault))
                self._stop.wait(_PAUSE_S)
            finally:
                self._stream.close()

    def write_all(self) -> None:
        """Write those that are there and were not written as they are."""
        self._monitor.lists.labels(COLLECTION.kind).inc()
        found = {}
        for raw in self._stream.objects():
            uid = self._write(raw)
            if uid:
                found[uid] = self._written[uid]
        self._written = found

    def _write(self, raw: msgspec.Raw, *, is_gone: bool = False) -> bytes:
        """A hash of the Event's uid; empty where it cannot be read."""
        try:
            record = event_record(raw)
        except (msgspec.DecodeError, ValueError) as error:
            log.warning("an Event cannot be read", why=type(error).__name__)
            self._monitor.faults.labels(COLLECTION.resource).inc()
            return b""
        uid, content = _hash(record.uid.encode()), _hash(record.value)
        if is_gone:
            self._written.pop(uid, None)
        elif self._written.get(uid) == content:
            self._monitor.unchanged.labels(COLLECTION.kind).inc()
        else:
            self._place.write(EVENTS, key_of(self._place.client_id, record.uid), record.value)
            self._written[uid] = content
        return uid


def _hash(data: bytes) -> bytes:
    return blake2b(data, digest_size=_HASH_BYTES).digest()
