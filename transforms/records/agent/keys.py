"""The keys and topics of what an agent writes. The job takes the same keys apart in `tenancy/tenant.py` and `identity.py`."""

from transforms.model.identity import make_rid
from transforms.records.redaction.text import redact_tokens
from transforms.records.tenancy.tenant import SEPARATOR


def clean_rid(kind: str, namespace: str, name: str, api_version: str) -> str:
    """The identity of an object as the graph has it: one without a token in it."""
    return redact_tokens(str(make_rid(kind, namespace, name, api_version)))


def key_of(client_id: str, raw_key: str) -> bytes:
    """The key of a record of the tenant; of an object, the raw key is its rid."""
    return f"{client_id}{SEPARATOR}{raw_key}".encode()


def marker_key(client_id: str, marker: str, kind: str, part: str = "") -> bytes:
    """The key of a marker about a kind, such as the end of a snapshot. kind: as rids spell it."""
    return key_of(client_id, ":".join(filter(None, (marker, kind, part))))


def tenant_key(client_id: str) -> bytes:
    """The key of what tells of the cluster itself: its registration and its heartbeats."""
    return client_id.encode()


def topic_of(topic: str, client_id: str, *, per_cluster: bool) -> str:
    """The topic's name; with a topic for each cluster, the cluster's own."""
    return f"{client_id}.{topic}" if per_cluster else topic
