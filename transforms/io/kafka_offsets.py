"""What is to be read and what is done: planned ranges, committed offsets, gaps.

Commits never move backwards, and happen only when the caller says that everything before them is safe.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeVar

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka_target import KafkaTarget

REQUEST_S: Final = 15.0
_SETTLE_S: Final = 30.0

T = TypeVar("T")
Place = tuple[str, int]

_TRANSIENT: Final = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001 - librdkafka's own codes are public under these names
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._WAIT_COORD,  # noqa: SLF001
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.REQUEST_TIMED_OUT,
    }
)


class OffsetRange(NamedTuple):
    """Offsets [start, end) of one partition."""

    topic: str
    partition: int
    start: int
    end: int

    @property
    def place(self) -> Place:
        return (self.topic, self.partition)

    @property
    def lag(self) -> int:
        """How many offsets, an upper limit on the records: compaction and control records leave gaps."""
        return self.end - self.start


class OffsetGap(NamedTuple):
    """Offsets [start, end) that Kafka no longer holds although they were never taken in; reading goes on at `resumed`.

    resumed < start: the log was cut back, or the topic made anew.
    """

    topic: str
    partition: int
    start: int
    end: int
    resumed: int

    @property
    def place(self) -> Place:
        return (self.topic, self.partition)

    @property
    def sentence(self) -> str:
        """What happened and what to do, in one sentence."""
        where = f"{self.topic}[{self.partition}]"
        if self.resumed < self.start:
            return (
                f"{where} ends before offset {self.start}, where the group stood: the topic was made anew or its log cut back; "
                f"reading goes on at {self.resumed}, let the agents resync."
            )
        return (
            f"{where} no longer holds the offsets {self.start} to {self.end - 1}, which were never taken in; reading goes on at "
            f"{self.resumed}: lengthen the topic's retention or run more often, and let the agents resync."
        )


class ReadPlan(NamedTuple):
    """What is to be read, and what no longer can be."""

    ranges: list[OffsetRange]
    gaps: list[OffsetGap]


class Stand(NamedTuple):
    """Where the group stood in a partition, and the id of the topic as it was then."""

    topic_id: str
    offset: int


class KafkaOffsets:
    """One group's view of the topics; close it with the owner. Every fault of Kafka's is an InfrastructureFault.

    It remembers where it brought the group, so that a topic that is made anew while it is open is met as a gap: with
    the topic, Kafka forgets what the group had committed.
    """

    def __init__(self, target: KafkaTarget) -> None:
        self._target = target
        self._admin = target.open(AdminClient, {})
        self._topic_ids: dict[str, str] = {}
        self._stands: dict[Place, Stand] = {}
        self._consumer = target.open(
            Consumer,
            {
                "group.id": target.group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
            },
        )

    def close(self) -> None:
        self._consumer.close()

    def _ask(self, request: Callable[[], T]) -> T:
        """The answer to a request, asked again with back-off while Kafka is away or busy."""
        again = Retrying(
            retry=retry_if_exception(is_transient),
            wait=wait_exponential_jitter(multiplier=0.2, max=5),
            stop=stop_after_delay(self._target.retry_s),
            reraise=True,
        )
        try:
            return again(request)
        except KafkaException as error:
            cause = error.args[0]
            raise kafka_fault(self._target, cause.str() if isinstance(cause, KafkaError) else str(cause)) from error

    def partitions(self, topics: Iterable[str]) -> list[Place]:
        """Every partition of those topics that exist, sorted; a topic that does not exist has nothing to read."""
        wanted = set(topics)
        known = self._ask(lambda: self._consumer.list_topics(timeout=REQUEST_S)).topics
        return sorted((name, partition) for name, topic in known.items() if name in wanted for partition in topic.partitions)

    def topics(self) -> list[str]:
        """The names of all topics that exist now."""
        return list(self._ask(lambda: self._consumer.list_topics(timeout=REQUEST_S)).topics)

    def plan(self, topics: Iterable[str]) -> ReadPlan:
        """The ranges [committed, end) of the topics, only those with something in them, and the gaps before them.

        Ends are the last stable offsets: what an open transaction holds back waits for a later run.
        """
        places = self.partitions(topics)
        if not places:
            return ReadPlan([], [])
        earliest = self._offsets(places, OffsetSpec.earliest())
        latest = self._offsets(places, OffsetSpec.latest())
        done = self.committed(places)
        self._topic_ids = self._ids(sorted({topic for topic, _ in places}))
        for place in places:
            if place in done and place not in self._stands:
                self._stands[place] = self._stand(place, done[place])
        gaps = [gap for place in places if (gap := self._gap(place, done.get(place), earliest[place], latest[place]))]
        starts = {place: done.get(place, earliest[place]) for place in places} | {gap.place: gap.resumed for gap in gaps}
        ranges = (OffsetRange(*place, starts[place], latest[place]) for place in places)
        return ReadPlan([one for one in ranges if one.lag > 0], gaps)

    def _gap(self, place: Place, committed: int | None, earliest: int, latest: int) -> OffsetGap | None:
        anew = gap_of_topic_made_anew(place, self._stands.get(place), self._topic_ids.get(place[0], ""), earliest)
        return anew or (None if committed is None else gap_before(place, committed, earliest, latest))

    def _stand(self, place: Place, offset: int) -> Stand:
        return Stand(self._topic_ids.get(place[0], ""), offset)

    def _ids(self, topics: list[str]) -> dict[str, str]:
        """The id that each topic has as long as it exists; one that is gone by now is absent."""

        def ask() -> dict[str, str]:
            found: dict[str, str] = {}
            for topic, described in self._admin.describe_topics(TopicCollection(topics), request_timeout=REQUEST_S).items():
                try:
                    found[topic] = str(described.result().topic_id)
                except KafkaException as error:
                    if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                        raise
            return found

        return self._ask(ask)

    def held(self, topics: Iterable[str]) -> list[OffsetRange]:
        """All that the topics hold now, whoever has taken it in; only partitions with something in them."""
        places = self.partitions(topics)
        if not places:
            return []
        earliest = self._offsets(places, OffsetSpec.earliest())
        latest = self._offsets(places, OffsetSpec.latest())
        found = (OffsetRange(*place, earliest[place], latest[place]) for place in places)
        return [one for one in found if one.lag > 0]

    def earliest(self, places: list[Place]) -> dict[Place, int]:
        """The first offset that each partition still holds; one that is gone is absent."""
        known = set(self.partitions({topic for topic, _ in places}))
        wanted = [place for place in places if place in known]
        return self._offsets(wanted, OffsetSpec.earliest()) if wanted else {}

    def latest(self, places: list[Place]) -> dict[Place, int]:
        """The offset that follows the last record of each partition that can be read now; one that is gone is absent."""
        known = set(self.partitions({topic for topic, _ in places}))
        wanted = [place for place in places if place in known]
        return self._offsets(wanted, OffsetSpec.latest()) if wanted else {}

    def reaching(self, places: list[Place], timestamp_ms: int) -> dict[Place, int]:
        """The first offset of each partition whose record timestamp is at least that; a partition without one is absent.

        Nothing before it can have that time, whatever the order of the timestamps; after it there may be earlier ones.
        """
        found = self._offsets(places, OffsetSpec.for_timestamp(timestamp_ms)) if places else {}
        return {place: offset for place, offset in found.items() if offset >= 0}

    def _offsets(self, places: list[Place], spec: OffsetSpec) -> dict[Place, int]:
        request = {TopicPartition(*place): spec for place in places}

        def ask() -> dict[Place, int]:
            futures = self._admin.list_offsets(request, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=REQUEST_S)
            found: dict[TopicPartition, ListOffsetsResultInfo] = {at: future.result() for at, future in futures.items()}
            return {(at.topic, at.partition): info.offset for at, info in found.items()}

        return self._ask(ask)

    def committed(self, places: Iterable[Place]) -> dict[Place, int]:
        """The group's committed offsets; a partition without one is absent."""
        wanted = [TopicPartition(*place) for place in places]
        found = self._ask(lambda: self._consumer.committed(wanted, timeout=REQUEST_S))
        return {(at.topic, at.partition): at.offset for at in found if at.offset >= 0}

    def commit(self, ends: dict[Place, int]) -> None:
        """Mark everything before each end as done; never backwards. Returns when Kafka holds it."""
        done = self.committed(ends)
        self._commit({place: end for place, end in ends.items() if end > done.get(place, -1)})

    def resume(self, gap: OffsetGap) -> None:
        """Begin after the gap from now on; the only commit that may go back, where the log itself was cut back."""
        self._commit({gap.place: gap.resumed})

    def _commit(self, ends: dict[Place, int]) -> None:
        if not ends:
            return

        def ask() -> None:
            for at in self._consumer.commit(offsets=[TopicPartition(*place, end) for place, end in ends.items()], asynchronous=False) or ():
                if at.error:
                    raise KafkaException(at.error)

        self._ask(ask)
        self._stands |= {place: self._stand(place, end) for place, end in ends.items()}

    def next_record(self, at: OffsetRange) -> int:
        """The offset of the first record in the range that can be read; its end when there is none.

        Compaction and control records leave gaps; a range is done when a consumer's position has passed it.
        """
        return self._ask(lambda: self._first_in(at))

    def _first_in(self, at: OffsetRange) -> int:
        self._consumer.assign([TopicPartition(at.topic, at.partition, at.start)])
        try:
            message = self._consumer.poll(_SETTLE_S)
        finally:
            self._consumer.unassign()
        if message is None:
            raise InfrastructureFault(
                f"Kafka at {self._target.brokers} gave no answer for {at.topic}[{at.partition}] from offset {at.start} "
                f"within {_SETTLE_S:.0f} s; check the broker that leads it, then run again."
            )
        error = message.error()
        if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            return at.end
        if error is not None:
            raise KafkaException(error)
        offset = message.offset()
        return at.end if offset is None else min(offset, at.end)


def gap_before(place: Place, committed: int, earliest: int, latest: int) -> OffsetGap | None:
    """What of a partition was deleted before it was taken in; None where nothing was."""
    if committed < earliest:
        return OffsetGap(*place, committed, earliest, earliest)
    return OffsetGap(*place, committed, committed, earliest) if committed > latest else None


def gap_of_topic_made_anew(place: Place, stood: Stand | None, topic_id: str, earliest: int) -> OffsetGap | None:
    """The gap where the topic is another than the one in which the group stood, whatever is committed; None where it is
    the same, where that is not known, and where the group had taken in nothing."""
    if stood is None or "" in (stood.topic_id, topic_id) or stood.topic_id == topic_id or stood.offset <= earliest:
        return None
    return OffsetGap(*place, stood.offset, stood.offset, earliest)


def kafka_fault(target: KafkaTarget, said: str) -> InfrastructureFault:
    """The fault that stops the run, in one sentence."""
    return InfrastructureFault(
        f"Kafka at {target.brokers} cannot be used ({said}); nothing after the last committed offsets counts as "
        "done: start it or fix KAFKA_BROKERS and the KAFKA_SASL and KAFKA_SSL settings, then run again."
    )


def is_transient(error: BaseException) -> bool:
    """True where asking again may help: Kafka away, busy, or between two leaders or coordinators."""
    cause = error.args[0] if isinstance(error, KafkaException) and error.args else None
    return isinstance(cause, KafkaError) and (cause.retriable() or cause.code() in _TRANSIENT)
