"""One kind: all its objects, the end of that report once Kafka has them, then each change, for as long as the agent writes."""

from hashlib import blake2b
from threading import Semaphore
from typing import Final

import msgspec
import structlog

from pipelines.agent.monitor import AgentMonitor
from pipelines.agent.place import Place
from transforms.io.cluster.api import ApiFault
from transforms.io.cluster.discovery import Collection
from transforms.io.cluster.stream import ListAnew, ObjectStream, Waiter
from transforms.io.kafka.producing import Receipts
from transforms.records.agent.keys import key_of, marker_key
from transforms.records.agent.markers import SNAPSHOT, snapshot_begin, snapshot_end
from transforms.records.agent.objects import StateRecord, state_record
from transforms.records.manifests import ENTRY_BYTES, entry_of
from transforms.records.topic_names import RESOURCES

log = structlog.get_logger()

# Brokers give the times, and their clocks may differ by so much.
CLOCK_MARGIN_MS: Final = 2_000
_CONTENT_BYTES: Final = 8
_PAUSE_S: Final = 15.0


class KindWriter:
    """Writes what becomes of the objects of one kind. `run` is for one thread; `alive` for any.

    slots: so many kinds may be read whole at once, so that memory stays flat. calls: as in `state_record`.
    """

    def __init__(
        self,
        of: Collection,
        stream: ObjectStream,
        place: Place,
        monitor: AgentMonitor,
        slots: Semaphore,
        stop: Waiter,
        *,
        calls: bool = True,
    ) -> None:
        self.of = of
        self._stream = stream
        self._place = place
        self._monitor = monitor
        self._slots = slots
        self._stop = stop
        self._calls = calls
        # By rid: what names the object in a manifest, and a hash of what was written of it.
        self._known: dict[str, bytes] = {}
        self._is_synced = False

    def alive(self) -> list[bytes] | None:
        """The manifest's entries of all objects; None while it is not known that they are all."""
        if not self._is_synced:
            return None
        return [one[:ENTRY_BYTES] for one in list(self._known.values())]

    def run(self) -> None:
        """Until told to stop."""
        while not self._stop.is_set():
            try:
                with self._slots:
                    self.write_all()
                for change in self._stream.changes():
                    self._write_change(change.object, is_gone=change.is_gone)
            except ListAnew as why:
                log.warning("everything is read anew", kind=self.of.kind, why=str(why))
            except ApiFault as fault:
                self._monitor.faults.labels(self.of.resource).inc()
                log.warning("the kind cannot be read", kind=self.of.kind, why=str(fault))
                self._stop.wait(_PAUSE_S)
            finally:
                self._set_synced(False)
                self._stream.close()

    def write_all(self) -> bool:
        """Write every object, and the report's end if Kafka acknowledged them all; whether it did. ApiFault where they cannot be read."""
        self._monitor.lists.labels(self.of.kind).inc()
        kind, receipts = self.of, Receipts()
        began_ms = self._begin()
        found: dict[str, bytes] = {}
        for raw in self._stream.objects():
            record = self._record(raw, receipts)
            if record is not None:
                found[record.rid] = self._write(record, receipts)
                self._known[record.rid] = found[record.rid]
        for rid in self._known.keys() - found.keys():
            self._place.write(RESOURCES, key_of(self._place.client_id, rid), None, receipts)
        self._known = found
        if began_ms is None or not receipts.wait(self._stop.is_set):
            if not self._stop.is_set():
                log.warning("the report has no end", kind=kind.kind, why=receipts.failed or "Kafka does not answer")
            return False
        end = snapshot_end(kind.kind, kind.api_version, began_ms - CLOCK_MARGIN_MS)
        self._place.write(RESOURCES, marker_key(self._place.client_id, SNAPSHOT, kind.token), end)
        self._set_synced(True)
        return True

    def _begin(self) -> int | None:
        """The broker's time before the first object; None where Kafka refuses."""
        receipts = Receipts()
        key = marker_key(self._place.client_id, SNAPSHOT, self.of.token)
        self._place.write(RESOURCES, key, snapshot_begin(self.of.kind, self.of.api_version), receipts)
        return self._place.time_ms(RESOURCES) if receipts.wait(self._stop.is_set) else None

    def _write_change(self, raw: msgspec.Raw, *, is_gone: bool) -> None:
        record = self._record(raw)
        if record is None:
            return
        if is_gone:
            self._known.pop(record.rid, None)
            self._place.write(RESOURCES, key_of(self._place.client_id, record.rid), None)
        elif self._known.get(record.rid) == _known(record):
            self._monitor.unchanged.labels(self.of.kind).inc()
        else:
            self._known[record.rid] = self._write(record)
        self._monitor.objects.labels(self.of.kind).set(len(self._known))

    def _record(self, raw: msgspec.Raw, receipts: Receipts | None = None) -> StateRecord | None:
        """The record of an object; None for one that is none, so that the report of which it is a part gets no end."""
        try:
            record = state_record(raw, self.of.kind, self.of.api_version, calls=self._calls)
        except (msgspec.DecodeError, ValueError) as error:
            log.warning("an object cannot be read", kind=self.of.kind, why=type(error).__name__)
            self._monitor.faults.labels(self.of.resource).inc()
            if receipts is not None:
                receipts.failed = "an object cannot be read"
            return None
        if record.is_cut:
            self._monitor.cut.labels(self.of.kind).inc()
        return record

    def _write(self, record: StateRecord, receipts: Receipts | None = None) -> bytes:
        self._place.write(RESOURCES, key_of(self._place.client_id, record.rid), record.value, receipts)
        return _known(record)

    def _set_synced(self, is_synced: bool) -> None:
        self._is_synced = is_synced
        self._monitor.synced.labels(self.of.kind).set(int(is_synced))
        self._monitor.objects.labels(self.of.kind).set(len(self._known))


def _known(record: StateRecord) -> bytes:
    return entry_of(record.rid, record.uid) + blake2b(record.value, digest_size=_CONTENT_BYTES).digest()
