"""A whole session against a cluster that changes, and Kafka in memory: registration, heartbeats, manifests, new kinds, one pass."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pipelines.agent.kind_writer import CLOCK_MARGIN_MS
from pipelines.agent.monitor import AgentMonitor
from pipelines.agent.place import Place
from pipelines.agent.session import Session, Work
from tests.support.cluster import Cluster
from tests.support.memory_topics import MemoryTopics
from transforms.io.cluster.api import ApiClient
from transforms.io.cluster.target import ClusterTarget
from transforms.records.agent.markers import moment
from transforms.records.manifests import entry_of
from transforms.records.topic_names import EVENTS, HEARTBEATS, REGISTRY, RESOURCES

WORK = Work(frozenset(), (), events=True, prometheus_url="", manifest_s=1.0, heartbeat_s=0.5, silence_s=5.0)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        yield cluster


@pytest.fixture
def api(cluster: Cluster) -> Iterator[ApiClient]:
    api = ApiClient(ClusterTarget(f"http://127.0.0.1:{cluster.port}"), "test", 2.0)
    yield api
    api.close()


def settled(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_session_registers_beats_follows_and_says_what_is_alive(cluster: Cluster, api: ApiClient) -> None:
    uid = cluster.put("Pod", "a")["metadata"]["uid"]
    cluster.put("Event", "e1", message="Started", involvedObject={"kind": "Pod", "name": "a"})
    topics, monitor = MemoryTopics(), AgentMonitor()
    session = Session(api, WORK, Place("af-10", topics), monitor)
    session.start()
    settled(lambda: "af-10::pod:shop:a" in topics.keys(RESOURCES))
    cluster.put("Secret", "s", data={"k": "v"})
    cluster.put("Event", "e2", message="Killing", involvedObject={"kind": "Pod", "name": "a"})
    settled(lambda: len(topics.keys(EVENTS)) == 2 and "af-10::secret:shop:s" in topics.keys(RESOURCES))
    settled(lambda: any(one.body["kind"] == "Pod" and one.body["alive"] for one in topics.of(RESOURCES, "MANIFEST")))
    settled(lambda: len(topics.keys(HEARTBEATS)) >= 2)
    session.end()
    assert topics.keys(REGISTRY) == ["af-10"]
    assert set(topics.keys(HEARTBEATS)) == {"af-10"}
    manifest = next(one for one in topics.of(RESOURCES, "MANIFEST") if one.body["kind"] == "Pod")
    assert manifest.key == "af-10::manifest:pod"
    assert manifest.body["alive"] == entry_of("pod:shop:a", uid).hex()
    assert manifest.body["at"] < moment(manifest.at_ms - CLOCK_MARGIN_MS)
    assert monitor.health()[0]
    assert not session.fault


def test_no_heartbeat_is_written_and_no_manifest_of_what_is_not_known_while_the_api_server_is_away(
    cluster: Cluster, api: ApiClient
) -> None:
    topics = MemoryTopics()
    session = Session(api, WORK, Place("af-10", topics), AgentMonitor())
    session.start()
    settled(lambda: len(topics.keys(HEARTBEATS)) >= 1)
    cluster.go_down()
    time.sleep(1.5)
    beats = len(topics.keys(HEARTBEATS))
    time.sleep(1.5)
    assert len(topics.keys(HEARTBEATS)) == beats
    cluster.come_back()
    settled(lambda: len(topics.keys(HEARTBEATS)) > beats)
    session.end()


def test_events_are_written_once_though_they_are_read_again(cluster: Cluster, api: ApiClient) -> None:
    about = {"kind": "Pod", "name": "a"}
    cluster.put("Event", "e1", message="Started", involvedObject=about)
    cluster.put("Event", "e2", message="Pulled", involvedObject=about)
    topics, monitor = MemoryTopics(), AgentMonitor()
    session = Session(api, WORK, Place("af-10", topics), monitor)
    session.start()
    settled(lambda: len(topics.keys(EVENTS)) == 2)
    cluster.delete("Event", "e2")
    cluster.compact()
    cluster.put("Event", "e1", message="Started again", involvedObject=about)
    cluster.put("Event", "e3", message="Killing", involvedObject=about)
    settled(lambda: len(topics.keys(EVENTS)) == 4)
    session.end()
    assert monitor.lists.labels("Event")._value.get() == 2
    assert len({one.value for one in topics.records if one.topic == EVENTS}) == 4


def test_one_pass_writes_everything_and_ends_each_report(cluster: Cluster, api: ApiClient) -> None:
    for number in range(120):
        cluster.put("Pod", f"p-{number}")
    cluster.streams = False
    topics = MemoryTopics()
    assert Session(api, WORK, Place("af-10", topics, per_cluster=True), AgentMonitor()).once()
    resources = f"af-10.{RESOURCES}"
    assert sum(key.startswith("af-10::pod:shop:p-") for key in topics.keys(resources)) == 120
    ends = {one.body["kind"] for one in topics.of(resources, "SNAPSHOT_END")}
    assert ends == {"Pod", "Node", "Namespace", "Service", "Secret", "ConfigMap", "Deployment", "ReplicaSet"}
    assert threading.active_count() < 50


def test_one_pass_that_kafka_refuses_in_part_fails(cluster: Cluster, api: ApiClient) -> None:
    cluster.put("Pod", "a")
    topics = MemoryTopics()
    topics.refuses = frozenset({"af-10::pod:shop:a"})
    assert not Session(api, WORK, Place("af-10", topics), AgentMonitor()).once()
