"""A record to produce, and topics to hold it."""

from typing import Any, NamedTuple

import msgspec

from transforms.records.topic_names import COMMANDS, EVENTS, HEARTBEATS, LOGS, REGISTRY, RESOURCES, RULES, TARGETS, TOPOLOGY

__all__ = ["COMMANDS", "EVENTS", "HEARTBEATS", "LOGS", "REGISTRY", "RESOURCES", "RULES", "TARGETS", "TOPOLOGY"]
__all__ += ["SampleRecord", "json_bytes"]


class SampleRecord(NamedTuple):
    """One record; timestamp_ms is its record timestamp."""

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[tuple[str, bytes | None], ...] = ()


def json_bytes(body: Any) -> bytes:
    return msgspec.json.encode(body)
