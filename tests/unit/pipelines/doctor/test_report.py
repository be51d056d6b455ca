"""The doctor's lines for people: what is alike is one line, nothing is lost, machines see each."""

import json
from collections import Counter

import pytest

from pipelines.doctor.report import checks_summary, folded, plain_lines, print_checks
from runners.doctor.settings import judge_settings
from runners.doctor.topics import MAKE_ALL, MISSING, judge_any, judge_topic
from runners.doctor.verdict import Check, Status, failed, ok, overall, refused, skipped, warning
from transforms.io.answers import ProbeError
from transforms.io.kafka.probe import Partition, TopicDescription
from transforms.records.topic_settings import topic_settings
from transforms.records.topics import TOPIC_OF_NAME, TOPICS

NONE = ProbeError("Broker: Unknown topic or partition", MISSING)
THERE = TopicDescription((Partition(0, has_leader=True, replicas=1, in_sync=1),), None)
KEPT = {"delete.retention.ms": "86400000", "retention.ms": "604800000", "message.timestamp.type": "CreateTime"}
NAMES = [topic.name for topic in TOPICS]


def _missing(*, must_exist: bool = False) -> list[Check]:
    return [check for name in NAMES for check in judge_topic(name, NONE, NONE, must_exist=must_exist)]


def test_topics_that_are_missing_are_one_line_with_one_remedy_and_their_settings_another() -> None:
    lines = folded(_missing())

    assert [check.status for check in lines] == [Status.WARNING, Status.SKIPPED]
    assert lines[0].name == f"{len(NAMES)} topics: {', '.join(NAMES)}"
    assert lines[0].said == "they do not exist: the job leaves them out until they do"
    assert lines[0].remedy == MAKE_ALL
    assert lines[1].name.startswith(f"{4 * len(NAMES)} settings of {len(NAMES)} topics: ")


@pytest.mark.parametrize(("must_exist", "status"), [(True, Status.FAILED), (False, Status.WARNING)])
def test_a_misspelt_topic_is_not_to_be_made(must_exist: bool, status: Status) -> None:
    check = judge_topic("state.k8s.resourc", NONE, NONE, must_exist=must_exist)[0]

    assert check.status is status
    assert check.said.endswith("did you mean state.k8s.resource?")
    assert check.remedy == "Fix --topics."


def test_settings_that_are_well_are_one_line_and_one_that_is_not_has_its_own() -> None:
    settings = {name: KEPT | topic_settings(TOPIC_OF_NAME[name]) for name in NAMES}
    settings["events.normalized"] |= {"cleanup.policy": "compact"}
    checks = [check for name in NAMES for check in judge_topic(name, THERE, settings[name])]

    lines = folded(checks)

    assert [check.status for check in lines] == [Status.OK, Status.OK, Status.WARNING]
    assert lines[2].name == "topic events.normalized cleanup"
    assert "topics" in lines[0].name


def test_one_remedy_for_several_topics_names_them_all() -> None:
    state = [name for name in NAMES if TOPIC_OF_NAME[name].state]
    settings = {name: KEPT | topic_settings(TOPIC_OF_NAME[name]) | {"message.timestamp.type": "CreateTime"} for name in NAMES}
    checks = [check for name in NAMES for check in judge_topic(name, THERE, settings[name])]

    (line,) = (check for check in folded(checks) if check.status is Status.WARNING)

    assert line.name == f"{len(state)} settings of {len(state)} topics: {', '.join(state)}"
    assert line.remedy == (
        f"for topic in {' '.join(state)}; do kafka-configs.sh --bootstrap-server $KAFKA_BROKERS --alter --entity-type topics "
        "--entity-name $topic --add-config message.timestamp.type=LogAppendTime; done"
    )


def test_one_remedy_for_rights_names_all_topics() -> None:
    denied = ProbeError("Broker: Topic authorization failed", "TOPIC_AUTHORIZATION_FAILED")

    line = folded([judge_topic(name, denied, denied)[0] for name in NAMES])[0]

    assert line.remedy == f"Grant READ and DESCRIBE on {', '.join(NAMES)}."


def test_a_remedy_that_is_for_one_topic_alone_says_so() -> None:
    many = [f"af-{number}.state.k8s.resource" for number in range(11)]
    settings = KEPT | topic_settings(TOPIC_OF_NAME["state.k8s.resource"]) | {"message.timestamp.type": "CreateTime"}
    pattern = (r"(?P<client_id>[^.]+)[.](?P<topic>.+)",)
    checks = [check for name in many for check in judge_topic(name, THERE, settings, pattern)]

    for group in (checks, _missing(must_exist=True)):
        (line,) = (check for check in folded(group) if check.remedy)
        assert line.remedy.endswith("alone; --verbose shows the others'.)")


def test_a_single_check_is_as_it_was() -> None:
    checks = [ok("brokers", "a"), warning("topic x", "b", "do"), skipped("java", "c"), failed("Neo4j", "d", "mend"), ok("lag", "")]

    assert folded(checks) == checks


def test_what_differs_in_status_is_not_folded() -> None:
    checks = [ok("a", "same"), skipped("b", "same"), ok("c", "same")]

    assert folded(checks) == [ok("a, c", "same"), skipped("b", "same")]


def test_a_line_names_ten_and_counts_the_others() -> None:
    (line,) = folded([skipped(f"check-{number}", "same") for number in range(13)])

    assert line.name.endswith("check-9 and 3 more")


@pytest.mark.parametrize("verbose", [False, True])
def test_the_verdict_and_the_numbers_are_those_of_all_checks(verbose: bool, capsys: pytest.CaptureFixture[str]) -> None:
    checks = [*_missing(), failed("Neo4j", "it is away", "start it")]

    print_checks(checks, as_json=False, verbose=verbose)

    printed = capsys.readouterr().out
    counts = Counter(check.status for check in checks)
    assert f"1 failed, {counts[Status.SKIPPED]} skipped: the job cannot run here." in printed
    assert ("--verbose shows each" in printed) is not verbose
    assert len(printed.splitlines()) == (len(plain_lines(checks)) + 1 if verbose else 7)


def test_machines_see_each_check(capsys: pytest.CaptureFixture[str]) -> None:
    checks = _missing()

    print_checks(checks, as_json=True)

    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(checks_summary(checks)))
    assert len(checks_summary(checks)["checks"]) == 5 * len(NAMES)


def test_a_topic_that_was_named_must_exist_and_one_of_the_contract_need_not() -> None:
    assert overall(_missing()) is Status.WARNING
    assert overall(_missing(must_exist=True)) is Status.FAILED


def test_with_no_topic_at_all_the_job_cannot_run() -> None:
    assert [check.status for check in judge_any([NONE, NONE])] == [Status.FAILED]
    (misspelt,) = judge_any([NONE], ["state.k8s.resourc"])
    assert misspelt.remedy == "Fix --topics."
    assert judge_any([NONE, THERE]) == judge_any([]) == judge_any([NONE, ProbeError("no answer", "_TIMED_OUT")]) == []


def test_a_setting_that_is_refused_is_told_with_its_remedy_once() -> None:
    assert refused("Neo4j", "NEO4J_PASSWORD is not set; set it in the environment.") == failed(
        "Neo4j", "NEO4J_PASSWORD is not set", "Set it in the environment."
    )
    assert refused("Neo4j", "It is broken.") == failed("Neo4j", "It is broken.", "Fix what it names.")
    assert refused("Kafka", "It is away; nothing after the last committed offsets counts as done: start it.") == failed(
        "Kafka", "It is away", "Start it."
    )


def test_where_the_servers_come_from_and_misspelt_variables_are_told() -> None:
    assert judge_settings("named", {"NEO4J_PASS": "hunter2"}) == [
        ok("servers", "named"),
        warning("variable NEO4J_PASS", "it is set, and nothing reads it", "Set NEO4J_PASSWORD."),
    ]
    assert judge_settings("", {"PATH": "/"}) == []
