"""Events in OpenTelemetry's own JSON (`resourceLogs`), as the receivers k8s_events and k8sobjects write them.

A k8s_events record holds the Event's parts as attributes, the object's mostly at the resource; a k8sobjects record holds
the Event itself as its body. Attributes of a record win over those of its resource.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from transforms.model.limits import INTEGER_MAX, INTEGER_MIN
from transforms.records.envelopes.types import Event, EventList, Subject
from transforms.records.record import from_microseconds
from transforms.records.redaction.text import shown
from transforms.records.rejects import Fault, Reason, check_items

# Of a 64-bit integer; leading zeros beyond it are nobody's way to write one.
_MOST_DIGITS: Final = 19
ETYPE: Final = "k8s.event"
# The receiver wrote the object's kind into the names of attributes before it had `k8s.object.kind`.
_OLD_KINDS: Final = {
    "pod": "Pod",
    "node": "Node",
    "deployment": "Deployment",
    "replicaset": "ReplicaSet",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "job": "Job",
    "cronjob": "CronJob",
    "namespace": "Namespace",
    "service": "Service",
}


_LOOKED_AT: Final = frozenset(
    {
        "k8s.namespace.name",
        *(f"k8s.event.{part}" for part in ("uid", "name", "reason", "count")),
        *(f"k8s.object.{part}" for part in ("kind", "name", "uid", "api_version")),
        *(f"k8s.{token}.{part}" for token in _OLD_KINDS for part in ("uid", "name")),
    }
)


class _Pair(msgspec.Struct, frozen=True):
    key: str
    value: dict[str, Any] = {}


class _Resource(msgspec.Struct, frozen=True):
    attributes: list[_Pair] = []


class _LogRecord(msgspec.Struct, frozen=True, rename="camel"):
    time_unix_nano: int | str = 0
    observed_time_unix_nano: int | str = 0
    severity_text: str = ""
    body: dict[str, Any] | None = None
    attributes: list[_Pair] = []


class _ScopeLogs(msgspec.Struct, frozen=True, rename="camel"):
    log_records: list[_LogRecord] = []


class _ResourceLogs(msgspec.Struct, frozen=True, rename="camel"):
    resource: _Resource = _Resource()
    scope_logs: list[_ScopeLogs] = []


_LOGS: Final = msgspec.json.Decoder(list[_ResourceLogs]).decode


def parse_logs(resource_logs: msgspec.Raw, parse_event: Callable[[bytes], Event | EventList]) -> Event | EventList:
    """The Event in `resourceLogs`, or all of them where there are several.

    Raises msgspec's errors for what is mistyped, Fault for a log record that is no Event.

    parse_event: reads an Event that is a record's body.
    """
    found: list[Event] = []
    groups = _LOGS(resource_logs)
    check_items("log records", sum(len(scope.log_records) for group in groups for scope in group.scope_logs))
    for group in groups:
        shared = _attributes(group.resource.attributes)
        for record in (record for scope in group.scope_logs for record in scope.log_records):
            attributes = shared | _attributes(record.attributes)
            if "k8s.event.uid" in attributes or "k8s.event.reason" in attributes:
                found.append(_event(record, attributes))
            else:
                found += _body_events(record, parse_event)
    if not found:
        raise Fault(Reason.MISSING_FIELD, "`resourceLogs` without a log record tells of no Event")
    return found[0] if len(found) == 1 else EventList(found)


def _body_events(record: _LogRecord, parse_event: Callable[[bytes], Event | EventList]) -> Iterator[Event]:
    if record.body is None or "kvlistValue" not in record.body:
        said = "a log record with neither `k8s.event.uid` nor an Event as its body is no Event; route logs to another topic"
        raise Fault(Reason.BAD_VALUE, said)
    parsed = parse_event(msgspec.json.encode(_plain(record.body)))
    if not isinstance(parsed, Event):
        raise Fault(Reason.BAD_VALUE, "a log record whose body holds log records is no Event")
    yield parsed


def _event(record: _LogRecord, held: dict[str, Any]) -> Event:
    namespace, name = _text(held, "k8s.namespace.name"), _text(held, "k8s.event.name")
    identity = _text(held, "k8s.event.uid") or (f"{namespace}/{name}" if name else "")
    if not identity:
        raise Fault(Reason.MISSING_FIELD, "a log record without `k8s.event.uid` and `k8s.event.name` has no identity")
    time_us = _whole("timeUnixNano", record.time_unix_nano) // 1000
    try:
        moment = from_microseconds(time_us) if time_us else None
    except OverflowError:
        raise Fault(Reason.BAD_TIME, f"`timeUnixNano` is {time_us * 1000}; write nanoseconds since 1970") from None
    message = _plain(record.body) if record.body else ""
    return Event(
        event_id=identity,
        event_time=moment,
        subject=_subject(held, namespace),
        etype=ETYPE,
        severity=record.severity_text,
        reason=_text(held, "k8s.event.reason"),
        message=message if isinstance(message, str) else "",
        count=max(1, _integer("k8s.event.count", held.get("k8s.event.count") or 1)),
    )


def _subject(held: dict[str, Any], namespace: str) -> Subject | None:
    """What the Event is about; None where it does not say."""
    kind, name, uid = (_text(held, f"k8s.object.{part}") for part in ("kind", "name", "uid"))
    if not kind:
        token = next((token for token in _OLD_KINDS if held.get(f"k8s.{token}.uid")), "")
        kind, name, uid = _OLD_KINDS.get(token, ""), _text(held, f"k8s.{token}.name"), _text(held, f"k8s.{token}.uid")
    if not kind or not name:
        return None
    fields = {"kind": kind, "name": name, "ns": namespace or None, "uid": uid or None}
    fields["apiVersion"] = _text(held, "k8s.object.api_version") or None
    return msgspec.convert(fields, Subject)


def _attributes(pairs: list[_Pair]) -> dict[str, Any]:
    """Those that are looked at. Others are passed over: a resource's are held together with those of each of its log records."""
    return {pair.key: _plain(pair.value) for pair in pairs if pair.key in _LOOKED_AT}


def _text(held: dict[str, Any], name: str) -> str:
    value = held.get(name)
    return value if isinstance(value, str) else ""


def _integer(name: str, value: Any) -> int:
    """The integer, which fits 64 bits."""
    number = _whole(name, value)
    if not INTEGER_MIN <= number <= INTEGER_MAX:
        raise Fault(Reason.LIMIT_EXCEEDED, f"the integer `{name}` does not fit 64 bits")
    return number


def _whole(name: str, value: Any) -> int:
    """Any whole number, one beyond the limit for all that are far beyond it; integers travel as text in protobuf's JSON."""
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if digits.isascii() and digits.isdecimal():
            # Longer ones are not made numbers of: that takes time that grows faster than their length.
            value = int(value) if len(digits) <= _MOST_DIGITS else INTEGER_MAX + 1
    if not isinstance(value, int) or isinstance(value, bool):
        raise Fault(Reason.WRONG_TYPE, f"`{name}` is {shown(value)}, not an integer")
    return value


def _plain(value: Any) -> Any:
    """OpenTelemetry's AnyValue as the value that it stands for; nesting is limited by the record's."""
    if not isinstance(value, dict) or not value:
        return None
    (name, held), *_ = value.items()
    if name == "kvlistValue" and isinstance(held, dict):
        return {str(one.get("key")): _plain(one.get("value")) for one in _entries(held)}
    if name == "arrayValue" and isinstance(held, dict):
        return [_plain(one) for one in _entries(held)]
    if name == "intValue":
        return _integer(name, held)
    return held


def _entries(held: dict[str, Any]) -> list[dict[str, Any]]:
    values = held.get("values") or []
    if not isinstance(values, list) or not all(isinstance(one, dict) for one in values):
        raise Fault(Reason.WRONG_TYPE, "`values` of an OpenTelemetry value is no list of objects")
    return values
