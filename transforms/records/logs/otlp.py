"""Lines of logs in OpenTelemetry's JSON (`resourceLogs`), as the collector's filelog, journald and OTLP receivers send them on.

What the SDK or a processor noted beside a line may be anything, so what is not what we look for is passed over.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from transforms.records.logs.fields import Pod, may_name_pod, pod_in_attributes
from transforms.records.logs.times import NOT_WRITTEN, LineTime, plausible
from transforms.records.rejects import Fault, Reason
from transforms.records.severity import Level, level_in

MOST_LINES: Final = 16 * 1024
_LOGS: Final = msgspec.json.Decoder(dict[str, Any]).decode
_ENCODE: Final = msgspec.json.Encoder().encode
_BATCH: Final = ("resourceLogs", "resource_logs")
_SCOPES: Final = ("scopeLogs", "scope_logs", "instrumentationLibraryLogs")
_RECORDS: Final = ("logRecords", "log_records", "logs")
_TEXT: Final = ("severityText", "severity_text")
_NUMBER: Final = ("severityNumber", "severity_number")
_TIMES: Final = ("timeUnixNano", "time_unix_nano", "observedTimeUnixNano", "observed_time_unix_nano")
_NUMBER_NAME: Final = "SEVERITY_NUMBER_"
# Where SDKs and parsers put the level of a line whose record has none.
_LEVEL_ATTRIBUTES: Final = ("level", "severity", "log.level", "levelname")
_STREAM: Final = "log.iostream"
_OF_A_LINE: Final = frozenset((*_LEVEL_ATTRIBUTES, _STREAM))
_LONGEST_INTEGER: Final = 20


class OtlpLine(NamedTuple):
    """A log record. pod: None where its resource names none. text: a body that is no text as the JSON of it."""

    text: str
    level: Level
    pod: Pod | None
    written: LineTime
    stream: str


def is_batch(name: str) -> bool:
    """Whether a field of that name holds OpenTelemetry's log records."""
    return name in _BATCH


def otlp_lines(text: bytes, arrived_ms: int) -> Iterator[OtlpLine]:
    """The log records of a batch in their order; Fault for more than a record may hold."""
    count = 0
    for group in _dicts(_of(_LOGS(text), _BATCH)):
        shared = _attributes(_of(group, ("resource",)))
        for record in (one for scope in _dicts(_of(group, _SCOPES)) for one in _dicts(_of(scope, _RECORDS))):
            count += 1
            if count > MOST_LINES:
                raise Fault(Reason.LIMIT_EXCEEDED, f"the batch has more than {MOST_LINES} log records; send smaller batches")
            attributes = shared | _attributes(record)
            when = next((found for name in _TIMES if (found := plausible(_integer(record.get(name)), arrived_ms))[0]), NOT_WRITTEN)
            yield OtlpLine(_body(record), _level(record, attributes), pod_in_attributes(attributes), when, str(attributes.get(_STREAM, "")))


def _level(record: dict[str, Any], attributes: dict[str, Any]) -> Level:
    number = _of(record, _NUMBER)
    if isinstance(number, str) and number.startswith(_NUMBER_NAME):
        number = number.removeprefix(_NUMBER_NAME).rstrip("234")
    said = {"severity_text": _of(record, _TEXT), "severity_number": number}
    level = level_in(said)
    if level.raw:
        return level
    if isinstance(number, str):
        return level_in({"severity_text": number})
    return level_in({name: attributes[name] for name in _LEVEL_ATTRIBUTES if name in attributes})


def _body(record: dict[str, Any]) -> str:
    body = _plain(record.get("body"))
    if isinstance(body, str):
        return body
    return "" if body is None else _ENCODE(body).decode()


def _of(holder: Any, names: tuple[str, ...]) -> Any:
    """The field, by the first of its names that is there."""
    return next((holder[name] for name in names if holder.get(name) is not None), None) if isinstance(holder, dict) else None


def _dicts(held: Any) -> Iterator[dict[str, Any]]:
    return (one for one in held if isinstance(one, dict)) if isinstance(held, list) else iter(())


def _attributes(holder: Any) -> dict[str, Any]:
    pairs = _dicts(holder.get("attributes")) if isinstance(holder, dict) else ()
    return {name: _plain(pair.get("value")) for pair in pairs if isinstance(name := pair.get("key"), str) and _is_wanted(name)}


def _is_wanted(name: str) -> bool:
    """A resource's attributes are those of each of its records: all of them, times all records, would be more than a record may cost."""
    return name in _OF_A_LINE or may_name_pod(name)


def _plain(value: Any) -> Any:
    """OpenTelemetry's AnyValue as the value that it stands for; None for what is none."""
    if not isinstance(value, dict) or not value:
        return None
    (name, held), *_ = value.items()
    if name in ("kvlistValue", "kvlist_value") and isinstance(held, dict):
        return {str(one.get("key")): _plain(one.get("value")) for one in _dicts(held.get("values"))}
    if name in ("arrayValue", "array_value") and isinstance(held, dict):
        return [_plain(one) for one in _dicts(held.get("values"))]
    return held


def _integer(said: Any) -> int | None:
    """64-bit integers travel as text in protobuf's JSON."""
    if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) <= _LONGEST_INTEGER:
        return int(said)
    return said if isinstance(said, int) else None
