"""One simulated cluster: what its agents would write while workloads roll out, fail and go."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from scripts.sampling.belongings import Belonging, Rid, of_app, of_cluster, of_replica, pod_spec
from scripts.sampling.log_lines import Line, crash_lines
from scripts.sampling.record import EVENTS, LOGS, RESOURCES, TOPOLOGY, SampleRecord, json_bytes

BEGIN: Final = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
RESYNC: Final = timedelta(seconds=30)

WORKLOADS: Final = (("frontend", 3), ("cart", 2), ("checkout", 2), ("payments", 2), ("catalog", 2))
NAMESPACES: Final = ("shop", "kube-system")


class SampleCluster:
    """Keeps the cluster's objects and appends to `records` whatever changes, as watchers do."""

    def __init__(self, client_id: str, random: Random, *, keyed: bool = True) -> None:
        self.client_id = client_id
        self.now = BEGIN
        self.records: list[SampleRecord] = []
        self._random = random
        self._keyed = keyed
        self._objects: dict[Rid, dict[str, Any]] = {}
        self._edges: dict[str, dict[str, str]] = {}
        self._events = 0
        self._lines = 0

    def tick(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def _key(self, raw: str) -> bytes:
        return (f"{self.client_id}::{raw}" if self._keyed else raw).encode()

    def _emit(self, topic: str, raw_key: str, body: dict[str, Any] | None) -> None:
        arrival = self.now + timedelta(milliseconds=self._random.randint(5, 400))
        value = None if body is None else json_bytes(body)
        self.records.append(SampleRecord(topic, self._key(raw_key), value, int(arrival.timestamp() * 1000)))

    def _at(self) -> str:
        return self.now.isoformat().replace("+00:00", "Z")

    # State

    def upsert(self, rid: Rid, api_version: str, **fields: Any) -> None:
        """Create or change an object, and report its whole state."""
        kind, namespace, name = rid
        held = self._objects.setdefault(rid, {"uid": str(uuid.UUID(int=self._random.getrandbits(128), version=4))})
        held |= {"apiVersion": api_version, "kind": kind, "namespace": namespace, "name": name, **fields}
        self._report(rid)

    def _report(self, rid: Rid) -> None:
        body = {"op": "UPSERT", "at": self._at(), "cluster": self.client_id, "spec": {}, "annotations": {}, **self._objects[rid]}
        self._emit(RESOURCES, _raw_key(rid), body)

    def delete(self, rid: Rid) -> None:
        """Delete an object and its edges; by tombstone or by DELETE envelope, as agents of both kinds do."""
        held = self._objects.pop(rid)
        if self._random.random() < 0.5:  # noqa: PLR2004
            self._emit(RESOURCES, _raw_key(rid), None)
        else:
            body = {"op": "DELETE", "at": self._at(), "kind": rid[0], "namespace": rid[1], "name": rid[2], "uid": held["uid"]}
            self._emit(RESOURCES, _raw_key(rid), body)
        name = ":".join((rid[0].lower(), *rid[1:]))
        for edge_id in [edge_id for edge_id, edge in self._edges.items() if name in (edge["from"], edge["to"])]:
            del self._edges[edge_id]
            self._emit(TOPOLOGY, edge_id, None)

    def connect(self, kind: str, source: Rid, target: Rid) -> None:
        start, end = (":".join((rid[0].lower(), *rid[1:])) for rid in (source, target))
        edge_id = f"edge:{kind.lower()}:{start}->{end}"
        self._edges[edge_id] = {"id": edge_id, "from": start, "to": end, "type": kind}
        self._report_edge(edge_id)

    def _report_edge(self, edge_id: str) -> None:
        self._emit(TOPOLOGY, edge_id, {"op": "UPSERT", "at": self._at(), "cluster": self.client_id, **self._edges[edge_id]})

    def resync(self) -> None:
        """Report everything again, unchanged."""
        for rid in list(self._objects):
            self._report(rid)
        for edge_id in list(self._edges):
            self._report_edge(edge_id)

    def state(self, topic: str, raw_key: str, **fields: Any) -> None:
        """Report the state of something that is no object of Kubernetes."""
        self._emit(topic, raw_key, {"op": "UPSERT", "at": self._at(), "cluster": self.client_id, **fields})

    def gone(self, topic: str, raw_key: str) -> None:
        """Report by tombstone that it is gone."""
        self._emit(topic, raw_key, None)

    def happen(self, subject: Rid, reason: str, message: str, severity: str = "Normal", etype: str = "k8s.event") -> None:
        """Something happens to an object."""
        self._events += 1
        kind, namespace, name = subject
        uid = self._objects.get(subject, {}).get("uid", "")
        body = {
            "event_id": f"{self.client_id}-{self._events:06d}",
            "event_time": self._at(),
            "etype": etype,
            "severity": severity,
            "reason": reason,
            "message": message,
            "subject": {"kind": kind, "uid": uid, "ns": namespace, "name": name},
        }
        self._emit(EVENTS, uid or name, body)

    def write(self, pod: Rid, line: Line) -> None:
        """A container of the pod writes a line to its log."""
        self._lines += 1
        self.tick(line.after_s)
        uid = self._objects[pod]["uid"]
        body = {
            "event_id": f"{self.client_id}-log-{self._lines:06d}",
            "event_time": self._at(),
            "etype": "k8s.log",
            "severity": line.severity,
            "message": line.message,
            "pod_uid": uid,
            "pod_namespace": pod[1],
            "pod_name": pod[2],
        }
        self._emit(LOGS, uid, body)

    # The story

    def start(self, nodes: int) -> None:
        """Nodes, system pods, and a shop with a service per workload, with what belongs to them."""
        for number in range(1, nodes + 1):
            self.node(number, ready=True)
        for namespace in NAMESPACES:
            self.upsert(("Namespace", "", namespace), "v1", labels={"team": namespace}, status={"phase": "Active"})
        self._bring(of_cluster())
        self._bring(of_app("kube-system", "log-agent", nodes))
        self._workload("DaemonSet", "kube-system", "log-agent", "1.9")
        for number in range(1, nodes + 1):
            self._pod("log-agent", f"log-agent-{self._suffix(5)}", ("DaemonSet", "kube-system", "log-agent"), number, "1.9")
        for name, replicas in WORKLOADS:
            self.upsert(
                ("Service", "shop", name),
                "v1",
                serviceSelector={"app": name},
                serviceIPs=[f"10.96.{self._random.randint(0, 255)}.{self._random.randint(1, 254)}"],
            )
            self._bring(of_app("shop", name, replicas))
            self._workload("Deployment", "shop", name, "v1", replicas)
            self.roll_out(name, "v1", replicas)
        self._bring(of_app("shop", "redis", 2))
        self._workload("StatefulSet", "shop", "redis", "7.2", 2)
        for number in range(2):
            self._bring(of_replica(f"redis-{number}"))
            self._pod("redis", f"redis-{number}", ("StatefulSet", "shop", "redis"), number + 1, "7.2")
        cron = ("CronJob", "shop", "reporting")
        self._workload(
            "Job", "shop", "nightly-report", "v1", ownerRefs=[{"kind": cron[0], "name": cron[2], "uid": self._objects[cron]["uid"]}]
        )
        self._pod("report", f"nightly-report-{self._suffix(5)}", ("Job", "shop", "nightly-report"), 1, "v1")

    def _bring(self, belongings: Iterable[Belonging]) -> None:
        for one in belongings:
            self.upsert(one.rid, one.api_version, **one.fields)

    def node(self, number: int, *, ready: bool) -> None:
        conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
        labels = {"kubernetes.io/hostname": f"node-{number}", "topology.kubernetes.io/zone": f"zone-{number % 3}"}
        self.upsert(("Node", "", f"node-{number}"), "v1", labels=labels, status={"conditions": conditions})

    def _suffix(self, length: int) -> str:
        return "".join(self._random.choices("bcdfghjklmnpqrstvwxz2456789", k=length))

    def _workload(self, kind: str, namespace: str, name: str, version: str, replicas: int = 1, **more: Any) -> None:
        group = "batch/v1" if kind == "Job" else "apps/v1"
        image = f"registry.example/{name}:{version}"
        status = {"readyReplicas": replicas}
        self.upsert((kind, namespace, name), group, labels={"app": name}, image=image, replicas=replicas, status=status, **more)

    def roll_out(self, name: str, version: str, replicas: int) -> list[Rid]:
        """A new ReplicaSet of a Deployment with its pods."""
        owner = ("Deployment", "shop", name)
        replica_set = ("ReplicaSet", "shop", f"{name}-{self._suffix(9)}")
        refs = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": self._objects[owner]["uid"]}]
        self.upsert(replica_set, "apps/v1", labels={"app": name, "version": version}, replicas=replicas, ownerRefs=refs, status={})
        self.connect("CONTROLS", owner, replica_set)
        self.happen(owner, "ScalingReplicaSet", f"Scaled up replica set {replica_set[2]} to {replicas}")
        nodes = sum(1 for kind, _, _ in self._objects if kind == "Node")
        pods = []
        for number in range(replicas):
            pod = self._pod(name, f"{replica_set[2]}-{self._suffix(5)}", replica_set, 1 + (number + len(name)) % nodes, version)
            self.connect("SELECTS", ("Service", "shop", name), pod)
            pods.append(pod)
        return [replica_set, *pods]

    def _pod(self, app: str, name: str, owner: Rid, node: int, version: str) -> Rid:
        pod = ("Pod", owner[1], name)
        refs = [{"kind": owner[0], "name": owner[2], "uid": self._objects[owner]["uid"]}]
        self.upsert(
            pod,
            "v1",
            labels={"app": app, "version": version},
            node=f"node-{node}",
            podIP=f"10.244.{node}.{self._random.randint(2, 250)}",
            image=f"registry.example/{app}:{version}",
            ownerRefs=refs,
            spec=pod_spec(app, name),
            status={"phase": "Running", "qosClass": "Burstable"},
        )
        self.connect("CONTROLS", owner, pod)
        self.connect("RUNS_ON", pod, ("Node", "", f"node-{node}"))
        self.happen(pod, "Scheduled", f"Successfully assigned {owner[1]}/{name} to node-{node}")
        self.tick(0.05)
        return pod

    def replace(self, name: str, version: str, replicas: int) -> None:
        """A rollout: the new pods come, the old ones go."""
        self._workload("Deployment", "shop", name, version, replicas)
        old = [rid for rid in self._objects if rid[0] in ("ReplicaSet", "Pod") and rid[2].startswith(f"{name}-")]
        self.roll_out(name, version, replicas)
        for rid in sorted(old):
            self.happen(rid, "Killing", "Stopping container", "Normal")
            self.tick(0.1)
            self.delete(rid)

    def pods_on(self, node: int) -> list[Rid]:
        return [rid for rid, held in self._objects.items() if rid[0] == "Pod" and held.get("node") == f"node-{node}"]

    def pods_in(self, namespace: str) -> list[Rid]:
        return [rid for rid in self._objects if rid[0] == "Pod" and rid[1] == namespace]

    def address_of(self, pod: Rid) -> str:
        return str(self._objects[pod]["podIP"])

    def app_of(self, pod: Rid) -> str:
        return str(self._objects[pod]["labels"]["app"])

    def crash(self, pod: Rid, reason: str, message: str) -> None:
        """A container fails again and again, and its log says why."""
        for restarts in range(1, 4):
            for line in crash_lines(reason, self._random):
                self.write(pod, line)
            container = {"name": "main", "restartCount": restarts, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
            self._objects[pod]["status"] = {"phase": "Running", "qosClass": "Burstable", "containerStatuses": [container]}
            self._report(pod)
            self.happen(pod, reason, message, "Warning")
            self.tick(2)

    def lose_node(self, number: int) -> None:
        """A node stops answering; its pods go and come back elsewhere."""
        self.node(number, ready=False)
        self.happen(("Node", "", f"node-{number}"), "NodeNotReady", f"Node node-{number} status is now: NodeNotReady", "Warning")
        for pod in self.pods_on(number):
            self.happen(pod, "TaintManagerEviction", f"Marking for deletion Pod {pod[1]}/{pod[2]}", "Warning")
            held = self._objects[pod]
            self.tick(0.2)
            self.delete(pod)
            self._reschedule(held, 1)

    def _reschedule(self, gone: dict[str, Any], node: int) -> None:
        """A ReplicaSet makes up for a pod that went; a DaemonSet's pod stays away with its node."""
        owner_kind, owner_name = gone["ownerRefs"][0]["kind"], gone["ownerRefs"][0]["name"]
        if owner_kind != "ReplicaSet":
            return
        app, version = gone["labels"]["app"], gone["labels"]["version"]
        owner = (owner_kind, gone["namespace"], owner_name)
        pod = self._pod(app, f"{owner_name}-{self._suffix(5)}", owner, node, version)
        self.connect("SELECTS", ("Service", gone["namespace"], app), pod)

    def finish_job(self) -> None:
        for rid in [rid for rid in self._objects if rid[2].startswith("nightly-report")]:
            self.delete(rid)


def _raw_key(rid: Rid) -> str:
    """Cluster-scoped keys come in both forms that agents write."""
    kind, namespace, name = rid
    return f"{kind.lower()}:{namespace}:{name}" if namespace or kind == "Node" else f"{kind.lower()}:{name}"
