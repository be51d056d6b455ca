"""Faults of one partition, told from those of the whole cluster: the one is set aside, the rest is read."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AclOperation

Place = tuple[str, int]

NOT_READABLE: Final = "not_readable"
NO_LEADER: Final = "no_leader"
NO_ANSWER: Final = "no_answer"
REFUSED: Final = "refused"
WITH_TOPIC: Final = "with_topic"

_REMEDIES: Final = {
    NOT_READABLE: "this user may not read it: grant READ on the topic",
    NO_LEADER: "no broker leads it: start the brokers that hold its replicas",
    NO_ANSWER: "the broker that leads it gives no answer: see its log and the network between",
    REFUSED: "its broker cannot give what it holds: see the broker's log",
    WITH_TOPIC: (
        "Beam's connector reads whole topics, and another partition of this one is set aside: mend that, or use --kafka_reader=bounded"
    ),
}
# What says of one partition that nobody leads it just now, whoever asks.
_LEADERLESS: Final = frozenset(
    {
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)
# What says that there is no such partition any more.
_GONE: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - librdkafka's own codes are public under these names
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    }
)
_METADATA_S: Final = 5.0


class PartitionFault(NamedTuple):
    """A partition that cannot be read now, while others can. cause: a word of this module. said: Kafka's words, "" for none."""

    topic: str
    partition: int
    cause: str
    said: str = ""

    @property
    def place(self) -> Place:
        return (self.topic, self.partition)

    @property
    def sentence(self) -> str:
        """What is left out, why, and what to do, in one sentence."""
        said = f" ({self.said})" if self.said else ""
        return f"{self.topic}[{self.partition}] is left out until it can be read{said}; {_REMEDIES.get(self.cause, self.cause)}."


class HeldBack(NamedTuple):
    """Offsets of a partition that lie behind a transaction which a producer has not ended: nobody is given them yet.

    first: where they begin. for_s: for how long they have begun there; None where nobody looked before.
    """

    topic: str
    partition: int
    first: int
    offsets: int
    for_s: float | None = None

    @property
    def place(self) -> Place:
        return (self.topic, self.partition)

    @property
    def sentence(self) -> str:
        """What is held back, and what to do, in one sentence."""
        return (
            f"{self.topic}[{self.partition}] holds back {self.offsets} offsets from {self.first} on, behind a transaction that its "
            "producer has not ended: end the producer, or `kafka-transactions.sh --bootstrap-server $KAFKA_BROKERS abort --topic "
            f"{self.topic} --partition {self.partition} --start-offset {self.first}`."
        )


class HeldBackWatch:
    """For how long each partition has held something back, from look to look."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[Place, tuple[int, float]] = {}
        self._is_first = True

    def look(self, ends: Mapping[Place, tuple[int, int]]) -> tuple[HeldBack, ...]:
        """What lies between what may be read and what is there, as of now. ends: both, by partition."""
        now = self._clock()
        since = {place: (stable, now) for place, (stable, high) in ends.items() if high > stable}
        for place, (stable, _) in since.items():
            before = self._since.get(place)
            if before is not None and before[0] == stable:
                since[place] = before
        is_first, self._is_first, self._since = self._is_first, False, since
        return tuple(
            HeldBack(*place, stable, ends[place][1] - stable, None if is_first else now - began)
            for place, (stable, began) in sorted(since.items())
        )


def cause_of(error: KafkaError) -> str:
    """The word for what Kafka says of one partition."""
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return NOT_READABLE
    if error.code() in _LEADERLESS:
        return NO_LEADER
    return NO_ANSWER if error.retriable() or error.code() == KafkaError._TIMED_OUT else REFUSED  # noqa: SLF001


def is_of_partition(error: KafkaError) -> bool:
    """True where what Kafka says can only be of this partition, or topic, and tells nothing of the cluster."""
    return error.code() in _LEADERLESS or error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def is_gone(error: KafkaError) -> bool:
    """True where there is no such partition any more."""
    return error.code() in _GONE


def may_read(described: Any) -> bool:
    """Whether the user may read a topic, as its description tells; True where Kafka does not say."""
    operations = described.authorized_operations
    return not operations or AclOperation.READ in operations


def leaderless(consumer: Consumer, places: Iterable[Place]) -> dict[Place, PartitionFault]:
    """Those of the partitions that no broker leads; KafkaException where no broker answers at all."""
    asked = sorted(places)
    found: dict[Place, PartitionFault] = {}
    for topic in sorted({topic for topic, _ in asked}):
        known = consumer.list_topics(topic, timeout=_METADATA_S).topics[topic]
        for place in (one for one in asked if one[0] == topic):
            partition = known.partitions.get(place[1])
            if partition is not None and partition.leader < 0:
                found[place] = PartitionFault(*place, NO_LEADER)
    return found


def cause_of_fault(error: KafkaException) -> KafkaError | None:
    """What Kafka said, where it did."""
    cause = error.args[0] if error.args else None
    return cause if isinstance(cause, KafkaError) else None
