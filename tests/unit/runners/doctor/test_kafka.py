"""What Kafka tells is judged: brokers, topics, dead letters, the group; without a broker."""

import pytest

from runners.doctor.brokers import judge_brokers
from runners.doctor.deadletters import judge_deadletters
from runners.doctor.groups import judge_group, judge_lag, judge_lease
from runners.doctor.topics import judge_presence, judge_topic, names_of
from runners.doctor.verdict import Check, Status, failed, ok, overall, skipped, warning
from transforms.io.answers import ProbeError
from transforms.io.graph_admin.probe import LeaseTold
from transforms.io.kafka.offsets import OffsetGap, OffsetRange, ReadPlan
from transforms.io.kafka.probe import Brokers, ConnectFault, GroupTold, Partition, TopicDescription
from transforms.io.kafka.target import KafkaTarget

TARGET = KafkaTarget("k:9092", "g")
STATE, EVENTS, LETTERS = "state.k8s.resource", "events.normalized", "graph.deadletter"
REFUSED = ProbeError("Broker: Topic authorization failed", "TOPIC_AUTHORIZATION_FAILED")
MISSING = ProbeError("Broker: Unknown topic or partition", "UNKNOWN_TOPIC_OR_PART")
DOWN = ConnectFault("_ALL_BROKERS_DOWN", "1/1 brokers are down")
GOOD_STATE = {
    "cleanup.policy": "compact",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": "1048588",
    "delete.retention.ms": "86400000",
}
GOOD_EVENTS = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "CreateTime",
    "max.message.bytes": "1048588",
    "retention.ms": "604800000",
}
GOOD_LETTERS = {"cleanup.policy": "delete", "max.message.bytes": "16777216", "min.insync.replicas": "1"}


def topic(*operations: str, leader: bool = True, in_sync: int = 3) -> TopicDescription:
    return TopicDescription((Partition(0, True, 3, 3), Partition(1, leader, 3, in_sync)), frozenset(operations))


READABLE = topic("READ", "DESCRIBE")
WRITABLE = topic("WRITE", "DESCRIBE")


def by_name(checks: list[Check]) -> dict[str, Check]:
    found = {check.name: check for check in checks}
    assert len(found) == len(checks), "every name stands for one line"
    return found


def statuses(checks: list[Check]) -> list[Status]:
    return [check.status for check in checks]


def test_the_worst_check_decides_and_skipped_ones_do_not_count() -> None:
    good, odd, bad, none = ok("a", ""), warning("b", "", "do"), failed("c", "", "do"), skipped("d", "")
    assert overall([good, odd, bad, none]) is Status.FAILED
    assert overall([none, odd, good]) is Status.WARNING
    assert overall([none, good]) is overall([none]) is Status.OK


def test_brokers_that_answer_are_told_with_cluster_and_version() -> None:
    assert judge_brokers(TARGET, Brokers("k:9092", 3, "c1", "3.9")) == ok("brokers", "k:9092 answered: cluster c1, 3 brokers, protocol 3.9")
    assert judge_brokers(TARGET, Brokers("k:9092", 1, "c1")).said == "k:9092 answered: cluster c1, 1 broker"


# As librdkafka told them, on a broker without and one with logins.
@pytest.mark.parametrize(
    ("code", "said", "what", "remedy"),
    [
        ("_TRANSPORT", "k:9092/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused", "cannot be reached", "Start it"),
        ("_RESOLVE", "k:9092/bootstrap: Failed to resolve 'k:9092': Name or service not known", "name is unknown", "KAFKA_BROKERS"),
        (
            "_TRANSPORT",
            "SSL handshake failed: Disconnected: SSL connection closed by peer: connecting to a PLAINTEXT broker listener?",
            "another security protocol",
            "KAFKA_SECURITY_PROTOCOL",
        ),
        (
            "_TRANSPORT",
            "Disconnected while requesting ApiVersion: might be caused by incorrect security.protocol configuration "
            "(connecting to a SSL listener?)",
            "another security protocol",
            "KAFKA_SECURITY_PROTOCOL",
        ),
        ("_BAD_MSG", "Receive failed: Invalid response size 1213486160 (0..100000000)", "another security protocol", "KAFKA_BROKERS"),
        (
            "_AUTHENTICATION",
            "SASL PLAIN mechanism handshake failed: Broker: Request not valid in SASL state: broker's supported mechanisms:  (after",
            "another security protocol",
            "KAFKA_SECURITY_PROTOCOL",
        ),
        (
            "_AUTHENTICATION",
            "SASL SCRAM-SHA-256 mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: PLAIN",
            "login mechanism",
            "KAFKA_SASL_MECHANISM",
        ),
        (
            "_AUTHENTICATION",
            "SASL authentication error: Authentication failed: Invalid username or password",
            "refused",
            "KAFKA_SASL_PASSWORD",
        ),
        ("_SSL", "SSL handshake failed: error:0A000086: certificate verify failed: broker certificate", "not trusted", "KAFKA_SSL_CA_FILE"),
        ("_SSL", "SSL handshake failed: tlsv13 alert certificate required", "TLS handshake", "KAFKA_SSL_KEYPAIR_FILE"),
        ("_INVALID_ARG", "Failed to create admin client: ssl.ca.location failed: error:05880020", "TLS files", "KAFKA_SSL_CA_FILE"),
        ("_INVALID_ARG", "No provider for SASL mechanism X", "settings cannot be used", "KAFKA_SASL"),
    ],
)
def test_why_kafka_is_not_reached_is_told_apart_whatever_else_was_said(code: str, said: str, what: str, remedy: str) -> None:
    for faults in ((DOWN, ConnectFault(code, said)), (ConnectFault(code, said), DOWN)):
        check = judge_brokers(TARGET, faults)
        assert (check.name, check.status) == ("brokers", Status.FAILED)
        assert check.said.startswith("Kafka at k:9092: ")
        assert what in check.said
        assert said in check.said
        assert remedy in check.remedy


def test_a_login_that_is_refused_outweighs_a_broker_that_is_away() -> None:
    away = ConnectFault("_TRANSPORT", "k2:9092: Connect failed: Connection refused")
    assert "refused the login" in judge_brokers(TARGET, (away, ConnectFault("_AUTHENTICATION", "no"))).said


def test_silence_is_told_as_such() -> None:
    for faults in ((), (DOWN,)):
        check = judge_brokers(TARGET, faults)
        assert (check.status, check.said) == (Status.FAILED, "Kafka at k:9092: it gave no answer")
        assert "KAFKA_SECURITY_PROTOCOL" in check.remedy


@pytest.mark.parametrize(("name", "settings"), [(STATE, GOOD_STATE), (EVENTS, GOOD_EVENTS)])
def test_a_topic_as_the_job_wants_it_is_ok_in_every_line(name: str, settings: dict[str, str]) -> None:
    checks = judge_topic(name, READABLE, settings)

    assert [check.name for check in checks] == names_of(name)
    assert statuses(checks) == [Status.OK] * 5
    assert checks[0].said == "2 partitions, 3 replicas each, readable"


@pytest.mark.parametrize(
    ("name", "settings", "line", "said"),
    [
        (STATE, {"cleanup.policy": "delete"}, "cleanup", "cleanup.policy is delete"),
        (STATE, {"cleanup.policy": "compact,delete"}, "cleanup", "cleanup.policy is compact,delete"),
        (STATE, {"message.timestamp.type": "CreateTime"}, "timestamps", "message.timestamp.type is CreateTime"),
        (STATE, {"max.message.bytes": "1000000"}, "size", "max.message.bytes is 977 KiB"),
        (STATE, {"delete.retention.ms": "3600000"}, "retention", "tombstones are kept for 1 hour"),
        (EVENTS, {"cleanup.policy": "compact"}, "cleanup", "cleanup.policy is compact"),
        (EVENTS, {"cleanup.policy": "compact,delete"}, "cleanup", "cleanup.policy is compact,delete"),
        (
            EVENTS,
            {"retention.ms": "7200000", "retention.bytes": "2097152"},
            "retention",
            "records are kept for 2 hours, at most 2 MiB a partition",
        ),
    ],
)
def test_a_setting_that_serves_the_job_ill_is_a_warning_with_the_command_that_mends_it(
    name: str, settings: dict[str, str], line: str, said: str
) -> None:
    checks = by_name(judge_topic(name, READABLE, (GOOD_STATE if name == STATE else GOOD_EVENTS) | settings))

    wrong = checks.pop(f"topic {name} {line}")
    assert wrong.status is Status.WARNING
    assert wrong.said.startswith(f"{said}: ")
    assert f"--entity-name {name} --add-config " in wrong.remedy
    assert {check.status for check in checks.values()} == {Status.OK}


def test_what_is_kept_for_ever_is_ok() -> None:
    assert by_name(judge_topic(EVENTS, READABLE, GOOD_EVENTS | {"retention.ms": "-1"}))[f"topic {EVENTS} retention"] == ok(
        f"topic {EVENTS} retention", "records are kept for ever"
    )


def test_a_topic_that_is_missing_is_a_warning_and_its_settings_are_skipped() -> None:
    checks = judge_topic(STATE, MISSING, MISSING)

    assert statuses(checks) == [Status.WARNING, *[Status.SKIPPED] * 4]
    assert "--topic state.k8s.resource --config cleanup.policy=compact --config message.timestamp.type=LogAppendTime" in checks[0].remedy
    assert "cleanup.policy=delete" in judge_presence(EVENTS, MISSING).remedy


@pytest.mark.parametrize(
    ("told", "said", "remedy"),
    [
        (REFUSED, "may not even know", "Grant READ and DESCRIBE"),
        (ProbeError("Broker: Invalid topic", "TOPIC_EXCEPTION"), "no topic can have this name", "--topics"),
        (topic("DESCRIBE"), "may not read it", "Grant READ"),
        (topic("READ", leader=False), "no broker leads partition 1", "Start the brokers"),
        (ProbeError("Local: Timed out", "_TIMED_OUT"), "Kafka did not describe it (Local: Timed out)", "log"),
    ],
)
def test_a_topic_that_cannot_be_read_is_fatal(told: TopicDescription | ProbeError, said: str, remedy: str) -> None:
    check = judge_presence(STATE, told)
    assert check.status is Status.FAILED
    assert said in check.said
    assert remedy in check.remedy


def test_rights_that_kafka_does_not_tell_are_not_claimed() -> None:
    check = judge_presence(STATE, READABLE._replace(operations=None))
    assert (check.status, check.said) == (Status.OK, "2 partitions, 3 replicas each")


def test_replicas_that_lag_are_told_and_no_fault() -> None:
    check = judge_presence(STATE, topic("READ", in_sync=2))
    assert (check.status, check.said) == (Status.OK, "2 partitions, 3 replicas each, 1 with replicas behind, readable")


def test_settings_that_this_user_may_not_see_are_skipped() -> None:
    assert statuses(judge_topic(STATE, READABLE, REFUSED)) == [Status.OK, *[Status.SKIPPED] * 4]


def test_a_topic_that_nobody_decodes_is_a_warning() -> None:
    assert statuses(judge_topic("other", READABLE, GOOD_EVENTS)) == [Status.WARNING, *[Status.SKIPPED] * 4]


def test_dead_letters_that_can_be_written_whole_are_ok() -> None:
    assert statuses(judge_deadletters(LETTERS, WRITABLE, GOOD_LETTERS, None)) == [Status.OK] * 3


def test_dead_letters_that_the_job_can_make_are_ok_and_else_fatal() -> None:
    assert statuses(judge_deadletters(LETTERS, MISSING, MISSING, None)) == [Status.OK, Status.SKIPPED, Status.SKIPPED]
    check = judge_deadletters(LETTERS, MISSING, MISSING, ProbeError("Authorization failed."))[0]
    assert check.status is Status.FAILED
    assert check.remedy.endswith("--topic graph.deadletter --config max.message.bytes=16777216 --config cleanup.policy=delete")


@pytest.mark.parametrize(
    ("told", "settings", "said"),
    [
        (READABLE, GOOD_LETTERS, "may not write"),
        (REFUSED, REFUSED, "did not describe"),
        (ProbeError("Broker: Invalid topic", "TOPIC_EXCEPTION"), REFUSED, "no topic can have the name"),
        (topic("WRITE", leader=False), GOOD_LETTERS, "no broker leads partition 1"),
        (topic("WRITE", in_sync=1), GOOD_LETTERS | {"min.insync.replicas": "2"}, "fewer replicas in sync than the 2"),
    ],
)
def test_dead_letters_that_cannot_be_written_are_fatal(
    told: TopicDescription | ProbeError, settings: dict[str, str] | ProbeError, said: str
) -> None:
    check = judge_deadletters(LETTERS, told, settings, None)[0]
    assert check.status is Status.FAILED
    assert said in check.said
    assert check.remedy


@pytest.mark.parametrize(
    ("settings", "line"), [({"max.message.bytes": "1048588"}, "dead letters size"), ({"cleanup.policy": "compact"}, "dead letters cleanup")]
)
def test_dead_letters_that_not_every_reject_fits_are_a_warning(settings: dict[str, str], line: str) -> None:
    checks = by_name(judge_deadletters(LETTERS, WRITABLE, GOOD_LETTERS | settings, None))
    assert checks.pop(line).status is Status.WARNING
    assert {check.status for check in checks.values()} == {Status.OK}


def test_settings_of_dead_letters_that_this_user_may_not_see_are_skipped() -> None:
    assert statuses(judge_deadletters(LETTERS, WRITABLE, REFUSED, None)) == [Status.OK, Status.SKIPPED, Status.SKIPPED]


@pytest.mark.parametrize(
    ("told", "status", "said"),
    [
        (GroupTold((), frozenset({"READ"})), Status.OK, "may be committed for"),
        (GroupTold((), None), Status.OK, "g: no other members"),
        (GroupTold((), frozenset({"DESCRIBE"})), Status.FAILED, "may not commit"),
        (GroupTold(("stranger at 10.0.0.1",), frozenset({"READ"})), Status.FAILED, "stranger at 10.0.0.1"),
        (ProbeError("Broker: Group authorization failed", "GROUP_AUTHORIZATION_FAILED"), Status.FAILED, "may not use"),
        (ProbeError("Local: Timed out", "_TIMED_OUT"), Status.FAILED, "did not describe"),
    ],
)
def test_a_group_must_be_the_jobs_alone_and_open_to_it(told: GroupTold | ProbeError, status: Status, said: str) -> None:
    check = judge_group("g", told)
    assert check.status is status
    assert said in check.said
    assert bool(check.remedy) is (status is Status.FAILED)


def test_the_lag_is_told_and_what_was_lost_is_a_warning() -> None:
    ranges = [OffsetRange("a", 0, 10, 1010), OffsetRange("b", 1, 0, 5)]
    gap = OffsetGap("a", 0, 2, 4, 4)
    assert judge_lag(ReadPlan(ranges, [])) == ok("lag", "1,005 offsets to take in, of 2 partitions")
    assert judge_lag(ReadPlan([], [])) == ok("lag", "0 offsets to take in")
    much = ReadPlan([OffsetRange("a", 0, 0, 20_000)], [])
    assert "--kafka_reader=bounded" in judge_lag(much, "beam").said
    assert "--kafka_reader=bounded" not in judge_lag(much, "bounded").said
    lost = judge_lag(ReadPlan(ranges, [gap, gap]))
    assert (lost.status, lost.said) == (Status.WARNING, f"{gap.sentence} (and 1 more)")
    assert judge_lag(ProbeError("no answer")).status is Status.FAILED


def lease(told: LeaseTold | ProbeError | None, *, dead: bool = False) -> Check:
    return judge_lease("g", told, 1000.0, lambda _holder: dead)


def test_a_lease_that_a_living_run_holds_is_a_warning_with_its_age() -> None:
    check = lease(LeaseTold("host pid 7 started 880", 25.0))
    assert check.status is Status.WARNING
    assert "(host pid 7 started 880, 2 minutes old, holds it for another 25 seconds)" in check.said


def test_a_lease_that_stops_nobody_is_ok() -> None:
    assert lease(None).status is Status.OK
    assert "ran out 30 seconds ago" in lease(LeaseTold("host pid 7 started 880", -30.0)).said
    assert lease(LeaseTold("host pid 7 started 880", -30.0)).status is Status.OK
    assert lease(LeaseTold("host pid 7 started 880", 25.0), dead=True).status is Status.OK
    assert lease(ProbeError("no")).status is Status.SKIPPED


def test_a_holder_that_tells_no_start_has_no_age() -> None:
    assert "(somebody, holds it" in lease(LeaseTold("somebody", 25.0)).said
