"""The same case with other names: nothing that finds a cause may hang on what somebody called things.

Namespaces, workloads, Services, Nodes, claims, quotas and the values of `app` labels get other names, ports get other numbers and
images other registries, everywhere in the records and in the label, each the same one; all times move by the same length.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

Json = Any
Change = Callable[[str], str]
# What Kubernetes and its distributions call things; another name would make it another thing.
_THEIRS: Final = re.compile(
    r"^(kube-.*|default|kubernetes|coredns.*|nodelocaldns|etcd.*|calico.*|cilium.*|openshift.*|local-path.*|system.*|metrics-server.*)$"
)
# Words of the messages themselves.
_WORDS: Final = frozenset(("server", "client", "service", "node", "master", "worker", "data", "main", "error", "config", "cluster", "test"))
_NAMED: Final = frozenset(
    (
        *("Namespace", "Node", "Service", "Deployment", "StatefulSet", "DaemonSet", "PersistentVolume", "PersistentVolumeClaim"),
        *("ConfigMap", "Secret", "ServiceAccount", "StorageClass", "ResourceQuota"),
    )
)
_LABELS: Final = ("app", "name", "app.kubernetes.io/name", "k8s-app")
_PORTS: Final = ("containerPort", "port", "targetPort")
SHIFT: Final = timedelta(days=113, hours=7, minutes=11, seconds=3)
_TIME: Final = re.compile(r"\b(20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9])")
_IMAGE: Final = re.compile(r"\b(?:docker\.io|gcr\.io|ghcr\.io|quay\.io)/")
_LEAST_NAME: Final = 4
_LEAST_PORT: Final = 1024
_MOST_PORT: Final = 65_000


def perturbed(lines: Sequence[str], label: Json, seed: int, shift: timedelta = SHIFT) -> tuple[list[Json], Json]:
    """The records and the label with other names, so much later; the same seed gives the same.

    lines: the records as JSON, one a line. shift: of whole seconds.
    """
    change = _change(lines, seed, shift)
    moved = [json.loads(change(line)) for line in lines]
    shift_ms = int(shift.total_seconds() * 1000)
    kept = {name: label[name] for name in ("case", "cause", "category")}
    return [one | {"timestamp_ms": one["timestamp_ms"] + shift_ms} for one in moved], json.loads(change(json.dumps(label))) | kept


def _change(lines: Sequence[str], seed: int, shift: timedelta) -> Change:
    words: set[str] = set()
    ports: set[str] = set()
    for value in (json.loads(line)["value"] for line in lines if '"state.k8s.resource"' in line):
        if isinstance(value, dict):
            words |= set(_names(value))
            ports |= {str(port) for port in _ports_of(value) if _LEAST_PORT <= port <= _MOST_PORT}
    names = sorted((one for one in words if _is_theirs(one)), key=lambda one: (-len(one), one))
    of_names = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(map(re.escape, names)) or '(?!)'})(?![A-Za-z])")
    of_ports = re.compile(rf"(?<![0-9.])(?:{'|'.join(sorted(ports)) or '(?!)'})(?![0-9])")
    turn = seed % 23 + 2
    step = 100 + seed % 50

    def change(text: str) -> str:
        text = _TIME.sub(lambda found: _later(found[0], shift), text)
        text = of_names.sub(lambda found: "".join(_letter(one, turn) for one in found[0]), text)
        text = _IMAGE.sub("registry.example.org/", text)
        # Ports that differ by one still do.
        return of_ports.sub(lambda found: str(int(found[0]) + step), text)

    return change


def _is_theirs(name: str) -> bool:
    return len(name) >= _LEAST_NAME and name not in _WORDS and not _THEIRS.match(name)


def _names(value: Json) -> Iterator[str]:
    meta = value.get("metadata") or {}
    if value.get("kind") in _NAMED:
        yield str(meta.get("name") or "")
    yield str(meta.get("namespace") or "")
    for labels in (meta.get("labels"), (value.get("spec") or {}).get("selector")):
        if isinstance(labels, dict):
            yield from (str(labels[name]) for name in _LABELS if isinstance(labels.get(name), str))


def _ports_of(value: Json) -> Iterator[int]:
    if isinstance(value, dict):
        yield from (held for name, held in value.items() if name in _PORTS and isinstance(held, int))
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _ports_of(one)


def _letter(one: str, turn: int) -> str:
    """Another letter for each, so that names that differ by little still do."""
    return chr((ord(one) - ord("a") + turn) % 26 + ord("a")) if "a" <= one <= "z" else one


def _later(text: str, shift: timedelta) -> str:
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) + shift).strftime("%Y-%m-%dT%H:%M:%S")
