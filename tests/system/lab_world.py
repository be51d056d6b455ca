"""A real control plane beside the stack, agents that Helm installs in it, and what cluster and graph say, to be compared."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from runners.local.service import free_ports
from scripts.control_plane.binaries import missing, program
from scripts.control_plane.kube import Kube, KubeFault, Object
from scripts.control_plane.plane import ControlPlane
from scripts.control_plane.servers import Ports
from scripts.faulting.topics import configure_topic
from scripts.sampling.produce import TOPICS
from scripts.topic_messages import read_messages
from tests.system.world import CHECKOUT, Process, World
from transforms.model.identity import make_rid
from transforms.model.kinds import KIND_OF_TOKEN, KINDS

CHART = CHECKOUT / "deploy" / "helm" / "graph-agent"
IMAGE = "graph-agent:"
FAKETIME = os.environ.get("LIBFAKETIME", "")
CUSTOM = "networking.istio.io"
# On a machine that is busy with others' work, give it more: what is late there is not wrong.
WITHIN_S = float(os.environ.get("LAB_WITHIN_S", "10"))
_SYSTEM = ("kube-", "default")
_DECLARED = {(kind.name, group) for kind in KINDS for group in kind.groups if kind.name != "Endpoints"}
_READ = KIND_OF_TOKEN.keys() - {"endpoints"}
_NODES = (
    "MATCH (n:Resource {client_id: $id}) RETURN n.rid AS rid, n.uid AS uid, n.labels AS labels, n.node AS node, n.owners AS owners, "
    "n.phase AS phase, coalesce(n.stub, false) AS stub"
)
_EDGES = (
    "MATCH (a:Resource {client_id: $id})-[r:SELECTS|RUNS_ON|CONTROLS]->(b:Resource {client_id: $id}) "
    "WHERE (type(r) = 'RUNS_ON' OR type(r) = 'CONTROLS' OR a:Service) RETURN type(r) AS type, a.rid AS a, b.rid AS b"
)
Fact = tuple[Any, ...]


@pytest.fixture(scope="session")
def plane(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane whose kubelet runs the agent's containers as processes."""
    if not request.config.getoption("--lab"):
        pytest.skip("a control plane and agents take minutes: run scripts/test --lab")
    if missing():
        pytest.fail(f"{', '.join(missing())} are not built: run scripts/lab build")
    folder = tmp_path_factory.mktemp("plane")
    plane = ControlPlane(folder, Ports(*free_ports(5)), images=(IMAGE,), environment=clock_variables(folder))
    try:
        plane.up()
        yield plane
    finally:
        plane.down()


@pytest.fixture
def kube(plane: ControlPlane) -> Iterator[Kube]:
    """An administrator of a cluster without workloads."""
    kube = plane.kube()
    empty(kube)
    yield kube
    kube.close()


def empty(kube: Kube) -> None:
    """Delete all but what belongs to Kubernetes itself."""
    for one in kube.objects("/apis/apiextensions.k8s.io/v1/customresourcedefinitions"):
        kube.delete(kube.path({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", **one}), missing_ok=True)
    mine = [one["metadata"]["name"] for one in kube.objects("/api/v1/namespaces") if not one["metadata"]["name"].startswith(_SYSTEM)]
    for name in mine:
        kube.delete(f"/api/v1/namespaces/{name}", missing_ok=True)
    await_true(lambda: not {*mine} & {one["metadata"]["name"] for one in kube.objects("/api/v1/namespaces")}, 180)
    for kind in ("clusterroles", "clusterrolebindings"):
        base = f"/apis/rbac.authorization.k8s.io/v1/{kind}"
        for one in kube.objects(base, labelSelector="app.kubernetes.io/managed-by=Helm"):
            kube.delete(f"{base}/{one['metadata']['name']}", missing_ok=True)


@pytest.fixture
def brokers(world: World) -> str:
    """Kafka, with topics that keep the broker's time, as docs/agent.md asks for it."""
    for topic in TOPICS:
        configure_topic(world.brokers, topic, **{"message.timestamp.type": "LogAppendTime"})
    return world.brokers


class Job:
    """The job that follows; begun again where it ended, as a Deployment would."""

    def __init__(self, world: World, log: Path) -> None:
        self._world, self.log = world, log
        self._process = self._begun()

    def _begun(self) -> Process:
        flags = ("--runner=DirectRunner", "--kafka_reader=bounded", "--follow", "--every_s=1")
        with self.log.open("a") as log:
            return self._world.open("pipelines.graph_build", flags, {}, log)

    def ensure(self) -> None:
        if self._process.poll() is not None:
            self._process = self._begun()

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=120)


@contextmanager
def job(world: World, log: Path) -> Iterator[Job]:
    found = Job(world, log)
    try:
        yield found
    finally:
        found.stop()


def helm(plane: ControlPlane, *arguments: str, expect: int = 0) -> str:
    """What Helm prints; it speaks to the control plane as its administrator."""
    command = [program("helm"), *arguments, "--kubeconfig", str(plane.kubeconfig())]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == expect, done.stderr
    return done.stdout


def install(plane: ControlPlane, brokers: str, client_id: str, *settings: str) -> str:
    """Install the agent's chart with two values, and those that a test needs; the namespace, once the agents are ready."""
    namespace = f"agent-{client_id}"
    values = (f"client.id={client_id}", f"kafka.brokers={brokers}", *settings)
    flags = [word for value in values for word in ("--set", value)]
    helm(plane, "install", "graph-agent", str(CHART), "--namespace", namespace, "--create-namespace", "--wait", "--timeout", "180s", *flags)
    return namespace


def uninstall(plane: ControlPlane, kube: Kube, namespace: str, *flags: str) -> None:
    helm(plane, "uninstall", "graph-agent", "--namespace", namespace, "--wait", "--timeout", "180s", *flags)
    kube.delete(f"/api/v1/namespaces/{namespace}")


def said_by_agents(plane: ControlPlane) -> str:
    """The logs of all agents that ran, for a failure's message."""
    return "\n".join(f"{log}\n{log.read_text()[-3000:]}" for log in plane.kubelet.process.folder.glob("pods/*/server.log"))


# What the API server says


def objects_of(kube: Kube) -> list[Object]:
    """Every object that an agent with default values, and with the custom kinds of `CUSTOM`, is to read."""
    found = []
    groups = {"": "v1"} | {one["name"]: one["preferredVersion"]["groupVersion"] for one in kube.ask("GET", "/apis")["groups"]}
    for group, version in groups.items():
        base = f"/apis/{version}" if group else f"/api/{version}"
        for one in _resources(kube, base):
            is_read = (one["kind"], group) in _DECLARED or group == CUSTOM
            if "/" not in one["name"] and {"list", "watch"} <= {*one["verbs"]} and is_read:
                found += [{**each, "apiVersion": version, "kind": one["kind"]} for each in kube.objects(f"{base}/{one['name']}")]
    return found


def _resources(kube: Kube, base: str) -> list[dict[str, Any]]:
    try:
        return list(kube.ask("GET", base)["resources"])
    except KubeFault as fault:
        # A group goes with its last kind.
        if fault.status != 404:
            raise
        return []


def rid_of(one: Object) -> str:
    metadata = one["metadata"]
    return str(make_rid(one["kind"], metadata.get("namespace", ""), metadata["name"], one["apiVersion"]))


def nodes_of(objects: list[Object]) -> dict[str, Fact]:
    found = {}
    for one in objects:
        metadata, spec = one["metadata"], one.get("spec") or {}
        labels = sorted(f"{name}={value}" for name, value in (metadata.get("labels") or {}).items()) or None
        owners = sorted(f"{owner['kind']}/{owner['name']}" for owner in metadata.get("ownerReferences") or ()) or None
        phase = (one.get("status") or {}).get("phase")
        found[rid_of(one)] = (metadata["uid"], labels, spec.get("nodeName"), owners, phase, False)
    return found


def edges_of(objects: list[Object]) -> set[tuple[str, str, str]]:
    """Where Pods run, what owns what, and the Pods of Services."""
    found = set()
    by_uid = {one["metadata"]["uid"]: rid_of(one) for one in objects}
    pods = [one for one in objects if one["kind"] == "Pod"]
    for one in objects:
        metadata = one["metadata"]
        owners = [by_uid[owner["uid"]] for owner in metadata.get("ownerReferences") or () if owner["uid"] in by_uid]
        found |= {("CONTROLS", owner, rid_of(one)) for owner in owners}
        if one["kind"] == "Service":
            selector = one["spec"].get("selector") or {}
            mine = [pod for pod in pods if pod["metadata"]["namespace"] == metadata["namespace"]]
            chosen = [pod for pod in mine if selector and selector.items() <= (pod["metadata"].get("labels") or {}).items()]
            found |= {("SELECTS", rid_of(one), rid_of(pod)) for pod in chosen}
    return found | {("RUNS_ON", rid_of(pod), f"node::{pod['spec']['nodeName']}") for pod in pods if pod["spec"].get("nodeName")}


# What the graph says


def differences(world: World, kube: Kube, *client_ids: str) -> list[str]:
    """By what the graph of each tenant differs from the cluster; nothing where they are equal."""
    objects = objects_of(kube)
    nodes, edges = nodes_of(objects), edges_of(objects)
    found = []
    for client_id in client_ids:
        rows = world.cypher(_NODES, id=client_id)
        held = {row.pop("rid"): tuple(row.values()) for row in rows if not _is_of_an_event_alone(row)}
        found += [
            f"{client_id} {rid}: {nodes.get(rid)} in the cluster, {held.get(rid)} in the graph"
            for rid in nodes.keys() | held.keys()
            if nodes.get(rid) != held.get(rid)
        ]
        drawn = {(row["type"], row["a"], row["b"]) for row in world.cypher(_EDGES, id=client_id)}
        found += [f"{client_id} {edge} is not in the graph" for edge in edges - drawn]
        found += [f"{client_id} {edge} is not in the cluster" for edge in drawn - edges]
    return found


def _is_of_an_event_alone(row: dict[str, Any]) -> bool:
    """Whether the node is the subject of an Event, of a kind that nobody reads: all that can be known of it."""
    token = row["rid"].partition(":")[0]
    return bool(row["stub"]) and token not in _READ and not token.endswith(CUSTOM)


def settled(world: World, kube: Kube, *client_ids: str, within_s: float = WITHIN_S) -> float:
    """Return once the graphs are what the cluster is, and after how many seconds."""
    began = time.monotonic()
    while found := differences(world, kube, *client_ids):
        assert time.monotonic() - began < within_s, f"{len(found)} differences after {within_s:.0f} s:\n" + "\n".join(sorted(found)[:40])
        time.sleep(0.2)
    return time.monotonic() - began


def await_true(done: Callable[[], bool], within_s: float = 60.0) -> None:
    until = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < until, f"not so after {within_s:.0f} s"
        time.sleep(0.1)


def bytes_on(brokers: str) -> Iterator[tuple[str, bytes]]:
    """Every key, value and header of every topic, as (topic, bytes)."""
    for message in read_messages(brokers):
        headers = b"".join(name.encode() + (value or b"") for name, value in message.headers() or ())
        yield str(message.topic()), (message.key() or b"") + b"\0" + (message.value() or b"") + b"\0" + headers


def leaked(brokers: str, *planted: str) -> list[str]:
    """The topics on which one of the texts is to be seen, as it is or in base64."""
    forms = [form for text in planted for form in (text.encode(), base64.b64encode(text.encode()).rstrip(b"=")[:-2])]
    return sorted({topic for topic, data in bytes_on(brokers) if any(form in data for form in forms)})


def holder(kube: Kube, namespace: str) -> str:
    """The Pod that writes; "" where none does."""
    try:
        lease = kube.ask("GET", f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/graph-agent")
    except KubeFault as fault:
        if fault.status != 404:
            raise
        return ""
    return str(lease["spec"].get("holderIdentity") or "")


def agent_pids(plane: ControlPlane, kube: Kube, namespace: str) -> dict[str, int]:
    """The agents' processes, by the names of their Pods."""
    selector = "app.kubernetes.io/component=agent"
    found = {}
    for pod in kube.objects(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector):
        path = plane.kubelet.process.folder / "pods" / pod["metadata"]["uid"] / "process.json"
        if path.exists():
            found[pod["metadata"]["name"]] = int(json.loads(path.read_text())["pid"])
    return found


def writer(plane: ControlPlane, kube: Kube, namespace: str) -> int:
    """The process of the agent that writes, as its metrics tell."""
    found = {}
    for pod in kube.objects(f"/api/v1/namespaces/{namespace}/pods", labelSelector="app.kubernetes.io/component=agent"):
        url = f"http://{pod['status'].get('podIP')}:9465/metrics"
        if httpx2.get(url, timeout=10, trust_env=False).text.count("graph_agent_leader 1.0"):
            found[pod["metadata"]["name"]] = url
    (name,) = found
    return agent_pids(plane, kube, namespace)[name]


def set_clock(plane: ControlPlane, seconds: int) -> None:
    """Let the clock of the agents jump, by so many seconds from the true time; monotonic time goes on."""
    if not FAKETIME:
        pytest.skip("libfaketime is not here: set LIBFAKETIME to its libfaketimeMT.so.1 (Debian: libfaketime)")
    _clock(plane.folder).write_text(f"{seconds:+d}\n")


def _clock(folder: Path) -> Path:
    return folder / "clock"


def clock_variables(folder: Path) -> dict[str, str]:
    """What makes a process go by the lab's clock; nothing where there is no libfaketime."""
    if not FAKETIME:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    _clock(folder).write_text("+0\n")
    more = {"FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    return {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(_clock(folder)), **more}


def rss_mib(pid: int) -> float:
    """The most memory that a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
