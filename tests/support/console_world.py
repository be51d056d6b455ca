"""A small fleet to look at: one tenant in trouble, one with hostile names, one stale, one in quarantine."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import neo4j

from transforms.model.graph import ABOUT, AFFECTS, EPISODIC, INCIDENT, PART_OF, POTENTIAL_CAUSE, PROM_TARGET, RULE
from transforms.model.kinds import KIND_OF_TOKEN
from transforms.planning.views.source import Edge
from transforms.testing.memory_source import MemoryGraphSource, ViewedTenant

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
HOSTILE = "<script>alert(1)</script>"
INCIDENT_ID = "1f0c2a9e7b"
MINUTE_MS = 60_000


def cluster(client_id: str, **props: Any) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "state": "ACTIVE",
        "first_seen": NOW_MS - 86_400_000 * 3,
        "last_seen": NOW_MS - 4_000,
        "written_at": NOW_MS - 3_000,
        "state_since": NOW_MS - 86_400_000,
        "generation": 1,
        **props,
    }


def conditions(**of: str) -> str:
    """A status as the job keeps it: JSON with sorted keys."""
    held = {"conditions": [{"status": status, "type": kind} for kind, status in of.items()], "phase": "Running"}
    return json.dumps(held, sort_keys=True, separators=(",", ":"))


class Builder:
    """Fills one tenant, object by object."""

    def __init__(self, client_id: str, **props: Any) -> None:
        self.made = ViewedTenant(cluster(client_id, **props))
        self.client_id = client_id

    def add(self, kind: str, ns: str, name: str, **props: Any) -> str:
        rid = f"{kind.lower()}:{ns}:{name}"
        given = {"rid": rid, "kind": kind, "name": name, "uid": f"uid-{self.client_id}-{kind.lower()}-{name}", **props}
        self.made.resources[rid] = given | ({"ns": ns} if ns else {})
        return rid

    def join(self, source: str, type_: str, *targets: str) -> None:
        self.made.edges += [Edge(source, type_, target) for target in targets]

    def stub(self, kind: str, ns: str, name: str) -> str:
        rid = self.add(kind, ns, name, stub=True)
        del self.made.resources[rid]["uid"]
        return rid

    def episode(self, eid: str, subject: str, minutes_ago: float, severity: str, reason: str, message: str, **props: Any) -> None:
        at = NOW - timedelta(minutes=minutes_ago)
        ver = f"{int(at.timestamp() * 1_000_000):020d}!events.normalized!0!{eid}"
        told = {"severity": severity, "reason": reason, "message": message, "event_time": at, "etype": "k8s.event", "count": 1}
        self.made.episodes.append({"eid": eid, "subject": subject, "ver": ver, **told, **props})

    def workload(self, ns: str, name: str, pods: int, nodes: list[str], image: str, sick: int = 0, **props: Any) -> list[str]:
        """A Deployment with its ReplicaSet and pods; the first `sick` of them crash."""
        deployment = self.add("Deployment", ns, name, replicas=pods, ready_replicas=pods - sick, image=image, labels=[f"app={name}"])
        replica_set = self.add("ReplicaSet", ns, f"{name}-7d9f", replicas=pods, ready_replicas=pods - sick)
        self.join(deployment, "CONTROLS", replica_set)
        made = []
        for number in range(pods):
            waits = {"waiting_reason": "CrashLoopBackOff", "restarts": 7} if number < sick else {}
            ready = conditions(Ready="False" if waits else "True")
            own = {"phase": "Running", "status": ready, "image": image, "labels": [f"app={name}", "tier=web"], **waits, **props}
            pod = self.add("Pod", ns, f"{name}-7d9f-{number}", pod_ip=f"10.4.{len(name)}.{number + 10}", **own)
            self.join(replica_set, "CONTROLS", pod)
            self.join(pod, "RUNS_ON", nodes[number % len(nodes)])
            made.append(pod)
        service = self.add("Service", ns, name, selector=[f"app={name}"], service_ips=[f"10.96.0.{len(name)}"])
        self.join(service, "SELECTS", *made)
        return made


def shop() -> ViewedTenant:
    """af-10: checkout crashes, one node is not ready, and there is an incident about it."""
    one = Builder("af-10", cluster="shop-prod")
    for ns in ("shop", "monitoring"):
        one.add("Namespace", "", ns, phase="Active")
    nodes = [one.add("Node", "", f"node-{n}", status=conditions(Ready="True" if n < 3 else "Unknown")) for n in (1, 2, 3)]
    frontend = one.workload("shop", "frontend", 3, nodes, "registry.example/shop/frontend:2.4")
    checkout = one.workload("shop", "checkout", 2, nodes, "registry.example/shop/checkout:1.9", sick=2)
    cart = one.workload("shop", "cart", 2, nodes, "registry.example/shop/cart:3.0")
    one.workload("monitoring", "grafana", 1, nodes, "grafana/grafana:11.1")
    config = one.add("ConfigMap", "shop", "checkout-config", keys=["limits.yaml"])
    secret = one.stub("Secret", "shop", "payments-key")
    account = one.add("ServiceAccount", "shop", "shop")
    claim = one.add("PersistentVolumeClaim", "shop", "cart-data", phase="Bound")
    volume = one.add("PersistentVolume", "", "pv-1", phase="Bound")
    one.join(claim, "CLAIMS", volume)
    for pod in checkout:
        one.join(pod, "MOUNTS", config, secret)
    for pod in cart:
        one.join(pod, "MOUNTS", claim)
    for pod in (*frontend, *checkout, *cart):
        one.join(pod, "USES", account)
    ingress = one.add("Ingress", "shop", "shop", hosts=["shop.example"])
    one.join(ingress, "ROUTES", "service:shop:frontend", "service:shop:checkout")
    one.add("Gateway", "shop", "mesh")
    one.episode("e1", checkout[0], 12, "WARNING", "Unhealthy", "Liveness probe failed: dial tcp 10.4.8.10:50052: connection refused")
    one.episode("e2", checkout[0], 11, "ERROR", "BackOff", "Back-off restarting failed container checkout", count=9)
    one.episode("e3", frontend[0], 9, "ERROR", "LOG_CONNECTION", "failed to connect to checkout:50052", etype="k8s.log", count=31)
    one.episode("e4", nodes[2], 30, "WARNING", "NodeNotReady", "Node node-3 status is now: NodeNotReady")
    one.episode("e5", "deployment:shop:checkout", 12, "WARNING", "PROBE_PORT_NOT_EXPOSED", "50052 is not exposed", etype="k8s.finding")
    one.made.referrers[PROM_TARGET.label] = [{"tid": "t1", "job": "checkout", "health": "down", "subject": checkout[0]}]
    one.made.referrers[RULE.label] = [{"rkey": "r1", "group": "shop", "name": "Down", "expr": "up == 0", "subject": checkout[0]}]
    one.made.happened.append({"eid": "quarantine 1", "etype": "cluster.release", "at_ms": NOW_MS - MINUTE_MS, "message": "released"})
    _incident(one, checkout, frontend)
    return one.made


def _incident(one: Builder, checkout: list[str], frontend: list[str]) -> None:
    root = "deployment:shop:checkout"
    causes = [
        {
            "rid": root,
            "kind": "PROBE_PORT_NOT_EXPOSED",
            "confidence": 0.91,
            "words": "almost certain",
            "why": [
                {
                    "finding": "PROBE_PORT_NOT_EXPOSED",
                    "text": "Its liveness probe asks port 50052, the container exposes 50051",
                    "sources": [[checkout[0], "events.normalized[0]@17"]],
                },
                {"finding": "LIVENESS_KILLS", "text": "It restarted 7 times, killed for the probe", "sources": []},
            ],
            "do": "correct the probe's port",
        },
        {
            "rid": "node::node-3",
            "kind": "NODE_NOT_READY",
            "confidence": 0.42,
            "words": "possible",
            "why": [{"finding": "NODE_NOT_READY", "text": "node-3 is not ready", "sources": []}],
            "do": "look at kubelet and runtime",
        },
    ]
    aside = ["FailedCreate: the service account exists now", "node-1 is cordoned, but nothing waits for it"]
    props = {
        "iid": INCIDENT_ID,
        "aliases": ["0a0a0a0a0a"],
        "state": "open",
        "opened": NOW - timedelta(minutes=12),
        "last": NOW - timedelta(minutes=1),
        "root": root,
        "kind": "PROBE_PORT_NOT_EXPOSED",
        "confidence": 0.91,
        "words": "almost certain",
        "do": "correct the probe's port",
        "changed": ["image 1.8 to 1.9, 4 min before"],
        "title": "checkout restarts: its liveness probe asks port 50052, the container exposes 50051",
        "members": [root, *checkout, frontend[0]],
        "episodes": 4,
        "causes": json.dumps(causes),
        "aside": aside,
    }
    earlier = {
        **props,
        "iid": "00e1",
        "aliases": [],
        "state": "resolved",
        "opened": NOW - timedelta(days=2),
        "last": NOW - timedelta(days=2),
        "resolved": NOW - timedelta(days=2),
    }
    one.made.incidents += [props, earlier]
    one.made.affects += [(INCIDENT_ID, "cause", root), (INCIDENT_ID, "affected", checkout[0]), (INCIDENT_ID, "affected", checkout[1])]
    one.made.affects += [(INCIDENT_ID, "evidence", "service:shop:checkout"), (INCIDENT_ID, "affected", frontend[0])]
    one.made.affects.append((INCIDENT_ID, "further cause", "node::node-3"))
    one.made.part_of += [(eid, INCIDENT_ID) for eid in ("e1", "e2", "e3", "e5")]
    path = [root, "replicaset:shop:checkout-7d9f", checkout[0], "service:shop:checkout", frontend[0]]
    told = {"incident": INCIDENT_ID, "rank": 1, "confidence": 0.91, "hops": 2, "path": path, "why": "its callers fail to connect"}
    one.made.causes.append((told, "e5", "e3"))


def hostile() -> ViewedTenant:
    """af-11: names and messages that a page must not obey."""
    one = Builder("af-11", cluster=HOSTILE, labels=[f"env={HOSTILE}"])
    one.add("Namespace", "", "evil", phase="Active")
    node = one.add("Node", "", "node-1", status=conditions(Ready="True"))
    pod = one.add("Pod", "evil", HOSTILE, phase="Running", image='"><img src=x onerror=alert(2)>', labels=["app={{7*7}}", "x=\u202egnp"])
    one.join(pod, "RUNS_ON", node)
    one.episode("h1", pod, 3, "ERROR", HOSTILE, "<img src=x onerror=alert(3)> ${7*7} \u202e\x00")
    return one.made


def fleet() -> list[ViewedTenant]:
    stale = Builder("af-12", state="STALE", last_seen=NOW_MS - 40 * MINUTE_MS, resync_needed=True)
    stale.workload("shop", "cart", 1, [stale.add("Node", "", "node-1", status=conditions(Ready="True"))], "registry.example/shop/cart:3.0")
    quarantined = Builder("af-13", quarantined_at=NOW_MS - 5 * MINUTE_MS, quarantine_reason="the transaction ran out of time")
    return [shop(), hostile(), stale.made, quarantined.made]


def memory_source() -> MemoryGraphSource:
    return MemoryGraphSource(fleet(), NOW_MS)


# The same fleet in a real graph.
_ABOUT = f"""
UNWIND $rows AS row
CREATE (e:{EPISODIC.label}) SET e = row.props
WITH e, row MATCH (n:Resource {{client_id: row.client_id, rid: row.props.subject}})
CREATE (e)-[:{ABOUT.type} {{client_id: row.client_id}}]->(n)
"""


def write_fleet(session: neo4j.Session, tenants: list[ViewedTenant]) -> None:
    """Enter the tenants as the job would have."""
    for one in tenants:
        client_id = one.cluster["client_id"]
        session.run("CREATE (c:Cluster) SET c = $props", props=one.cluster).consume()
        _write_resources(session, client_id, one)
        session.run(_ABOUT, rows=_rows(client_id, one.episodes)).consume()
        session.run("UNWIND $rows AS row CREATE (e:ClusterEpisode) SET e = row.props", rows=_rows(client_id, one.happened)).consume()
        for label, referrers in one.referrers.items():
            session.run(f"UNWIND $rows AS row CREATE (e:{label}) SET e = row.props", rows=_rows(client_id, referrers)).consume()
        _write_incidents(session, client_id, one)
    session.run("CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()").consume()


def _rows(client_id: str, held: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"client_id": client_id, "props": {"client_id": client_id, **props}} for props in held]


def _write_resources(session: neo4j.Session, client_id: str, one: ViewedTenant) -> None:
    by_label: dict[str, list[dict[str, Any]]] = {}
    for rid, props in one.resources.items():
        kind = KIND_OF_TOKEN.get(rid.partition(":")[0])
        by_label.setdefault(f":{kind.name}" if kind else "", []).append(props)
    for label, held in by_label.items():
        session.run(f"UNWIND $rows AS row CREATE (n:Resource{label}) SET n = row.props", rows=_rows(client_id, held)).consume()
    for type_ in {edge.type for edge in one.edges}:
        session.run(
            "UNWIND $rows AS row MATCH (a:Resource {client_id: $client_id, rid: row[0]})\n"
            "MATCH (b:Resource {client_id: $client_id, rid: row[1]})\n"
            f"CREATE (a)-[:{type_} {{client_id: $client_id}}]->(b)",
            client_id=client_id,
            rows=[[edge.source, edge.target] for edge in one.edges if edge.type == type_],
        ).consume()


def _write_incidents(session: neo4j.Session, client_id: str, one: ViewedTenant) -> None:
    session.run(f"UNWIND $rows AS row CREATE (i:{INCIDENT.label}) SET i = row.props", rows=_rows(client_id, one.incidents)).consume()
    session.run(
        f"UNWIND $rows AS row MATCH (i:{INCIDENT.label} {{client_id: $id, iid: row[0]}})\n"
        "MATCH (n:Resource {client_id: $id, rid: row[2]})\n"
        f"CREATE (i)-[:{AFFECTS.type} {{client_id: $id, role: row[1]}}]->(n)",
        id=client_id,
        rows=[list(one) for one in one.affects],
    ).consume()
    session.run(
        f"UNWIND $rows AS row MATCH (e:{EPISODIC.label} {{client_id: $id, eid: row[0]}})\n"
        f"MATCH (i:{INCIDENT.label} {{client_id: $id, iid: row[1]}})\n"
        f"CREATE (e)-[:{PART_OF.type} {{client_id: $id}}]->(i)",
        id=client_id,
        rows=[list(one) for one in one.part_of],
    ).consume()
    session.run(
        f"UNWIND $rows AS row MATCH (a:{EPISODIC.label} {{client_id: $id, eid: row[1]}})\n"
        f"MATCH (b:{EPISODIC.label} {{client_id: $id, eid: row[2]}})\n"
        f"CREATE (a)-[r:{POTENTIAL_CAUSE.type} {{client_id: $id}}]->(b) SET r += row[0]",
        id=client_id,
        rows=[list(one) for one in one.causes],
    ).consume()
