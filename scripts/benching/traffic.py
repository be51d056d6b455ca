"""Traffic of a fleet of clusters, made by splicing times and numbers into prepared values: a million records in seconds.

It flatters nobody: no two records are alike, objects come in a random order of all clusters, each once in `RESYNC_S` of their own
time, so that what is read together says little twice; and of the objects one report in ten tells something new.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple

from scripts.sampling.record import EVENTS, LOGS, RESOURCES, TARGETS, TOPOLOGY, SampleRecord, json_bytes

# Shares of the topics in production traffic, in percent.
UPSTREAM: Final = {LOGS: 59.0, RESOURCES: 19.9, TOPOLOGY: 16.6, TARGETS: 4.1, EVENTS: 0.33}
STATE: Final = {RESOURCES: 19.9, TOPOLOGY: 16.6}
MIXES: Final = {"upstream": UPSTREAM, "state": STATE}
RESYNC_S: Final = 30.0
_BEGIN: Final = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
# One report in so many of a Pod, of which half of the objects are, tells of another restart.
_CHANGES: Final = 5
_AT: Final = "@AT@"
_ID: Final = "@ID@"
_COUNT: Final = "@COUNT@"


class _Template(NamedTuple):
    """A record less its time, and less the numbers behind it: the record's own, or of an object's how often it has changed."""

    topic: str
    key: bytes
    parts: tuple[bytes, ...]
    counts: bool


def _template(topic: str, key: str, body: dict[str, Any]) -> _Template:
    text = json_bytes(body).replace(f'"{_COUNT}"'.encode(), _ID.encode())
    parts = tuple(text.replace(_ID.encode(), _AT.encode()).split(_AT.encode()))
    return _Template(topic, key.encode(), parts, _COUNT in str(body))


class Fleet:
    """Clusters of the same shape: per six objects a Deployment with its ReplicaSet, Service and three Pods, and a Node
    for every 20 Pods; Pods on Nodes and selected by Services as explicit edges too.

    objects: Kubernetes objects per cluster, about.
    """

    def __init__(self, clusters: int, objects: int, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - seeded traffic, not a secret
        made = [_cluster(f"af-{10 + number}", max(1, objects // 6)) for number in range(clusters)]
        self._templates: dict[str, list[_Template]] = {
            topic: [one for cluster in zip(*(each[topic] for each in made), strict=True) for one in cluster] for topic in made[0]
        }

    @property
    def facts(self) -> dict[str, int]:
        """How many different keys the state topics have."""
        return {topic: len(self._templates[topic]) for topic in (RESOURCES, TOPOLOGY)}

    def once(self) -> Iterator[SampleRecord]:
        """Every object and edge once: the first load."""
        for topic in (RESOURCES, TOPOLOGY):
            for at, template in enumerate(self._templates[topic]):
                yield _record(template, _BEGIN + timedelta(milliseconds=at), 0)

    def traffic(self, mix: str, number: int) -> Iterator[SampleRecord]:
        """So many records in the shares of the mix, every object again in each resync, times going on."""
        shares = MIXES[mix]
        turned = {topic: self._random.sample(self._templates[topic], len(self._templates[topic])) for topic in shares}
        changed: dict[bytes, int] = {}
        turns = dict.fromkeys(shares, 0)
        topics = self._random.choices(list(shares), weights=list(shares.values()), k=number)
        per_resync = max(1, len(self._templates[RESOURCES]) * int(sum(shares.values())) // int(shares[RESOURCES]))
        for at, topic in enumerate(topics):
            template = turned[topic][turns[topic] % len(turned[topic])]
            turns[topic] += 1
            number = at
            if template.counts:
                number = changed.get(template.key, 0) + (self._random.randrange(_CHANGES) == 0)
                changed[template.key] = number
            yield _record(template, _BEGIN + timedelta(seconds=60 + at * RESYNC_S / per_resync), number)


def _record(template: _Template, moment: datetime, number: int) -> SampleRecord:
    at = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
    value = template.parts[0] + at + str(number).encode().join(template.parts[1:])
    return SampleRecord(template.topic, template.key, value, int(moment.timestamp() * 1000) + 200)


def _cluster(client_id: str, groups: int) -> dict[str, list[_Template]]:
    found: dict[str, list[_Template]] = {topic: [] for topic in UPSTREAM}
    resource = _resources(client_id, found[RESOURCES])
    nodes = 1 + groups * 3 // 20
    for node in range(nodes):
        labels = {"kubernetes.io/hostname": f"node-{node}", "topology.kubernetes.io/zone": f"zone-{node % 3}"}
        resource("Node", "v1", "", f"node-{node}", labels=labels, status={"conditions": [{"type": "Ready", "status": "True"}]})
    for group in range(groups):
        _group(client_id, f"app-{group}", group, nodes, found, resource)
    return found


def _resources(client_id: str, into: list[_Template]) -> Callable[..., None]:
    def add(kind: str, version: str, namespace: str, name: str, **more: Any) -> None:
        uid = _uid(client_id, kind, name)
        body: dict[str, Any] = {"op": "UPSERT", "at": _AT, "cluster": client_id, "apiVersion": version, "kind": kind, "uid": uid}
        body |= {"namespace": namespace, "name": name, "annotations": {"team": "shop"}, **more, "spec": {"dnsPolicy": "ClusterFirst"}}
        into.append(_template(RESOURCES, f"{client_id}::{kind.lower()}:{namespace}:{name}", body))

    return add


def _uid(client_id: str, kind: str, name: str) -> str:
    number = Random(f"{client_id}/{kind}/{name}").getrandbits(128)  # noqa: S311
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _group(client_id: str, app: str, group: int, nodes: int, found: dict[str, list[_Template]], resource: Callable[..., None]) -> None:
    image, labels = f"registry.example/{app}:v1", {"app": app, "version": "v1"}
    resource("Deployment", "apps/v1", "shop", app, labels=labels, image=image, replicas=3, status={"readyReplicas": 3})
    owner = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": app, "uid": _uid(client_id, "Deployment", app)}]
    resource("ReplicaSet", "apps/v1", "shop", f"{app}-rs", labels=labels, replicas=3, ownerRefs=owner, status={"readyReplicas": 3})
    resource("Service", "v1", "shop", app, labels=labels, serviceSelector={"app": app}, serviceIPs=[f"10.96.{group % 250}.1"], status={})
    owner = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{app}-rs", "uid": _uid(client_id, "ReplicaSet", f"{app}-rs")}]
    for number in range(3):
        pod, node = f"{app}-rs-{number}", f"node-{(group * 3 + number) % nodes}"
        status: dict[str, Any] = {"phase": "Running", "qosClass": "Burstable", "conditions": [{"type": "Ready", "status": "True"}]}
        status["containerStatuses"] = [{"name": "app", "restartCount": _COUNT}]
        more = {"ownerRefs": owner, "node": node, "podIP": f"10.244.{group % 250}.{number}", "image": image}
        resource("Pod", "v1", "shop", pod, labels=labels, status=status, **more)
        _about_pod(client_id, app, pod, node, found)


def _about_pod(client_id: str, app: str, pod: str, node: str, found: dict[str, list[_Template]]) -> None:
    for kind, source, target in (("RUNS_ON", f"pod:shop:{pod}", f"node::{node}"), ("SELECTS", f"service:shop:{app}", f"pod:shop:{pod}")):
        edge_id = f"edge:{source}->{target}"
        body = {"op": "UPSERT", "at": _AT, "cluster": client_id, "id": edge_id, "from": source, "to": target, "type": kind}
        found[TOPOLOGY].append(_template(TOPOLOGY, f"{client_id}::{edge_id}", body))
    uid = _uid(client_id, "Pod", pod)
    subject = {"kind": "Pod", "uid": uid, "ns": "shop", "name": pod}
    event: dict[str, Any] = {
        "event_time": _AT,
        "event_id": f"{client_id}-{_ID}",
        "etype": "k8s.event",
        "severity": "Warning",
        "reason": "BackOff",
    }
    event |= {"message": "Back-off restarting failed container", "subject": subject}
    found[EVENTS].append(_template(EVENTS, f"{client_id}::{uid}", event))
    log = {"event_time": _AT, "event_id": f"{client_id}-log-{_ID}", "etype": "k8s.log", "severity": "INFO"}
    log |= {"message": f"GET /api/v1/items/{_ID}?app={app} 200 in 12 ms", "pod_uid": uid, "pod_namespace": "shop", "pod_name": pod}
    found[LOGS].append(_template(LOGS, f"{client_id}::{uid}", log))
    labels = {"job": app, "instance": f"{pod}:9102", "namespace": "shop", "pod": pod}
    scraped: dict[str, Any] = {"op": "UPSERT", "at": _AT, "cluster": client_id, "labels": labels, "health": "up"}
    scraped |= {"scrapeUrl": f"http://{pod}:9102/metrics", "lastScrape": "", "lastError": ""}
    found[TARGETS].append(_template(TARGETS, f"{client_id}::{app}|{pod}", scraped))
