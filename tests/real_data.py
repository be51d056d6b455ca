"""Real cluster dumps as records: what an agent in those clusters would have written.

The dumps lie outside the project and are never copied into it; tests that need them are skipped where they are not.
"""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.sampling.record import RESOURCES, SampleRecord, json_bytes

FOLDER = Path(os.environ.get("GRAPH_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data" / "real"))
COLLECTED_MS = 1_640_000_000_000


def objects(dump: str) -> Iterator[dict[str, Any]]:
    """Every object of an OpenShift dump, events left out."""
    for path in sorted((FOLDER / dump).glob("*.json.gz")):
        if path.name.startswith(("events", "prometheus")):
            continue
        yield from json.loads(gzip.decompress(path.read_bytes()))["items"]


def resource_record(client_id: str, item: dict[str, Any], timestamp_ms: int = COLLECTED_MS) -> SampleRecord:
    """The resource record that an agent makes of an object."""
    metadata, spec = item["metadata"], item.get("spec") or {}
    kind, namespace, name = item["kind"], metadata.get("namespace", ""), metadata["name"]
    containers = spec.get("containers") or [{}]
    selector = spec.get("selector") if kind == "Service" else None
    body = {
        "op": "UPSERT",
        "at": "2021-12-20T11:33:20Z",
        "apiVersion": item["apiVersion"],
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "uid": metadata.get("uid"),
        "labels": metadata.get("labels"),
        "annotations": metadata.get("annotations"),
        "ownerRefs": metadata.get("ownerReferences"),
        "node": spec.get("nodeName"),
        "podIP": item.get("status", {}).get("podIP"),
        "image": containers[0].get("image"),
        "replicas": spec.get("replicas"),
        "serviceSelector": selector,
        "status": item.get("status"),
        "spec": spec,
    }
    key = f"{client_id}::{kind.lower()}:{namespace}:{name}"
    return SampleRecord(RESOURCES, key.encode(), json_bytes({k: v for k, v in body.items() if v is not None}), timestamp_ms)
