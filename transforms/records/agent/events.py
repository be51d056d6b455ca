"""A Kubernetes Event as the agent writes it: the fields that the job reads, redacted."""

from typing import Any, Final, NamedTuple

import msgspec

from transforms.records.redaction.text import redact_text
from transforms.records.redaction.tree import TooSuspicious, is_suspicious, redact_tree

_FIELDS: Final = (
    *("involvedObject", "regarding", "reason", "message", "note", "type", "count", "deprecatedCount", "series"),
    *("eventTime", "firstTimestamp", "lastTimestamp", "deprecatedFirstTimestamp", "deprecatedLastTimestamp"),
)
_IDENTITY: Final = ("uid", "name", "namespace")
_MESSAGE_CHARACTERS: Final = 8192


class EventRecord(NamedTuple):
    """An Event as a record. uid: its identity, and its raw key. version: its resourceVersion. value: the record's value."""

    uid: str
    version: str
    value: bytes


def event_record(text: bytes | msgspec.Raw) -> EventRecord:
    """The record of an Event; msgspec's errors for what is no object, ValueError for one without a uid."""
    found = msgspec.json.decode(text, type=dict[str, Any])
    metadata = found.get("metadata") or {}
    uid = metadata.get("uid")
    if not isinstance(uid, str) or not uid:
        raise ValueError("an Event without `metadata.uid`")
    kept = {name: found[name] for name in _FIELDS if found.get(name) is not None}
    body = {"metadata": {name: metadata[name] for name in _IDENTITY if name in metadata}, **_cut(kept)}
    return EventRecord(uid, str(metadata.get("resourceVersion") or ""), _redacted(body))


def _cut(fields: dict[str, Any]) -> dict[str, Any]:
    texts = {name: fields[name][:_MESSAGE_CHARACTERS] for name in ("message", "note") if isinstance(fields.get(name), str)}
    return {**fields, **texts}


def _redacted(body: dict[str, Any]) -> bytes:
    value = msgspec.json.encode(body)
    if not is_suspicious(value):
        return value
    try:
        return msgspec.json.encode(redact_tree(body))
    except TooSuspicious:
        return msgspec.json.encode({**body, "message": redact_text(str(body.get("message", ""))[:256])})
