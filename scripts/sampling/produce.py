"""Produce records to Kafka with their own timestamps, making the topics where they are missing."""

from collections.abc import Iterable
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from scripts.sampling.record import SampleRecord
from transforms.model.limits import TOPIC_MESSAGE_BYTES
from transforms.records import topics as declared

PARTITIONS: Final = 4
MESSAGE_BYTES: Final = 4 * 1024 * 1024
# What Kafka stores beside a record's key, value and headers.
_OVERHEAD_BYTES: Final = 256
TOPICS: Final = tuple(topic.name for topic in declared.TOPICS)
# The topics of one cluster each end in the same names.
_STATE: Final = tuple(topic.name for topic in declared.TOPICS if topic.state)


def ensure_topics(brokers: str, topics: Iterable[str] = TOPICS, partitions: int = PARTITIONS) -> None:
    """Make the topics as the contract wants them: state compacted, the rest kept by age. Safe to repeat."""
    admin = AdminClient({"bootstrap.servers": brokers})
    wanted = [NewTopic(topic, partitions, 1, config=_config(topic)) for topic in topics]
    for made in admin.create_topics(wanted).values():
        try:
            made.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def _config(topic: str) -> dict[str, str]:
    # Compaction is put off, so that a demo shows every record that was produced. Timestamps are the producer's, since the sample has
    # times of its own.
    cleanup = {"cleanup.policy": "compact", "min.compaction.lag.ms": "86400000"} if topic.endswith(_STATE) else {"cleanup.policy": "delete"}
    return cleanup | {"max.message.bytes": str(MESSAGE_BYTES)}


class TopicTooSmall(Exception):
    """Topics that exist do not take records of the size that is to be produced; the message names them and the remedy."""


def check_sizes(brokers: str, records: Iterable[SampleRecord]) -> None:
    """Return where each topic takes the largest record that it is to get; TopicTooSmall otherwise, before anything is produced."""
    largest: dict[str, int] = {}
    for record in records:
        headers = sum(len(name) + len(value or b"") for name, value in record.headers)
        size = len(record.key or b"") + len(record.value or b"") + headers + _OVERHEAD_BYTES
        largest[record.topic] = max(largest.get(record.topic, 0), size)
    asked = [ConfigResource(ResourceType.TOPIC, topic) for topic in largest]
    # Kept until all have answered: a client that is dropped answers nothing more.
    admin = AdminClient({"bootstrap.servers": brokers})
    told = admin.describe_configs(asked)
    small: dict[str, str] = {}
    for resource, answer in told.items():
        takes = answer.result()["max.message.bytes"].value
        if int(takes) < largest[resource.name]:
            small[resource.name] = takes
    if small:
        names = ", ".join(f"{name} ({takes})" for name, takes in sorted(small.items()))
        enough = TOPIC_MESSAGE_BYTES if max(largest.values()) <= TOPIC_MESSAGE_BYTES else MESSAGE_BYTES
        raise TopicTooSmall(
            f"Nothing was produced: topics at {brokers} take too small messages (max.message.bytes): {names}. Set it to {enough} "
            f"(kafka-configs.sh --alter --entity-type topics --entity-name TOPIC --add-config max.message.bytes={enough}), delete "
            "the topics so that they are made anew, or leave the largest bad records out with --poison_classes 0."
        )


def produce(brokers: str, records: Iterable[SampleRecord]) -> int:
    """Produce all, in order within a key; returns the number that Kafka holds."""
    failed: list[str] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failed.append(error.str())

    settings = {"message.max.bytes": MESSAGE_BYTES, "linger.ms": 20, "enable.idempotence": True, "log_level": 3}
    producer = Producer({"bootstrap.servers": brokers, **settings})
    number = 0
    for record in records:
        number += 1
        while True:
            try:
                producer.produce(
                    record.topic,
                    key=record.key,
                    value=record.value,
                    timestamp=record.timestamp_ms,
                    headers=list(record.headers),
                    on_delivery=delivered,
                )
                break
            except BufferError:
                producer.poll(1)
        producer.poll(0)
    left = producer.flush(60)
    if failed or left:
        raise RuntimeError(f"Kafka at {brokers} did not take all records: {failed[0] if failed else f'{left} unacknowledged'}")
    return number
