"""What one kind's writer puts on the topic, against a real HTTP server and Kafka in memory."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from pipelines.agent.kind_writer import CLOCK_MARGIN_MS, KindWriter
from pipelines.agent.monitor import AgentMonitor
from pipelines.agent.place import Place
from tests.support.api_server import Answer, ApiServer, Broken, Pause, bookmark, status
from tests.support.memory_topics import MemoryTopics
from tests.support.places import SHARED
from transforms.io.cluster.api import ApiFault
from transforms.io.cluster.discovery import Collection
from transforms.io.cluster.stream import ObjectStream
from transforms.records.agent.markers import moment
from transforms.records.manifests import entry_of
from transforms.records.topic_names import RESOURCES

PODS = Collection("Pod", "v1", "/api/v1/pods", "pods")
SECRETS = Collection("Secret", "v1", "/api/v1/secrets", "secrets")
RECORDED = SHARED / "data" / "recorded" / "watch"
SNAPSHOT_KEY = "af-10::snapshot:pod"


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


class Bench:
    """A writer with all that it needs."""

    def __init__(self, server: ApiServer, of: Collection = PODS) -> None:
        self.stop = threading.Event()
        self.topics = MemoryTopics()
        stream = ObjectStream(server.client(), of, self.stop, 1.0)
        self.monitor = AgentMonitor()
        self.writer = KindWriter(of, stream, Place("af-10", self.topics), self.monitor, threading.Semaphore(1), self.stop)

    def run_until(self, done: Callable[[], bool]) -> None:
        thread = threading.Thread(target=self.writer.run, daemon=True)
        thread.start()
        until = time.monotonic() + 20
        while not done() and time.monotonic() < until:
            time.sleep(0.01)
        self.stop.set()
        thread.join(10)
        assert done()

    def keys(self) -> list[str]:
        return self.topics.keys(RESOURCES)

    def ends(self) -> list[Any]:
        return [one.body for one in self.topics.of(RESOURCES, "SNAPSHOT_END")]


def pod(name: str, version: int = 1, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, **more}


def added(name: str, version: int = 1, kind: str = "ADDED", **more: Any) -> dict[str, Any]:
    return {"type": kind, "object": pod(name, version, **more)}


def test_a_report_begins_and_ends_around_all_objects_by_the_brokers_clock(server: ApiServer) -> None:
    server.play(PODS.path, [added("a"), added("b"), bookmark(9, is_end=True), Pause(5)])
    bench = Bench(server)
    assert bench.writer.write_all()
    assert bench.keys() == [SNAPSHOT_KEY, "af-10::pod:shop:a", "af-10::pod:shop:b", SNAPSHOT_KEY]
    begin, *_, end = bench.topics.records
    assert begin.body["op"] == "SNAPSHOT_BEGIN"
    assert end.body["began"] == end.body["at"] == moment(begin.at_ms - CLOCK_MARGIN_MS)
    assert bench.writer.alive() == [entry_of("pod:shop:a", "uid-a"), entry_of("pod:shop:b", "uid-b")]


def test_no_end_is_written_before_kafka_has_every_object(server: ApiServer) -> None:
    server.play(PODS.path, [added("a"), bookmark(9, is_end=True), Pause(5)])
    bench = Bench(server)
    written = threading.Thread(target=bench.writer.write_all, daemon=True)
    bench.topics.late = frozenset({"af-10::pod:shop:a"})
    written.start()
    time.sleep(0.4)
    assert bench.keys() == [SNAPSHOT_KEY, "af-10::pod:shop:a"]
    bench.topics.acknowledge()
    written.join(10)
    assert bench.ends()


def test_no_end_is_written_where_kafka_refuses_an_object_the_list_fails_or_an_object_is_none(server: ApiServer) -> None:
    server.play(
        PODS.path,
        [added("a"), bookmark(9, is_end=True)],
        [added("a"), Broken()],
        [{"type": "ADDED", "object": {}}, bookmark(9, is_end=True)],
    )
    bench = Bench(server)
    bench.topics.refuses = frozenset({"af-10::pod:shop:a"})
    assert not bench.writer.write_all()
    with pytest.raises(ApiFault):
        bench.writer.write_all()
    bench.topics.refuses = frozenset()
    assert not bench.writer.write_all()
    assert not bench.ends()
    assert bench.writer.alive() is None


def test_changes_are_written_as_they_come_and_what_is_gone_is_a_tombstone(server: ApiServer) -> None:
    then = [added("b", 10), added("a", 11, "MODIFIED", status={"phase": "Running"}), added("a", 12, "DELETED"), Pause(5)]
    server.play(PODS.path, [added("a"), bookmark(9, is_end=True), *then])
    bench = Bench(server)
    bench.run_until(lambda: len(bench.topics.records) == 6)
    changes = [(one.key, one.value is None) for one in bench.topics.records[3:]]
    assert changes == [("af-10::pod:shop:b", False), ("af-10::pod:shop:a", False), ("af-10::pod:shop:a", True)]


def test_a_change_that_tells_of_nothing_the_job_reads_is_not_written(server: ApiServer) -> None:
    quiet = added("a", 10, "MODIFIED")
    quiet["object"]["metadata"]["annotations"] = {"touched": "yes"}
    server.play(PODS.path, [added("a"), bookmark(9, is_end=True), quiet, added("b", 11), Pause(5)])
    bench = Bench(server)
    bench.run_until(lambda: bench.keys().count("af-10::pod:shop:b") == 1)
    assert bench.keys().count("af-10::pod:shop:a") == 1
    assert bench.monitor.registry.get_sample_value("graph_agent_unchanged_total", {"kind": "Pod"}) == 1


def test_after_410_everything_is_told_anew_and_what_went_meanwhile_is_a_tombstone(server: ApiServer) -> None:
    server.play(
        PODS.path,
        [added("a"), added("b"), bookmark(9, is_end=True)],
        Answer(status(410, "too old"), 410),
        [added("b"), bookmark(30, is_end=True), Pause(5)],
    )
    bench = Bench(server)
    bench.run_until(lambda: len(bench.ends()) == 2)
    again = bench.topics.records[4:]
    assert [(one.key, one.value is None) for one in again] == [
        (SNAPSHOT_KEY, False),
        ("af-10::pod:shop:b", False),
        ("af-10::pod:shop:a", True),
        (SNAPSHOT_KEY, False),
    ]


def test_an_object_made_anew_under_its_name_keeps_its_place_in_the_order(server: ApiServer) -> None:
    second = added("a", 12)
    second["object"]["metadata"]["uid"] = "second"
    server.play(PODS.path, [added("a"), bookmark(9, is_end=True), added("a", 11, "DELETED"), second, Pause(5)])
    bench = Bench(server)
    bench.run_until(lambda: len(bench.topics.records) == 5)
    _, _, _, gone, made = bench.topics.records
    assert gone.value is None
    assert made.body["metadata"]["uid"] == "second"
    assert gone.at_ms < made.at_ms


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded watch streams are not here")
@pytest.mark.parametrize("name", ["pods", "secrets"])
def test_recorded_streams_leave_the_objects_that_the_api_server_left(server: ApiServer, name: str) -> None:
    of = PODS if name == "pods" else SECRETS
    with gzip.open(RECORDED / f"{name}.jsonl.gz") as stream:
        lines = [line.rstrip(b"\n") for line in stream]
    alive: dict[str, str] = {}
    for line in lines:
        change = msgspec.json.decode(line)
        metadata = change["object"]["metadata"]
        if change["type"] != "BOOKMARK":
            alive[f"{metadata['namespace']}:{metadata['name']}"] = "" if change["type"] == "DELETED" else metadata["uid"]
    server.play(of.path, [*lines, Pause(30)])
    bench = Bench(server, of)
    bench.run_until(lambda: bench.stop.is_set() or _left(bench, of.token) == {key: uid for key, uid in alive.items() if uid})
    assert not [one for one in bench.topics.records if one.value and b"s3cr3t" in one.value]


def _left(bench: Bench, token: str) -> dict[str, str]:
    last = {one.key.removeprefix(f"af-10::{token}:"): one for one in list(bench.topics.records) if one.key.startswith(f"af-10::{token}:")}
    return {key: one.body["metadata"]["uid"] for key, one in last.items() if one.value}
