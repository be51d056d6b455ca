"""Topics as an operator, a retention or a mishap leaves them: looked into, cut, configured, made anew."""

import time
from collections.abc import Iterable, Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from scripts.sampling.record import SampleRecord
from transforms.io.kafka.offsets import Place
from transforms.io.kafka.single_records import HeldRecords
from transforms.io.kafka.target import KafkaTarget
from transforms.records.record import KafkaRecord

_APPLIED_S: Final = 15.0
_AGAIN_S: Final = 0.1


def admin(brokers: str) -> AdminClient:
    """A client that keeps what it meets to itself: servers come and go here. Hold it until its futures are done."""
    return AdminClient({"bootstrap.servers": brokers, "log_level": 0, "error_cb": lambda _error: None})


def held_records(target: KafkaTarget, topics: Iterable[str]) -> list[KafkaRecord]:
    """Every record that the topics hold now, with its coordinates."""
    held = HeldRecords(target)
    try:
        return [record for chunk in held.read(held.ranges(topics)) for record in chunk]
    finally:
        held.close()


def sample_of(record: KafkaRecord) -> SampleRecord:
    """The record less its coordinates."""
    return SampleRecord(record.topic, record.key, record.value, record.timestamp_ms, record.headers)


def delete_before(brokers: str, place: Place, offset: int) -> None:
    """Delete a partition's records before the offset, as retention does, at once."""
    client = admin(brokers)
    for done in client.delete_records([TopicPartition(*place, offset)]).values():
        done.result(30)


def make_topic(brokers: str, topic: str, **config: str) -> None:
    """Make a topic of one partition; names in the config have underscores for dots."""
    named = {name.replace("_", "."): value for name, value in config.items()}
    client = admin(brokers)
    client.create_topics([NewTopic(topic, 1, 1, config=named)])[topic].result(30)


def configure_topic(brokers: str, topic: str, **config: str) -> None:
    """Change a topic's settings, and return once the broker goes by them; names have underscores for dots."""
    entries = [ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET) for name, value in config.items()]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    client = admin(brokers)
    client.incremental_alter_configs([resource])[resource].result(30)
    asked = ConfigResource(ResourceType.TOPIC, topic)
    limit = time.monotonic() + _APPLIED_S
    # The controller answers before the broker has heard of it.
    while _told(client, asked, config) != config:
        if time.monotonic() > limit:
            raise RuntimeError(f"{topic} does not have {config} after {_APPLIED_S:.0f} s")
        time.sleep(_AGAIN_S)


def _told(client: AdminClient, asked: ConfigResource, config: Mapping[str, str]) -> dict[str, str | None]:
    """What the broker says of these settings; nothing where it has not heard of the topic yet, which may be new."""
    try:
        told = client.describe_configs([asked])[asked].result(30)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise
        return {}
    return {name: told[name.replace("_", ".")].value for name in config}


def delete_topic(brokers: str, topic: str) -> None:
    client = admin(brokers)
    client.delete_topics([topic])[topic].result(30)


def forget_offsets(brokers: str, group: str) -> None:
    """Delete the group with its committed offsets: it has read nothing."""
    client = admin(brokers)
    try:
        client.delete_consumer_groups([group])[group].result()
    except KafkaException as error:
        # Kafka itself deletes a group when the last topic goes in which it had committed something.
        if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
            raise
