"""Topics of Kafka, read from their beginnings to their ends as of now."""

from collections.abc import Iterator
from typing import Final

from confluent_kafka import Consumer, Message, TopicPartition

_WAIT_S: Final = 10


def read_messages(brokers: str, *topics: str) -> Iterator[Message]:
    """Every message of the topics, or with none named of all but Kafka's own; a topic that does not exist holds nothing."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "reader", "enable.partition.eof": True})
    try:
        known = consumer.list_topics(timeout=_WAIT_S).topics
        names = topics or [name for name in known if not name.startswith("__")]
        places = [TopicPartition(name, partition, 0) for name in names if name in known for partition in known[name].partitions]
        consumer.assign(places)
        ended = 0
        while ended < len(places):
            message = consumer.poll(_WAIT_S)
            assert message is not None, f"Kafka gave neither a message nor an end of {', '.join(names)} in {_WAIT_S} s"
            if message.error() is not None:
                ended += 1
            else:
                yield message
    finally:
        consumer.close()
