"""What an agent says of a whole kind, and of the cluster itself."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from transforms.records.manifests import pack
from transforms.records.record import from_microseconds

SNAPSHOT: Final = "snapshot"
MANIFEST: Final = "manifest"
_ENCODE: Final = msgspec.json.encode


def moment(at_ms: int) -> str:
    """A time in milliseconds since 1970 as records have it."""
    return from_microseconds(at_ms * 1000).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def snapshot_begin(kind: str, api_version: str) -> bytes:
    """The beginning of a full report. Its `at` counts for nothing: the broker's time of it becomes the end's `began`."""
    return _ENCODE(
        {"op": "SNAPSHOT_BEGIN", "at": moment(int(datetime.now(UTC).timestamp() * 1000)), "kind": kind, "apiVersion": api_version}
    )


def snapshot_end(kind: str, api_version: str, began_ms: int) -> bytes:
    """The end of a full report that began at the broker's time `began_ms`; what has no record since then is gone."""
    began = moment(began_ms)
    return _ENCODE({"op": "SNAPSHOT_END", "at": began, "began": began, "kind": kind, "apiVersion": api_version})


def manifest_part(kind: str, api_version: str, at_ms: int, part: str, entries: bytes) -> bytes:
    """What of a kind was alive at the broker's time `at_ms`, of one part."""
    said = {"op": "MANIFEST", "at": moment(at_ms), "kind": kind, "apiVersion": api_version, "part": part, "alive": pack(entries)}
    return _ENCODE(said)


def registration(client_id: str, cluster: str, labels: dict[str, str]) -> bytes:
    """The cluster says that it is there. cluster: what it calls itself, "" for nothing more than its id."""
    said: dict[str, Any] = {"client_id": client_id, "cluster": cluster or None, "labels": labels or None}
    return _ENCODE({name: value for name, value in said.items() if value is not None})


def heartbeat(client_id: str) -> bytes:
    """The cluster is alive; when, the broker says."""
    return _ENCODE({"client_id": client_id})
