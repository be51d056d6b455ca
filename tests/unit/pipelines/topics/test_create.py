"""`topics create`: each topic with the settings that the job needs, told one by one; what nobody decodes is not made."""

from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.topics.commands import app
from pipelines.topics.create import outcomes_object, outcomes_sentence
from runners.doctor.deadletters import judge_deadletters
from runners.doctor.topics import judge_topic
from runners.doctor.verdict import Status
from transforms.io.kafka.make_topics import Made, TopicOutcome, topics_wanted
from transforms.io.kafka.probe import Partition, TopicDescription
from transforms.records.tenancy.routes import topic_per_cluster
from transforms.records.topics import TOPICS

PATTERNS = (topic_per_cluster(tuple(topic.name for topic in TOPICS)),)
THERE = TopicDescription((Partition(0, has_leader=True, replicas=1, in_sync=1),), None)
# What Kafka itself adds to what a topic is made with.
BROKERS = {"delete.retention.ms": "86400000", "retention.ms": "604800000", "message.timestamp.type": "CreateTime"}


@pytest.mark.parametrize("prefix", ["", "af-10."])
@pytest.mark.parametrize("name", [topic.name for topic in TOPICS])
def test_what_a_topic_is_made_with_is_what_the_doctor_wants(name: str, prefix: str) -> None:
    made = topics_wanted([prefix + name], "", 4, patterns=PATTERNS)[0]

    checks = judge_topic(prefix + name, THERE, BROKERS | made.config, PATTERNS)

    assert {check.status for check in checks} == {Status.OK}, checks


def test_the_topic_of_dead_letters_is_made_as_the_doctor_wants_it_with_one_partition() -> None:
    made = topics_wanted(["state.k8s.resource"], "letters", 4, 3)[-1]

    assert (made.topic, made.num_partitions, made.replication_factor) == ("letters", 1, 3)
    assert {check.status for check in judge_deadletters("letters", THERE, BROKERS | made.config, None)} == {Status.OK}


def test_a_topic_takes_the_largest_record_that_the_job_takes_and_one_that_is_too_large_to_be_told_of() -> None:
    record_and_its_key = 1024 * 1024 + 1024 + 64 * 1024

    assert all(int(topic.config["max.message.bytes"]) > record_and_its_key for topic in topics_wanted(["events.normalized"], "", 1))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--topics=evnts.normalized"],
            "--topics names 'evnts.normalized', which this version does not decode; did you mean events.normalized?",
        ),
        (["--topics=x"], "--topics names 'x', which this version does not decode; it decodes cluster.heartbeat,"),
        (["--topics= , "], "--topics names no topic"),
        (["--partitions=0"], "greater than or equal to 1"),
        (["--replication_factor=0"], "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_made_is_an_error_of_use(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["create", "--kafka_brokers=127.0.0.1:1", *arguments], env={"COLUMNS": "400"})

    assert done.exit_code == 2
    assert said in done.stderr


def test_a_kafka_that_does_not_answer_is_one_sentence() -> None:
    done = CliRunner().invoke(app, ["create", "--kafka_brokers=127.0.0.1:1", "--kafka_retry_s=0"])

    assert done.exit_code == 1
    assert done.stderr.startswith("Kafka at 127.0.0.1:1 cannot be used (")


def _outcome(name: str, made: Made) -> TopicOutcome:
    return TopicOutcome(name, 4, {"cleanup.policy": "delete"}, made, "no right" if made is Made.REFUSED else "")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([Made.MADE, Made.MADE], "2 topics: 2 made."),
        ([Made.MADE, Made.EXISTS], "2 topics: 1 made, 1 exists. `python -m pipelines.doctor` checks the settings of those that exist."),
        ([Made.EXISTS] * 2, "2 topics: 2 exist. `python -m pipelines.doctor` checks the settings of those that exist."),
        ([Made.REFUSED], "1 topic: 1 refused. Grant CREATE on them, or make them with these settings yourself."),
        ([Made.WOULD_BE_MADE], "1 topic: 1 would be made."),
    ],
)
def test_the_last_sentence_counts_what_became_of_them(made: list[Made], said: str) -> None:
    assert outcomes_sentence([_outcome(str(number), one) for number, one in enumerate(made)]) == said


def test_more_replicas_than_brokers_is_no_missing_right() -> None:
    found = [_outcome("a", Made.REFUSED)._replace(too_many_replicas=True)]

    assert outcomes_sentence(found) == (
        "1 topic: 1 refused. Kafka has fewer brokers than that: leave --replication_factor out, or give one that it can have."
    )


def test_machines_are_told_of_each_topic() -> None:
    found: list[dict[str, Any]] = outcomes_object([_outcome("a", Made.REFUSED)])["topics"]

    assert found == [
        {
            "name": "a",
            "partitions": 4,
            "settings": {"cleanup.policy": "delete"},
            "made": "refused",
            "said": "no right",
            "too_many_replicas": False,
        }
    ]
