"""The Flink cluster: jobs come onto it, survive losses and savepoints exactly, and it is gone when told to go."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import psutil
import pytest
from apache_beam.io.kafka import ReadFromKafka
from apache_beam.transforms.window import FixedWindows
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from runners.flink.preflight import find_faults, require
from runners.flink.settings import FlinkAddresses
from runners.flink.submit import submit
from runners.local.flink_cluster import FlinkCluster, free_flink_ports
from runners.local.flink_conf import FlinkShape
from scripts.faulting.topics import admin
from tests.system.flink_world import JARS, FlinkWorld, wait_until
from tests.system.test_local_stack import listening
from tests.system.world import World
from transforms.io.faults import InfrastructureFault

TOPIC = "flink.numbers"
# Nothing is ever produced to it: a quiet topic must hold no window back.
QUIET = "flink.quiet"
PARTITIONS = 4
BURST = 200


class AppendFn(beam.DoFn):  # type: ignore[misc]
    """Writes each group's numbers to a file when the bundle ends, as a sink does."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lines: list[str] = []

    def start_bundle(self) -> None:
        self._lines = []

    def process(self, group: tuple[int, Any]) -> None:
        self._lines += [f"{number}\n" for number in group[1]]

    def finish_bundle(self) -> None:
        with Path(self._path).open("a") as file:
            file.write("".join(self._lines))


class RaiseFn(beam.DoFn):  # type: ignore[misc]
    def process(self, element: Any) -> None:
        raise InfrastructureFault(f"The sink refuses {element}; ask it why.")


def numbered(row: Any) -> tuple[int, int]:
    return row.partition, int(row.value)


def reading(world: World, flink: FlinkWorld, path: Path) -> Callable[[beam.Pipeline], None]:
    def build(pipeline: beam.Pipeline) -> None:
        rows = pipeline | "Read" >> ReadFromKafka(
            world.kafka_target.java_config() | {"auto.offset.reset": "earliest"},
            [TOPIC, QUIET],
            with_metadata=True,
            expansion_service=flink.cluster.addresses().expansion,
        )
        numbers = rows | "Number" >> beam.Map(numbered).with_output_types(tuple[int, int])
        grouped = numbers | "Window" >> beam.WindowInto(FixedWindows(1)) | "Group" >> beam.GroupByKey()
        grouped | "Append" >> beam.ParDo(AppendFn(str(path)))

    return build


def seen(path: Path) -> Counter[int]:
    return Counter(int(line) for line in path.read_text().split()) if path.exists() else Counter()


class Traffic:
    """Produces numbers, and knows how many."""

    def __init__(self, brokers: str, path: Path) -> None:
        self.produced = 0
        self._path = path
        self._producer = Producer({"bootstrap.servers": brokers, "linger.ms": 5, "log_level": 0})

    def burst(self, count: int = BURST) -> None:
        for number in range(self.produced, self.produced + count):
            self._producer.produce(TOPIC, value=str(number).encode(), partition=number % PARTITIONS)
        self._producer.flush()
        self.produced += count

    def await_all(self) -> None:
        """Every number has come through at least once."""
        wait_until(lambda: len(seen(self._path)) == self.produced, lambda: f"{len(seen(self._path))} of {self.produced} came through")


@pytest.fixture
def topics(world: World) -> None:
    client = admin(world.brokers)
    for made in client.create_topics([NewTopic(TOPIC, PARTITIONS, 1), NewTopic(QUIET, 2, 1)]).values():
        made.result()


@pytest.fixture
def traffic(world: World, flink: FlinkWorld, topics: None, tmp_path: Path) -> Iterator[Traffic]:
    yield Traffic(world.brokers, tmp_path / "numbers")
    flink.cancel_all()


def test_a_savepoint_ends_a_job_and_another_goes_on_from_it_exactly(
    world: World, flink: FlinkWorld, traffic: Traffic, tmp_path: Path
) -> None:
    path = tmp_path / "numbers"
    require(flink.settings("numbers"), world.kafka_target)
    job = flink.submit(reading(world, flink, path), "numbers")
    assert flink.rest.job(job).works
    # One burst after the other came through: none is kept back until the next bundle begins, although checkpoints fall into open ones.
    for _ in range(3):
        traffic.burst()
        traffic.await_all()
    traffic.burst(2000)

    saved = world.run("runners.local.flink_cli", "savepoint", job, "--cancel").stdout.strip()

    assert flink.rest.job(job).state == "FINISHED"
    before = seen(path)
    traffic.burst()
    assert seen(path) == before
    again = flink.submit(reading(world, flink, path), "numbers", savepoint=saved)
    traffic.await_all()
    assert seen(path) == Counter(range(traffic.produced))
    counts = flink.rest.checkpoints(again).counts
    assert (counts.restored, flink.rest.restarts(again)) == (1, 0)
    assert f"{again} " in (status := world.run("runners.local.flink_cli", "status").stdout)
    assert "RUNNING" in status
    world.run("runners.local.flink_cli", "cancel", again)
    assert flink.rest.job(again).state == "CANCELED"


def test_a_job_survives_the_loss_of_its_taskmanager_and_everything_listens_on_loopback_alone(
    world: World, flink: FlinkWorld, traffic: Traffic, tmp_path: Path
) -> None:
    job = flink.submit(reading(world, flink, tmp_path / "numbers"), "numbers")
    traffic.burst()
    traffic.await_all()
    lost = flink.cluster.taskmanager.process.find()
    worker = next(one for one in flink.processes() if "runners.flink.worker" in one.cmdline())
    addresses = [address for one in flink.processes() for address in listening(one)]
    assert len(addresses) > len(flink.cluster.services)
    assert {ip for ip, _ in addresses} == {"127.0.0.1"}
    assert lost is not None
    kept = flink.cluster.jobmanager.process.find()
    traffic.burst(2000)

    os.kill(lost.pid, signal.SIGKILL)
    traffic.burst()
    flink.cluster.up()

    assert flink.cluster.jobmanager.process.find() == kept
    wait_until(lambda: flink.rest.job(job).works, lambda: f"{flink.rest.job(job)}: {flink.rest.cause(job)}")
    traffic.await_all()
    wait_until(lambda: flink.rest.restarts(job) >= 1, lambda: f"{flink.rest.restarts(job)} restarts")
    # Once more changes nothing; and a JobManager that was lost takes the TaskManager with it, but not the other processes.
    before = [one.pid for one in flink.cluster.status()]
    flink.cluster.up()
    assert [one.pid for one in flink.cluster.status()] == before
    assert kept is not None
    os.kill(kept.pid, signal.SIGKILL)
    flink.cluster.up()
    after = [one.pid for one in flink.cluster.status()]
    assert not set(after[:2]) & set(before)
    assert after[2:] == before[2:]
    assert flink.rest.overview().free_slots == flink.rest.overview().slots
    wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, lambda: f"the worker {worker} goes on")


def test_a_bounded_job_is_waited_for(flink: FlinkWorld, tmp_path: Path) -> None:
    def build(pipeline: beam.Pipeline) -> None:
        pipeline | beam.Create([(1, [1, 2, 3])]) | beam.ParDo(AppendFn(str(tmp_path / "numbers")))

    job = flink.submit(build, "bounded", streaming=False)

    assert flink.rest.job(job).state == "FINISHED"
    assert seen(tmp_path / "numbers") == Counter([1, 2, 3])


def test_a_job_that_fails_is_told_with_the_sentence_of_its_step(flink: FlinkWorld) -> None:
    def build(pipeline: beam.Pipeline) -> None:
        pipeline | beam.Create(["seven"]) | beam.ParDo(RaiseFn())

    settings = flink.settings("raises", streaming=False)
    with pytest.raises(InfrastructureFault) as told:
        submit(build, settings)

    assert told.value.sentence.endswith(" failed: The sink refuses seven; ask it why.")
    assert all(job.ended for job in flink.rest.jobs())


def test_a_savepoint_that_is_not_there_is_told_although_beam_says_running(
    flink: FlinkWorld, world: World, topics: None, tmp_path: Path
) -> None:
    with pytest.raises(InfrastructureFault) as told:
        flink.submit(reading(world, flink, tmp_path / "numbers"), "lost", savepoint=(tmp_path / "no-savepoint").as_uri())

    assert "no-savepoint" in told.value.sentence


def test_preflight_names_all_that_is_missing_and_an_expansion_service_that_is_not_for_flink(flink: FlinkWorld, world: World) -> None:
    settings = flink.settings("any")
    assert list(find_faults(settings, world.kafka_target)) == []
    elsewhere = flink.settings("any", addresses=free_addresses(), parallelism=2)
    connector = flink.settings("any", addresses=with_expansion(flink, world.stack.connector.address), parallelism=99)

    missing = list(find_faults(elsewhere, world.kafka_target))

    assert len(missing) == 4
    at = elsewhere.addresses
    assert all(address in said for address, said in zip((at.master, at.job_endpoint, at.worker_pool, at.expansion), missing, strict=True))
    with pytest.raises(InfrastructureFault, match="does not answer at"):
        require(elsewhere)
    slots, native = find_faults(connector, world.kafka_target)
    assert "4 of 4 slots free and the job takes 99" in slots
    assert "is not one for Flink" in native


def free_addresses() -> FlinkAddresses:
    return FlinkCluster(Path("unused"), free_flink_ports()).addresses()


def with_expansion(flink: FlinkWorld, address: str) -> FlinkAddresses:
    return replace(flink.cluster.addresses(), expansion=address)


def test_the_small_form_does_the_same_in_one_jvm_and_down_leaves_no_process(world: World, topics: None, tmp_path: Path) -> None:
    cluster = FlinkCluster(tmp_path / "small", free_flink_ports(), FlinkShape(small=True, slots=2), JARS)
    try:
        cluster.up()
        small = FlinkWorld(cluster)
        traffic = Traffic(world.brokers, tmp_path / "numbers")
        job = small.submit(reading(world, small, tmp_path / "numbers"), "numbers")
        traffic.burst()
        traffic.await_all()
        saved = small.rest.savepoint(job, stop=True)
        small.submit(reading(world, small, tmp_path / "numbers"), "numbers", savepoint=saved)
        traffic.burst()
        traffic.await_all()
        running = small.processes()
        addresses = [address for one in running for address in listening(one)]
        assert {ip for ip, _ in addresses} == {"127.0.0.1"}
        assert seen(tmp_path / "numbers") == Counter(range(traffic.produced))
        small.rest.close()
    finally:
        stopped = cluster.down()

    assert stopped == ["Flink and Beam", "Python pool"]
    # Java, the pool and its worker, which no signal reached but the pool's.
    assert len(running) == 3
    gone, alive = psutil.wait_procs(running, timeout=10)
    assert (len(gone), alive) == (3, [])
    assert cluster.down() == []
