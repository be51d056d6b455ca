"""Lines of container logs in every shape that agents and collectors write; only those that tell of a failure are read whole.

Our envelope, Vector's `kubernetes_logs` and Fluent Bit's kubernetes filter. Logs are most of the traffic and nearly all of
them say nothing that the graph keeps, so a record is first decoded for its text and severity alone. A line of severity
ERROR or FATAL, by the record's word or else its own, or one that matches a failure pattern is then decoded whole; any
other is filtered, and checked no further than for being JSON with fields of the right types.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec

from transforms.records.envelopes import Filtered, KindName, Log, Moment, Namespace
from transforms.records.failure_table import NO_HITS, FailureTable
from transforms.records.record import from_microseconds
from transforms.records.redact import redact_text
from transforms.records.rejects import Fault, Reason
from transforms.records.severity import BAD, UNKNOWN_SEVERITY, line_level, severity_of

MESSAGE_CHARACTERS: Final = 2048
_CONTENT_BYTES: Final = 16


class _Probe(msgspec.Struct, frozen=True):
    """What decides whether a record is kept. `log` and `level` are other things in other shapes, so any type will do."""

    message: str | None = None
    log: Any = None
    severity: Any = None
    level: Any = None
    client_id: str | None = None
    # Any type: an application's own field of that name does no harm.
    cluster: Any = None


class _Subject(msgspec.Struct, frozen=True):
    kind: KindName
    name: str
    ns: Namespace | None = None


class _Kubernetes(msgspec.Struct, frozen=True):
    """Vector's names and Fluent Bit's."""

    pod_name: str | None = None
    pod_namespace: Namespace | None = None
    namespace_name: Namespace | None = None
    container_name: str | None = None


class _Wire(_Probe, frozen=True):
    """Every field of every shape."""

    # Ours
    event_id: str | None = None
    event_time: Moment | None = None
    # Read only where nothing else names the pod: an application's own field of that name does no harm.
    subject: msgspec.Raw = msgspec.Raw(b"null")
    pod_namespace: Namespace | None = None
    pod_name: str | None = None
    container: Any = None
    # Collectors'
    kubernetes: _Kubernetes | None = None
    stream: Any = None
    timestamp: Any = None
    at_timestamp: Any = msgspec.field(default=None, name="@timestamp")
    time: Any = None
    date: Any = None


_PROBE: Final = msgspec.json.Decoder(_Probe).decode
_WIRE: Final = msgspec.json.Decoder(_Wire).decode
_SUBJECT: Final = msgspec.json.Decoder(_Subject | None).decode
_MOMENT: Final = msgspec.json.Decoder(Moment).decode
_FILTERED: Final = Filtered()
# As agents mostly write them; `severity_of` knows the others.
_HARMLESS: Final = ("INFO", "info", "DEBUG", "debug", "WARN", "WARNING", "warning", "warn")
_LONGEST_TIME: Final = 64
_NANOSECONDS: Final = 1_000_000_000


class LogParser:
    """Reads records by a table of failures."""

    def __init__(self, table: FailureTable) -> None:
        self._hits = table.hits

    def parse(self, text: bytes) -> Log | Filtered:
        """The line, or that it is filtered; msgspec's errors for what is mistyped, Fault for a line without text or pod."""
        probe = _PROBE(text)
        line = _line(probe)
        hits = self._hits(line)
        stated = probe.severity if probe.severity is not None else probe.level
        if hits is NO_HITS and (stated is None or stated in _HARMLESS):
            return _filtered(probe)
        severity, raw = severity_of(stated), _shown(stated)
        if severity == UNKNOWN_SEVERITY and (hits.level or hits.family):
            level = line_level(line)
            severity, raw = severity_of(level), raw or level
        if not hits.family and severity not in BAD:
            return _filtered(probe)
        return _log(_WIRE(text), line, severity, raw, hits.family or f"LOG_{severity}")


def _line(probe: _Probe) -> str:
    """The text of the line. Fluent Bit may merge a field `message` of a JSON line beside the line itself, `log`."""
    line = probe.log if isinstance(probe.log, str) else probe.message
    if line is None:
        raise Fault(Reason.MISSING_FIELD, "Object missing required field `message` (or `log`, as Fluent Bit writes it)")
    if not (probe.severity is None or isinstance(probe.severity, str | int)):
        raise Fault(Reason.WRONG_TYPE, "`severity` is neither text nor a number")
    return line


def _filtered(probe: _Probe) -> Filtered:
    cluster = _cluster(probe)
    return _FILTERED if probe.client_id is None and cluster is None else Filtered(probe.client_id, cluster)


def _cluster(probe: _Probe) -> str | None:
    return probe.cluster if isinstance(probe.cluster, str) else None


def _shown(stated: object) -> str:
    return str(stated)[:MESSAGE_CHARACTERS] if isinstance(stated, str | int) else ""


def _log(wire: _Wire, line: str, severity: str, raw: str, reason: str) -> Log:
    namespace, pod = _pod(wire)
    container = (wire.kubernetes and wire.kubernetes.container_name) or wire.container
    container = container if isinstance(container, str) else ""
    event_time, written = _time(wire)
    message = redact_text(line.rstrip())
    parts = (container, str(wire.stream or ""), written, message)
    return Log(
        event_id=wire.event_id or "",
        event_time=event_time,
        namespace=namespace,
        pod=pod,
        container=container,
        severity=severity,
        severity_raw=raw,
        reason=reason,
        message=cut(message),
        content=blake2b("\x1f".join(parts).encode(), digest_size=_CONTENT_BYTES).hexdigest(),
        client_id=wire.client_id,
        cluster=_cluster(wire),
    )


def _pod(wire: _Wire) -> tuple[str, str]:
    """Namespace and name of the pod, by our names, the collector's, or the subject's."""
    found = wire.kubernetes or _Kubernetes()
    namespace = wire.pod_namespace or found.pod_namespace or found.namespace_name
    name = wire.pod_name or found.pod_name
    if not namespace or not name:
        subject = _SUBJECT(wire.subject)
        if subject is not None and subject.kind == "Pod":
            namespace, name = namespace or subject.ns, name or subject.name
    if not namespace or not name:
        missing = "pod_name" if namespace else "pod_namespace"
        raise Fault(Reason.MISSING_FIELD, f"Object missing required field `{missing}`; a line of a log is kept with its pod, by name")
    return namespace, name


def _time(wire: _Wire) -> tuple[datetime | None, str]:
    """When the line was written, and the same as it stands there, which may be finer; None where it does not say.

    A collector merges fields of the application's own into its record: what is no time is passed over.
    """
    if wire.event_time is not None:
        return wire.event_time, wire.event_time.isoformat()
    for said in (wire.timestamp, wire.at_timestamp, wire.time, wire.date):
        moment = _moment(said)
        if moment is not None:
            return moment, str(said)
    return None, ""


def _moment(said: Any) -> datetime | None:
    if isinstance(said, str) and len(said) <= _LONGEST_TIME:
        try:
            return _MOMENT(msgspec.json.encode(said))
        except msgspec.ValidationError:
            return None
    if isinstance(said, int | float) and not isinstance(said, bool) and said > 0:
        return _since_1970(said)
    return None


# The year 5138 in seconds: a number from there on counts a smaller unit.
_SECONDS_BELOW: Final = 100_000_000_000


def _since_1970(number: float) -> datetime | None:
    """The moment of a number of seconds, milliseconds, microseconds or nanoseconds, whichever it must be."""
    a_second = 1
    while number >= _SECONDS_BELOW * a_second and a_second < _NANOSECONDS:
        a_second *= 1000
    try:
        return from_microseconds(round(number * 1_000_000 / a_second))
    except OverflowError:
        return None


def cut(message: str) -> str:
    """The message, a long one cut with a mark that says how much is missing."""
    over = len(message) - MESSAGE_CHARACTERS
    return message if over <= 0 else f"{message[:MESSAGE_CHARACTERS]}… ({over} more characters)"
