"""The topics of the contract in one table: decoding, lists of topics, checks and documentation derive from it.

What their bodies mean is registered in `transforms/planning/interpret/dispatch.py`, by the topic's name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from transforms.records.commands import parse_command
from transforms.records.envelopes.events import parse_event
from transforms.records.envelopes.prometheus import parse_rule, parse_target
from transforms.records.envelopes.resource import parse_resource
from transforms.records.envelopes.types import (
    Body,
    Edge,
    Event,
    Heartbeat,
    Log,
    Manifest,
    Registration,
    Resource,
    Rule,
    Snapshot,
    Target,
)
from transforms.records.logs.failure_table import failure_table
from transforms.records.logs.failures import Families
from transforms.records.logs.lines import LogParser
from transforms.records.topic_names import COMMANDS, EVENTS, HEARTBEATS, LOGS, REGISTRY, RESOURCES, RULES, TARGETS, TOPOLOGY


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the contract and how its records are read.

    holds, required, optional: what its records are and the fields of their envelope, for the documentation.
    parse: JSON text to envelope, validated. parse_at: the same, for shapes in which the record's time (in ms) tells what can be a time.
    body_time: the time that the envelope gives itself; None where it gives none.
    state: a compacted topic; an empty value is a tombstone there, and a reject elsewhere.
    volatile_encoding: a resync says the same with other bytes, so that bodies decoded before are not worth keeping.
    control: instructions to the job, counted as `control`, never written to the graph.
    is_lenient: bytes that are no text cost the bytes and not the record, as in lines that a collector cut.
    tenancy: tells of clusters themselves, counted as `control`; its keys are bare tenant ids.
    """

    name: str
    holds: str
    required: str
    optional: str
    parse: Callable[[bytes], Body]
    body_time: Callable[[Body], datetime | None]
    state: bool = False
    volatile_encoding: bool = False
    control: bool = False
    tenancy: bool = False
    is_lenient: bool = False
    parse_at: Callable[[bytes, int], Body] | None = None


def _at(body: Body) -> datetime | None:
    return body.at if isinstance(body, Resource | Edge | Snapshot | Manifest | Target | Rule) else None


def _event_time(body: Body) -> datetime | None:
    return body.event_time if isinstance(body, Event | Log) else None


def _no_time(_body: Body) -> datetime | None:
    return None


def _logs(own: Families = ()) -> Topic:
    parse = LogParser(failure_table(own)).parse
    return Topic(
        LOGS,
        "container log lines; the job keeps those that report a failure",
        "`message`; if the line is kept, `pod_namespace`, `pod_name`",
        "`event_id`, `event_time`, `severity` (or `level`), `subject`, `container`, `client_id`",
        parse,
        _event_time,
        is_lenient=True,
        parse_at=parse,
    )


TOPICS: Final = (
    Topic(
        RESOURCES,
        "complete states of Kubernetes objects",
        "`op` (UPSERT, DELETE), `at`, `kind`, `name` (a DELETE may give `uid` instead)",
        "`client_id`, `apiVersion`, `uid`, `namespace`, `labels`, `ownerRefs`, `node`, `podIP`, `image`, `replicas`, "
        "`serviceSelector`, `serviceIPs`, `created`, `changed`, `status`, `spec`, `cluster`",
        parse_resource,
        _at,
        state=True,
    ),
    Topic(
        TOPOLOGY,
        "relationships between two objects",
        "`op`, `at`, `id`, `from`, `to`, `type` (RUNS_ON, SELECTS, CONTROLS)",
        "`client_id`, `cluster`",
        msgspec.json.Decoder(Edge).decode,
        _at,
        state=True,
    ),
    Topic(
        EVENTS,
        "what happened to an object",
        "`event_id`, `event_time`, `subject` with `kind`, `name`",
        "`etype`, `severity`, `reason`, `message`, `count`, `first_time`, `subject.ns`, `subject.uid`, "
        "`subject.apiVersion`, `client_id`, `cluster`",
        parse_event,
        _event_time,
    ),
    _logs(),
    Topic(
        TARGETS,
        "scrape targets of Prometheus",
        "`op`, `at`, `labels` (a DELETE may lack them)",
        "`client_id`, `cluster`, `scrapeUrl`, `health`, `lastError`, `discoveredLabels`",
        parse_target,
        _at,
        state=True,
        volatile_encoding=True,
    ),
    Topic(
        RULES,
        "alerting and recording rules of Prometheus",
        "`op`, `at`, `group`, `rule`, `type` (alerting, recording); a DELETE may lack the last three",
        "`client_id`, `cluster`, `labels`, `annotations`, `expr`, `duration` (seconds)",
        parse_rule,
        _at,
        state=True,
    ),
    Topic(COMMANDS, "instructions to the job", "`command`", "`client_id`", parse_command, _no_time, control=True),
    # No time of their own: clusters' clocks may be wrong, and what counts is when they were heard.
    Topic(
        REGISTRY,
        "registrations of clusters; a tombstone deregisters one",
        "`client_id`",
        "`cluster`, `registered_at`, `labels`",
        msgspec.json.Decoder(Registration).decode,
        _no_time,
        state=True,
        volatile_encoding=True,
        tenancy=True,
    ),
    Topic(
        HEARTBEATS,
        "signs of life of clusters",
        "none",
        "`client_id`, `at`, `cluster`",
        msgspec.json.Decoder(Heartbeat).decode,
        _no_time,
        tenancy=True,
    ),
)
TOPIC_OF_NAME: Final = {topic.name: topic for topic in TOPICS}


def topics_with(own: Families) -> dict[str, Topic]:
    """The topics by name, that of logs with failure patterns of one's own before the declared ones."""
    return TOPIC_OF_NAME | {LOGS: _logs(own)}
