"""Events in every shape that agents and collectors write, read as one.

Our envelope, core/v1 and events.k8s.io/v1 Events, kubernetes-event-exporter's (core/v1 with labels in the involved
object), OpenTelemetry k8sobjects watch records (`{type, object}`), eventrouter's (`{verb, event}`) and the collector's log
records (`resourceLogs`). One type with all their fields is decoded in one pass; which shape it is shows in which fields are
there. The capitalised shape that kubectl before 1.14 dumped is a reject with a reason of its own, since it cannot be told from
a mistake field by field.
"""

from datetime import datetime
from typing import Any, Final

import msgspec

from transforms.records.envelopes.otlp_events import ETYPE, parse_logs
from transforms.records.envelopes.types import ApiVersion, Event, EventList, Int64, KindName, Moment, Namespace, Subject
from transforms.records.record import is_unset
from transforms.records.rejects import Fault, Reason


class _Metadata(msgspec.Struct, frozen=True):
    uid: str = ""
    name: str = ""
    namespace: Namespace | None = None


class _Reference(msgspec.Struct, frozen=True, rename="camel"):
    """What core/v1 calls involvedObject and events.k8s.io/v1 regarding; real ones lack kind or name now and then."""

    kind: str | None = None
    name: str | None = None
    namespace: Namespace | None = None
    uid: str | None = None
    api_version: ApiVersion | None = None


class _Series(msgspec.Struct, frozen=True, rename="camel"):
    count: Int64 | None = None
    last_observed_time: Moment | None = None


class _Wire(msgspec.Struct, frozen=True):
    """Every field of every shape."""

    # Ours
    event_id: str | None = None
    event_time: Moment | None = None
    subject: Subject | None = None
    etype: str = ""
    severity: str = ""
    client_id: str | None = None
    cluster: str | None = None
    # All
    reason: str | None = None
    message: str | None = None
    # kubernetes-event-exporter
    cluster_name: str | None = msgspec.field(default=None, name="clusterName")
    # Kubernetes
    metadata: _Metadata | None = None
    involved: _Reference | None = msgspec.field(default=None, name="involvedObject")
    regarding: _Reference | None = None
    note: str | None = None
    type: str | None = None
    count: Int64 | None = None
    deprecated_count: Int64 | None = msgspec.field(default=None, name="deprecatedCount")
    series: _Series | None = None
    event_time_of_kind: Moment | None = msgspec.field(default=None, name="eventTime")
    last: Moment | None = msgspec.field(default=None, name="lastTimestamp")
    first: Moment | None = msgspec.field(default=None, name="firstTimestamp")
    deprecated_last: Moment | None = msgspec.field(default=None, name="deprecatedLastTimestamp")
    deprecated_first: Moment | None = msgspec.field(default=None, name="deprecatedFirstTimestamp")
    # A watch record
    object: "_Wire | None" = None
    # eventrouter; anything else in other shapes
    verb: Any = None
    event: msgspec.Raw = msgspec.Raw()
    # OpenTelemetry's log records
    logs: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="resourceLogs")
    # The legacy shape's mark
    legacy: Any = msgspec.field(default=None, name="InvolvedObject")


# What a watch says of itself.
_NO_CHANGES: Final = frozenset({"BOOKMARK", "ERROR"})
_SHOWN: Final = 80
_DECODE: Final = msgspec.json.Decoder(_Wire).decode
_KIND: Final = msgspec.json.Decoder(KindName).decode


def parse_event(text: bytes) -> Event | EventList:
    """The event or events, whatever its shape; msgspec's errors for what is mistyped, Fault for what is no event."""
    wire = _DECODE(text)
    if bytes(wire.logs):
        return parse_logs(wire.logs, parse_event)
    if wire.object is not None:
        if wire.type in _NO_CHANGES:
            told = f": {wire.object.message[:_SHOWN]}" if wire.object.message else ""
            raise Fault(Reason.BAD_VALUE, f"a watch record of the type {wire.type} tells of no Event{told}; leave it out")
        wire = wire.object
    elif isinstance(wire.verb, str) and bytes(wire.event).startswith(b"{") and not (wire.event_id or wire.involved or wire.regarding):
        wire = _DECODE(wire.event)
    if wire.legacy is not None:
        raise Fault(
            Reason.LEGACY_SHAPE,
            "`InvolvedObject` in capitals is the internal shape of kubectl before 1.14; write core/v1 Events, as the API serves them",
        )
    reference = wire.involved or wire.regarding
    if reference is not None:
        return _kubernetes_event(wire, reference)
    event_time = _first((wire.event_time,))
    if wire.event_id and event_time and wire.subject:
        return Event(
            wire.event_id,
            event_time,
            wire.subject,
            wire.etype,
            wire.severity,
            wire.reason or "",
            wire.message or "",
            client_id=wire.client_id,
            cluster=wire.cluster,
        )
    held = {"event_id": wire.event_id, "event_time": event_time, "subject": wire.subject}
    missing = next(name for name, one in held.items() if not one)
    raise Fault(Reason.MISSING_FIELD, f"Object missing required field `{missing}`, and no `involvedObject` or `regarding` is there either")


def _kubernetes_event(wire: _Wire, reference: _Reference) -> Event:
    """A Kubernetes Event. It is updated in place while it repeats, under one uid: one episode, its newest state."""
    metadata = wire.metadata or _Metadata()
    identity = metadata.uid or (f"{metadata.namespace or ''}/{metadata.name}" if metadata.name else "")
    if not identity:
        raise Fault(Reason.MISSING_FIELD, "an Event without `metadata.uid` and `metadata.name` has no identity")
    series = wire.series or _Series()
    times = (series.last_observed_time, wire.last, wire.deprecated_last, wire.event_time_of_kind, wire.first, wire.deprecated_first)
    counts = (series.count, wire.count, wire.deprecated_count)
    return Event(
        event_id=identity,
        event_time=_first(times),
        subject=_subject(reference),
        etype=ETYPE,
        severity=wire.type or "",
        reason=wire.reason or "",
        message=wire.message or wire.note or "",
        count=next((count for count in counts if count), 1),
        client_id=wire.client_id,
        cluster=wire.cluster_name or wire.cluster,
        first_time=_first((wire.first, wire.deprecated_first, wire.event_time_of_kind)),
    )


# Go writes its zero time, the year 1, where a field has none.
def _first(times: tuple[datetime | None, ...]) -> datetime | None:
    return next((time for time in times if time is not None and not is_unset(time)), None)


def _subject(reference: _Reference) -> Subject | None:
    """What the Event is about; None where it does not say, which happens in real clusters."""
    if not reference.kind or not reference.name:
        return None
    _KIND(msgspec.json.encode(reference.kind))
    return Subject(reference.kind, reference.name, reference.namespace, reference.uid, reference.api_version)
