"""One codec per topic, in one table: the next topic is one entry."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from transforms.records.envelopes.custom import without_foreign
from transforms.records.envelopes.events import parse_event
from transforms.records.envelopes.prometheus import parse_rule, parse_target
from transforms.records.envelopes.types import (
    Body,
    Command,
    Edge,
    Event,
    Filtered,
    Heartbeat,
    Log,
    Registration,
    Resource,
    Rule,
    Snapshot,
    Target,
)
from transforms.records.logs.failure_table import failure_table
from transforms.records.logs.failures import Families
from transforms.records.logs.lines import LogParser
from transforms.records.redaction.text import shown
from transforms.records.rejects import Fault, Reason


@dataclass(frozen=True, slots=True)
class Codec:
    """How a topic's records are read.

    parse: JSON text to envelope, validated. parse_at: the same, for shapes in which the record's time (in ms) tells what can be a time.
    body_time: the time that the envelope gives itself; None where it gives none.
    state: a compacted topic; an empty value is a tombstone there, and a reject elsewhere.
    restless: a resync says the same with other bytes, so that bodies decoded before are not worth keeping.
    control: instructions to the job, counted as `control`, never written to the graph.
    is_lenient: bytes that are no text cost the bytes and not the record, as in lines that a collector cut.
    tenancy: tells of clusters themselves, counted as `control`; its keys are bare tenant ids.
    """

    topic: str
    parse: Callable[[bytes], Body]
    body_time: Callable[[Body], datetime | None]
    state: bool = False
    volatile_encoding: bool = False
    control: bool = False
    tenancy: bool = False
    is_lenient: bool = False
    parse_at: Callable[[bytes, int], Body] | None = None


def _at(body: Body) -> datetime | None:
    return body.at if isinstance(body, Resource | Edge | Snapshot | Target | Rule) else None


def _event_time(body: Body) -> datetime | None:
    return body.event_time if isinstance(body, Event | Log) else None


def _no_time(_body: Body) -> datetime | None:
    return None


_RESOURCE: Final = msgspec.json.Decoder(Resource).decode
_SNAPSHOT: Final = msgspec.json.Decoder(Snapshot).decode
_MARKER: Final = b"SNAPSHOT_"


def _parse_resource(text: bytes) -> Body:
    """An object, or a marker of a snapshot of objects."""
    try:
        return _RESOURCE(text)
    except msgspec.ValidationError:
        # Markers are rare, and so are custom resources that mean something else by our names: nobody else pays for them.
        if _MARKER not in text:
            understood = without_foreign(text)
            if understood is None:
                raise
            return _RESOURCE(understood)
    marker = _SNAPSHOT(text)
    if marker.op == "SNAPSHOT_BEGIN":
        return Filtered(marker.client_id, marker.cluster, is_control=True)
    if marker.began is None:
        raise Fault(Reason.MISSING_FIELD, "a SNAPSHOT_END without `began` ends nothing; give it the `at` of its SNAPSHOT_BEGIN")
    if marker.began > marker.at:
        raise Fault(Reason.BAD_TIME, "a SNAPSHOT_END whose `began` is later than its `at`; give it the `at` of its SNAPSHOT_BEGIN")
    return marker


RESOURCE_TOPIC: Final = "state.k8s.resource"
REGISTRY_TOPIC: Final = "cluster.registry"
COMMANDS: Final = frozenset({"ENSURE_SCHEMA"})


def _parse_command(text: bytes) -> Command:
    command = _COMMAND.decode(text)
    if command.command not in COMMANDS:
        known = ", ".join(sorted(COMMANDS))
        raise Fault(Reason.UNKNOWN_COMMAND, f"the command {shown(command.command)} is none of {known}")
    return command


_COMMAND: Final = msgspec.json.Decoder(Command)


def _log_codec(own: Families = ()) -> Codec:
    parse = LogParser(failure_table(own)).parse
    return Codec("logs.normalized", parse, _event_time, is_lenient=True, parse_at=parse)


CODECS: Final = (
    Codec(RESOURCE_TOPIC, _parse_resource, _at, state=True),
    Codec("state.k8s.topology", msgspec.json.Decoder(Edge).decode, _at, state=True),
    Codec("events.normalized", parse_event, _event_time),
    _log_codec(),
    Codec("state.prom.targets", parse_target, _at, state=True, volatile_encoding=True),
    Codec("state.prom.rules", parse_rule, _at, state=True),
    Codec("graph.commands", _parse_command, _no_time, control=True),
    # No time of their own: clusters' clocks may be wrong, and what counts is when they were heard.
    Codec(REGISTRY_TOPIC, msgspec.json.Decoder(Registration).decode, _no_time, state=True, volatile_encoding=True, tenancy=True),
    Codec("cluster.heartbeat", msgspec.json.Decoder(Heartbeat).decode, _no_time, tenancy=True),
)
CODEC_OF_TOPIC: Final = {codec.topic: codec for codec in CODECS}
TOPICS: Final = frozenset(CODEC_OF_TOPIC)


def codecs_with(own: Families) -> dict[str, Codec]:
    """The codecs by topic, that of logs with failure patterns of one's own before the declared ones."""
    logs = _log_codec(own)
    return CODEC_OF_TOPIC | {logs.topic: logs}
