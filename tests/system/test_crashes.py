"""Crashes: whatever is killed, and whenever, a rerun comes to the graph of one clean run."""

import signal
import subprocess
import time
from collections.abc import Callable
from random import Random

import pytest

from scripts.sampling.record import SampleRecord
from scripts.sampling.stream import sample_stream
from tests.in_memory import expected_digests
from tests.system.world import World

# Small slices, so that a run has many moments to die at.
SLICES = ("--slice_bytes=200000", "--batch_rows=50")


def records(seed: int) -> list[SampleRecord]:
    return sample_stream(clusters=4, resyncs=10, seed=seed, poison_classes=20).records


def test_killed_at_random_points_a_rerun_gives_the_digest_of_a_clean_run(world: World) -> None:
    stream = records(21)
    world.produce(stream)
    random = Random(77)
    killed_with: list[int] = []
    for _ in range(5):
        job = world.start_job(*SLICES)
        with pytest.raises(subprocess.TimeoutExpired):
            job.wait(random.uniform(2.5, 9))
        job.send_signal(signal.SIGKILL)
        job.communicate()
        killed_with.append(sum(world.committed().values()))
        assert killed_with == sorted(killed_with), "committed offsets never move backwards"

    report = world.run_job()

    assert killed_with[-1] < len(stream), "the last kill came before the end"
    assert world.digests() == expected_digests(stream)
    # A commit that was on its way when its sender was killed may still arrive; nothing else may be left out.
    assert 0 < report["read"] <= len(stream) - killed_with[-1]
    assert sum(world.committed().values()) == len(stream)


def _await(done: Callable[[], bool], seconds: float) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if done():
            return
        time.sleep(0.05)
    raise TimeoutError


def test_neo4j_killed_in_the_middle_stops_the_job_with_one_sentence_and_a_rerun_converges(world: World) -> None:
    stream = records(22)
    world.produce(stream)
    job = world.start_job(*SLICES, "--neo4j_retry_s=3", "--log_level=ERROR")
    _await(lambda: sum(world.committed().values()) > 0, 60)
    process = world.stack.neo4j.process.find()
    assert process is not None

    process.kill()
    out, err = job.communicate(timeout=120)
    committed = world.committed()
    world.stack.up()

    assert job.returncode == 1
    assert out == ""
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith(f"Neo4j at {world.stack.neo4j.uri} cannot be used")
    assert "nothing after the last committed offsets counts as done" in lines[0]
    assert 0 < sum(committed.values()) < len(stream)
    report = world.run_job()
    assert report["read"] == len(stream) - sum(committed.values())
    assert world.digests() == expected_digests(stream)


def test_kafka_out_of_reach_is_told_in_one_sentence(world: World) -> None:
    said = world.run_job(
        "--kafka_brokers=127.0.0.1:1",
        f"--expansion_service={world.stack.connector.address}",
        "--kafka_retry_s=1",
        "--log_level=ERROR",
        expect=1,
    )["stderr"]

    assert said.startswith("Kafka at 127.0.0.1:1 cannot be used (")
    assert len(said.strip().splitlines()) == 1


def test_a_wrong_password_is_told_in_one_sentence_that_does_not_hold_it(world: World) -> None:
    said = world.run_job(
        "--log_level=ERROR", expect=1, NEO4J_URI=world.stack.neo4j.uri, NEO4J_USER="neo4j", NEO4J_PASSWORD="not-the-password"
    )["stderr"]

    assert said.startswith(f"Neo4j at {world.stack.neo4j.uri} refused the user neo4j")
    assert "not-the-password" not in said
    assert len(said.strip().splitlines()) == 1


def test_the_java_side_out_of_reach_is_told_in_one_sentence(world: World) -> None:
    world.produce(sample_stream(clusters=1, resyncs=1, seed=1, poison_classes=0).records)

    said = world.run_job("--expansion_service=127.0.0.1:1", "--log_level=ERROR", expect=1)["stderr"]

    assert said.startswith("The Java side of Beam's Kafka connector does not answer at 127.0.0.1:1; start it with `scripts/stack up`")
    assert world.committed() == {}
