"""Signs of life: of which tenants something was heard, when, and what they said of themselves.

Tenants' clocks may be wrong, so no time of theirs counts: a record tells when it came only where the broker stamped it;
any other says no more than that it has come.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from msgspec import structs

from transforms.records.decode import Decoded
from transforms.records.envelopes.types import Registration
from transforms.records.record import KafkaRecord, is_unset, make_ver, microseconds
from transforms.records.redaction.tree import redact_label as label
from transforms.records.tenancy.directory import Directory

SECOND_MS: Final = 1000


class Registered(NamedTuple):
    """What the registry says of a tenant. registration: None for one that was taken back. ver: orders what it says.

    at_ms: the record's time in milliseconds since 1970. is_broker_time: the broker gave it.
    """

    client_id: str
    ver: str
    at_ms: int
    is_broker_time: bool
    registration: Registration | None

    @property
    def registered_ms(self) -> int:
        """When the cluster was registered, by its own word where it gives one."""
        at = self.registration.registered_at if self.registration else None
        return self.at_ms if at is None or is_unset(at) else microseconds(at) // 1000


def cleaned(said: Registration) -> Registration:
    """What a cluster says of itself, without secrets in its labels."""
    return structs.replace(said, labels={name: label(name, value) for name, value in said.labels.items()}) if said.labels else said


class LivenessSignals:
    """What one bundle heard.

    seen: by tenant the latest time of a record that the broker stamped, in milliseconds since 1970; 0 where none was.
    greeted: tenants that told of themselves, by a heartbeat or a registration, and so are there without any data.
    registered: by tenant, the newest word of the registry. registry: its records, which have their outcome once that is written.
    seconds: in which anything was produced, by the records' own times.
    """

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}
        self.greeted: set[str] = set()
        self.registered: dict[str, Registered] = {}
        self.registry: list[tuple[str, KafkaRecord]] = []
        self.seconds: set[int] = set()

    def pass_by(self, timestamps_ms: Iterable[int]) -> None:
        """Somebody's records were on the bus."""
        self.seconds.update({at // SECOND_MS for at in timestamps_ms})

    def hear(self, heard: Sequence[tuple[str, KafkaRecord]]) -> None:
        """Records of tenants were taken in."""
        seen = self.seen
        for client_id in {client_id for client_id, _ in heard}:
            seen.setdefault(client_id, 0)
        for client_id, record in heard:
            if record.is_broker_time and record.timestamp_ms > seen[client_id]:
                seen[client_id] = record.timestamp_ms

    def greet(self, client_id: str, decoded: Decoded) -> None:
        """A record of the tenant told of the tenant itself."""
        body, record = decoded.body, decoded.record
        if decoded.topic is None or not decoded.topic.tenancy:
            return
        if decoded.topic.state:
            ver = decoded.ver or make_ver(record.timestamp_ms * 1000, record.topic, record.partition, record.offset)
            said = Registered(
                client_id, ver, record.timestamp_ms, record.is_broker_time, cleaned(body) if isinstance(body, Registration) else None
            )
            known = self.registered.get(client_id)
            self.registry.append((client_id, record))
            if known is None or said.ver > known.ver:
                self.registered[client_id] = said
            if said.registration is None:
                return
        self.greeted.add(client_id)

    def since(self, directory: Directory) -> "LivenessSignals":
        """The same, less the seconds that were judged before, and those that have not come yet."""
        first, last = directory.judged_ms // SECOND_MS, directory.now_ms // SECOND_MS
        self.seconds = {one for one in self.seconds if first < one <= last}
        return self

    def apart(self) -> Iterator[tuple[str, "LivenessSignals"]]:
        """What was heard of each tenant by itself, less the seconds, which are nobody's."""
        for client_id in sorted({*self.seen, *self.greeted, *self.registered}):
            one = LivenessSignals()
            one.seen = {client_id: self.seen[client_id]} if client_id in self.seen else {}
            one.greeted = self.greeted & {client_id}
            one.registered = {client_id: self.registered[client_id]} if client_id in self.registered else {}
            yield client_id, one

    def without_life(self) -> "LivenessSignals":
        """What was said, less that it was said now."""
        said = LivenessSignals()
        said.greeted = {one for one, word in self.registered.items() if word.registration is not None}
        said.registered, said.registry = self.registered, self.registry
        return said
