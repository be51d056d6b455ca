"""The job on a real Flink cluster: the same graph as in batches, whatever is killed, and behind it the committed offsets."""

import json
from collections import Counter
from collections.abc import Callable

import psutil
import pytest

from scripts.faulting.kills import kill_server
from scripts.faulting.topics import make_topic
from scripts.sampling.record import RESOURCES, SampleRecord, json_bytes
from scripts.sampling.stream import sample_stream
from tests.support.in_memory import expected_digests
from tests.support.patience import is_long
from tests.system.flink_world import FlinkWorld
from tests.system.streaming import Stream, halves
from tests.system.world import World, locked

ALL_S = 180.0
REGISTERED = "2026-03-01T08:00:00Z"
# `scripts/test tests/system/test_flink.py --long`: each kill five times.
ROUNDS = 5 if is_long() else 1


_WAITS = "SHOW TRANSACTIONS YIELD status, currentQuery WHERE status STARTS WITH 'Blocked' RETURN count(*) AS n, currentQuery LIMIT 1"


def sample(clusters: int = 2, poison_classes: int = 20, seed: int = 3) -> list[SampleRecord]:
    return sample_stream(clusters=clusters, resyncs=3, seed=seed, poison_classes=poison_classes).records


def letters(world: World) -> Counter[tuple[str, str]]:
    return Counter((one["client_id"] or "", one["reason"]) for one in world.deadletters())


def test_the_graph_and_the_letters_are_those_of_a_batch_run_and_each_record_is_counted_once(world: World, flink: FlinkWorld) -> None:
    records = sample()
    world.produce(records)
    with Stream(world, flink) as stream:
        stream.await_done(len(records))
        stream.await_that(lambda: stream.metric("graph_records_total") >= len(records), "all records are counted")
        # The watch looks at the topics' ends at its own pace.
        stream.await_that(lambda: stream.metric("graph_lag_offsets") == 0, "the lag is told to be none")
        stream.await_that(lambda: stream.metric("graph_batches_total") > 0, "batches are counted")
        stream.await_graphs(expected_digests(records))
        told = stream.end_watch()
        assert any(job.works for job in flink.rest.jobs()), "the job goes on when nobody watches"

    assert told["read"] == len(records)
    assert sum(told[outcome] for outcome in ("written", "unchanged", "superseded", "filtered", "control", "rejected")) == len(records)
    streamed = letters(world)
    assert world.committed() == {}, "the batch runs' group is left alone"

    world.clear()
    world.produce(records)
    assert world.run_job("--kafka_reader=bounded")["rejected"] == told["rejected"]
    assert letters(world) == streamed


def test_a_bounded_run_on_flink_takes_in_what_is_there_and_ends(world: World, flink: FlinkWorld) -> None:
    records = sample()
    world.produce(records)

    told = world.run_job("--runner=FlinkRunner", "--bounded", "--flink_python_workers=1")

    assert told["read"] == len(records) == sum(world.committed().values())
    assert world.digests() == expected_digests(records)
    assert sum(letters(world).values()) == told["rejected"] > 0
    assert all(job.ended for job in flink.rest.jobs())
    assert world.run_job("--runner=FlinkRunner", "--bounded")["read"] == 0


def kill_task_manager(world: World, flink: FlinkWorld) -> None:
    kill_server(flink.cluster.taskmanager)
    flink.cluster.up()


def kill_python_workers(world: World, flink: FlinkWorld) -> None:
    pool = flink.cluster.pool.process.find()
    assert pool is not None
    workers = psutil.Process(pool.pid).children()
    assert workers
    for worker in workers:
        worker.kill()


def kill_neo4j(world: World, flink: FlinkWorld) -> None:
    kill_server(world.stack.neo4j)
    world.stack.up()


def restart_kafka(world: World, flink: FlinkWorld) -> None:
    kill_server(world.stack.kafka)
    world.stack.up()


@pytest.mark.parametrize("fault", [kill_task_manager, kill_python_workers, kill_neo4j, restart_kafka])
def test_what_is_killed_under_load_costs_no_record(world: World, flink: FlinkWorld, fault: Callable[[World, FlinkWorld], None]) -> None:
    records = sample(poison_classes=0, seed=5)
    size = -(-len(records) // (ROUNDS + 1))
    portions = [records[at : at + size] for at in range(0, len(records), size)]
    produced = len(portions[0])
    world.produce(portions[0])
    with Stream(world, flink) as stream:
        stream.await_that(lambda: stream.commits.look() > 0, "something is in the graph")
        for portion in portions[1:]:
            world.produce(portion)
            produced += len(portion)
            fault(world, flink)
            stream.await_done(produced, ALL_S)
        stream.await_graphs(expected_digests(records))

    assert letters(world) == Counter()


def test_a_job_goes_on_from_its_savepoint_with_other_settings(world: World, flink: FlinkWorld) -> None:
    records = sample()
    first, second = halves(records)
    world.produce(first)
    with Stream(world, flink) as stream:
        stream.await_that(lambda: stream.commits.look() > 0, "something is in the graph")
        stream.end_watch()
        (job,) = [one for one in flink.rest.jobs() if one.works]
        savepoint = flink.rest.savepoint(job.id, stop=True)
        world.produce(second)
        # Through the job service alone, as whoever knows no more of the cluster does.
        portable = ("--runner=PortableRunner", f"--job_endpoint={flink.cluster.addresses().job_endpoint}")
        stream.watch("--window_s=2", f"--savepoint_path={savepoint}", *portable)
        stream.await_done(len(records))
        assert stream.metric("graph_job_running") == 1
        stream.await_graphs(expected_digests(records))


def test_a_second_watch_waits_and_a_savepoint_is_not_begun_from_beside_a_job_that_runs(world: World, flink: FlinkWorld) -> None:
    world.produce(sample(clusters=1, poison_classes=0))
    with Stream(world, flink) as stream:
        stream.end_watch()
        (before,) = [one for one in flink.rest.jobs() if one.works]
        other = stream.start_watch("--savepoint_path=file:///nowhere")
        other.communicate(timeout=60)
        assert other.returncode == 1
        assert "runs graph-build.flink-" in stream.said()
        stream.watch()
        stream.await_that(lambda: "taking up the watch" in stream.said(), "the watch is taken up")
        assert [one.id for one in flink.rest.jobs() if one.works] == [before.id]


def test_a_new_cluster_on_shared_topics_and_one_with_topics_of_its_own_are_found_while_it_runs(world: World, flink: FlinkWorld) -> None:
    records = sample(clusters=2, poison_classes=0)
    first = [one for one in records if not (one.key or b"").startswith(b"af-11::")]
    second = [one for one in records if (one.key or b"").startswith(b"af-11::")]
    world.produce(first)
    with Stream(world, flink, "--topic_per_cluster", "--discovery_every_s=1") as stream:
        stream.await_done(len(first))
        jobs = [one.id for one in flink.rest.jobs()]
        world.produce(second)
        stream.await_done(len(records))
        stream.await_graphs(expected_digests(records))
        assert [one.id for one in flink.rest.jobs()] == jobs, "shared topics need no new job"

        own = f"af-77.{RESOURCES}"
        make_topic(world.brokers, own)
        pod = next(one for one in first if one.topic == RESOURCES and one.value and b'"kind":"Pod"' in one.value)
        world.produce([pod._replace(topic=own, key=(pod.key or b"").partition(b"::")[2])])
        stream.await_that(lambda: "af-77" in world.digests(), "the cluster's own topic is read")
        assert [one.id for one in flink.rest.jobs()] != jobs

    assert {client_id: digest for client_id, digest in world.digests().items() if client_id != "af-77"} == expected_digests(records)


def test_offsets_wait_for_what_is_not_in_the_graph_and_a_tenant_that_fails_is_set_aside(world: World, flink: FlinkWorld) -> None:
    records = sample(poison_classes=0)
    first, second = halves(records)
    world.produce(first)
    with Stream(world, flink, "--write_timeout_s=5", "--tenant_max_failures=1", "--flink_parallelism=1") as stream:
        stream.await_done(len(first))
        with locked(world, "af-10"):
            world.produce(second)
            stream.await_that(lambda: bool(world.cypher(_WAITS)), "a transaction waits for the lock")
            assert stream.commits.look() < len(records)
            stream.await_that(lambda: bool(letters(world)), "the tenant is in quarantine")
        stream.await_done(len(records))
        stream.await_that(lambda: world.digests()["af-11"] == expected_digests(records)["af-11"], "the other graph is as it should be")
        assert {client_id for client_id, _ in letters(world)} == {"af-10"}
        assert {reason for _, reason in letters(world)} == {"tenant_quarantined"}

        world.run("pipelines.tenants", "release", "af-10", "--settle_s=0")
        stream.await_graphs(expected_digests(records))


def test_registrations_are_taken_in_before_the_records_whose_tenant_they_tell(world: World, flink: FlinkWorld) -> None:
    records = sample(clusters=1, poison_classes=0)
    pods = [one for one in records if one.topic == RESOURCES and one.value and b'"kind":"Pod"' in one.value]
    at = pods[0].timestamp_ms
    named = [
        one._replace(key=(one.key or b"").partition(b"::")[2], value=json_bytes(json.loads(one.value or b"") | {"client_id": "af-10"}))
        for one in pods
    ]
    world.produce([*named, SampleRecord("cluster.registry", b"af-10", json_bytes({"client_id": "af-10", "registered_at": REGISTERED}), at)])

    with Stream(world, flink) as stream:
        stream.await_done(len(named) + 1)

    assert letters(world) == Counter()
    assert world.cypher("MATCH (n:Pod {client_id: 'af-10'}) RETURN count(n) > 0 AS there") == [{"there": True}]


def test_a_backfill_on_flink_gives_the_graph_again(world: World, flink: FlinkWorld) -> None:
    records = sample(clusters=1, poison_classes=0)
    world.produce(records)
    world.run_job("--kafka_reader=bounded")
    world.clear_graph()

    flags = ("--runner=FlinkRunner", "--flink_python_workers=1", "--from=2026-01-01T00:00:00Z", "--json")
    told = json.loads(world.run("pipelines.backfill", *flags).stdout)

    assert told["read"] == len(records)
    assert world.digests() == expected_digests(records)
