"""A run begins with a line that says what it reads and writes, and tells of topics that do not exist."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner

from pipelines.graph_build import app as graph_build
from pipelines.job.run import run
from pipelines.job.start import installed_version, tell_start
from pipelines.options.failures import FailureOptions
from pipelines.options.flow import WriteOptions
from pipelines.options.kafka import DEFAULT_TOPICS, TopicOptions
from pipelines.options.registry import RegistryOptions
from pipelines.options.run import FollowOptions
from pipelines.options.tenants import RouteOptions
from pipelines.settings import FlowSettings, RunSettings, flow_settings
from runners.observe.metrics import Monitor
from runners.observe.missing_topics import MissingTopics
from transforms.io.archive.folders import must_take_files
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret
from transforms.records.dead_letters.selection import LetterPlace
from transforms.records.tenancy.tenant import TenantRules

TO_READ = ("a", "b", "c")


def _settings(client_id: str = "") -> RunSettings:
    kafka = KafkaTarget("k:9092", "g", "SASL_SSL", "PLAIN", "me", Secret("KAFKA_SASL_PASSWORD"))
    neo4j = Neo4jTarget("bolt://n:7687", "neo4j", Secret("NEO4J_PASSWORD"))
    flow = FlowSettings(kafka, neo4j, LetterPlace("letters"), TenantRules(client_id), (), frozenset(), WriteOptions())
    return RunSettings(flow, TO_READ, "bounded", "", 1, 1.0, 1.0, origin="named")


def test_the_first_line_of_a_run_names_what_it_reads_and_writes_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_PASSWORD", "hunter2")
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "hunter2")
    with capture_logs() as logs:
        tell_start(_settings(), FollowOptions(follow=True, metrics_port=9464), "so")
        tell_start(_settings("af-10"), FollowOptions(), "so")

    whole = {
        "version": installed_version(),
        "servers": "named",
        "kafka": "k:9092",
        "group": "g",
        "topics": 3,
        "tenants": "all",
        "reader": "bounded",
        "reader_why": "so",
        "neo4j": "bolt://n:7687/neo4j",
        "dead_letters": "letters",
        "archive": "none",
        "metrics": "127.0.0.1:9464",
    }
    assert whole.items() <= logs[0].items()
    assert logs[0]["event"] == "starting"
    assert (logs[1]["tenants"], logs[1]["metrics"]) == ("af-10 alone", "none")
    assert "hunter2" not in str(logs)
    assert installed_version() != installed_version("no-such-package") == "unknown"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (TenantRules(allow=("AF", "af-*")), "allow AF, af-*"),
        (TenantRules(deny=("x",)), "deny x"),
        (TenantRules(allow=("af-*",), deny=("af-9",)), "allow af-*; deny af-9"),
    ],
)
def test_the_first_line_names_whose_records_are_taken_in(rules: TenantRules, said: str) -> None:
    settings = _settings()

    with capture_logs() as logs:
        tell_start(replace(settings, flow=replace(settings.flow, tenants=rules)), FollowOptions(), "so")

    assert logs[0]["tenants"] == said


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "NEO4J_PASSWORD is not set"),
        ({"NEO4J_URI": "n:1"}, "NEO4J_URI n:1 cannot be used; it must begin with one of bolt://, "),
        ({"NEO4J_PASSWORD_FILE": "/nope"}, "The secret file /nope cannot be read"),
        ({"NEO4J_PASSWORD": "p", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_SASL_PASSWORD is not set"),
    ],
)
def test_a_server_that_is_named_wrong_is_told_before_the_run_says_that_it_starts(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.job.start.tell_start", lambda *_: pytest.fail("the run began"))
    named = {"KAFKA_BROKERS": "k:1", "NEO4J_URI": "bolt://n:1", "NEO4J_PASSWORD": "", "KAFKA_SASL_PASSWORD": ""}

    done = CliRunner().invoke(graph_build, env=named | variables)

    assert (done.exit_code, done.stderr.startswith(said)) == (2, True)


@pytest.mark.parametrize("flag", ["--archive", "--deadletter_path"])
def test_a_folder_that_takes_no_files_ends_the_run_before_it_begins(flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.job.run.tune_memory", lambda: pytest.fail("the run began"))
    (tmp_path / "file").write_text("")
    wrong = str(tmp_path / "file" / "nope")
    settings = _settings()
    more = {"archive": wrong} if flag == "--archive" else {"letters": LetterPlace("", wrong)}
    settings = replace(settings, flow=replace(settings.flow, in_one_process=True, **more))

    with pytest.raises(InfrastructureFault, match=f"{flag} is {re.escape(wrong)}, which cannot be written \\(Not a directory\\); "):
        run(settings, FollowOptions())


def test_a_misspelt_topic_is_told_with_the_one_that_was_meant() -> None:
    look = MissingTopics("k:9092", None, must_exist=True, waits=False).look

    with pytest.raises(
        InfrastructureFault, match=r"\(state.k8s.resourc\): did you mean state.k8s.resource\? Fix --topics or KAFKA_TOPICS, then"
    ):
        look(["state.k8s.resourc"], [])


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [
        ("state.k8s.resource", "make them with `python -m pipelines.topics create`, or name those to read"),
        ("prod.state.k8s.resource", "create --topic_per_cluster --topics prod.state.k8s.resource`, or fix --topics or KAFKA_TOPICS"),
        ("foo", "this version decodes no topic of the name foo; fix --topics or KAFKA_TOPICS"),
    ],
)
def test_the_remedy_for_a_topic_that_is_missing_is_one_that_works(missing: str, remedy: str) -> None:
    with pytest.raises(InfrastructureFault) as raised:
        MissingTopics("k:9092", None, must_exist=True, waits=False).look(["events.normalized", missing], ["events.normalized"])

    assert remedy in raised.value.sentence


def test_a_folder_that_takes_files_is_made_and_stays_empty(tmp_path: Path) -> None:
    must_take_files("--archive", str(tmp_path / "new"))

    assert list((tmp_path / "new").iterdir()) == []


def test_a_word_that_is_neither_on_nor_off_is_told_before_the_run() -> None:
    flow = _settings().flow
    rest = (RouteOptions(), WriteOptions(incidents="maybe"), FailureOptions(), RegistryOptions())

    with pytest.raises(typer.BadParameter, match="--incidents is 'maybe'; it must be one of on, off"):
        flow_settings(flow.kafka, flow.neo4j, flow.letters, flow.tenants, *rest)


def _look(there: str, *, must_exist: bool, waits: bool, monitor: Monitor | None = None) -> tuple[str, list[Any]]:
    """The fault's sentence, "" for none, and what was logged."""
    with capture_logs() as logs:
        try:
            MissingTopics("k:9092", monitor, must_exist=must_exist, waits=waits).look(TO_READ, there)
        except InfrastructureFault as fault:
            return fault.sentence, logs
    return "", logs


@pytest.mark.parametrize("must_exist", [False, True])
@pytest.mark.parametrize("waits", [False, True])
def test_with_all_topics_there_nothing_is_missing(must_exist: bool, waits: bool) -> None:
    said, logs = _look("abcd", must_exist=must_exist, waits=waits)

    assert said == ""
    assert [(log["event"], log["found"], log["missing"], log["log_level"]) for log in logs] == [("topics", 3, [], "info")]


def test_a_run_that_ends_fails_where_there_is_no_topic_and_names_the_remedy() -> None:
    with pytest.raises(InfrastructureFault) as raised:
        MissingTopics("k:9092", None, must_exist=False, waits=False).look(["events.normalized", "logs.normalized"], [])

    named = "(events.normalized, logs.normalized): make them with `python -m pipelines.topics create`"
    assert raised.value.sentence.startswith(f"Kafka at k:9092 has none of the topics to read {named}")


def test_a_run_that_ends_fails_where_a_topic_is_missing_that_was_named() -> None:
    said, _ = _look("ac", must_exist=True, waits=False)

    assert said.startswith("Kafka at k:9092 lacks topics that were named (b): ")


def test_a_topic_of_the_contract_that_nobody_named_may_be_missing() -> None:
    said, logs = _look("a", must_exist=False, waits=False)

    assert said == ""
    assert (logs[0]["found"], logs[0]["missing"], logs[0]["log_level"]) == (1, ["b", "c"], "info")


@pytest.mark.parametrize(("must_exist", "there"), [(False, ""), (True, ""), (True, "a")])
def test_a_run_that_goes_on_waits_and_warns(must_exist: bool, there: str) -> None:
    said, logs = _look(there, must_exist=must_exist, waits=True)

    assert said == ""
    assert [log["log_level"] for log in logs] == ["warning"]


def test_what_is_missing_is_a_metric_at_each_look_and_told_only_where_it_changed() -> None:
    monitor = Monitor(60)
    watched = MissingTopics("k", monitor, must_exist=False, waits=True)
    shown = []
    with capture_logs() as logs:
        for there in ("", "", "ab", "ab", "abc", "ab"):
            watched.look(TO_READ, there)
            shown.append(monitor.registry.get_sample_value("graph_topics_missing"))

    assert shown == [3, 3, 1, 1, 0, 1]
    assert [log["missing"] for log in logs] == [["a", "b", "c"], ["c"], [], ["c"]]


def test_the_metric_of_the_build_names_the_versions_and_the_reader() -> None:
    monitor = Monitor(60)
    monitor.built("1.2.3", "2.70.0", "bounded")

    labels = {"version": "1.2.3", "beam": "2.70.0", "reader": "bounded"}
    assert monitor.registry.get_sample_value("graph_build_info", labels) == 1


def test_only_topics_other_than_all_of_the_contract_count_as_named() -> None:
    assert not TopicOptions().are_named
    assert not TopicOptions(topics=DEFAULT_TOPICS).are_named
    assert TopicOptions(topics="state.k8s.resource").are_named
