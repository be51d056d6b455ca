"""Avro and the Confluent wire format as producers write them."""

import io
import json
from typing import Any, Final

import fastavro

MOMENT: Final = {"type": "long", "logicalType": "timestamp-millis"}
_TEXT: Final = ["null", "string"]
OWNER: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Owner",
    "fields": [{"name": name, "type": "string"} for name in ("kind", "name")],
}
POD_SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Pod",
    "namespace": "shop.state",
    "fields": [
        {"name": "op", "type": {"type": "enum", "name": "Op", "symbols": ["UPSERT", "DELETE"]}},
        {"name": "at", "type": MOMENT},
        {"name": "kind", "type": "string"},
        {"name": "namespace", "type": _TEXT},
        {"name": "name", "type": "string"},
        {"name": "image", "type": _TEXT, "default": None},
        {"name": "labels", "type": ["null", {"type": "map", "values": "string"}]},
        {"name": "ownerRefs", "type": ["null", {"type": "array", "items": OWNER}]},
        {"name": "replicas", "type": ["null", "int"]},
    ],
}
EVENT_SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Event",
    "fields": [
        {"name": "event_id", "type": _TEXT},
        {"name": "event_time", "type": ["null", MOMENT]},
        *({"name": name, "type": _TEXT} for name in ("etype", "severity", "reason", "message")),
        {
            "name": "subject",
            "type": {
                "type": "record",
                "name": "Subject",
                "fields": [{"name": "kind", "type": "string"}, {"name": "name", "type": "string"}, {"name": "ns", "type": _TEXT}],
            },
        },
    ],
}


def avro(schema: dict[str, Any], value: dict[str, Any]) -> bytes:
    """The payload; what the value lacks is null."""
    stream = io.BytesIO()
    held = {field["name"]: None for field in schema["fields"]} | value
    fastavro.schemaless_writer(stream, fastavro.parse_schema(json.loads(json.dumps(schema))), held)
    return stream.getvalue()


def framed(schema_id: int, payload: bytes) -> bytes:
    """The Confluent wire format."""
    return b"\0" + schema_id.to_bytes(4, "big") + payload


def record_schema(*fields: Any, name: str = "R") -> str:
    return json.dumps({"type": "record", "name": name, "fields": [{"name": f"f{at}", "type": one} for at, one in enumerate(fields)]})
