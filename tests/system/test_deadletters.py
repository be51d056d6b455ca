"""Dead letters listed, shown and replayed, on real Kafka and Neo4j."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from scripts.faulting.topics import delete_before
from scripts.sampling.record import COMMANDS, EVENTS, RESOURCES, TOPOLOGY, SampleRecord, json_bytes
from scripts.sampling.stream import sample_stream
from tests.support.in_memory import expected_digests
from tests.system.world import DEADLETTERS, World
from transforms.io.kafka.offsets import KafkaOffsets, OffsetRange
from transforms.records.dead_letters.selection import REPLAYED
from transforms.records.outcomes import Outcome
from transforms.records.tenancy.tenant import TenantRules

T = 1_772_352_000_000
OUTCOMES = tuple(one.value for one in Outcome)
HIDDEN = "aHVudGVyMg-hidden"


class Letters:
    """The commands, and what they must leave as it is."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._offsets = KafkaOffsets(world.kafka_target)

    def close(self) -> None:
        self._offsets.close()

    def run_job(self) -> dict[str, Any]:
        return self.world.run_job("--kafka_reader=bounded")

    def listed(self, *flags: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.world.run("pipelines.deadletters", "list", "--json", *flags).stdout)
        return found

    def shown(self, coordinates: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.world.run("pipelines.deadletters", "show", coordinates, "--json").stdout)
        return found

    def replay(self, *flags: str, client_id: str = "") -> dict[str, Any]:
        """What the replay tells, once it is certain that its counts add up and that Kafka holds no more than marks of letters."""
        before, marked_before = self.kafka(), self.marks()
        told: dict[str, Any] = json.loads(
            self.world.run("pipelines.deadletters", "replay", "--json", *flags, SINGLE_TENANT=client_id).stdout
        )
        marks = 0 if told["dry_run"] else told["replayed"] - told["rejected"]
        assert self.kafka() == before, "a replay produces to no topic that the job reads, and commits nothing"
        assert self.marks() == marked_before + marks
        assert told["letters"] == told["replayed"] + told["unavailable"] + told["gaps"]
        for counts in [told, *told["tenants"].values()] if not told["dry_run"] else []:
            assert sum(counts[outcome] for outcome in OUTCOMES) == counts["replayed"]
        return told

    def kafka(self) -> tuple[list[OffsetRange], list[dict[str, Any]], dict[tuple[str, int], int]]:
        """What all topics hold, dead letters included and marks not, and the group's offsets."""
        return self._offsets.held([RESOURCES, TOPOLOGY, EVENTS, COMMANDS]), self.world.deadletters(), self.world.committed()

    def marks(self) -> int:
        """How many marks of replayed letters the dead-letter topic holds."""
        return sum(one.get("reason") == REPLAYED for one in self.world.read_topic(DEADLETTERS))


@pytest.fixture
def letters(world: World) -> Iterator[Letters]:
    letters = Letters(world)
    yield letters
    letters.close()


def pod(name: str, **changes: object) -> bytes:
    body = {"op": "UPSERT", "at": "2026-03-01T08:00:00Z", "kind": "Pod", "namespace": "shop", "name": name}
    return json_bytes(body | changes)


def secret(name: str) -> bytes:
    return pod(name, kind="Secret", data={"password": HIDDEN})


def produce_at(world: World, partition: int, key: bytes, value: bytes | None, topic: str = RESOURCES) -> None:
    producer = Producer({"bootstrap.servers": world.brokers})
    producer.produce(topic, value, key, partition=partition, timestamp=T)
    assert producer.flush(10) == 0


def keyless(records: list[SampleRecord], client_id: str) -> list[SampleRecord]:
    """The records of one tenant without their tenant."""
    prefix = f"{client_id}::".encode()
    return [record._replace(key=(record.key or b"").removeprefix(prefix)) for record in records]


def test_every_poison_is_listed_and_shown_with_what_may_leave_kafka(letters: Letters) -> None:
    stream = sample_stream(clusters=2, resyncs=1, seed=3, poison_classes=99)
    letters.world.produce(stream.records)
    letters.run_job()
    written = letters.world.deadletters()
    produce_at(letters.world, 0, b"x", b"no letter \x1b[2J", DEADLETTERS)
    produce_at(letters.world, 0, b"x", b'{"version": 7}', DEADLETTERS)

    told = letters.listed("--letters=500")

    assert told["unreadable"] == {"not JSON": 1, "version 7": 1}
    assert (told["letters"], told["gaps"]) == (len(stream.poisons), 0)
    groups = Counter({(group["reason"], group["topic"]): 0 for group in told["groups"]})
    for group in told["groups"]:
        groups[group["reason"], group["topic"]] += group["letters"]
        assert group["example"].startswith(group["topic"] + "[")
        assert "2026" <= group["first_written"] <= group["last_written"]
    assert groups == Counter((poison.reason, poison.topic) for poison in stream.poisons)
    originals = {f"{one['topic']}[{one['partition']}]@{one['offset']}": one for one in written}
    assert [entry["coordinates"] for entry in told["latest"]] == list(reversed(originals))
    for is_withheld in (True, False):
        chosen, letter = next((at, one) for at, one in originals.items() if one["withheld"] is is_withheld)
        shown = letters.shown(chosen)
        same = ("reason", "detail", "step", "client_id", "withheld", "redacted", "truncated", "value_bytes", "value_sha256")
        assert {name: shown[name] for name in same} == {name: letter[name] for name in same}
    some = told["groups"][0]
    only = letters.listed(f"--reason={some['reason']}", f"--topic={some['topic']}", f"--client_id={some['client_id']}")
    assert only["groups"] == [some]
    said = letters.world.run("pipelines.deadletters", "list", "--letters=3").stdout
    assert "2 messages are no dead letters of this version and were passed over: 1 not JSON, 1 version 7." in said
    assert all(poison.reason in said for poison in stream.poisons)


def test_a_letter_is_shown_whole_and_what_was_withheld_never(letters: Letters) -> None:
    produce_at(letters.world, 1, b"secret:shop:s", secret("s"))
    produce_at(letters.world, 1, b"pod:shop:p", pod("p", labels={"app": "x\x1b[31m"}, replicas=12345678901234567))
    produce_at(letters.world, 1, b"af-10::\xff", None)
    letters.run_job()

    hidden = letters.world.run("pipelines.deadletters", "show", f"{RESOURCES}[1]@0").stdout
    assert "withheld: it is or may be a Secret" in hidden
    assert "tenant_missing" in hidden
    assert HIDDEN not in hidden + json.dumps(letters.shown(f"{RESOURCES}[1]@0"))
    plain = letters.world.run("pipelines.deadletters", "show", f"{RESOURCES}[1]@1").stdout
    assert '"replicas": 12345678901234567' in plain
    assert "\x1b" not in plain
    assert letters.shown(f"{RESOURCES}[1]@1")["value"] == json.loads(pod("p", labels={"app": "x\x1b[31m"}, replicas=12345678901234567))
    tombstone = letters.shown(f"{RESOURCES}[1]@2")
    assert (tombstone["key_encoding"], tombstone["value"], tombstone["reason"]) == ("base64", None, "bad_key")
    none = letters.world.run("pipelines.deadletters", "show", f"{RESOURCES}[1]@3", expect=1).stderr
    assert none == f"graph.deadletter holds no letter of {RESOURCES}[1]@3; `list --letters 20` tells of the last that it holds.\n"


def test_a_replay_after_the_cause_is_gone_comes_to_the_graph_of_a_run_without_the_fault_and_again_changes_nothing(letters: Letters) -> None:
    records = sample_stream(clusters=2, resyncs=2, seed=9, poison_classes=0).records
    letters.world.produce(keyless(records, "af-10"))
    assert letters.run_job()["rejected"] > 100
    before = letters.world.digests()
    assert set(before) == {"af-11"}
    flags = ("--reason=tenant_missing", "--single_tenant=af-10", "--slice_bytes=65536")

    tried = letters.replay(*flags, "--dry_run", "--neo4j_uri=bolt://127.0.0.1:1", f"--kafka_brokers={letters.world.brokers}")
    assert (tried["replayed"], tried["letters"], tried["dry_run"]) == (tried["letters"], letters.listed()["letters"], True)
    assert letters.world.digests() == before
    first = letters.replay(*flags)
    assert (first["replayed"], first["rejected"], first["skipped"]) == (tried["replayed"], 0, 0)
    assert first["written"] > 0
    assert first["slices"] > 1
    assert (first["tenants"]["af-10"]["replayed"], first["tenants"]["-"]["letters"]) == (first["replayed"], first["letters"])
    digests = letters.world.digests()
    assert digests == expected_digests(records)
    told = letters.listed()
    assert (told["replayed"], told["letters"]) == (first["replayed"], first["letters"])
    none = letters.replay("--reason=tenant_missing", client_id="af-10")
    assert (none["replayed"], none["letters"], none["replayed_before"]) == (0, 0, first["replayed"])
    again = letters.replay("--reason=tenant_missing", "--again", client_id="af-10")
    assert (again["replayed"], again["written"], again["rejected"]) == (first["replayed"], 0, 0)
    assert letters.world.digests() == digests
    assert letters.replay(*flags, "--again")["tenants"]["af-10"]["unchanged"] == again["unchanged"]


def test_a_separator_that_the_job_did_not_know_is_replayed_with_it_and_what_is_still_wrong_is_counted_only(letters: Letters) -> None:
    produce_at(letters.world, 0, b"af-10|pod:shop:p", pod("p"))
    produce_at(letters.world, 0, b"x", json_bytes({"command": "DROP_EVERYTHING"}), COMMANDS)
    letters.run_job()

    told = letters.replay(f"--legacy_separator_topics={RESOURCES}")

    assert (told["replayed"], told["written"], told["rejected"]) == (2, 1, 1)
    assert told["rejected_why"] == {"unknown_command": 1}
    assert letters.world.digests() == expected_digests([SampleRecord(RESOURCES, b"af-10::pod:shop:p", pod("p"), T)])
    said = letters.world.run("pipelines.deadletters", "replay", f"--legacy_separator_topics={RESOURCES}").stdout
    assert "rejected again: 1 as unknown_command; their letters stay open" in said
    assert "1 letter was replayed before; --again replays it too" in said
    assert [one["replayed"] for one in letters.listed()["groups"]] == [1, 0]
    assert [bool(one["replayed"]) for one in letters.listed("--letters=2")["latest"]].count(True) == 1
    assert len(letters.world.deadletters()) == 2


def remake(world: World, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": world.brokers})
    admin.delete_topics([topic])[topic].result()
    world.make_topics()


def test_what_a_letter_does_not_hold_is_read_again_and_proven_and_is_unavailable_once_it_is_gone(letters: Letters) -> None:
    environment = [{"name": "DB_PASSWORD", "value": HIDDEN}]
    template = {"template": {"spec": {"containers": [{"name": "c", "env": environment}]}}}
    subject = {"kind": "Pod", "ns": "shop", "name": "p"}
    event = json_bytes({"event_id": "x", "event_time": "2026-03-01T08:00:00Z", "message": HIDDEN, "subject": subject})
    originals = [
        SampleRecord(EVENTS, b"secret:shop:gone", event, T),
        SampleRecord(RESOURCES, b"secret:shop:s", secret("s"), T),
        SampleRecord(RESOURCES, b"deployment:shop:d", pod("d", kind="Deployment", spec=template), T),
    ]
    for partition, record in enumerate(originals):
        produce_at(letters.world, partition, record.key or b"", record.value, record.topic)
    letters.run_job()
    written = sorted(letters.world.deadletters(), key=lambda one: one["partition"])
    assert [(one["withheld"], one["redacted"]) for one in written] == [(True, False), (True, False), (False, True)]
    delete_before(letters.world.brokers, (EVENTS, 0), 1)

    told = letters.replay("--single_tenant=af-10")

    assert (told["written"], told["unavailable"], told["unavailable_why"]) == (2, 1, {"gone": 1})
    assert told["tenants"]["-"]["unavailable"] == 1
    expected = expected_digests(originals[1:], TenantRules("af-10"))
    assert letters.world.digests() == expected
    assert HIDDEN not in str(letters.world.cypher("MATCH (n) RETURN properties(n) AS held"))
    remake(letters.world, RESOURCES)
    for partition, record in enumerate(originals):
        produce_at(letters.world, partition, record.key or b"", secret("another"))
    anew = letters.replay("--single_tenant=af-10", "--again")
    assert (anew["replayed"], anew["unavailable_why"]) == (0, {"another_record": 2, "gone": 1})
    said = letters.world.run("pipelines.deadletters", "replay", "--dry_run", "--again").stdout
    assert "unavailable: 2, since the letter does not hold the whole record, and Kafka holds another one there" in said
    assert letters.world.digests() == expected


def test_newer_data_in_the_graph_is_never_set_back(letters: Letters) -> None:
    produce_at(letters.world, 0, b"pod:shop:p", pod("p", image="old"))
    produce_at(letters.world, 0, b"pod:shop:q", pod("q", image="old"))
    letters.run_job()
    newer = [
        SampleRecord(RESOURCES, b"af-10::pod:shop:p", pod("p", image="new", at="2026-03-01T09:00:00Z"), T + 3_600_000),
        SampleRecord(RESOURCES, b"af-10::pod:shop:q", None, T + 3_600_000),
    ]
    letters.world.produce(newer)
    letters.run_job()
    digests = letters.world.digests()

    told = letters.replay("--single_tenant=af-10")

    assert (told["superseded"], told["replayed"]) == (2, 2)
    assert letters.world.digests() == digests
    assert letters.world.cypher("MATCH (p:Pod) RETURN p.name AS name, p.image AS image") == [{"name": "p", "image": "new"}]


def test_a_replay_beside_the_job_comes_to_the_same_graph(letters: Letters) -> None:
    records = sample_stream(clusters=1, resyncs=6, seed=12, poison_classes=0).records
    late = {record for number, record in enumerate(records) if number % 3 == 0}
    letters.world.produce(keyless([record for record in records if record in late], "af-10"))
    letters.run_job()
    letters.world.produce([record for record in records if record not in late])
    job = letters.world.start_job("--kafka_reader=bounded", "--slice_bytes=65536", "--batch_rows=20")

    told = letters.world.run(
        "pipelines.deadletters", "replay", "--json", "--single_tenant=af-10", "--slice_bytes=65536", "--batch_rows=20"
    ).stdout

    out, err = job.communicate(timeout=300)
    assert job.returncode == 0, err
    assert json.loads(out)["read"] + json.loads(told)["replayed"] == len(records) - 1, "the command was taken in before"
    assert letters.world.digests() == expected_digests(records)


def test_lost_offsets_are_told_as_such_and_replay_nothing(letters: Letters) -> None:
    for _ in range(6):
        produce_at(letters.world, 0, b"af-10::x", b"{}", EVENTS)
    letters._offsets.commit({(EVENTS, 0): 1})
    delete_before(letters.world.brokers, (EVENTS, 0), 4)
    letters.run_job()

    told = letters.listed()

    assert (told["letters"], told["gaps"]) == (2, 1)
    (gap,) = [group for group in told["groups"] if group["reason"] == "offsets_lost"]
    assert (gap["client_id"], gap["letters"], gap["offsets_lost"], gap["example"]) == ("-", 1, 3, f"{EVENTS}[0]@1")
    assert "lost before they were taken in" in letters.world.run("pipelines.deadletters", "list").stdout
    shown = letters.shown(f"{EVENTS}[0]@1")
    assert (shown["reason"], shown["offsets_lost"], "value" in shown) == ("offsets_lost", 3, False)
    replayed = letters.replay()
    assert (replayed["gaps"], replayed["replayed"], replayed["rejected"]) == (1, 2, 2)
    assert letters.replay("--reason=missing_field", "--dry_run")["gaps"] == 0


def test_a_dry_run_lists_what_one_record_s_replay_would_take(letters: Letters) -> None:
    produce_at(letters.world, 0, b"af-10::pod:shop:p", b"{")
    produce_at(letters.world, 0, b"af-10::pod:shop:q", b"{")
    letters.run_job()
    first, second = (entry["coordinates"] for entry in letters.listed("--letters=2")["latest"])

    told = letters.replay("--dry_run", f"--record={first}")

    assert [entry["coordinates"] for entry in told["latest"]] == [first]
    assert (told["letters"], letters.replay(f"--record={second}")["letters"]) == (1, 1)


def test_with_no_dead_letter_topic_there_is_nothing(letters: Letters) -> None:
    assert letters.listed() == {"letters": 0, "replayed": 0, "gaps": 0, "unreadable": {}, "groups": [], "latest": []}
    assert letters.replay()["letters"] == 0
    assert letters.world.run("pipelines.deadletters", "list").stdout == "No dead letters match.\n"


def test_kafka_out_of_reach_is_told_in_one_sentence(letters: Letters) -> None:
    for command in (["list"], ["show", "a[0]@1"], ["replay", "--dry_run"]):
        said = letters.world.run("pipelines.deadletters", *command, "--kafka_brokers=127.0.0.1:1", "--kafka_retry_s=1", expect=1).stderr
        assert said.startswith("Kafka at 127.0.0.1:1 cannot be used (")
        assert len(said.strip().splitlines()) == 1
