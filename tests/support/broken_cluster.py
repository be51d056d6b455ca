"""A small cluster in which tests break things: its objects as the API serves them, as records, and the graph that they come to."""

import json
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from transforms.planning.causes.incidents import Analysis, analyse
from transforms.planning.causes.neighbourhood import read_neighbourhood
from transforms.planning.facts.mutations import Mutation
from transforms.planning.interpret.dispatch import interpret
from transforms.planning.merge.fold import Folded, Interpreted, fold
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Filtered
from transforms.records.record import KafkaRecord
from transforms.testing.memory_graph import MemoryGraphStore
from transforms.testing.memory_incidents import MemoryIncidents, MemoryNeighbourhood

TENANT = "af-10"
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
Json = dict[str, Any]


def at(minutes: float) -> str:
    """So many minutes after the start, as Kubernetes writes times."""
    return (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def ms(minutes: float) -> int:
    return int((START + timedelta(minutes=minutes)).timestamp() * 1000)


def node(name: str, ready: str = "True", since: float = -600, **spec: Any) -> Json:
    condition = {"type": "Ready", "status": ready, "reason": "KubeletReady", "lastTransitionTime": at(since)}
    status = {"conditions": [condition], "allocatable": {"cpu": "4", "memory": "8Gi"}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": f"u-{name}"}, "spec": spec, "status": status}


def template(app: str, **container: Any) -> Json:
    held = {"name": "main", "image": f"shop/{app}:1.4", "ports": [{"containerPort": 8080}], **container}
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [held]}}


def workload(app: str, ready: int = 1, **container: Any) -> list[Json]:
    """A Deployment with its ReplicaSet and Service."""
    meta = {"namespace": "shop", "creationTimestamp": at(-600)}
    owner = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": app, "uid": f"d-{app}", "controller": True}]
    spec = {"replicas": 1, "template": template(app, **container)}
    status = {"replicas": 1, "readyReplicas": ready}
    ports = [{"port": 80, "targetPort": 8080}]
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": app, "uid": f"d-{app}", **meta},
            "spec": spec,
            "status": status,
        },
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": f"{app}-1", "uid": f"r-{app}", "ownerReferences": owner, **meta},
            "spec": spec,
            "status": status,
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": app, "uid": f"s-{app}", **meta},
            "spec": {"selector": {"app": app}, "ports": ports, "clusterIP": f"10.0.0.{len(app)}"},
        },
    ]


def pod(app: str, on: str = "n1", ready: bool = True, since: float = -600, state: Json | None = None, **container: Any) -> Json:
    """A Pod of the workload; state: of its container, beyond what its readiness says."""
    owner = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{app}-1", "uid": f"r-{app}", "controller": True}]
    labels = {"app": app}
    held = {"name": "main", "ready": ready, "restartCount": 0, "state": {"running": {"startedAt": at(since)}}, **(state or {})}
    conditions = [{"type": "Ready", "status": str(ready), "lastTransitionTime": at(since)}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{app}-1-x",
            "namespace": "shop",
            "uid": f"p-{app}",
            "labels": labels,
            "creationTimestamp": at(-600),
            "ownerReferences": owner,
        },
        "spec": {**template(app, **container)["spec"], "nodeName": on},
        "status": {"phase": "Running", "conditions": conditions, "containerStatuses": [held]},
    }


def killed(since: float, restarts: int = 1) -> Json:
    """The state of a container that was killed for lack of memory and waits."""
    over = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": at(since)}}
    return {"restartCount": restarts, "lastState": over, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}


def event(name: str, subject: Json, reason: str, message: str, when: float) -> Json:
    meta = subject["metadata"]
    about = {"kind": subject["kind"], "namespace": meta.get("namespace", ""), "name": meta["name"], "uid": meta["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": "shop", "uid": f"e-{name}"},
        "involvedObject": about,
        "type": "Warning",
        "reason": reason,
        "message": message,
        "firstTimestamp": at(when),
        "lastTimestamp": at(when),
        "count": 1,
    }


class Bus:
    """Records at their offsets; told at what minute each was written."""

    def __init__(self) -> None:
        self.records: list[KafkaRecord] = []

    def say(self, when: float, *objects: Json) -> "Bus":
        for one in objects:
            topic = "events.normalized" if one["kind"] == "Event" else "state.k8s.resource"
            meta = one["metadata"]
            key = f"{TENANT}::{one['kind']}:{meta.get('namespace', '')}:{meta['name']}".encode()
            self.records.append(KafkaRecord(topic, 0, len(self.records), ms(when), key, json.dumps(one).encode(), ()))
        return self


def mutations_of(records: Iterable[KafkaRecord], client_id: str = TENANT) -> list[Mutation]:
    """What the records mean, folded."""
    folded: Folded = {}
    for record in records:
        decoded = decode_record(record)
        assert decoded.fault is None, decoded.fault
        assert decoded.body is not None
        if not isinstance(decoded.body, Filtered):
            meant = interpret(record.topic, decoded.body, client_id, decoded.ver, raw_key=decoded.key.raw)
            fold(folded, (Interpreted(one, None) for one in meant))
    return [one.mutation for one in folded.values()]


def store_of(records: Iterable[KafkaRecord], slices: int = 1) -> MemoryGraphStore:
    """The graph after the records, in that order, written in so many slices with an analysis after each."""
    store = MemoryGraphStore()
    held = list(records)
    size = max(1, -(-len(held) // slices))
    for begin in range(0, len(held), size):
        store.write_batch(TENANT, mutations_of(held[begin : begin + size]))
        MemoryIncidents(store).analyse([TENANT])
    return store


def analysis_of(records: Iterable[KafkaRecord]) -> Analysis:
    return analyse(TENANT, read_neighbourhood(MemoryNeighbourhood(store_of(records).tenants[TENANT])))


def shuffled(records: Sequence[KafkaRecord], seed: int) -> list[KafkaRecord]:
    """In another order, some of them twice."""
    chance = random.Random(seed)
    found = [*records, *chance.sample(list(records), len(records) // 3)]
    chance.shuffle(found)
    return found
