"""Backfills on real Kafka and Neo4j: the digest of the live run, nothing newer regressed, resumable wherever it is killed."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from neo4j import GraphDatabase

from runners.local.service import await_services
from runners.local.services import Neo4j
from runners.local.stack import LocalStack, free_stack_ports
from scripts.faulting.archives import archived, must_hold_every_record_once
from scripts.faulting.job import OUTCOMES, SINCE, SMALL, UNTIL, Backfill, Command
from scripts.faulting.round import await_that
from scripts.sampling.record import COMMANDS, RESOURCES, SampleRecord, json_bytes
from scripts.sampling.stream import sample_stream
from tests.support.in_memory import expected_digests
from tests.system.conftest import JARS
from tests.system.world import World, named
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret
from transforms.records.outcomes import NO_TENANT

ALL: Final = (f"--from={SINCE}",)
T: Final = 1_772_352_000_000
SOURCES: Final = ("kafka", "archive")


class Other:
    """Another server, to rebuild into."""

    def __init__(self, server: Neo4j) -> None:
        self._server = server
        self.uri = server.uri
        self.password_file = str(server.password_file)

    @property
    def flags(self) -> tuple[str, ...]:
        return (f"--into={self.uri}", f"--into_password_file={self.password_file}")

    def clear(self) -> None:
        with GraphDatabase.driver(self.uri, auth=("neo4j", self._server.password_file.read_text())) as driver:
            driver.execute_query("MATCH (n) DETACH DELETE n")

    def digests(self) -> dict[str, str]:
        target = Neo4jTarget(self.uri, "neo4j", Secret(file=self.password_file), retry_s=5)
        with closing(Neo4jGraphStore(target)) as store:
            return {tenant: store.digest(tenant).hexdigest() for tenant in store.tenants()}


@pytest.fixture(scope="module")
def server(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Other]:
    server = Neo4j(tmp_path_factory.mktemp("other"), JARS, free_stack_ports().neo4j)
    try:
        server.start()
        await_services([server])
        yield Other(server)
    finally:
        server.process.stop()


@pytest.fixture
def other(server: Other) -> Other:
    server.clear()
    return server


def backfill(world: World, *flags: str, expect: int = 0, **environment: str) -> dict[str, Any]:
    """What a backfill tells, once it is certain that its counts add up and that no committed offset and no letter is another."""
    before = (world.committed(), len(world.deadletters()))
    out = world.run("pipelines.backfill", "--json", "--log_level=WARNING", *flags, expect=expect, **environment)
    assert (world.committed(), len(world.deadletters())) == before
    told: dict[str, Any] = json.loads(out.stdout) if out.stdout.strip() else {}
    for counts in [told, *told.get("tenants", {}).values()] if "written" in told else []:
        assert sum(counts[outcome] for outcome in OUTCOMES) == counts["read"]
    return told | {"stderr": out.stderr}


def status(world: World, *flags: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(world.run("pipelines.backfill", "status", "--json", *flags).stdout)["backfills"]
    return found


class Live(NamedTuple):
    """A live run: the digests of its graphs, the archive that it wrote, and how many records are in that."""

    digests: dict[str, str]
    archive: str
    archived: int

    def flags(self, source: str) -> tuple[str, ...]:
        return (f"--archive={self.archive}",) if source == "archive" else ()


def run_live(world: World, root: Path, *flags: str) -> Live:
    """The job takes in what is there, and archives it."""
    world.run_job("--kafka_reader=bounded", f"--archive={root}", *flags)
    return Live(world.digests(), str(root), len(archived(str(root))))


@pytest.fixture
def live(world: World, tmp_path: Path) -> Live:
    """Three clusters taken in by the job."""
    world.produce(sample_stream(3, 3, seed=11, poison_classes=5).records)
    found = run_live(world, tmp_path / "archive")
    assert len(found.digests) == 3
    return found


def test_both_sources_rebuild_another_graph_with_the_digest_of_the_live_run(world: World, live: Live, other: Other) -> None:
    from_kafka = backfill(world, *other.flags)
    assert other.digests() == live.digests
    other.clear()
    from_archive = backfill(world, *other.flags, *live.flags("archive"), expect=0, **(named(world) | {"KAFKA_BROKERS": "127.0.0.1:1"}))

    assert other.digests() == live.digests
    assert from_archive["read"] == live.archived > 1000
    assert from_kafka["rejected"] == len(world.deadletters())
    # What was rejected before it could be archived is in the dead letters alone.
    early = from_kafka["read"] - from_archive["read"]
    assert from_kafka["rejected"] - from_archive["rejected"] == early > 0
    must_hold_every_record_once(world, archived(live.archive), from_kafka["read"])
    compare = ("compare", "--left=/neo4j", f"--right={other.uri}", f"--right_password_file={other.password_file}", "--json")
    assert all(one["equal"] for one in json.loads(world.run("pipelines.tenants", *compare).stdout)["tenants"])


@pytest.mark.parametrize("source", SOURCES)
def test_a_replay_onto_the_live_graph_changes_nothing(world: World, live: Live, source: str) -> None:
    told = backfill(world, *ALL, *live.flags(source))

    assert told["read"] > 1000
    assert told["written"] == 0
    assert world.digests() == live.digests


def test_a_compacted_archive_replays_the_same(world: World, other: Other, tmp_path: Path) -> None:
    world.produce(sample_stream(3, 3, seed=11, poison_classes=5).records)
    live = run_live(world, tmp_path, *SMALL)
    before = len(files(live.archive))
    # Planned over the small files, and stopped: it goes on when they are gone.
    plan = (*ALL, f"--to={UNTIL}", *live.flags("archive"), "--slice_bytes=65536")
    with Backfill(world, *live.flags("archive"), "--slice_bytes=65536") as begun:
        await_slices(world, begun, 1)
        begun.kill()

    told = json.loads(world.run("pipelines.backfill", "compact", *live.flags("archive"), "--json").stdout)

    assert told["files"] - told["became"] == before - len(files(live.archive)) > 0
    assert told["corrupt"] == {}
    assert backfill(world, *plan)["slices_before"] > 0
    assert status(world)[0]["read"] == live.archived, "each record of the small files is read in what took their place"
    assert world.digests() == live.digests
    assert backfill(world, *other.flags, *live.flags("archive"))["read"] == live.archived
    assert other.digests() == live.digests


def files(root: str) -> list[Path]:
    return list(Path(root).rglob("*.avro"))


def test_a_range_of_one_tenant_gives_that_tenant_and_those_records_alone(world: World, live: Live, other: Other) -> None:
    from_kafka = backfill(world, *other.flags, "--client_id=af-11", "--source=kafka")

    assert other.digests() == {"af-11": live.digests["af-11"]}
    # The other graph knows no other tenant: their records count under no name that anybody could have invented.
    assert set(from_kafka["tenants"]) == {"af-11", NO_TENANT}
    assert from_kafka["tenants"][NO_TENANT]["skipped"] == from_kafka["skipped"] > 0
    other.clear()
    backfill(world, *other.flags, "--client_id=af-11", *live.flags("archive"))
    assert other.digests() == {"af-11": live.digests["af-11"]}
    plan = backfill(world, *ALL, "--client_id=af-11", *live.flags("archive"), f"--topics={RESOURCES}", "--dry_run")
    assert set(plan["runs"][0]["topics"]) == {RESOURCES}
    assert status(world) == [], "a dry run enters nothing"


def pod(at_s: int, image: str, name: str = "a", client_id: str = "af-10") -> SampleRecord:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(T / 1000 + at_s))
    body = {"op": "UPSERT", "at": at, "kind": "Pod", "namespace": "shop", "name": name, "uid": f"u-{name}", "image": image}
    return SampleRecord(RESOURCES, f"{client_id}::pod:shop:{name}".encode(), json_bytes(body), T + at_s * 1000)


def iso(at_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(T / 1000 + at_s))


def images(world: World) -> dict[str, str]:
    return {
        row["name"]: row["image"] for row in world.cypher("MATCH (p:Pod) WHERE p.image IS NOT NULL RETURN p.name AS name, p.image AS image")
    }


@pytest.mark.parametrize("source", SOURCES)
def test_the_record_timestamps_decide_whatever_the_order_in_the_log(world: World, tmp_path: Path, source: str) -> None:
    """Same partition: 50 comes before 10, and 70 before 40."""
    world.produce([pod(50, "v50", "b"), pod(10, "v10", "c"), pod(70, "v70", "d"), pod(40, "v40", "e"), pod(60, "v60", "f")])
    live = run_live(world, tmp_path)
    world.clear_graph()

    told = backfill(world, f"--from={iso(40)}", f"--to={iso(60)}", *live.flags(source))

    assert told["read"] == 2
    assert images(world) == {"b": "v50", "e": "v40"}


@pytest.mark.parametrize("source", SOURCES)
def test_a_stale_range_onto_a_newer_graph_regresses_nothing(world: World, tmp_path: Path, source: str) -> None:
    world.produce([pod(10, "v10"), pod(20, "v20"), pod(30, "v30")])
    live = run_live(world, tmp_path)

    told = backfill(world, f"--from={iso(0)}", f"--to={iso(25)}", *live.flags(source))

    assert (told["read"], told["superseded"]) == (2, 2)
    assert images(world) == {"a": "v30"}
    assert world.digests() == live.digests


def test_it_runs_beside_the_job_without_its_offsets(world: World, live: Live) -> None:
    world.produce([pod(4000 + number, f"v{number}") for number in range(50)])
    job = world.start_job("--kafka_reader=bounded", "--follow", "--every_s=0.2")
    try:
        world.run("pipelines.backfill", *ALL, "--json", "--slice_offsets=500")
    finally:
        job.terminate()
        out, err = job.communicate(timeout=60)
    assert job.returncode == 0, err[-2000:]
    assert json.loads(out)["read"] == 50
    assert images(world)["a"] == "v49"
    assert {name: one for name, one in world.digests().items() if name != "af-10"} == {
        name: one for name, one in live.digests.items() if name != "af-10"
    }


def test_the_graph_as_it_was_at_a_time(world: World, other: Other) -> None:
    stream = [pod(10, "v10"), pod(10, "v10", "gone"), pod(20, "v20"), SampleRecord(RESOURCES, b"af-10::pod:shop:gone", None, T + 20_000)]
    world.produce([*stream, pod(30, "v30"), pod(10, "w1", client_id="af-11")])
    world.run_job("--kafka_reader=bounded")
    then = ("--client_id=af-10", *other.flags)

    backfill(world, f"--as_of={iso(10)}", *then)

    assert other.digests() == expected_digests(stream[:2])
    compare = (
        "compare",
        "--left=/neo4j",
        f"--right={other.uri}",
        f"--right_password_file={other.password_file}",
        "--client_id=af-10",
        "--json",
    )
    (told,) = json.loads(world.run("pipelines.tenants", *compare, expect=1).stdout)["tenants"]
    assert "pod:shop:gone" in json.dumps(told)
    assert "v10" in json.dumps(told)
    assert "v30" in json.dumps(told)
    refused = backfill(world, f"--as_of={iso(20)}", *then, expect=1)
    assert "holds af-10 already" in refused["stderr"]
    other.clear()
    backfill(world, f"--as_of={iso(20)}", *then)
    assert other.digests() == expected_digests(stream)


def test_what_is_done_is_not_done_again_unless_told(world: World, live: Live) -> None:
    flags = (*ALL, f"--to={UNTIL}", "--slice_offsets=1000")
    first = backfill(world, *flags)

    second = backfill(world, *flags)
    third = backfill(world, *flags, "--again")

    assert first["slices"] > 1
    assert (second["read"], second["slices"], second["slices_before"]) == (0, 0, first["slices"])
    assert (third["read"], third["slices_before"]) == (first["read"], 0)
    assert world.digests() == live.digests
    (entry,) = status(world)
    assert (entry["state"], entry["slices_by_state"]) == ("done", {"done": first["slices"]})
    assert entry["read"] == first["read"]


def slices_done(world: World) -> int:
    rows = world.cypher("MATCH (s:BackfillSlice {state: 'done'}) RETURN count(s) AS number")
    return int(rows[0]["number"])


def await_slices(world: World, process: Command, number: int) -> None:
    await_that(lambda: slices_done(world) >= number or not process.goes_on, 60, f"{number} slices")
    assert process.goes_on, process.end().said[-2000:]


def test_a_second_run_of_the_same_range_is_refused_and_another_is_not(world: World, live: Live) -> None:
    flags = (*ALL, f"--to={UNTIL}", "--client_id=af-10", "--slice_offsets=50", "--lease_s=2")
    with Backfill(world, "--client_id=af-10", "--slice_offsets=50", "--lease_s=2") as first:
        await_slices(world, first, 1)
        refused = world.run("pipelines.backfill", *flags, "--log_level=ERROR", expect=1)
        assert first.goes_on, "it must still be at work for this to prove anything"
        assert refused.stderr.startswith(
            "Another run of the backfill of af-10, 2026-01-01T00:00:00.000Z to 2026-06-01T00:00:00.000Z is at work ("
        )
        assert len(refused.stderr.strip().splitlines()) == 1
        another = world.run("pipelines.backfill", *ALL, f"--to={UNTIL}", "--client_id=af-11", "--json")
        assert json.loads(another.stdout)["stopped"] is False
        stopped = first.stop().must_be(1)
    assert stopped.report["stopped"] is True
    assert sorted(one["state"] for one in status(world)) == ["done", "stopped"]


def test_a_backfill_that_was_killed_is_told_as_interrupted(world: World, live: Live) -> None:
    with Backfill(world, "--slice_offsets=100") as begun:
        await_slices(world, begun, 1)
        begun.kill()

    (entry,) = status(world)

    assert entry["state"] == "interrupted"
    assert entry["slices_by_state"]["done"] > 0


def test_missed_intervals_are_caught_up_once_each(world: World) -> None:
    hour = 3_600_000
    now = int(time.time() * 1000)
    base = now - now % hour - 3 * hour
    records = [pod(0, f"v{number}", f"p{number}")._replace(timestamp_ms=base + number * hour + 1000) for number in range(3)]
    world.produce(records)
    flags = ("--catch_up", "--every=1h", "--settle=0s", f"--topics={RESOURCES}")

    first = backfill(world, *flags, "--from=" + time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(base / 1000)))
    second = backfill(world, *flags)
    world.cypher("MATCH (b:Backfill) WITH b ORDER BY b.from_ms SKIP 1 LIMIT 1 SET b.state = 'failed'")
    world.cypher("MATCH (s:BackfillSlice) SET s.state = 'failed'")
    third = backfill(world, *flags)

    assert [one["read"] for one in first["runs"]][:3] == [1, 1, 1]
    assert len(second["runs"]) <= 1, "an hour may have ended meanwhile"
    assert [one["read"] for one in third["runs"]][:1] == [1]
    assert images(world) == {f"p{number}": f"v{number}" for number in range(3)}


def test_a_corrupt_file_stops_it_by_name_and_is_passed_over_when_told(world: World, live: Live) -> None:
    victim = max(files(live.archive), key=lambda path: path.stat().st_size)
    victim.write_bytes(victim.read_bytes()[:-40])

    refused = backfill(world, *ALL, *live.flags("archive"), expect=1)
    told = backfill(world, *ALL, *live.flags("archive"), "--skip_corrupt")

    assert f"{victim.relative_to(live.archive).as_posix()} is corrupt at block 0: " in refused["stderr"]
    assert [entry["state"] for entry in status(world)] == ["failed", "done"]
    assert told["unavailable_why"] == {"corrupt": 1}
    assert world.digests() == live.digests


def test_commands_are_not_needed_twice(world: World, other: Other) -> None:
    """The schema is ensured before the first slice, whatever commands the range holds."""
    world.produce([pod(10, "v10")])
    backfill(world, *other.flags, f"--topics={RESOURCES},{COMMANDS}")
    assert other.digests() == expected_digests([pod(10, "v10")])
