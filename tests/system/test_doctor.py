"""The doctor on the real stack: what it finds, what it says to do, its exit codes, and that it leaves everything as it was."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (
    AclOperation,
    AdminClient,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from scripts.faulting.topics import configure_topic
from scripts.sampling.produce import TOPICS
from scripts.sampling.record import COMMANDS, EVENTS, REGISTRY, RESOURCES, RULES, TARGETS, TOPOLOGY, SampleRecord
from scripts.sampling.stream import sample_stream
from tests.support.wire import kafka_record
from tests.system.conftest import JARS
from tests.system.secured_kafka import USER, Right, SecuredKafka
from tests.system.world import DEADLETTERS, GROUP, World, named
from transforms.io.dead_letters.writer import DeadLetterWriter, deadletter_topic
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import KafkaOffsets
from transforms.io.kafka.probe import Brokers, KafkaProbe
from transforms.io.kafka.target import KafkaTarget
from transforms.io.secrets import Secret
from transforms.model.schema import schema
from transforms.records.rejects import Fault, Reason, Step, reject

Checks = dict[str, dict[str, str]]
# On a machine that others use too; unreachable servers are given up on after 5 s each, all at once.
MOST_S = 60
JAVA_SIDE = {"Java side", "Beam versions"}


def doctor(world: World, *flags: str, expect: int = 0, **environment: str) -> Checks:
    """The checks by name; every remedy is there where it is needed, and nothing like a traceback.

    For the reader without a Java side, unless the flags say otherwise.
    """
    started = time.monotonic()
    done = world.run("pipelines.doctor", "--json", "--kafka_reader=bounded", *flags, expect=expect, **environment)
    assert time.monotonic() - started < MOST_S
    assert "Traceback" not in done.stderr
    told = json.loads(done.stdout)
    assert (told["status"] == "failed") is (expect == 1)
    for check in told["checks"]:
        assert bool(check["remedy"]) is (check["status"] in ("warning", "failed")), check
    checks = {check["name"]: check for check in told["checks"]}
    assert len(checks) == len(told["checks"])
    return checks


def of_status(checks: Checks, *statuses: str) -> set[str]:
    return {name for name, check in checks.items() if check["status"] in statuses}


@pytest.fixture
def ready(world: World) -> World:
    """A stack as the job wants it, that the job has run on."""
    for topic in (RESOURCES, TOPOLOGY, TARGETS, RULES, REGISTRY):
        configure_topic(world.brokers, topic, message_timestamp_type="LogAppendTime")
    world.produce(sample_stream(clusters=2, resyncs=1, seed=5, poison_classes=3).records)
    world.run_job("--kafka_reader=bounded")
    return world


def everything(world: World) -> dict[str, Any]:
    """All that anybody could see of the topics, the group and the graph."""
    admin = AdminClient({"bootstrap.servers": world.brokers})
    consumer = Consumer({"bootstrap.servers": world.brokers, "group.id": "watcher"})
    try:
        names = [name for name in admin.list_topics(timeout=10).topics if not name.startswith("_")]
        places = [TopicPartition(name, number) for name in names for number in admin.list_topics(timeout=10).topics[name].partitions]
        ends = {(at.topic, at.partition): consumer.get_watermark_offsets(at, timeout=10) for at in places}
    finally:
        consumer.close()
    nodes = world.cypher("MATCH (n) RETURN labels(n) AS labels, count(*) AS number ORDER BY labels")
    indexes = world.cypher("SHOW INDEXES YIELD name RETURN name ORDER BY name")
    return {"ends": ends, "committed": world.committed(), "digests": world.digests(), "nodes": nodes, "indexes": indexes}


def test_on_an_up_to_date_stack_all_is_well_and_everything_stays_as_it_was(ready: World) -> None:
    before = everything(ready)

    checks = doctor(ready, "--kafka_reader=beam")

    assert of_status(checks, "warning", "failed", "skipped") == set()
    assert everything(ready) == before
    assert checks["brokers"]["said"].startswith(f"{ready.brokers} answered: cluster ")
    assert checks["brokers"]["said"].endswith(", protocol 3.9")
    assert checks["lag"]["said"] == "0 offsets to take in"
    assert checks["Beam versions"]["said"] == "2.70.0 on both sides"
    assert checks["Neo4j version"]["said"].startswith("5.26")
    assert checks["schema"]["said"] == f"all {len(schema())} constraints and indexes are online"
    assert checks["dead letters"]["said"] == f"{DEADLETTERS} exists, may be written"
    assert "2 tenants" in checks["graph size"]["said"]


def test_a_broker_tells_its_version_over_whichever_connection_it_answers(world: World) -> None:
    told = [KafkaProbe(world.kafka_target).brokers() for _ in range(60)]

    assert {one.version if isinstance(one, Brokers) else one for one in told} == {"3.9"}


def test_folders_that_the_job_would_write_to_are_looked_at_and_nothing_is_made(world: World, tmp_path: Path) -> None:
    kept = [f"--deadletter_path={tmp_path}/letters/new", f"--archive={tmp_path}/archive"]

    checks = doctor(world, *kept)

    assert checks["dead letters"]["said"].startswith(f"{tmp_path}/letters/new has ")
    assert checks["archive"]["said"].startswith(f"{tmp_path}/archive has ")
    assert {"dead letters size", "dead letters cleanup"}.isdisjoint(checks), "the topic is not used"
    assert list(tmp_path.iterdir()) == []

    (tmp_path / "letters").write_text("a file")
    checks = doctor(world, *kept, expect=1)
    assert of_status(checks, "failed") == {"dead letters"}
    assert f"({tmp_path}/letters is no folder)" in checks["dead letters"]["said"]
    assert checks["dead letters"]["remedy"] == "Make it writable for this user, or name another with --deadletter_path."


def test_before_the_first_run_it_says_what_the_job_will_make_and_makes_nothing(world: World) -> None:
    for name in ("rule_key", "incident_key"):
        world.cypher(f"DROP CONSTRAINT {name} IF EXISTS")
    world.produce([SampleRecord(EVENTS, b"af-10::x", b"{}", 1_772_352_000_000) for _ in range(7)])
    before = everything(world)

    checks = doctor(world)

    assert everything(world) == before
    assert checks["schema"]["status"] == "warning"
    assert "rule_key" in checks["schema"]["said"]
    assert "incident_key" in checks["schema"]["said"]
    assert checks["dead letters"]["said"] == f"{DEADLETTERS} does not exist yet; the job may make it"
    assert checks["lag"]["said"] == "7 offsets to take in, of 1 partitions"


def test_plain_lines_without_a_terminal(ready: World) -> None:
    said = ready.run("pipelines.doctor", "--kafka_reader=bounded").stdout.splitlines()

    assert "skipped  Java side, Beam versions: --kafka_reader=bounded needs no Java side" in said
    assert said[-1].endswith("the job can run here.")


def test_topics_that_serve_the_job_ill_are_warnings(ready: World) -> None:
    admin = AdminClient({"bootstrap.servers": ready.brokers})
    admin.delete_topics([COMMANDS])[COMMANDS].result()
    configure_topic(ready.brokers, RESOURCES, message_timestamp_type="CreateTime", cleanup_policy="delete")
    configure_topic(ready.brokers, DEADLETTERS, max_message_bytes="1048588")

    checks = doctor(ready)

    assert of_status(checks, "failed") == set()
    assert of_status(checks, "warning") == {
        f"topic {COMMANDS}",
        f"topic {RESOURCES} timestamps",
        f"topic {RESOURCES} cleanup",
        "dead letters size",
    }
    assert "message.timestamp.type=LogAppendTime" in checks[f"topic {RESOURCES} timestamps"]["remedy"]


def test_a_record_from_the_future_warns_of_the_clocks(ready: World) -> None:
    ready.produce([SampleRecord(EVENTS, b"af-10::x", b"{}", int(time.time() * 1000) + 3_600_000)])

    check = doctor(ready)["Kafka clock"]

    assert check["status"] == "warning"
    assert check["said"].startswith(f"the newest record of {EVENTS}[")


def test_what_was_deleted_before_it_was_taken_in_is_a_warning(ready: World) -> None:
    ready.produce([SampleRecord(EVENTS, b"af-10::x", b"{}", 1_772_352_000_000) for _ in range(7)])
    with closing(KafkaOffsets(ready.kafka_target)) as offsets:
        (left,) = offsets.plan([EVENTS]).ranges
        offsets.commit({left.place: left.start + 2})
    admin = AdminClient({"bootstrap.servers": ready.brokers})
    for done in admin.delete_records([TopicPartition(*left.place, left.start + 4)]).values():
        done.result(30)

    check = doctor(ready)["lag"]

    assert check["status"] == "warning"
    lost = f"{left.start + 2} to {left.start + 3}"
    assert check["said"].startswith(f"{EVENTS}[{left.partition}] no longer holds the offsets {lost}, which were never taken in")


def test_a_constraint_that_the_job_cannot_make_is_fatal(ready: World) -> None:
    ready.cypher("DROP CONSTRAINT rule_key")
    ready.cypher("CREATE INDEX by_hand FOR (n:Rule) ON (n.client_id, n.rkey)")
    try:
        checks = doctor(ready, expect=1)
        said = ready.run_job("--log_level=ERROR", expect=1)["stderr"]
    finally:
        ready.cypher("DROP INDEX by_hand")

    assert of_status(checks, "failed") == {"schema"}
    assert checks["schema"]["remedy"] == "DROP INDEX by_hand; the job makes the constraint."
    assert "cannot be used" in said, "the doctor is right: the job does not run"
    assert doctor(ready)["schema"]["said"] == "missing: rule_key"
    ready.run_job("--kafka_reader=bounded")
    assert doctor(ready)["schema"]["status"] == "ok"


def test_a_living_lease_is_a_warning_and_a_dead_one_none(ready: World) -> None:
    put = "CREATE (:Lease {client_id: '-', name: $group, holder: $holder, expires: timestamp() + $ms})"
    ready.cypher(put, group=GROUP, holder=f"elsewhere pid 7 started {int(time.time()) - 120}", ms=600_000)
    check = doctor(ready)["lease"]
    ready.cypher("MATCH (l:Lease) SET l.expires = timestamp() - 5000")

    assert check["status"] == "warning"
    assert "elsewhere pid 7 started" in check["said"]
    assert "2" in check["said"].partition(" minutes old")[0][-4:]
    assert doctor(ready)["lease"]["status"] == "ok"


def test_others_in_the_group_are_fatal(ready: World) -> None:
    stranger = Consumer({"bootstrap.servers": ready.brokers, "group.id": GROUP, "client.id": "stranger"})
    try:
        stranger.subscribe([EVENTS])
        limit = time.monotonic() + 30
        while not stranger.assignment():
            stranger.poll(0.2)
            assert time.monotonic() < limit, "the stranger did not join in 30 s"
        checks = doctor(ready, expect=1)
    finally:
        stranger.close()

    assert of_status(checks, "failed") == {"group"}
    assert "stranger at 127.0.0.1" in checks["group"]["said"]


def test_kafka_out_of_reach_skips_what_depends_on_it_and_the_rest_goes_on(ready: World) -> None:
    checks = doctor(ready, "--kafka_reader=beam", expect=1, **(named(ready) | {"KAFKA_BROKERS": "127.0.0.1:1"}))

    assert of_status(checks, "failed") == {"brokers"}
    assert "Connection refused" in checks["brokers"]["said"]
    assert of_status(checks, "skipped") == {
        *(f"topic {topic}{what}" for topic in TOPICS for what in ("", " cleanup", " timestamps", " size", " retention")),
        *("dead letters", "dead letters size", "dead letters cleanup", "group", "lag", "held back", "offsets kept", "Kafka clock"),
    }
    assert checks["schema"]["status"] == checks["Java side"]["status"] == "ok"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--kafka_security_protocol=SSL"], "another security protocol"),
        (["--kafka_security_protocol=SASL_PLAINTEXT", "--kafka_sasl_username=u"], "another security protocol"),
        (["--kafka_security_protocol=SSL", "--kafka_ssl_ca_file=/none"], "the TLS files cannot be used"),
    ],
)
def test_a_wrong_security_protocol_is_told_apart(world: World, flags: list[str], said: str) -> None:
    checks = doctor(world, "--kafka_reader=bounded", *flags, expect=1, KAFKA_SASL_PASSWORD="hunter2-hunter2", **named(world))

    assert "brokers" in of_status(checks, "failed")
    assert said in checks["brokers"]["said"]
    assert "hunter2" not in str(checks)


def test_neo4j_out_of_reach_skips_what_depends_on_it_and_the_rest_goes_on(ready: World) -> None:
    checks = doctor(ready, "--neo4j_uri=bolt://127.0.0.1:1", expect=1, KAFKA_BROKERS=ready.brokers, NEO4J_PASSWORD="hunter2-hunter2")

    assert of_status(checks, "failed") == {"Neo4j"}
    assert "Connection refused" in checks["Neo4j"]["said"]
    assert of_status(checks, "skipped") == {
        "Neo4j version",
        "database",
        "writing",
        "schema",
        "graph size",
        "lease",
        "Neo4j clock",
        *JAVA_SIDE,
    }
    assert checks["lag"]["status"] == "ok"
    assert "hunter2" not in str(checks)


def test_a_wrong_password_is_told_apart_and_not_shown(ready: World) -> None:
    checks = doctor(ready, expect=1, **(named(ready) | {"NEO4J_PASSWORD_FILE": "", "NEO4J_PASSWORD": "hunter2-hunter2"}))

    assert of_status(checks, "failed") == {"Neo4j"}
    assert checks["Neo4j"]["said"].startswith(f"Neo4j at {ready.stack.neo4j.uri} refused the user neo4j")
    assert "hunter2" not in str(checks)


def test_a_database_that_does_not_exist_is_fatal(ready: World) -> None:
    checks = doctor(ready, "--neo4j_database=elsewhere", expect=1)

    assert of_status(checks, "failed") == {"database"}
    assert of_status(checks, "skipped") == {"writing", "schema", "graph size", "lease", "Neo4j clock", *JAVA_SIDE}


def test_a_missing_java_side_is_fatal_for_the_reader_that_needs_one(ready: World) -> None:
    address = "127.0.0.1:1"

    for flag in ("--kafka_reader=beam", "--kafka_reader=auto"):
        checks = doctor(ready, f"--expansion_service={address}", flag, expect=1)
        assert of_status(checks, "failed") == {"Java side"}
        assert of_status(checks, "skipped") == {"Beam versions"}
    for flags in (["--kafka_reader=bounded"], ["--kafka_reader=auto", "--follow"]):
        assert of_status(doctor(ready, f"--expansion_service={address}", *flags), "skipped") == JAVA_SIDE


def test_a_secret_that_others_may_read_is_a_warning(ready: World, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(ready.stack.neo4j.password_file.read_text())
    file.chmod(0o640)

    checks = doctor(ready, expect=0, **(named(ready) | {"NEO4J_PASSWORD_FILE": str(file)}))

    assert of_status(checks, "warning") == {"secrets"}
    file.unlink()
    gone = doctor(ready, expect=1, **(named(ready) | {"NEO4J_PASSWORD_FILE": str(file)}))
    assert of_status(gone, "failed") == {"secrets", "Neo4j"}


def test_names_that_no_topic_can_have_are_told_and_no_defect(world: World) -> None:
    checks = doctor(world, "--topics=a~b,..", "--deadletter_topic=c~d", expect=1)

    assert of_status(checks, "failed") == {"topic a~b", "topic ..", "dead letters"}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--no_such_flag"], "No such option: --no_such_flag"),
        (["--kafka_reader=x"], "--kafka_reader is 'x'"),
        (["--deadletter_topic="], "--deadletter_topic is empty"),
    ],
)
def test_wrong_usage_exits_with_2(world: World, flags: list[str], said: str) -> None:
    assert said in world.run("pipelines.doctor", *flags, expect=2).stderr


def test_help_teaches(world: World) -> None:
    said = world.run("pipelines.doctor", "--help").stdout

    for part in ("Exit codes", "python -m pipelines.doctor", "--kafka_brokers", "--neo4j_uri", "--kafka_reader", "--json"):
        assert part in said


# A broker with logins and rights

RIGHTS: list[Right] = [
    *((ResourceType.TOPIC, topic, AclOperation.READ) for topic in TOPICS),
    (ResourceType.GROUP, GROUP, AclOperation.READ),
]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    kafka = SecuredKafka(tmp_path_factory.mktemp("secured"), JARS)
    try:
        kafka.up()
        kafka.make(*(NewTopic(topic, 1) for topic in TOPICS))
        yield kafka
    finally:
        kafka.process.stop()


def secured_doctor(world: World, kafka: SecuredKafka, *flags: str, expect: int, password: str = USER[1]) -> Checks:
    login = ("--kafka_security_protocol=SASL_PLAINTEXT", f"--kafka_sasl_username={USER[0]}", "--kafka_reader=bounded")
    servers = named(world) | {"KAFKA_BROKERS": kafka.brokers, "KAFKA_SASL_PASSWORD": password}
    checks = doctor(world, *login, *flags, expect=expect, **servers)
    assert password not in str(checks)
    return checks


def test_logins_are_told_apart(world: World, secured: SecuredKafka) -> None:
    refused = secured_doctor(world, secured, expect=1, password="hunter2-hunter2")["brokers"]
    other = secured_doctor(world, secured, "--kafka_sasl_mechanism=SCRAM-SHA-256", expect=1)["brokers"]
    none = secured_doctor(world, secured, "--kafka_security_protocol=PLAINTEXT", expect=1)["brokers"]

    assert "it refused the login" in refused["said"]
    assert "it does not know this login mechanism" in other["said"]
    assert "KAFKA_SECURITY_PROTOCOL" in none["remedy"]


def test_rights_are_told_one_by_one_until_the_job_could_run(world: World, secured: SecuredKafka) -> None:
    topics = {f"topic {topic}" for topic in TOPICS}
    assert of_status(secured_doctor(world, secured, expect=1), "failed") == {*topics, "dead letters", "group"}

    secured.grant(RIGHTS)
    secured.grant([(ResourceType.TOPIC, DEADLETTERS, AclOperation.WRITE)])
    missing = secured_doctor(world, secured, expect=1)
    assert of_status(missing, "failed") == {"dead letters"}
    assert "Kafka would not make it for this user" in missing["dead letters"]["said"]

    secured.make(deadletter_topic(DEADLETTERS))
    well = secured_doctor(world, secured, expect=0)
    assert well["dead letters"]["said"] == f"{DEADLETTERS} exists, may be written"
    assert well["group"]["status"] == well["lag"]["status"] == "ok"
    assert f"topic {RESOURCES} cleanup" in of_status(well, "skipped"), "this user may not see settings"


def test_a_dead_letter_topic_that_somebody_else_made_serves_a_user_who_may_not_make_any(
    secured: SecuredKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", USER[1])
    target = KafkaTarget(secured.brokers, GROUP, "SASL_PLAINTEXT", "PLAIN", USER[0], Secret("KAFKA_SASL_PASSWORD"))
    secured.make(deadletter_topic("letters.made.before"))
    secured.grant([(ResourceType.TOPIC, "letters.made.before", AclOperation.WRITE)])
    rejected = reject(kafka_record(RESOURCES, b"af-10::k", b"{"), "af-10", Step.DECODE, Fault(Reason.NOT_JSON, "why"))

    writer = DeadLetterWriter(target, "letters.made.before")
    writer.ensure_topic()
    writer.send(rejected)
    writer.flush()

    place = TopicPartition("letters.made.before", 0)
    # Named, since what a client was asked is never answered once the client is gone.
    admin = secured.admin()
    assert admin.list_offsets({place: OffsetSpec.latest()}, request_timeout=10)[place].result().offset == 1
    with pytest.raises(InfrastructureFault, match=r"letters\.made\.by\.nobody at .* cannot be written"):
        DeadLetterWriter(target, "letters.made.by.nobody").ensure_topic()
