"""A record to produce, and topics to hold it."""

from typing import Any, Final, NamedTuple

import msgspec

RESOURCES: Final = "state.k8s.resource"
TOPOLOGY: Final = "state.k8s.topology"
EVENTS: Final = "events.normalized"
TARGETS: Final = "state.prom.targets"
RULES: Final = "state.prom.rules"
LOGS: Final = "logs.normalized"
COMMANDS: Final = "graph.commands"
REGISTRY: Final = "cluster.registry"
HEARTBEATS: Final = "cluster.heartbeat"


class SampleRecord(NamedTuple):
    """One record; timestamp_ms is its record timestamp."""

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[tuple[str, bytes | None], ...] = ()


def json_bytes(body: Any) -> bytes:
    return msgspec.json.encode(body)
