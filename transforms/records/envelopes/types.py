"""The envelopes of the contract as types; decoding validates them in the same pass.

Unknown extra fields are ignored; a missing or mistyped field is a reject. Field names are the wire's, hence the
`rename`. What the graph does not use is not declared and costs nothing to decode. `cluster` is what a cluster calls itself;
it may tell whose the record is, where nothing else does.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from transforms.model.limits import INTEGER_MAX, INTEGER_MIN

Name = Annotated[str, msgspec.Meta(min_length=1)]
KindName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9]{0,62}\Z")]
ApiVersion = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]*(?:/[A-Za-z0-9.-]+)?\Z")]
Namespace = Annotated[str, msgspec.Meta(pattern=r"^[^:]*$")]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Int64 = Annotated[int, msgspec.Meta(ge=INTEGER_MIN, le=INTEGER_MAX)]
Op = Literal["UPSERT", "DELETE"]
RuleType = Literal["alerting", "recording"]


class OwnerRef(msgspec.Struct, frozen=True, rename="camel"):
    """An entry of `metadata.ownerReferences`."""

    kind: KindName
    name: Name
    api_version: ApiVersion = ""
    uid: str | None = None


class Resource(msgspec.Struct, frozen=True, rename="camel"):
    """The whole state of a Kubernetes object, or its deletion.

    spec: left as text; what is taken from it depends on the kind (`specs.py`).
    created: when the object was made, as Kubernetes writes times; what is none is left out. changed: when what it asks for was last
    changed, likewise, of kinds that others follow (`CHANGED_KINDS`).
    """

    op: Op
    at: Moment
    kind: KindName
    name: str = ""
    client_id: str | None = msgspec.field(default=None, name="client_id")
    cluster: str | None = None
    api_version: ApiVersion | None = None
    uid: str | None = None
    namespace: Namespace | None = None
    labels: dict[str, str] | None = None
    owner_refs: list[OwnerRef] | None = None
    node: str | None = None
    pod_ip: str | None = msgspec.field(default=None, name="podIP")
    image: str | None = None
    replicas: Int64 | None = None
    service_selector: dict[str, str] | None = None
    service_ips: list[str] | None = msgspec.field(default=None, name="serviceIPs")
    created: Any = None
    changed: Any = None
    status: dict[str, Any] | None = None
    spec: msgspec.Raw = msgspec.Raw()


class Snapshot(msgspec.Struct, frozen=True, rename="camel"):
    """A marker around a full report of a kind: it begins, or it is complete.

    at: when the marker was written. began: of an end, the `at` of its beginning.
    """

    op: Literal["SNAPSHOT_BEGIN", "SNAPSHOT_END"]
    at: Moment
    kind: KindName
    api_version: ApiVersion | None = None
    began: Moment | None = None
    client_id: str | None = msgspec.field(default=None, name="client_id")
    cluster: str | None = None


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """What of a kind is alive, or of one part of it (`manifests.py`).

    at: when that was so, by the clock that gives the records of the objects their times. alive: the entries as they are compared.
    """

    op: Literal["MANIFEST"]
    at: Moment
    kind: KindName
    alive: str
    api_version: ApiVersion | None = None
    part: str = ""
    client_id: str | None = msgspec.field(default=None, name="client_id")
    cluster: str | None = None


class Edge(msgspec.Struct, frozen=True):
    """An explicit relationship between two objects, or its deletion."""

    op: Op
    at: Moment
    id: Name
    source: Name = msgspec.field(name="from")
    target: Name = msgspec.field(name="to")
    type: Name
    client_id: str | None = None
    cluster: str | None = None


class Subject(msgspec.Struct, frozen=True):
    """The object that an event is about."""

    kind: KindName
    name: Name
    ns: Namespace | None = None
    uid: str | None = None
    api_version: ApiVersion | None = msgspec.field(default=None, name="apiVersion")


class Event(msgspec.Struct, frozen=True):
    """Something that happened to an object; its identity is in the body, never in the key.

    event_time: when it happened last; None where the Event does not say, and the record's time counts.
    subject: None where the Event does not say what it is about.
    """

    event_id: Name
    event_time: Moment | None
    subject: Subject | None
    etype: str = ""
    severity: str = ""
    reason: str = ""
    message: str = ""
    count: Int64 = 1
    client_id: str | None = None
    first_time: Moment | None = None
    cluster: str | None = None


class Log(msgspec.Struct, frozen=True):
    """A line of a pod's log that tells of a failure.

    event_id: "" where the line has none; `content` then tells it from others. event_time: None where it gives none.
    reason: of the family that it matched, else of its severity. message: redacted and cut. content: a hash of the whole line.
    hint: a tenant id or an application's own `client_id`; a tenant only where nothing else names one and it is registered.
    """

    event_id: str
    event_time: Moment | None
    namespace: str
    pod: str
    container: str
    severity: str
    severity_raw: str
    reason: str
    message: str
    content: str
    client_id: str | None = None
    cluster: str | None = None
    hint: str | None = None


class LogList(msgspec.Struct, frozen=True):
    """Several lines in one record, as OpenTelemetry's collector writes them in batches; the record's time counts."""

    logs: list[Log]
    client_id: str | None = None


class EventList(msgspec.Struct, frozen=True):
    """Several Events in one record, as OpenTelemetry's collector writes them in batches; the record's time counts."""

    events: list[Event]
    client_id: str | None = None


class Command(msgspec.Struct, frozen=True):
    """An instruction to the job itself."""

    command: Name
    client_id: str | None = None


class Scraped(msgspec.Struct, frozen=True, rename="camel"):
    """A scrape target and how its last scrape went.

    discovered_labels: what Prometheus knew before relabelling; only its API gives them.
    """

    labels: dict[str, str]
    discovered_labels: dict[str, str] | None = None
    scrape_url: str | None = None
    health: str | None = None
    last_error: str | None = None


class Target(msgspec.Struct, frozen=True, rename="camel"):
    """The whole state of a scrape target, or its deletion, which may lack labels; the fields are those of `Scraped`."""

    op: Op
    at: Moment
    client_id: str | None = msgspec.field(default=None, name="client_id")
    cluster: str | None = None
    labels: dict[str, str] | None = None
    discovered_labels: dict[str, str] | None = None
    scrape_url: str | None = None
    health: str | None = None
    last_error: str | None = None


class TargetList(msgspec.Struct, frozen=True):
    """Targets as Prometheus's API lists them, in one record."""

    targets: list[Scraped]
    client_id: str | None = None


class Rule(msgspec.Struct, frozen=True):
    """The whole state of an alerting or recording rule, or its deletion. duration: seconds before an alert fires."""

    op: Op
    at: Moment
    group: str | None = None
    rule: str | None = None
    type: RuleType | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    expr: str | None = None
    duration: float | None = None
    client_id: str | None = None
    cluster: str | None = None


class ListedAlert(msgspec.Struct, frozen=True, rename="camel"):
    """An alert of a rule; `active_at` is when its expression first held, and stays while the alert goes on to fire."""

    state: str
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    active_at: Moment | None = None
    value: Any = None


class ListedRule(msgspec.Struct, frozen=True):
    """A rule as Prometheus's API lists it, with its alerts."""

    name: Name
    type: RuleType
    query: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    duration: float | None = None
    alerts: list[ListedAlert] | None = None


class RuleGroup(msgspec.Struct, frozen=True):
    """A group of rules; its name is its own only within its file."""

    name: Name
    rules: list[ListedRule] | None
    file: str = ""


class RuleList(msgspec.Struct, frozen=True):
    """Rules as Prometheus's API lists them, in one record."""

    groups: list[RuleGroup]
    client_id: str | None = None


class Registration(msgspec.Struct, frozen=True):
    """A cluster that says of itself that it is there; a tombstone in its place says that it is gone for good."""

    client_id: Name
    cluster: str | None = None
    registered_at: Moment | None = None
    labels: dict[str, str] | None = None


class Heartbeat(msgspec.Struct, frozen=True):
    """A sign of life; when it was given is told by the broker, since the cluster's own clock may be wrong."""

    client_id: Name | None = None
    at: Moment | None = None
    cluster: str | None = None


class Tombstone(msgspec.Struct, frozen=True):
    """A record without a value: what its raw key names is gone."""

    raw_key: str


class Filtered(msgspec.Struct, frozen=True):
    """A record that tells of nothing the graph keeps: its outcome is `filtered`, or `control` for a marker. hint: as in `Log`."""

    client_id: str | None = None
    cluster: str | None = None
    is_control: bool = False
    hint: str | None = None


Body = (
    Resource
    | Snapshot
    | Manifest
    | Edge
    | Event
    | EventList
    | Log
    | LogList
    | Target
    | TargetList
    | Rule
    | RuleList
    | Command
    | Registration
    | Heartbeat
    | Tombstone
    | Filtered
)
