"""Produce records to Kafka with their own timestamps, making the topics where they are missing."""

from collections.abc import Iterable
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from scripts.sampling.record import SampleRecord
from transforms.records import topics as declared

PARTITIONS: Final = 4
MESSAGE_BYTES: Final = 4 * 1024 * 1024
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
    # Compaction is put off, so that a demo shows every record that was produced.
    cleanup = {"cleanup.policy": "compact", "min.compaction.lag.ms": "86400000"} if topic.endswith(_STATE) else {"cleanup.policy": "delete"}
    return cleanup | {"max.message.bytes": str(MESSAGE_BYTES)}


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
