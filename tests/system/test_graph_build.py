"""The main job, end to end: real Kafka to real Neo4j, many clusters."""

from collections import Counter

import pytest

from scripts.sampling.poison import poisons
from scripts.sampling.record import RESOURCES, SampleRecord
from scripts.sampling.stream import sample_stream
from tests.support.in_memory import expected_digests
from tests.system.world import World, value_of
from transforms.records.outcomes import Outcome
from transforms.records.tenancy.tenant import TenantRules

CROSSING = "MATCH (a)-[r]->(b) WHERE a.client_id <> b.client_id OR r.client_id <> a.client_id RETURN count(*) AS crossing"
OUTCOMES = tuple(one.value for one in Outcome)


@pytest.mark.parametrize("reader", ["auto", "bounded"])
def test_every_record_is_counted_once_and_the_graph_is_what_the_records_say(world: World, reader: str) -> None:
    stream = sample_stream(clusters=3, resyncs=4, seed=11, poison_classes=99)
    world.produce(stream.records)

    report = world.run_job(f"--kafka_reader={reader}")

    assert report["read"] == len(stream.records)
    assert sum(report[outcome] for outcome in OUTCOMES) == report["read"]
    for counts in [report, *report["tenants"].values()]:
        assert sum(counts[outcome] for outcome in OUTCOMES) == counts["read"]
    assert sum(counts["read"] for counts in report["tenants"].values()) == report["read"]
    assert report["rejected"] == len(stream.poisons)
    assert report["control"] == 1
    assert world.digests() == expected_digests(stream.records)


def test_each_poison_is_a_dead_letter_with_its_reason_and_nothing_else_is(world: World) -> None:
    stream = sample_stream(clusters=2, resyncs=1, seed=3, poison_classes=99)
    world.produce(stream.records)

    world.run_job()

    letters = world.deadletters()
    assert Counter(letter["reason"] for letter in letters) == Counter(poison.reason for poison in stream.poisons)
    by_original = {(letter["topic"], letter["message_key"], letter["value_bytes"]): letter for letter in letters}
    for poison in stream.poisons:
        size = None if poison.value is None else len(poison.value)
        letter = by_original[poison.topic, poison.key or None, size]
        assert letter["reason"] == poison.reason, poison.name
        assert letter["withheld"] or value_of(letter) == poison.value
    broken = next(letter for letter in letters if letter["detail"].startswith("the value is not JSON: JSON is malformed: object keys"))
    assert broken["withheld"], "a state record that cannot be parsed may hold anything"


def test_a_second_run_with_nothing_new_writes_nothing(world: World) -> None:
    world.produce(sample_stream(clusters=2, resyncs=1, seed=5, poison_classes=0).records)
    world.run_job()
    before, committed = world.digests(), world.committed()

    report = world.run_job()

    assert report["read"] == 0
    assert report["tenants"] == {}
    assert (world.digests(), world.committed()) == (before, committed)


def test_tenants_with_the_same_names_share_and_touch_nothing(world: World) -> None:
    world.produce(sample_stream(clusters=2, resyncs=1, seed=5, poison_classes=0).records)

    world.run_job()

    assert world.cypher(CROSSING) == [{"crossing": 0}]
    assert world.cypher("MATCH (n) WHERE n.client_id IS NULL RETURN count(*) AS without") == [{"without": 0}]
    shared = world.cypher("MATCH (n:Resource) WITH n.rid AS rid, count(DISTINCT n.client_id) AS tenants WHERE tenants = 2 RETURN rid")
    assert {"rid": "deployment:shop:payments"} in shared
    uids = world.cypher("MATCH (n:Deployment {name: 'payments'}) RETURN count(DISTINCT n.uid) AS uids, count(n) AS nodes")
    assert uids == [{"uids": 2, "nodes": 2}]


def test_a_new_cluster_needs_no_configuration_and_leaves_the_others_alone(world: World) -> None:
    streams = sample_stream(clusters=2, resyncs=1, seed=8, poison_classes=0).records
    first = [record for record in streams if not (record.key or b"").startswith(b"af-11")]
    world.produce(first)
    world.run_job()
    before = world.digests()

    world.produce([record for record in streams if (record.key or b"").startswith(b"af-11")])
    report = world.run_job()

    assert set(before) == {"af-10"}
    assert set(report["tenants"]) == {"af-11"}
    assert world.digests() == expected_digests(streams)
    assert world.digests()["af-10"] == before["af-10"]


def test_single_tenant_mode_stamps_keyless_records_keeps_its_own_and_skips_others(world: World) -> None:
    records = sample_stream(clusters=2, resyncs=1, seed=9, poison_classes=0).records
    mixed = [
        record._replace(key=(record.key or b"").removeprefix(b"af-10::")) if number % 2 else record for number, record in enumerate(records)
    ]
    world.produce(mixed)

    report = world.run_job(CLIENT_ID="af-10")

    skipped = sum(1 for record in mixed if (record.key or b"").startswith(b"af-11::"))
    assert report["skipped"] == skipped
    assert report["rejected"] == 0
    assert world.digests() == expected_digests(mixed, TenantRules("af-10"))
    keyed = [record for record in records if not (record.key or b"").startswith(b"af-11::")]
    assert world.digests() == expected_digests(keyed)


def test_what_is_produced_while_a_run_goes_on_is_left_for_the_next(world: World) -> None:
    records = sample_stream(clusters=1, resyncs=3, seed=2, poison_classes=0).records
    world.produce(records)

    reports = [world.run_job("--slice_bytes=65536")]
    world.produce(records)
    reports.append(world.run_job())

    assert [report["read"] for report in reports] == [len(records), len(records)]
    assert reports[1]["written"] == 0, "the same contents again change nothing"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--no_such_flag"], "No such option: --no_such_flag"),
        (["--client_id=Node"], "--single_tenant or --client_id is 'Node'"),
        (["--batch_rows=0"], "--batch_rows"),
        (["--runner=SparkRunner"], "--runner is 'SparkRunner'"),
    ],
)
def test_wrong_usage_is_told_in_one_sentence_and_exits_with_2(world: World, flags: list[str], said: str) -> None:
    assert said in world.run_job(*flags, expect=2)["stderr"]


def test_with_nothing_configured_and_no_local_stack_it_says_how_to_start_one(world: World) -> None:
    said = world.run_job(expect=2, GRAPH_STACK_DIR="/nonexistent")["stderr"]

    assert "No Kafka is configured: start the local one with `scripts/stack up`, or name one with --kafka_brokers or KAFKA_BROKERS." in said


def test_a_topic_that_is_not_decoded_is_counted_as_such(world: World) -> None:
    world.produce([SampleRecord(RESOURCES, b"af-10::pod:shop:p", poisons("af-10")[0].value, 1_772_352_000_000)])

    report = world.run_job("--topics=state.k8s.resource")

    assert (report["read"], report["rejected"]) == (1, 1)


def test_a_topic_that_was_named_and_does_not_exist_ends_the_run_before_anything_is_read(world: World) -> None:
    world.produce(sample_stream(clusters=1, resyncs=1, seed=1, poison_classes=0).records)

    said = world.run_job("--topics=state.k8s.resource,no.such.topic", "--log_level=ERROR", expect=1)["stderr"]

    assert said.startswith(f"Kafka at {world.brokers} lacks topics that were named (no.such.topic): this version decodes no topic ")
    assert world.committed() == {}


def test_commands_are_carried_out(world: World) -> None:
    world.run_job()
    world.cypher("DROP CONSTRAINT rule_key")
    world.produce(sample_stream(clusters=1, resyncs=1, seed=2, poison_classes=0).records)

    world.run_job()

    assert world.cypher("SHOW CONSTRAINTS YIELD name WHERE name = 'rule_key' RETURN count(*) AS found") == [{"found": 1}]
