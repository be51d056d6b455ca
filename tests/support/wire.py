"""Records as agents write them, for the tests to take as they are or to spoil."""

from typing import Any, Final

import msgspec

from transforms.records.record import KafkaRecord

RESOURCES: Final = "state.k8s.resource"
TOPOLOGY: Final = "state.k8s.topology"
EVENTS: Final = "events.normalized"
TARGETS: Final = "state.prom.targets"
RULES: Final = "state.prom.rules"
LOGS: Final = "logs.normalized"
COMMANDS: Final = "graph.commands"
REGISTRY: Final = "cluster.registry"
HEARTBEATS: Final = "cluster.heartbeat"

TENANT: Final = "af-10"
AT: Final = "2026-03-01T08:00:00Z"
AT_MS: Final = 1_772_352_000_000
UID: Final = "0f9b3a52-7c1d-4e0a-9d57-3b1f6f1f2a10"

POD: Final[dict[str, Any]] = {"op": "UPSERT", "at": AT, "kind": "Pod", "namespace": "shop", "name": "p"}
EDGE: Final[dict[str, Any]] = {"op": "UPSERT", "at": AT, "id": "e1", "from": "pod:shop:p", "to": "node::n1", "type": "RUNS_ON"}
EVENT: Final[dict[str, Any]] = {
    "event_id": "ev-1",
    "event_time": AT,
    "etype": "k8s.event",
    "severity": "Warning",
    "reason": "BackOff",
    "message": "Back-off restarting failed container",
    "subject": {"kind": "Pod", "uid": UID, "ns": "shop", "name": "p"},
}
TARGET: Final[dict[str, Any]] = {
    "op": "UPSERT",
    "at": AT,
    "cluster": TENANT,
    "labels": {"job": "cart", "instance": "10.0.0.1:9102", "namespace": "shop", "pod": "p"},
    "scrapeUrl": "http://10.0.0.1:9102/metrics",
    "health": "up",
    "lastScrape": AT,
    "lastError": "",
}
RULE: Final[dict[str, Any]] = {
    "op": "UPSERT",
    "at": AT,
    "cluster": TENANT,
    "group": "shop.alerts",
    "rule": "CartDown",
    "type": "alerting",
    "labels": {"severity": "critical", "namespace": "shop", "deployment": "cart"},
    "annotations": {"summary": "The cart is down", "runbook": "none"},
    "expr": "up == 0",
}
LOG: Final[dict[str, Any]] = {
    "event_id": "log-1",
    "event_time": AT,
    "etype": "k8s.log",
    "severity": "ERROR",
    "message": "order 7: card declined",
    "pod_uid": UID,
    "pod_namespace": "shop",
    "pod_name": "p",
}
VECTOR: Final[dict[str, Any]] = {
    "file": "/var/log/pods/shop_p/server/0.log",
    "kubernetes": {"pod_name": "p", "pod_namespace": "shop", "pod_uid": UID, "container_name": "server", "pod_node_name": "n1"},
    "message": "E0301 08:00:00.000000       1 pay.go:7] card declined",
    "source_type": "kubernetes_logs",
    "stream": "stderr",
    "timestamp": "2026-03-01T08:00:00.123456789Z",
}
FLUENT_BIT: Final[dict[str, Any]] = {
    "date": 1772352000.123456,
    "time": "2026-03-01T08:00:00.123456789Z",
    "stream": "stderr",
    "log": "E0301 08:00:00.000000       1 pay.go:7] card declined\n",
    "kubernetes": {"pod_name": "p", "namespace_name": "shop", "pod_id": UID, "container_name": "server", "host": "n1"},
}


def kafka_record(
    topic: str, value: bytes | None, key: bytes | None = b"af-10::k", timestamp_ms: int = AT_MS, *, partition: int = 0, offset: int = 0
) -> KafkaRecord:
    return KafkaRecord(topic, partition, offset, timestamp_ms, key, value)


def json_of(body: dict[str, Any], *left_out: str, **changes: object) -> bytes:
    """The envelope as JSON, with fields changed or left out."""
    return msgspec.json.encode({name: value for name, value in (body | changes).items() if name not in left_out})


def nested(levels: int) -> bytes:
    """JSON text that nests exactly `levels` deep."""
    return b"[" * levels + b"]" * levels
