"""Real cluster dumps as records: what an agent in those clusters would have written.

The dumps lie outside the project and are never copied into it; tests that need them are skipped where they are not.
They come in every shape that kubectl and collectors have: lists per kind, lists whose items do not say their kind, bare
arrays, and the internal shape of kubectl before 1.14.
"""

import csv
import gzip
import json
import os
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from scripts.sampling.record import EVENTS, RESOURCES, SampleRecord, json_bytes
from tests.support.places import SHARED

FOLDER = Path(os.environ.get("GRAPH_REAL_DATA", SHARED / "data" / "real"))
COLLECTED_MS = 1_767_225_600_000
DUMPS = (
    "openshift-aws",
    "openshift-azure",
    "aks-cluster-info-dump",
    "k3s-support-bundle",
    "kubeadm-ha-2017-dump",
    "sonobuoy-2018",
    "pod-failures",
)
KINDS = [
    "ComponentStatus",
    "ConfigMap",
    "ControllerRevision",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Endpoints",
    "EndpointSlice",
    "Event",
    "Ingress",
    "Job",
    "Lease",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "PriorityClass",
    "ReplicaSet",
    "ReplicationController",
    "Service",
    "StatefulSet",
    "StorageClass",
    "VolumeAttachment",
]
KIND_OF_NAME = {f"{kind.lower()}{plural}": kind for kind in KINDS for plural in ("", "s", "es")}

Item = dict[str, Any]


def items(dump: str) -> Iterator[Item]:
    """Every object and Event of a dump, in today's shape but for Events of the internal one."""
    for path in sorted((FOLDER / dump).rglob("*.json*")):
        if "prometheus" in path.name or "logs" in path.parts:
            continue
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found = json.loads(raw)
        held = found if isinstance(found, list) else found.get("items") or found.get("Items") or []
        list_kind = "" if isinstance(found, list) else str(found.get("kind", "")).removesuffix("List")
        named = (path.name.split(".")[0].replace("-", "").lower(), path.parent.name.replace("-", "").lower())
        guessed = next((KIND_OF_NAME[name] for name in named if name in KIND_OF_NAME), "")
        for item in held:
            yield _modern(item, item.get("kind") or list_kind or guessed)


def _modern(item: Item, kind: str) -> Item:
    if "metadata" in item or "InvolvedObject" in item:
        return {"apiVersion": "v1" if kind in ("Pod", "Service", "Node", "Event") else "", **item, "kind": kind}
    spec, status = item.get("Spec") or {}, item.get("Status") or {}
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {name: item[name] for name in ("name", "namespace", "uid", "labels", "ownerReferences") if item.get(name)},
        "spec": {"nodeName": spec.get("NodeName"), "selector": spec.get("Selector")},
        "status": {"phase": status.get("Phase")},
    }


def objects(dump: str) -> list[Item]:
    """The objects of a dump, one for each kind, namespace and name; Events left out."""
    found = {
        (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): item for item in items(dump) if not is_event(item)
    }
    return list(found.values())


def events(dump: str) -> list[Item]:
    return [item for item in items(dump) if is_event(item)]


def is_event(item: Item) -> bool:
    return item["kind"] == "Event" or "InvolvedObject" in item


def kspan() -> list[SampleRecord]:
    """The captured stream of a rollout, in its order; each document arrived when its comment says."""
    text = (FOLDER / "kspan-rollout" / "deployment-2-pods.yaml").read_text()
    found = []
    for document in text.split("\n---\n"):
        comment, _, _ = document.removeprefix("---\n").partition("\n")
        item = yaml.load(document, Loader=yaml.BaseLoader)
        arrived = yaml.safe_load(comment.removeprefix("# "))["time"]
        found.append(record("kspan", json.loads(json.dumps(yaml.safe_load(document), default=_text)) if item else {}, _ms(arrived)))
    return found


def _text(value: Any) -> str:
    return str(value.isoformat()).replace("+00:00", "Z")


def _ms(time: Any) -> int:
    return int(datetime.fromisoformat(str(time)[:26] + "+00:00").timestamp() * 1000)


def record(client_id: str, item: Item, timestamp_ms: int = COLLECTED_MS) -> SampleRecord:
    """The record that an agent makes of an object or Event."""
    if is_event(item):
        return SampleRecord(EVENTS, f"{client_id}::any".encode(), json_bytes(item), timestamp_ms)
    metadata = item["metadata"]
    # What Kubernetes keeps beside `spec` travels in it: a ConfigMap's data, an EndpointSlice's endpoints.
    beside = {name: value for name, value in item.items() if name not in ("apiVersion", "kind", "metadata", "spec", "status")}
    spec = {**(item.get("spec") or {}), **beside}
    kind, namespace, name = item["kind"], metadata.get("namespace", ""), metadata["name"]
    containers = spec.get("containers") or [{}]
    body = {
        "op": "UPSERT",
        "at": datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(),
        "apiVersion": item["apiVersion"] or None,
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "uid": metadata.get("uid"),
        "labels": metadata.get("labels"),
        "annotations": metadata.get("annotations"),
        "ownerRefs": metadata.get("ownerReferences"),
        "node": spec.get("nodeName"),
        "podIP": (item.get("status") or {}).get("podIP"),
        "image": containers[0].get("image"),
        "replicas": spec.get("replicas"),
        "status": item.get("status"),
        "spec": spec,
    }
    key = f"{client_id}::{kind.lower()}:{namespace}:{name}"
    return SampleRecord(RESOURCES, key.encode(), json_bytes({k: v for k, v in body.items() if v is not None}), timestamp_ms)


def response(path: str) -> Item:
    """A response of Prometheus's API, as it was collected."""
    raw = (FOLDER / path).read_bytes()
    found: Item = json.loads(gzip.decompress(raw) if path.endswith(".gz") else raw)
    return found


def response_record(client_id: str, topic: str, body: Item, timestamp_ms: int = COLLECTED_MS) -> SampleRecord:
    """The one record that an agent makes of a response."""
    return SampleRecord(topic, f"{client_id}::prometheus".encode(), json_bytes(body), timestamp_ms)


class LogLine(NamedTuple):
    """A line that a container wrote; `time` as its runtime noted it, "" where that is not known."""

    namespace: str
    pod: str
    container: str
    time: str
    text: str


LOG_DUMPS = ("openshift-aws", "openshift-azure", "nezha-trainticket-2023-01-29", "cloud-opsbench", "vector-kubernetes-logs")


def log_lines(dump: str) -> Iterator[LogLine]:
    """Every line of the container logs of a dump, in its order."""
    if dump.startswith("openshift"):
        return _archived_lines(FOLDER / dump / "container-logs.tar.gz")
    if dump.startswith("nezha"):
        return (line for path in sorted((FOLDER / dump / "log").glob("*.csv.gz")) for line in _csv_lines(path))
    if dump.startswith("cloud"):
        return (line for path in sorted((FOLDER / dump).glob("*/logs.json.gz")) for line in _service_lines(path))
    return (_vector_line(json.loads(row)) for row in (FOLDER / dump / "log-spamer.jsonl").read_text().splitlines())


def _archived_lines(path: Path) -> Iterator[LogLine]:
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is None:
                continue
            namespace, pod, name = member.name.split("/")[-3:]
            for row in file.read().decode().splitlines():
                time, _, text = row.partition(" ")
                yield LogLine(namespace, pod, name.removesuffix(".log"), time, text)


def _csv_lines(path: Path) -> Iterator[LogLine]:
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            written = json.loads(row["Log"])
            yield LogLine("trainticket", row["PodName"], row["Container"], written["time"], written["log"].rstrip("\n"))


def _service_lines(path: Path) -> Iterator[LogLine]:
    for service, rows in json.loads(gzip.decompress(path.read_bytes())).items():
        for row in rows:
            time, _, text = row.partition(" ")
            timed = len(time) > len("2026-03-01T08:00:00") and time[10] == "T" and time[:4].isdigit()
            yield LogLine(path.parent.name, service, "server", *((time, text) if timed else ("", row)))


def _vector_line(row: Item) -> LogLine:
    of = row["kubernetes"]
    return LogLine(of["pod_namespace"], of["pod_name"], of["container_name"], row["timestamp"], row["message"])
