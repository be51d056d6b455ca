"""Lines of container logs in every shape that agents and collectors write; only those that tell of a failure are read whole.

Our envelope, and the records of collectors (`log_fields`). Logs are most of the traffic and nearly all of
them say nothing that the graph keeps, so a record is first decoded for its text and level alone. A line of severity
ERROR or FATAL, by the record's word or else its own, or one that matches a failure pattern is then decoded whole; any
other is filtered, and checked no further than for being JSON with a text.

Whatever an application logs is passed over where it is not what we look for: a collector merges its fields into the record.
"""

from hashlib import blake2b
from typing import Any, Final

import msgspec

from transforms.records.envelopes.types import Filtered, KindName, Log, LogList, Moment, Namespace
from transforms.records.logs.failure_table import NO_HITS, FailureTable, Hits
from transforms.records.logs.fields import Fields, Pod
from transforms.records.logs.line_level import line_level, without_colours
from transforms.records.logs.otlp import is_batch, otlp_lines
from transforms.records.logs.times import NO_TIME_MS, LineTime, written
from transforms.records.record import is_unset
from transforms.records.redaction.text import redact_text
from transforms.records.rejects import Fault, Reason
from transforms.records.severity import UNKNOWN_SEVERITY, Level

MESSAGE_CHARACTERS: Final = 2048
_CONTENT_BYTES: Final = 16


class _Probe(msgspec.Struct, frozen=True):
    """What decides whether a record is kept. Any of these may be an application's own field, so any type will do."""

    message: Any = None
    log: Any = None
    severity: Any = None
    level: Any = None
    client_id: Any = None
    cluster: Any = None
    # Levels by other names, as collectors merge them out of a line into its record.
    levelname: Any = None
    log_level: Any = msgspec.field(default=None, name="log.level")
    severity_text: Any = None
    net_level: Any = msgspec.field(default=None, name="LogLevel")
    otel_text: Any = msgspec.field(default=None, name="SeverityText")


class _Subject(msgspec.Struct, frozen=True):
    kind: KindName
    name: str
    ns: Namespace | None = None


class _Envelope(msgspec.Struct, frozen=True):
    """Our own, whose fields must be what they are called."""

    severity: str | int | None = None
    event_id: str | None = None
    event_time: Moment | None = None
    # Read only where nothing else names the pod.
    subject: msgspec.Raw = msgspec.Raw(b"null")
    pod_namespace: Namespace | None = None
    pod_name: str | None = None
    container: Any = None
    stream: Any = None
    client_id: str | None = None


class _Tenant(msgspec.Struct, frozen=True):
    client_id: str | None = None


_PROBE: Final = msgspec.json.Decoder(_Probe).decode
_ENVELOPE: Final = msgspec.json.Decoder(_Envelope).decode
_TENANT: Final = msgspec.json.Decoder(_Tenant).decode
_SUBJECT: Final = msgspec.json.Decoder(_Subject | None).decode
_FILTERED: Final = Filtered()
# As agents mostly write them; `level_in` knows the others. "" where none is written.
_HARMLESS: Final = ("", "INFO", "info", "DEBUG", "debug", "WARN", "WARNING", "warning", "warn", "Information", 30, 20)
_ESCAPE: Final = "\x1b"
# Vector's name for a pod's namespace: its records have the line in `message`, Fluent's in `log`.
_VECTOR: Final = b'"pod_namespace"'


class LogParser:
    """Reads records by a table of failures."""

    def __init__(self, table: FailureTable) -> None:
        self._hits = table.hits

    def parse(self, text: bytes, arrived_ms: int = NO_TIME_MS) -> Log | LogList | Filtered:
        """The line or lines, or that all are filtered; msgspec's errors for an envelope's mistyped field.

        Fault for a record without text, or a line without a pod. arrived_ms: the record's time.
        """
        try:
            probe = _PROBE(text)
        except msgspec.ValidationError:
            # A number that no reader of JSON takes, where an application has something else than what is looked for.
            return self._parse_textless(Fields(text), arrived_ms)
        line, stated = probe.log, probe.severity
        if stated is None:
            stated = probe.level
            if stated is None and probe.levelname is None and probe.log_level is None and probe.severity_text is None:
                stated = probe.net_level or probe.otel_text or ""
        if not isinstance(line, str):
            if line is not None and stated == "":
                # Elastic's `log` is an object, which may hold the level.
                stated = None
            line = probe.message
            if not isinstance(line, str):
                return self._parse_textless(Fields(text), arrived_ms)
        elif isinstance(probe.message, str):
            line = _line_of_both(text, line, probe.message)
        if _ESCAPE in line:
            line = without_colours(line)
        hits = self._hits(line)
        if hits is NO_HITS and stated in _HARMLESS:
            return _FILTERED if probe.client_id is None and probe.cluster is None else _filtered(Fields(text))
        return self._parse_line(Fields(text), line, hits, arrived_ms)

    def _parse_textless(self, fields: Fields, arrived_ms: int) -> Log | LogList | Filtered:
        """A batch of OpenTelemetry's, or the record of a collector that keeps a line's fields instead of the line."""
        if any(map(is_batch, fields)):
            return self._parse_batch(fields, arrived_ms)
        line = fields.text_of("log") or fields.text_of("message") or (fields.line() if fields.is_collected else None)
        if line is None:
            if isinstance(fields.get("message"), str | None):
                said = "Object missing required field `message` (or `log`, as Fluent Bit writes it)"
                raise Fault(Reason.MISSING_FIELD, said)
            raise Fault(Reason.WRONG_TYPE, "`message` is no text; write the line as it is")
        line = without_colours(line)
        return self._parse_line(fields, line, self._hits(line), arrived_ms)

    def _parse_line(self, fields: Fields, line: str, hits: Hits, arrived_ms: int) -> Log | Filtered:
        is_collected = fields.is_collected
        if not is_collected and not isinstance(fields.get("severity"), str | int | None):
            raise Fault(Reason.WRONG_TYPE, "`severity` is neither text nor a number")
        level, reason = _judged(line, hits, fields.level())
        if not reason:
            return _filtered(fields)
        return _collected(fields, line, level, reason, arrived_ms) if is_collected else _enveloped(fields, line, level, reason)

    def _parse_batch(self, fields: Fields, arrived_ms: int) -> LogList | Filtered:
        """The lines that tell of a failure, less those that name no pod where others do; Fault where none of them does."""
        kept: list[Log] = []
        podless = 0
        for one in otlp_lines(fields.text, arrived_ms):
            line = without_colours(one.text)
            level, reason = _judged(line, self._hits(line), one.level)
            if reason and one.pod is not None:
                kept.append(_log(line, level, reason, one.pod, one.written, one.stream))
            elif reason:
                podless += 1
        if podless and not kept:
            raise _podless("`k8s.pod.name` and `k8s.namespace.name` among its resource's attributes")
        return LogList(kept) if kept else _FILTERED


def _line_of_both(text: bytes, log: str, message: str) -> str:
    """The line, where the record has another text too: an application's field, merged into the record."""
    if _VECTOR not in text:
        return log
    kubernetes = Fields(text).get("kubernetes")
    return message if isinstance(kubernetes, dict) and "pod_namespace" in kubernetes else log


def _judged(line: str, hits: Hits, level: Level) -> tuple[Level, str]:
    """The line's level, and the reason for which it is kept; "" for one that is filtered."""
    if level.severity == UNKNOWN_SEVERITY and (hits.level or hits.family):
        own = line_level(line)
        level = Level(level.raw or own.raw, own.severity)
    return level, hits.family or (f"LOG_{level.severity}" if level.is_bad else "")


def _filtered(fields: Fields) -> Filtered:
    if fields.is_collected:
        return Filtered(cluster=fields.text_of("cluster") or None, hint=fields.tenant_hint())
    client_id = _TENANT(fields.text).client_id
    cluster = fields.text_of("cluster") or None
    return _FILTERED if client_id is None and cluster is None else Filtered(client_id, cluster)


def _collected(fields: Fields, line: str, level: Level, reason: str, arrived_ms: int) -> Log:
    pod = fields.pod()
    if pod is None:
        raise _podless("`kubernetes.namespace_name` and `kubernetes.pod_name`, as its collector writes them")
    stream = fields.text_of("stream")
    log = _log(line, level, reason, pod, written(fields.get, arrived_ms), stream)
    return msgspec.structs.replace(log, cluster=fields.text_of("cluster") or None, hint=fields.tenant_hint())


def _enveloped(fields: Fields, line: str, level: Level, reason: str) -> Log:
    envelope = _ENVELOPE(fields.text)
    namespace, name = envelope.pod_namespace, envelope.pod_name
    if not namespace or not name:
        subject = _SUBJECT(envelope.subject)
        if subject is not None and subject.kind == "Pod":
            namespace, name = namespace or subject.ns, name or subject.name
    if not namespace or not name:
        missing = "pod_name" if namespace else "pod_namespace"
        raise Fault(Reason.MISSING_FIELD, f"Object missing required field `{missing}`; a line of a log is kept with its pod, by name")
    at = envelope.event_time if envelope.event_time and not is_unset(envelope.event_time) else None
    pod = Pod(namespace, name, envelope.container if isinstance(envelope.container, str) else "")
    log = _log(line, level, reason, pod, (at, at.isoformat() if at else ""), str(envelope.stream or ""))
    cluster = fields.text_of("cluster") or None
    return msgspec.structs.replace(log, event_id=envelope.event_id or "", client_id=envelope.client_id, cluster=cluster)


def _podless(wanted: str) -> Fault:
    return Fault(Reason.MISSING_FIELD, f"a line of a log is kept with its pod, and nothing names it; write {wanted}")


def _log(line: str, level: Level, reason: str, pod: Pod, when: LineTime, stream: str) -> Log:
    event_time, as_written = when
    message = redact_text(line.rstrip())
    parts = (pod.container, stream, as_written, message)
    return Log(
        event_id="",
        event_time=event_time,
        namespace=pod.namespace,
        pod=pod.name,
        container=pod.container,
        severity=level.severity,
        severity_raw=level.raw,
        reason=reason,
        message=cut(message),
        content=blake2b("\x1f".join(parts).encode(), digest_size=_CONTENT_BYTES).hexdigest(),
    )


def cut(message: str) -> str:
    """The message, a long one cut with a mark that says how much is missing."""
    over = len(message) - MESSAGE_CHARACTERS
    return message if over <= 0 else f"{message[:MESSAGE_CHARACTERS]}… ({over} more characters)"
