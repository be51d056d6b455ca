"""From a decoded body to the mutations that it means; the first one is the record's primary mutation."""

from collections.abc import Callable
from datetime import UTC
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from transforms.model.graph import EPISODIC, TOPOLOGY_OF_TYPE
from transforms.model.identity import Rid, is_cluster_scoped, looks_like_uid, make_rid, parse_rid
from transforms.model.kinds import KIND_OF_TOKEN, StatusProperty
from transforms.model.limits import IDENTITY_BYTES, STRING_BYTES
from transforms.planning.implied import implied_by
from transforms.planning.mutations import (
    DeleteEdge,
    DeleteNode,
    DeleteUid,
    Mutation,
    UpsertEdge,
    UpsertNode,
    UpsertReferrer,
)
from transforms.planning.selects import SERVICE
from transforms.records.envelopes import Body, Edge, Event, Resource, ServiceSpec, Tombstone
from transforms.records.memo import Memo
from transforms.records.record import moment_of
from transforms.records.rejects import Fault, Reason

_SERVICE_SPEC: Final = msgspec.json.Decoder(ServiceSpec).decode
_NO_SPEC: Final = (b"", b"null")
_CANONICAL: Final = msgspec.json.Encoder(order="sorted")
_DIGEST_BYTES: Final = 16

# The contract keeps the severity as it came and adds one of a closed set to query by.
SEVERITY: Final = {
    "trace": "DEBUG",
    "debug": "DEBUG",
    "info": "INFO",
    "information": "INFO",
    "normal": "INFO",
    "notice": "INFO",
    "warn": "WARNING",
    "warning": "WARNING",
    "error": "ERROR",
    "err": "ERROR",
    "critical": "FATAL",
    "fatal": "FATAL",
    "emergency": "FATAL",
    "panic": "FATAL",
}
UNKNOWN_SEVERITY: Final = "UNKNOWN"


class Meaning(NamedTuple):
    """A mutation less its tenant and version: what a body means, whoever says it and whenever."""

    mutation: type[Mutation]
    values: tuple[Any, ...]


class Meanings:
    """Meanings worked out before, by the body itself: what decoding found again is not interpreted again."""

    def __init__(self) -> None:
        self._memo: Memo[int, tuple[Body, Meaning]] = Memo()

    def of(self, body: Body) -> Meaning:
        held = self._memo.get(id(body))
        # A number is given to another object once its first bearer is gone; the memo keeps its bearers.
        if held is not None and held[0] is body:
            return held[1]
        meaning = _mean(body)
        self._memo.put(id(body), (body, meaning))
        return meaning


def interpret(topic: str, body: Body, client_id: str, ver: str, meanings: Meanings | None = None) -> tuple[Mutation, ...]:
    """The mutations of a body; raises Fault where its values name nothing or break a limit.

    topic: decides what a tombstone's raw key names.
    """
    if isinstance(body, Tombstone):
        return _TOMBSTONES[topic](client_id, ver, body.raw_key)
    if isinstance(body, Event):
        return (_event(client_id, ver, body),)
    meaning = _mean(body) if meanings is None else meanings.of(body)
    return (meaning.mutation(client_id, ver, *meaning.values),)


def _mean(body: Body) -> Meaning:
    return _MEANINGS[type(body)](body)


def _resource(body: Resource) -> Meaning:
    if body.op == "DELETE" and not body.name:
        if not body.uid:
            raise Fault(Reason.MISSING_FIELD, "a DELETE with neither `name` nor `uid` names nothing")
        return Meaning(DeleteUid, (_identity("uid", body.uid),))
    if not body.name:
        raise Fault(Reason.MISSING_FIELD, "Object missing required field `name`")
    rid = make_rid(body.kind, body.namespace or "", body.name, body.api_version or "")
    text = _identity("the object's identity", str(rid))
    if body.op == "DELETE":
        return Meaning(DeleteNode, (text,))
    props = _resource_props(rid, body)
    return Meaning(UpsertNode, (text, _identity("uid", body.uid or ""), props, digest_of(props)))


def _resource_props(rid: Rid, body: Resource) -> dict[str, Any]:
    """The node's properties; one that is absent here is absent in the graph."""
    declared = KIND_OF_TOKEN.get(rid.kind)
    status = body.status or {}
    props: dict[str, Any] = {
        "kind": declared.name if declared else body.kind,
        "ns": rid.namespace or None,
        "name": rid.name,
        "uid": body.uid or None,
        "api_version": body.api_version,
        "labels": _pairs(body.labels),
        "selector": _pairs(_selector(rid, body)),
        "owners": sorted(f"{owner.kind}/{owner.name}" for owner in body.owner_refs or ()) or None,
        "node": body.node,
        "pod_ip": body.pod_ip,
        "image": body.image,
        "replicas": body.replicas,
        "service_ips": sorted(body.service_ips or ()) or None,
        "implies": _implied(rid, body),
        "status": _status_text(status, declared.bulky if declared else ()),
    }
    for promoted in declared.status if declared else ():
        props[promoted.name] = _promoted(status, promoted)
    return _checked({name: value for name, value in props.items() if value is not None})


def _implied(rid: Rid, body: Resource) -> list[str] | None:
    found = implied_by(rid, body.node, body.owner_refs or ())
    for text in found or ():
        _identity("the identity of a node or owner", text)
    return found


def _selector(rid: Rid, body: Resource) -> dict[str, str] | None:
    """A Service's selector, from the envelope's own field or from the spec."""
    if body.service_selector is not None or rid.kind != SERVICE or bytes(body.spec) in _NO_SPEC:
        return body.service_selector
    try:
        return _SERVICE_SPEC(body.spec).selector
    except msgspec.ValidationError as error:
        raise Fault(Reason.WRONG_TYPE, f"`spec`: {error}") from None


def _pairs(mapping: dict[str, str] | None) -> list[str] | None:
    """A map as sorted `key=value` strings: the graph stores no maps, and a list can be searched with IN."""
    return sorted(f"{key}={value}" for key, value in mapping.items()) if mapping else None


def _status_text(status: dict[str, Any], bulky: tuple[str, ...]) -> str | None:
    kept = {key: value for key, value in status.items() if key not in bulky}
    return _CANONICAL.encode(kept).decode() if kept else None


def _promoted(status: dict[str, Any], promoted: StatusProperty) -> str | int | bool | None:
    value: Any = status
    for step in promoted.path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str | int | bool) else None


def _edge(body: Edge) -> Meaning:
    edge_id = _identity("the edge's id", body.id)
    if body.op == "DELETE":
        return Meaning(DeleteEdge, (edge_id,))
    if body.type not in TOPOLOGY_OF_TYPE:
        known = ", ".join(TOPOLOGY_OF_TYPE)
        raise Fault(Reason.BAD_VALUE, f"the edge type {body.type[:64]!r} is none of {known}")
    return Meaning(UpsertEdge, (edge_id, body.type, _end("from", body.source), _end("to", body.target)))


def _end(field: str, text: str) -> str:
    rid = parse_rid(text)
    if rid is None or not _is_kind_token(rid.kind):
        raise Fault(Reason.BAD_VALUE, f"`{field}` is {text[:80]!r}, not kind:ns:name, kind::name or kind:name")
    return _identity(f"`{field}`", str(rid))


def _is_kind_token(text: str) -> bool:
    return text.isascii() and text[:1].isalpha() and text.replace(".", "").replace("-", "").isalnum()


def _event(client_id: str, ver: str, body: Event) -> Mutation:
    about = body.subject
    subject = ""
    if about is not None:
        subject = _identity("the subject", str(make_rid(about.kind, about.ns or "", about.name, about.api_version or "")))
    props = _checked(
        {
            "etype": body.etype,
            "severity_raw": body.severity,
            "severity": SEVERITY.get(body.severity.lower(), UNKNOWN_SEVERITY),
            "reason": body.reason,
            "message": body.message,
            "event_time": body.event_time.astimezone(UTC) if body.event_time else moment_of(ver),
            "count": body.count,
            **({"subject": subject} if subject else {}),
        }
    )
    return UpsertReferrer(client_id, ver, EPISODIC.label, _identity("event_id", body.event_id), subject, props, digest_of(props))


def _resource_tombstone(client_id: str, ver: str, raw_key: str) -> tuple[Mutation, ...]:
    """`kind:ns:name`, `kind::name` and `kind:name` name an object; `<uid>` and `kind:<uid>` name one life.

    `kind:x` where x looks like a uid may still be the name of a cluster-scoped object (Nodes are called so on
    some bare metal): both are then ended; neither can be something else.
    """
    rid = parse_rid(raw_key)
    if ":" in raw_key and (rid is None or not _is_kind_token(rid.kind)):
        raise Fault(Reason.BAD_KEY, f"the key {raw_key[:80]!r} is not kind:ns:name, kind::name, kind:name, kind:<uid> or <uid>")
    if rid is None:
        return (DeleteUid(client_id, ver, _identity("the key", raw_key)),)
    by_name = DeleteNode(client_id, ver, _identity("the key", str(rid)))
    if rid.namespace or not looks_like_uid(rid.name) or raw_key.count(":") > 1:
        return (by_name,)
    by_uid = DeleteUid(client_id, ver, rid.name)
    return (by_uid, by_name) if is_cluster_scoped(rid.kind) else (by_uid,)


def _edge_tombstone(client_id: str, ver: str, raw_key: str) -> tuple[Mutation, ...]:
    return (DeleteEdge(client_id, ver, _identity("the key", raw_key)),)


def _identity(what: str, text: str) -> str:
    size = len(text.encode())
    if size > IDENTITY_BYTES:
        raise Fault(Reason.LIMIT_EXCEEDED, f"{what} has {size} bytes, at most {IDENTITY_BYTES} are taken")
    return text


def _checked(props: dict[str, Any]) -> dict[str, Any]:
    """The properties, all strings within the limit, those in lists too."""
    for name, value in props.items():
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str) and len(text) * 4 > STRING_BYTES and len(text.encode()) > STRING_BYTES:
                raise Fault(Reason.LIMIT_EXCEEDED, f"`{name}` has {len(text.encode())} bytes, at most {STRING_BYTES} are taken")
    return props


def digest_of(props: dict[str, Any]) -> bytes:
    """A hash of the properties, equal exactly for equal contents."""
    return blake2b(_CANONICAL.encode(props), digest_size=_DIGEST_BYTES).digest()


_MEANINGS: Final[dict[type, Callable[[Any], Meaning]]] = {Resource: _resource, Edge: _edge}
_TOMBSTONES: Final[dict[str, Callable[[str, str, str], tuple[Mutation, ...]]]] = {
    "state.k8s.resource": _resource_tombstone,
    "state.k8s.topology": _edge_tombstone,
}
