"""Agents, the job and the graph together: what the graph holds is what the API servers say, object by object."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from scripts.faulting.topics import configure_topic
from scripts.sampling.produce import TOPICS
from scripts.topic_messages import read_messages
from tests.support.cluster import Cluster
from tests.system.world import CHECKOUT, World
from transforms.model.identity import make_rid
from transforms.records.topic_names import EVENTS, HEARTBEATS, REGISTRY, RESOURCES

pytestmark = pytest.mark.usefixtures("_lab_alone")
SECRET = "hunter2-never-on-a-topic"
WITHIN_S = 240.0
LIVE = (
    "MATCH (n:Resource {client_id: $id}) WHERE NOT coalesce(n.stub, false) "
    "RETURN n.rid AS rid, n.uid AS uid, n.labels AS labels, n.node AS node, n.owners AS owners, n.phase AS phase"
)
STUBS = "MATCH (n:Resource {client_id: $id}) WHERE n.stub RETURN n.rid AS rid"
SELECTED = "MATCH (:Service {client_id: $id})-[:SELECTS]->(p:Pod) RETURN p.rid AS rid ORDER BY rid"


@pytest.fixture
def _lab_alone(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--lab"):
        pytest.skip("agents, job and graph together take ten minutes and more: run with --lab")


def settled(done: Callable[[], bool], seconds: float = WITHIN_S) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "not so in time"
        time.sleep(0.2)


class Agent:
    """An agent process."""

    def __init__(self, world: World, cluster: Cluster, client_id: str, folder: Path, *flags: str) -> None:
        self.log = folder / f"{client_id}-{time.monotonic_ns()}.log"
        arguments = ("--client_id", client_id, "--kafka_brokers", world.brokers, "--kubeconfig", cluster.kubeconfig(folder), *flags)
        command = [sys.executable, "-m", "pipelines.agent", "run", "--heartbeat_s=5", *arguments]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=CHECKOUT, env=world.environment(), stdout=log, stderr=log)

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def resident_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def job(world: World) -> Iterator[None]:
    process = world.start_job("--follow", "--every_s=1")
    try:
        yield
    finally:
        process.terminate()
        process.communicate(timeout=120)


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    for topic in TOPICS:
        configure_topic(world.brokers, topic, **{"message.timestamp.type": "LogAppendTime"})
    return tmp_path


def filled(cluster: Cluster, tag: str) -> None:
    cluster.put("Namespace", "shop", "", status={"phase": "Active"})
    cluster.put("Node", "node-1", "")
    owner = cluster.put("ReplicaSet", f"web-{tag}")["metadata"]["uid"]
    for number in range(3):
        pod(cluster, f"web-{tag}-{number}", owner=(f"web-{tag}", owner))
    cluster.put("Service", "web", spec={"selector": {"app": "web"}, "clusterIPs": ["10.0.0.1"]})
    cluster.put("Secret", "db", data={"password": SECRET}, type="Opaque", metadata={"annotations": {"a": SECRET}})
    cluster.put("Deployment", "web", spec={"replicas": 3}, status={"readyReplicas": 3})
    cluster.put("Gateway", "public", spec={"servers": []})


def pod(cluster: Cluster, name: str, phase: str = "Running", owner: tuple[str, str] | None = None) -> None:
    references = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner[0], "uid": owner[1]}] if owner else []
    container = {"name": "web", "image": "web:1", "env": [{"name": "TOKEN", "value": SECRET}], "args": [SECRET]}
    metadata = {"labels": {"app": "web"}, "ownerReferences": references}
    cluster.put("Pod", name, metadata=metadata, spec={"nodeName": "node-1", "containers": [container]}, status={"phase": phase})


def expected(cluster: Cluster) -> dict[str, tuple[Any, ...]]:
    """What the API server says of every object but Events."""
    found = {}
    for one in cluster.objects():
        metadata, spec = one["metadata"], one.get("spec") or {}
        if one["kind"] != "Event":
            rid = str(make_rid(one["kind"], metadata.get("namespace", ""), metadata["name"], one["apiVersion"]))
            labels = sorted(f"{name}={value}" for name, value in (metadata.get("labels") or {}).items()) or None
            owners = sorted(f"{owner['kind']}/{owner['name']}" for owner in metadata.get("ownerReferences") or ()) or None
            phase = (one.get("status") or {}).get("phase")
            found[rid] = (metadata["uid"], labels, spec.get("nodeName"), owners, phase)
    return found


def held(world: World, client_id: str) -> dict[str, tuple[Any, ...]]:
    rows = world.cypher(LIVE, id=client_id)
    return {row["rid"]: (row["uid"], row["labels"], row["node"], row["owners"], row["phase"]) for row in rows}


def is_equal(world: World, cluster: Cluster, client_id: str) -> bool:
    pods = sorted(f"pod:shop:{one['metadata']['name']}" for one in cluster.objects("Pod"))
    return (
        held(world, client_id) == expected(cluster)
        and not world.cypher(STUBS, id=client_id)
        and [row["rid"] for row in world.cypher(SELECTED, id=client_id)] == pods
    )


def test_the_promise_three_clusters_install_an_agent_each_and_one_job_keeps_three_graphs(world: World, folder: Path) -> None:
    names = ("af-10", "af-11", "af-12")
    with ExitStack() as held_open:
        clusters = {name: held_open.enter_context(Cluster(streams=name != "af-12")) for name in names}
        for name, cluster in clusters.items():
            filled(cluster, name)
        flags = ("--manifest_s=2", "--custom_kinds=gateways.networking.istio.io", "--lease=graph-agent", "--lease_namespace=agents")
        agents = {name: Agent(world, cluster, name, folder, *flags) for name, cluster in clusters.items()}
        for agent in agents.values():
            held_open.callback(agent.stop, signal.SIGKILL)
        held_open.enter_context(job(world))
        settled(lambda: all(is_equal(world, clusters[name], name) for name in names))

        crossing = world.cypher("MATCH (a)--(b) WHERE a.client_id <> b.client_id RETURN count(*) AS n")
        assert crossing[0]["n"] == 0
        for name, cluster in clusters.items():
            cluster.delete("Pod", f"web-{name}-0")
            pod(cluster, "another", "Pending")
        settled(lambda: all(is_equal(world, clusters[name], name) for name in names))

        uninstall = ("--yes", "--client_id", "af-11", "--kafka_brokers", world.brokers, "--lease=graph-agent", "--lease_namespace=agents")
        world.run("pipelines.agent", "deregister", *uninstall, "--kubeconfig", clusters["af-11"].kubeconfig(folder))
        assert agents["af-11"].stop() == 0
        gone = "MATCH (c:Cluster {client_id: 'af-11'}) WHERE c.deregistered_at IS NOT NULL RETURN c.client_id AS id"
        settled(lambda: bool(world.cypher(gone)))
        time.sleep(3)
        world.run("pipelines.tenants", "reap", "--yes")
        assert held(world, "af-11") == {}
        assert all(is_equal(world, clusters[name], name) for name in ("af-10", "af-12"))

        for name in ("af-10", "af-12"):
            assert agents[name].stop() == 0
    assert not world.deadletters()
    for message in read_messages(world.brokers, RESOURCES, EVENTS, REGISTRY, HEARTBEATS):
        assert SECRET.encode() not in (message.key() or b"") + (message.value() or b""), (message.topic(), message.key())


def test_faults_of_the_api_server_and_of_the_agent_leave_the_graph_as_the_cluster_is(world: World, folder: Path) -> None:
    with Cluster() as cluster, ExitStack() as held_open:
        filled(cluster, "a")
        agent = Agent(world, cluster, "af-10", folder, "--manifest_s=2", "--custom_kinds=gateways.networking.istio.io")
        held_open.callback(lambda: agent.stop(signal.SIGKILL))
        held_open.enter_context(job(world))
        settled(lambda: is_equal(world, cluster, "af-10"))

        cluster.break_watches()
        pod(cluster, "after-a-break")
        settled(lambda: is_equal(world, cluster, "af-10"))

        cluster.delete("Pod", "after-a-break")
        pod(cluster, "before-a-compaction")
        cluster.compact()
        cluster.put("Deployment", "web", spec={"replicas": 5})
        settled(lambda: is_equal(world, cluster, "af-10"))

        cluster.go_down()
        time.sleep(2)
        cluster.come_back()
        cluster.delete("Pod", "web-a-1")
        settled(lambda: is_equal(world, cluster, "af-10"))

        assert agent.stop(signal.SIGKILL) == -signal.SIGKILL
        cluster.delete("Pod", "web-a-2")
        cluster.delete("Secret", "db")
        cluster.put("Secret", "db", data={"password": SECRET + "-rotated"}, type="Opaque")
        agent = Agent(world, cluster, "af-10", folder, "--custom_kinds=gateways.networking.istio.io")
        settled(lambda: is_equal(world, cluster, "af-10"))
        assert agent.stop() == 0
    assert not world.deadletters()


def test_a_second_replica_takes_over_and_nothing_is_told_twice_at_once(world: World, folder: Path) -> None:
    with Cluster() as cluster, ExitStack() as held_open:
        filled(cluster, "a")
        flags = ("--custom_kinds=gateways.networking.istio.io", "--lease=graph-agent", "--lease_namespace=agents")
        first = Agent(world, cluster, "af-10", folder, *flags)
        held_open.callback(first.stop, signal.SIGKILL)
        settled(lambda: bool(cluster.holder()))
        leader = cluster.holder()
        second = Agent(world, cluster, "af-10", folder, *flags)
        held_open.callback(second.stop, signal.SIGKILL)
        held_open.enter_context(job(world))
        settled(lambda: is_equal(world, cluster, "af-10"))
        assert cluster.holder() == leader

        killed_at = time.monotonic()
        first.stop(signal.SIGKILL)
        cluster.delete("Pod", "web-a-0")
        settled(lambda: cluster.holder() != leader, 20)
        took_s = time.monotonic() - killed_at
        settled(lambda: is_equal(world, cluster, "af-10"))
        assert took_s <= 15
        assert second.stop() == 0
        assert cluster.holder() == ""


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "in-pages"])
def test_an_agent_stays_small_over_a_cold_start_with_10_000_objects(world: World, folder: Path, *, streams: bool) -> None:
    with Cluster(streams=streams) as cluster:
        padding = {"annotations": {"a": "x" * 4000}, "managedFields": [{"fieldsV1": {"f": "y" * 3000}}]}
        for number in range(10_000):
            status = {"phase": "Running", "conditions": [{"type": "Ready", "message": "z" * 500}]}
            container = {"name": "web", "image": "web:1", "env": [{"name": "A", "value": "b" * 500}]}
            cluster.put("Pod", f"p-{number}", metadata=padding, spec={"nodeName": "n", "containers": [container]}, status=status)
        agent = Agent(world, cluster, "af-10", folder, "--metrics_port=0")
        try:
            settled(lambda: len(world.read_topic(RESOURCES)) >= 10_002, 120)
            peak = agent.resident_mib()
            assert agent.stop() == 0
        finally:
            agent.stop(signal.SIGKILL)
        print(f"peak resident memory with 10,000 objects of 9 KB: {peak:.0f} MiB")  # noqa: T201 - a measurement
        assert peak <= 120
