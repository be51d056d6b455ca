"""Makes the topics that the job reads and writes, with the settings that it needs; those that exist stay as they are."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from transforms.io.kafka.offsets import kafka_fault
from transforms.io.kafka.target import KafkaTarget
from transforms.records.tenancy.routes import route_of
from transforms.records.topic_names import TOPIC_NAMES
from transforms.records.topic_settings import DEADLETTER_SETTINGS, topic_settings
from transforms.records.topics import TOPIC_OF_NAME

_REQUEST_S: Final = 15.0
# By the broker's own setting.
BROKERS_CHOICE: Final = -1


class Made(StrEnum):
    """What became of a topic."""

    MADE = "made"
    WOULD_BE_MADE = "would be made"
    EXISTS = "exists"
    REFUSED = "refused"


class TopicOutcome(NamedTuple):
    """settings: those that it was to be made with. said: why Kafka refused it, "" where it did not.

    too_many_replicas: it has fewer brokers than the topic was to have replicas.
    """

    name: str
    partitions: int
    settings: dict[str, str]
    made: Made
    said: str = ""
    too_many_replicas: bool = False


def topics_wanted(
    names: Iterable[str], deadletter_topic: str, partitions: int, replicas: int = BROKERS_CHOICE, patterns: tuple[str, ...] = ()
) -> list[NewTopic]:
    """The topics to read, each with the settings of the topic of the contract that it stands for, and that of dead letters.

    deadletter_topic: "" for none. It has one partition: its order is that of the rejects.
    """
    read = [
        NewTopic(name, partitions, replicas, config=topic_settings(TOPIC_OF_NAME.get(route_of(name, patterns, TOPIC_NAMES).topic)))
        for name in names
        if name != deadletter_topic
    ]
    written = [NewTopic(deadletter_topic, 1, replicas, config=DEADLETTER_SETTINGS)] if deadletter_topic else []
    return read + written


def make_topics(target: KafkaTarget, wanted: list[NewTopic], *, dry_run: bool = False) -> list[TopicOutcome]:
    """Make those that are missing, and say what became of each; safe to repeat.

    dry_run: Kafka only judges whether it would make them. InfrastructureFault where Kafka does not answer.
    """
    admin = target.open(AdminClient, {})
    try:
        # Asked first: without the right to make topics Kafka refuses those that exist, too.
        there = set(admin.list_topics(timeout=min(_REQUEST_S, max(target.retry_s, 1.0))).topics)
    except KafkaException as error:
        raise kafka_fault(target, error.args[0].str()) from error
    missing = [topic for topic in wanted if topic.topic not in there]
    asked = admin.create_topics(missing, validate_only=dry_run, operation_timeout=_REQUEST_S, request_timeout=_REQUEST_S) if missing else {}
    made = Made.WOULD_BE_MADE if dry_run else Made.MADE
    found: list[TopicOutcome] = []
    for topic in wanted:
        outcome = TopicOutcome(topic.topic, topic.num_partitions, dict(topic.config), Made.EXISTS)
        if topic.topic in asked:
            try:
                asked[topic.topic].result()
                outcome = outcome._replace(made=made)
            except KafkaException as error:
                code = error.args[0].code()
                if code != KafkaError.TOPIC_ALREADY_EXISTS:
                    fewer = code == KafkaError.INVALID_REPLICATION_FACTOR
                    outcome = outcome._replace(made=Made.REFUSED, said=error.args[0].str(), too_many_replicas=fewer)
        found.append(outcome)
    return found
