"""The path of docs/migration.md on the real stack: keyless single-tenant builders, then one job, and no record lost on the way.

Two clusters with identical contents. af-10 writes without a tenant to topics that become the shared ones; af-11 has a Kafka of its own,
which is mirrored. Their older builders write to a Neo4j of their own; the shared job follows from the first day to the last.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from scripts.faulting.job import FOLLOW, Job
from scripts.faulting.round import await_that
from scripts.faulting.topics import admin, forget_offsets, held_records
from scripts.sampling.cluster import SampleCluster
from scripts.sampling.produce import TOPICS
from scripts.sampling.record import RESOURCES, SampleRecord, json_bytes
from scripts.sampling.stream import play
from tests.support.in_memory import expected_digests
from tests.system.conftest import JARS
from tests.system.old_setup import Mirror, OldSetup, OwnKafka, keyed
from tests.system.world import World
from transforms.io.kafka.offsets import KafkaOffsets
from transforms.io.kafka.target import KafkaTarget
from transforms.records.outcomes import Outcome

A, B = "af-10", "af-11"
OUTCOMES = tuple(one.value for one in Outcome)
CROSSING = "MATCH (a)-[r]->(b) WHERE a.client_id <> b.client_id OR r.client_id <> a.client_id RETURN count(*) AS crossing"
TWINS = (
    "MATCH (n:Resource) WHERE n.uid IS NOT NULL WITH n.uid AS uid, collect(DISTINCT n.client_id) AS tenants, count(n) AS nodes\n"
    "RETURN count(*) AS uids, sum(CASE WHEN size(tenants) = 2 AND nodes = 2 THEN 1 ELSE 0 END) AS twins"
)
HELD_BACK = b"pod:shop:held-back"


@pytest.fixture
def old(tmp_path: Path) -> Iterator[OldSetup]:
    setup = OldSetup(tmp_path / "old", JARS)
    try:
        setup.up()
        yield setup
    finally:
        setup.down()


def story(client_id: str) -> list[list[SampleRecord]]:
    """A cluster's keyless records in three portions; those of two clusters differ in nothing but the cluster's name."""
    cluster = SampleCluster(client_id, Random(5), keyed=False)
    play(cluster, Random(6), resyncs=3)
    third = len(cluster.records) // 3
    return [cluster.records[:third], cluster.records[third : 2 * third], cluster.records[2 * third :]]


def late_pod(after: list[SampleRecord]) -> SampleRecord:
    t = max(record.timestamp_ms for record in after) + 1000
    body = {"op": "UPSERT", "at": "2026-03-01T09:00:00Z", "kind": "Pod", "namespace": "shop", "name": "held-back", "uid": "u-held-back"}
    return SampleRecord(RESOURCES, HELD_BACK, json_bytes(body), max(t, 1_772_355_600_000))


class Builder:
    """An older builder: single-tenant, its own group, the older Neo4j. Keeps account of what it read."""

    def __init__(self, world: World, old: OldSetup, client_id: str, brokers: str) -> None:
        self.group = f"builder-{client_id}"
        self.target = KafkaTarget(brokers, self.group)
        self._world, self._client_id = world, client_id
        self._environment = old.environment(brokers)
        self.read = 0

    def run(self) -> dict[str, Any]:
        """Take in what is there; every record has one outcome."""
        flags = ("--kafka_reader=bounded", f"--kafka_group={self.group}")
        report = self._world.run_job(*flags, expect=0, CLIENT_ID=self._client_id, **self._environment)
        assert sum(report[outcome] for outcome in OUTCOMES) == report["read"]
        assert (report["rejected"], report["gaps"]) == (0, [])
        self.read += report["read"]
        return report

    def has_taken_in_all(self) -> bool:
        return lag_of(self.target) == 0 and self.read == len(held_records(self.target, TOPICS))


def lag_of(target: KafkaTarget) -> int:
    offsets = KafkaOffsets(target)
    try:
        return sum(one.lag for one in offsets.plan(TOPICS).ranges)
    finally:
        offsets.close()


def await_shared(world: World, job: Job) -> None:
    """Return when the shared job has taken in all that the shared topics hold; it analyses the tenants then."""
    limit = time.monotonic() + 120
    while lag_of(world.kafka_target):
        assert job.goes_on, job.end().said
        assert time.monotonic() < limit, "the shared job did not take in all within 120 s"
        time.sleep(0.2)


def compare(world: World, old: OldSetup, *arguments: str, expect: int = 0) -> dict[str, Any]:
    """Older graph on the left, shared one on the right."""
    command = ["compare", f"--left={old.neo4j.uri}", "--right=/neo4j", "--json", *arguments]
    out = world.run("pipelines.tenants", *command, expect=expect, NEO4J_LEFT_PASSWORD_FILE=str(old.neo4j.password_file)).stdout
    found: dict[str, Any] = json.loads(out)
    return found


def are_equal(world: World, old: OldSetup) -> bool:
    try:
        return bool(compare(world, old)["equal"])
    except AssertionError:
        return False  # Where they differ, it ends with another exit code.


def doctor(world: World, group: str, environment: dict[str, str]) -> dict[str, str]:
    """What the doctor says of a group, by check."""
    done = world.run("pipelines.doctor", "--json", "--kafka_reader=bounded", f"--kafka_group={group}", expect=0, **environment)
    return {check["name"]: check["status"] for check in json.loads(done.stdout)["checks"]}


def must_be_disjoint(world: World, old: OldSetup) -> None:
    """Asked of both graphs themselves: nothing crosses, nothing is without a tenant, and each object is there twice, once a tenant."""
    for cypher in (world.cypher, old.cypher):
        assert cypher(CROSSING) == [{"crossing": 0}]
        assert cypher("MATCH (n) WHERE n.client_id IS NULL RETURN count(*) AS without") == [{"without": 0}]
        (twins,) = cypher(TWINS)
        assert twins["uids"] == twins["twins"] > 50


class Migration:
    """The two clusters on their way, in the steps of docs/migration.md; each must hold before the next begins."""

    def __init__(self, world: World, old: OldSetup) -> None:
        self.world, self.old = world, old
        self.own = OwnKafka(world.stack, old.kafka.brokers)
        self.own.make_topics()
        self.mirror = Mirror(B, self.own, world)
        self.builder_a = Builder(world, old, A, world.brokers)
        self.builder_b = Builder(world, old, B, self.own.brokers)
        self.first, self.second, self.third = zip(story(A), story(B), strict=True)
        self.extra = late_pod(self.second[1])
        self.keyless = len(self.first[0]) + (len(self.second[0]) + 1) // 2

    def expected(self, *portions: tuple[list[SampleRecord], ...]) -> dict[str, str]:
        """The digests that the portions come to, and the late record."""
        of_a = [keyed(record, A) for portion in portions for record in portion[0]]
        of_b = [keyed(record, B) for portion in portions for record in portion[1]]
        return expected_digests(of_a + of_b)

    def begin(self) -> None:
        """As it was: no key names a tenant; each builder knows whose its topics are."""
        self.world.produce(self.first[0])
        self.own.produce(self.first[1])
        assert self.builder_a.run()["read"] == len(self.first[0])
        assert self.builder_b.run()["read"] == len(self.first[1])

    def side_by_side(self, shared: Job) -> None:
        """af-11's topics are mirrored with keys, af-10's producers get theirs one by one; the older builders go on."""
        mirrored = self.mirror.copy()
        self.own.produce(self.second[1])
        mirrored += self.mirror.copy()
        self.world.produce([keyed(record, A) if number % 2 else record for number, record in enumerate(self.second[0])])
        report = self.builder_a.run()
        assert (report["read"], report["skipped"]) == (len(self.second[0]) + mirrored, mirrored), "af-11's stay out of af-10's graph"
        self.builder_b.run()
        await_shared(self.world, shared)
        before = compare(self.world, self.old, expect=1)["tenants"]
        assert [one["equal"] for one in before] == [False, True], "what names no tenant waits in the dead letters"

    def replay(self) -> None:
        """The letters of records that name no tenant are af-10's: nobody else wrote such to the shared topics."""
        done = self.world.run("pipelines.deadletters", "replay", "--reason=tenant_missing", f"--single_tenant={A}", "--json")
        report = json.loads(done.stdout)
        assert (report["letters"], report["replayed"], report["rejected"]) == (self.keyless, self.keyless, 0)

    def prove(self) -> None:
        found = compare(self.world, self.old)
        assert {one["right"]["client_id"]: one["right"]["digest"] for one in found["tenants"]} == self.expected(self.first, self.second)
        must_be_disjoint(self.world, self.old)

    def hold_back(self, shared: Job) -> None:
        """A record that has not come through is told, and by its name."""
        self.own.produce([self.extra])
        self.builder_b.run()
        assert self.mirror.copy(hold_back=[HELD_BACK]) == 0
        (of_b,) = [one for one in compare(self.world, self.old, expect=1)["tenants"] if not one["equal"]]
        assert of_b["left"]["client_id"] == B
        # Its time is later than all that the other graph knows, so that incidents are over which are open there.
        recorded = [one for one in of_b["node_examples"] if one["label"] != "Incident"]
        assert recorded == [{"where": "only_left", "label": "Resource", "key": HELD_BACK.decode()}]
        assert self.mirror.copy() == 1
        await_shared(self.world, shared)
        await_that(lambda: are_equal(self.world, self.old), 30, "both graphs are equal")

    def cut_over(self, shared: Job) -> None:
        """Agents write with keys to the shared topics alone; the older builders stand still."""
        assert self.builder_b.has_taken_in_all()
        both = zip((A, B), self.third, strict=True)
        self.world.produce([keyed(record, client_id) for client_id, portion in both for record in portion])
        await_shared(self.world, shared)
        expected = self.expected(self.first, self.second, ([], [self.extra]), self.third)
        await_that(lambda: self.world.digests() == expected, 30, "the graphs are those of the records")

    def roll_back(self) -> None:
        """An older builder that is started again goes on where its group stood."""
        assert compare(self.world, self.old, f"--client_id={A}", expect=1)["equal"] is False
        self.builder_a.run()
        assert compare(self.world, self.old, f"--client_id={A}")["equal"] is True

    def remove_groups(self) -> None:
        """Nothing is left for them to read and no run of theirs is at work; the shared group is not touched."""
        client = admin(self.world.brokers)
        for builder in (self.builder_a, self.builder_b):
            assert builder.has_taken_in_all()
            checks = doctor(self.world, builder.group, self.old.environment(builder.target.brokers))
            assert (checks["group"], checks["lag"], checks["lease"]) == ("ok", "ok", "ok")
            forget_offsets(builder.target.brokers, builder.group)
        groups = {one.group_id for one in client.list_consumer_groups().result().valid}
        assert self.builder_a.group not in groups
        assert self.world.kafka_target.group in groups


def test_from_keyless_builders_to_one_job_without_a_gap(world: World, old: OldSetup) -> None:
    migration = Migration(world, old)
    migration.begin()
    with Job(world, *FOLLOW) as shared:
        migration.side_by_side(shared)
        migration.replay()
        migration.prove()
        migration.hold_back(shared)
        migration.cut_over(shared)
        migration.roll_back()
        migration.remove_groups()
        assert world.cypher(CROSSING) == [{"crossing": 0}]
        ended = shared.stop().must_be(0)

    # One run from the first day on: each record of the shared topics has one outcome, and nothing but what named no tenant a letter.
    assert ended.must_count_every_record_once() == len(held_records(world.kafka_target, TOPICS))
    assert [letter["reason"] for letter in world.deadletters()] == ["tenant_missing"] * migration.keyless
    assert ended.report["rejected"] == migration.keyless
    assert ended.report["tenants"][B]["read"] == len(migration.first[1]) + len(migration.second[1]) + 1 + len(migration.third[1])
    assert ended.report["gaps"] == []
