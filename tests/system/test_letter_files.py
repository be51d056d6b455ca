"""Dead letters in files instead of their topic, on real Kafka and Neo4j: the same letters, listed, shown and replayed the same."""

import json
from pathlib import Path
from typing import Any

from scripts.sampling.record import RESOURCES
from scripts.sampling.stream import sample_stream
from tests.support.full_disk import full_disk
from tests.system.test_deadletters import keyless, produce_at, secret
from tests.system.world import World, named

TIMES = ("first_written", "last_written")


def run_job(world: World, group: str, *flags: str) -> dict[str, Any]:
    """A run that reads all from the beginning."""
    return world.run_job("--kafka_reader=bounded", f"--kafka_group={group}", *flags)


def command(world: World, name: str, *flags: str, brokers: str = "") -> dict[str, Any]:
    servers = named(world) | ({"KAFKA_BROKERS": brokers} if brokers else {})
    found: dict[str, Any] = json.loads(world.run("pipelines.deadletters", name, "--json", *flags, expect=0, **servers).stdout)
    return found


def groups(told: dict[str, Any]) -> list[dict[str, Any]]:
    """What `list` tells, but when letters were written, and which of them is the example."""
    return [{name: value for name, value in group.items() if name not in (*TIMES, "example")} for group in told["groups"]]


def test_letters_in_files_are_those_of_the_topic_and_are_replayed_the_same(world: World, tmp_path: Path) -> None:
    stream = sample_stream(clusters=2, resyncs=2, seed=9, poison_classes=99)
    world.produce(keyless(stream.records, "af-10"))
    by_topic = run_job(world, "topic")
    flags = (f"--deadletter_path={tmp_path}",)
    letters = world.deadletters()

    by_files = run_job(world, "files", *flags)

    assert by_files["rejected"] == by_topic["rejected"] > 100
    assert len(world.deadletters()) == len(letters), "the topic is left alone"
    on_topic, in_files = command(world, "list"), command(world, "list", *flags, brokers="127.0.0.1:1")
    assert (in_files["letters"], in_files["unreadable"]) == (on_topic["letters"], {})
    assert groups(in_files) == groups(on_topic)
    one = on_topic["groups"][0]["example"]
    shown, also = (command(world, "show", one, *where) for where in ((), flags))
    assert {name: shown[name] for name in shown if name not in ("written", "letter")} == {
        name: also[name] for name in also if name not in ("written", "letter")
    }
    before = sorted(tmp_path.rglob("*"))
    run_job(world, "again", *flags)
    assert sorted(tmp_path.rglob("*")) == before, "the same letters again are there once"

    told, digests = [], []
    for where in ((), flags):
        world.clear_graph()
        told.append(command(world, "replay", "--reason=tenant_missing", "--single_tenant=af-10", *where))
        digests.append(world.digests())

    assert told[0]["written"] > 100
    assert {name: told[0][name] for name in told[0] if not name.endswith("seconds")} == {
        name: told[1][name] for name in told[1] if not name.endswith("seconds")
    }
    assert digests[0] == digests[1]
    assert set(digests[0]) == {"af-10"}


def test_a_secret_is_in_no_file_and_is_read_again_from_kafka(world: World, tmp_path: Path) -> None:
    flags = (f"--deadletter_path={tmp_path}",)
    produce_at(world, 1, b"secret:shop:s", secret("s"))
    run_job(world, "files", *flags)

    told = command(world, "replay", "--single_tenant=af-10", *flags)

    assert (told["replayed"], told["written"]) == (1, 1)
    assert command(world, "show", f"{RESOURCES}[1]@0", *flags)["withheld"] is True


def test_a_full_disk_stops_the_run_with_nothing_committed_and_the_next_goes_on(world: World, tmp_path: Path) -> None:
    world.produce(keyless(sample_stream(clusters=1, resyncs=1, seed=2, poison_classes=0).records, "af-10"))
    flags = (f"--deadletter_path={tmp_path}", "--log_level=ERROR")
    with full_disk(1_000):
        said = world.run_job("--kafka_reader=bounded", *flags, expect=1)["stderr"]

    assert said.startswith(f"The folder of dead letters at {tmp_path} cannot be written (File too large); nothing after the last committed")
    assert len(said.strip().splitlines()) == 1
    assert world.committed() == {}
    rejected = world.run_job("--kafka_reader=bounded", *flags)["rejected"]
    assert command(world, "list", f"--deadletter_path={tmp_path}")["letters"] == rejected > 50
