"""Neighbourhoods that make an analysis as costly as a tenant can: each pairs many objects with many others."""

import json
from collections.abc import Callable
from typing import Any, Final

from transforms.model.limits import READ_MESSAGE_CHARACTERS
from transforms.planning.causes.moments import MINUTE
from transforms.planning.causes.world import Rows

NOW: Final = 1_900_000_000_000_000
NS: Final = "shop"

Made = dict[str, dict[str, Any]]


def ver(us: int = NOW) -> str:
    """A version of that time, as records bear it."""
    return f"{us:018d} topic {0:06d} {0:012d}"


def _status(**parts: Any) -> str:
    return json.dumps(parts)


def _unready(since: str = "2030-03-17T17:40:00Z") -> list[dict[str, Any]]:
    return [{"type": "Ready", "status": "False", "lastTransitionTime": since}]


def _pod(at: int, *, facts: dict[str, Any] | None = None, status: str | None = None, **props: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "ns": NS,
        "ver": ver(),
        "created": NOW - 10 * MINUTE,
        "facts": json.dumps(facts or {}),
        "status": status or _status(phase="Running", conditions=_unready()),
        "labels": [f"app=a{at}"],
        **props,
    }


def _pending(at: int, facts: dict[str, Any]) -> dict[str, Any]:
    conditions = [{"type": "PodScheduled", "status": "False", "message": "0/9 nodes are available: Insufficient cpu, taint t"}]
    return _pod(at, facts=facts, status=_status(phase="Pending", conditions=conditions))


def _deployment(at: int, labels: dict[str, str], **more: Any) -> dict[str, Any]:
    facts = {"labels": labels, **more}
    return {"kind": "Deployment", "ns": NS, "ver": ver(), "replicas": 2, "facts": json.dumps(facts), "status": _status(readyReplicas=1)}


def _episode(at: int, etype: str, reason: str, subject: str, message: str = "", when: int = NOW, **props: Any) -> dict[str, Any]:
    return {
        "eid": f"e{at:06d}",
        "etype": etype,
        "reason": reason,
        "subject": subject,
        "message": message,
        "severity": "ERROR",
        "ver": ver(),
        "event_time": when,
        **props,
    }


def _rows(made: Made, episodes: list[dict[str, Any]] | None = None, edges: list[tuple[str, str, str]] | None = None) -> Rows:
    return Rows(made, sorted(edges or ()), episodes or [], NOW)


def waiting_for_cordoned_nodes(n: int) -> Rows:
    """Pods of as many needs as there are Pods, all of which any of the Nodes meets, and all Nodes are cordoned."""
    zones = [f"zone=z{at}" for at in range(n)]
    made: Made = {
        f"node::n{at}": {"kind": "Node", "ver": ver(), "labels": ["a=1"], "unschedulable": True, "taints": zones[:1]} for at in range(n)
    }
    made |= {f"pod:{NS}:p{at}": _pending(at, {"selector": {"a": "1"}, "tolerations": [[f"k{at}", "Exists", "", ""]]}) for at in range(n)}
    return _rows(made)


def waiting_for_nobodys_nodes(n: int) -> Rows:
    """Pods that each ask for something else, in many words; Nodes that are not ready and have many labels."""
    labels = [f"l{one}=v" for one in range(20)]
    made: Made = {
        f"node::n{at}": {"kind": "Node", "ver": ver(), "labels": labels, "status": _status(conditions=_unready())} for at in range(n)
    }
    for at in range(n):
        terms = [[["l1", "In", ["v"]], [f"m{at}", "NotIn", ["v"]], ["l2", "In", ["w", "v"]]]]
        made[f"pod:{NS}:p{at}"] = _pending(at, {"affinity": terms, "scheduler": f"scheduler-{at}"})
    return _rows(made)


def silent_schedulers(n: int) -> Rows:
    made: Made = {}
    for at in range(n):
        status = _status(phase="Pending", conditions=[])
        made[f"pod:{NS}:p{at}"] = _pod(at, facts={"scheduler": f"scheduler-{at}"}, status=status)
    return _rows(made)


def services_of_nearly_the_same_name(n: int) -> Rows:
    """Services whose selectors nearly match every workload, and addresses that nearly name every Service."""
    name = "abcdefgh" * 12
    made: Made = {}
    for at in range(n):
        made[f"service:{NS}:{name}{at:05d}"] = {"kind": "Service", "ns": NS, "ver": ver(), "selector": [f"app={name}x{at:05d}", "b=1"]}
        calls = [[f"{name}y{at:05d}{one}", "", 80, f"V{one}"] for one in range(4)]
        made[f"deployment:{NS}:{name}w{at:05d}"] = _deployment(at, {"app": f"{name}z{at:05d}", "b": "2"}, calls=calls)
    return _rows(made)


def services_with_selectors_that_match_half(n: int) -> Rows:
    made: Made = {}
    for at in range(n):
        made[f"service:{NS}:s{at}"] = {"kind": "Service", "ns": NS, "ver": ver(), "selector": ["a=1", "b=1", f"c={at}"]}
        made[f"deployment:{NS}:w{at}"] = _deployment(at, {"a": "1"} if at % 2 else {"b": "1"})
    return _rows(made)


def everybody_calls_what_is_missing(n: int) -> Rows:
    """Workloads that all call the same missing Services, which bear the names of workloads, under full quotas."""
    full = _status(hard={"services": "1"}, used={"services": "1"})
    made: Made = {f"service:{NS}:there": {"kind": "Service", "ns": NS, "ver": ver(), "selector": ["a=1"]}}
    for at in range(n):
        made[f"deployment:{NS}:w{at}"] = _deployment(at, {}, calls=[[f"w{(at + one) % n}", "", 80, "V"] for one in range(16)])
        made[f"resourcequota:{NS}:q{at}"] = {"kind": "ResourceQuota", "ns": NS, "ver": ver(), "status": full}
    return _rows(made)


def everybody_blames_one_service(n: int) -> Rows:
    """One Service with a port that nobody exposes, many callers of it, and as many lines that blame it."""
    ports = [[port, "TCP", port, ""] for port in range(1, 33)]
    made: Made = {
        f"service:{NS}:one": {"kind": "Service", "ns": NS, "ver": ver(), "selector": ["a=1"], "facts": json.dumps({"ports": ports})}
    }
    facts = {"containers": [{"name": "c", "ports": [[9000 + port, "TCP", ""] for port in range(32)]}], "calls": [["one", "", 99, "V"]]}
    edges = []
    for at in range(n):
        made[f"pod:{NS}:p{at}"] = _pod(at, facts=facts, node="n1")
        edges.append(("SELECTS", f"service:{NS}:one", f"pod:{NS}:p{at}"))
    told = [_episode(at, "k8s.log", "LOG_CONNECTION", f"pod:{NS}:p{at}", "dial one:99 refused, one:98, one:97") for at in range(n)]
    return _rows(made, told, edges)


def services_that_all_select_all(n: int) -> Rows:
    """As many edges as are read, between Services and Pods; every Pod calls every Service and is slow."""
    some = min(20, n)
    made: Made = {f"node::n{at}": {"kind": "Node", "ver": ver()} for at in range(n)}
    edges = []
    for one in range(some):
        made[f"service:{NS}:s{one}"] = {"kind": "Service", "ns": NS, "ver": ver(), "selector": ["a=1"]}
    facts = {
        "calls": [[f"s{one}", "", 80, "V"] for one in range(some)],
        "containers": [{"name": "c", "ports": [[one, "TCP", ""] for one in range(32)]}],
    }
    told = []
    for at in range(n):
        made[f"pod:{NS}:p{at}"] = _pod(at, facts=facts, node=f"n{at}")
        edges += [("SELECTS", f"service:{NS}:s{one}", f"pod:{NS}:p{at}") for one in range(some)]
        edges.append(("RUNS_ON", f"pod:{NS}:p{at}", f"node::n{at}"))
        told.append(_episode(2 * at, "prom.alert", "HighLatency", f"pod:{NS}:p{at}", "latency", state="firing"))
        told.append(_episode(2 * at + 1, "prom.alert", "NetworkDrops", f"node::n{at}", f"network packet value={at}", state="firing"))
    return _rows(made, told, edges)


def repeats_of_one_event(n: int) -> Rows:
    """One crash loop of which all Events are alike, and a container for each."""
    ended = {"terminated": {"reason": "Error", "exitCode": 1, "finishedAt": "2030-03-17T17:45:00Z"}}
    states = [{"name": f"c{at}", "restartCount": 5, "state": {"running": {}}, "lastState": ended} for at in range(max(1, n // 8))]
    made: Made = {f"pod:{NS}:p": _pod(0, status=_status(phase="Running", conditions=_unready(), containerStatuses=states))}
    told = [_episode(at, "k8s.event", "BackOff", f"pod:{NS}:p", "Back-off restarting", NOW - at) for at in range(n)]
    return _rows(made, told)


def findings_of_many_epochs(n: int) -> Rows:
    """Findings that have healed, each in a session and an epoch of its own, of workloads that call each other."""
    made: Made = {}
    told = []
    for at in range(n):
        made[f"service:{NS}:w{at}"] = {"kind": "Service", "ns": NS, "ver": ver(), "selector": [f"a={at}"]}
        made[f"deployment:{NS}:w{at}"] = _deployment(at, {"a": str(at)}, calls=[[f"w{(at + 1) % n}", "", 80, "V"]])
        when = NOW - (at + 2) * 16 * MINUTE
        old = {**_episode(at, "k8s.finding", "OOM_KILLED", f"deployment:{NS}:w{at}", "", when), "ver": ver(when)}
        told.append(old)
    return _rows(made, told)


def sessions_of_many_objects(n: int) -> Rows:
    """Findings that hold on to t*, each of another object, beside as many of now."""
    made: Made = {}
    told = []
    for at in range(n):
        made[f"pod:{NS}:p{at}"] = _pod(at, status=_status(phase="Pending", conditions=[]))
        told.append(_episode(at, "k8s.finding", "CRASH_LOOP", f"pod:{NS}:p{at}"))
    return _rows(made, told)


def claims_and_volumes(n: int) -> Rows:
    """Pods that wait for claims which no volume fits, and for claims that no quota lets be made."""
    tight = _status(hard={"requests.storage": "1Gi"}, used={"requests.storage": "1Gi"})
    made: Made = {}
    edges = []
    for at in range(n):
        made[f"persistentvolume::v{at}"] = {"kind": "PersistentVolume", "ver": ver(), "capacity": "1Gi", "access_modes": ["a", "b"]}
        made[f"persistentvolumeclaim:{NS}:c{at}"] = {
            "kind": "PersistentVolumeClaim",
            "ns": NS,
            "ver": ver(),
            "phase": "Pending",
            "storage_request": "2Gi",
            "access_modes": ["c"],
            "storage_class": "x",
        }
        made[f"resourcequota:{NS}:q{at}"] = {"kind": "ResourceQuota", "ns": NS, "ver": ver(), "status": tight}
        made[f"pod:{NS}:p{at}"] = _pod(at, status=_status(phase="Pending", conditions=[]))
        edges += [
            ("MOUNTS", f"pod:{NS}:p{at}", f"persistentvolumeclaim:{NS}:{name}{one % n}") for name in "cd" for one in range(at, at + 4)
        ]
    return _rows(made, None, edges)


def probes_of_many_containers(n: int) -> Rows:
    """Pods whose every container's probe asks a wrong port, and as many Events that name it."""
    containers = [{"name": f"c{one}", "ports": [[1, "TCP", ""]], "probes": {"liveness": ["http", 2000 + one]}} for one in range(32)]
    states = [{"name": f"c{one}", "restartCount": 3, "state": {"running": {}}} for one in range(32)]
    status = _status(phase="Running", conditions=_unready(), containerStatuses=states)
    made: Made = {f"pod:{NS}:p": _pod(0, facts={"containers": containers}, status=status)}
    told = [
        _episode(at, "k8s.event", "Unhealthy", f"pod:{NS}:p", f"Liveness probe failed: dial :{2000 + at % 32} refused") for at in range(n)
    ]
    return _rows(made, told)


def rollouts_before_many_incidents(n: int) -> Rows:
    """As many incidents as are kept, each of a workload with ReplicaSets, ConfigMaps that it uses, and cordoned Nodes beside."""
    made: Made = {}
    edges = []
    for at in range(n):
        made[f"deployment:{NS}:w{at}"] = _deployment(at, {})
        made[f"replicaset:{NS}:r{at}"] = {"kind": "ReplicaSet", "ns": NS, "ver": ver(), "created": NOW - 20 * MINUTE}
        made[f"configmap:{NS}:c{at}"] = {"kind": "ConfigMap", "ns": NS, "ver": ver(), "created": NOW - 11 * MINUTE}
        status = _status(
            phase="Running", conditions=_unready(), containerStatuses=[{"name": "c", "state": {"waiting": {"reason": "ErrImagePull"}}}]
        )
        made[f"pod:{NS}:p{at}"] = _pod(at, status=status)
        made[f"node::n{at}"] = {
            "kind": "Node",
            "ver": ver(),
            "unschedulable": True,
            "status": _status(conditions=[{"type": "Ready", "status": "True"}]),
        }
        edges += [
            ("CONTROLS", f"deployment:{NS}:w{at}", f"replicaset:{NS}:r{at}"),
            ("CONTROLS", f"replicaset:{NS}:r{at}", f"pod:{NS}:p{at}"),
            ("MOUNTS", f"pod:{NS}:p{at}", f"configmap:{NS}:c{at}"),
        ]
    return _rows(made, None, edges)


def namespaces_that_refuse(n: int) -> Rows:
    """Full quotas in as many Namespaces as there are, each with a workload that is refused."""
    full = _status(hard={"pods": "1"}, used={"pods": "1"})
    made: Made = {}
    told = []
    for at in range(n):
        ns = f"ns{at}"
        made[f"resourcequota:{ns}:q"] = {"kind": "ResourceQuota", "ns": ns, "ver": ver(), "status": full}
        made[f"deployment:{ns}:w"] = {"kind": "Deployment", "ns": ns, "ver": ver(), "replicas": 2, "status": _status(replicas=1)}
        made[f"service:{ns}:w"] = {"kind": "Service", "ns": ns, "ver": ver(), "selector": ["a=1"]}
        told.append(_episode(at, "k8s.event", "FailedCreate", f"deployment:{ns}:w", "exceeded quota: q"))
        told.append(_episode(n + at, "prom.alert", "TrafficDrop", f"deployment:{ns}:w", "throughput drop", state="firing"))
    return _rows(made, told)


def lines_of_many_addresses(n: int) -> Rows:
    """Lines that each name as many addresses as they hold."""
    made: Made = {}
    for at in range(n):
        made[f"service:{NS}:s{at}"] = {"kind": "Service", "ns": NS, "ver": ver(), "service_ips": [f"10.0.{at // 250}.{at % 250}"]}
    made[f"pod:{NS}:p"] = _pod(0, node="n1")
    named = " ".join(f"10.0.{at // 250}.{at % 250}:80" for at in range(n))[:READ_MESSAGE_CHARACTERS]
    return _rows(made, [_episode(at, "k8s.log", "LOG_CONNECTION", f"pod:{NS}:p", named) for at in range(n)])


WORLDS: Final[tuple[Callable[[int], Rows], ...]] = (
    waiting_for_cordoned_nodes,
    waiting_for_nobodys_nodes,
    silent_schedulers,
    services_of_nearly_the_same_name,
    services_with_selectors_that_match_half,
    everybody_calls_what_is_missing,
    everybody_blames_one_service,
    services_that_all_select_all,
    repeats_of_one_event,
    findings_of_many_epochs,
    sessions_of_many_objects,
    claims_and_volumes,
    probes_of_many_containers,
    rollouts_before_many_incidents,
    namespaces_that_refuse,
    lines_of_many_addresses,
)
