"""What is to be read and what is done: planned ranges, committed offsets, gaps, and what cannot be read now.

Commits never move backwards, and happen only when the caller says that everything before them is safe. What is wrong with one
partition is kept apart, so that the others are read; only what is wrong with all of them is an InfrastructureFault.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.commit_fence import CommitFence
from transforms.io.kafka.partitions import (
    NO_ANSWER,
    NOT_READABLE,
    HeldBack,
    HeldBackWatch,
    PartitionFault,
    Place,
    cause_of,
    is_gone,
    is_of_partition,
    leaderless,
    may_read,
)
from transforms.io.kafka.ranges import (
    CommittedPosition,
    GroupProgress,
    OffsetGap,
    OffsetRange,
    ReadPlan,
    gap_before,
    gap_of_topic_made_anew,
)
from transforms.io.kafka.target import KafkaTarget

__all__ = [
    "CommittedPosition",
    "HeldBack",
    "KafkaOffsets",
    "OffsetGap",
    "OffsetRange",
    "PartitionFault",
    "Place",
    "ReadPlan",
    "gap_before",
    "gap_of_topic_made_anew",
]

REQUEST_S: Final = 15.0
_LEAST_REQUEST_S: Final = 1.0
_SETTLE_S: Final = 30.0
# An election takes a moment; a partition that has just been found without a leader is looked at again for so long.
_ELECTION_S: Final = 3.0
# Kafka forgets what a group has committed in a partition where it commits nothing for a week, by default.
REFRESH_S: Final = 600.0
_AGAIN_S: Final = 0.3

T = TypeVar("T")

# What librdkafka says, whatever kept a broker from answering.
_NO_ANSWER: Final = ("transport failure", "timed out", "brokers are down")

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


class KafkaOffsets:
    """One group's view of the topics; close it with the owner. Every fault of Kafka's is an InfrastructureFault.

    It remembers where it brought the group, so that a topic that is made anew while it is open is met as a gap: with
    the topic, Kafka forgets what the group had committed. stands: what it remembers; what is kept
    elsewhere may be added, and counts where Kafka has forgotten it.

    fenced: commits are those of a run that holds the group's lease, and shut out every run that had it before.
    """

    def __init__(self, target: KafkaTarget, *, fenced: bool = False) -> None:
        self._target = target
        self._admin = target.open(AdminClient, {})
        self._topic_ids: dict[str, str] = {}
        self.stands = GroupProgress()
        self._fence = CommitFence(target) if fenced else None
        self._aside: dict[Place, PartitionFault] = {}
        self._was_aside: set[Place] = set()
        self._held = HeldBackWatch()
        self._refreshed_at: float | None = None
        self._done: dict[Place, int] = {}
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

    @property
    def _request_s(self) -> float:
        """How long one request may take: with little patience in all, no more than that."""
        return min(REQUEST_S, max(_LEAST_REQUEST_S, self._target.retry_s))

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
        known = self._ask(lambda: self._consumer.list_topics(timeout=self._request_s)).topics
        return sorted((name, partition) for name, topic in known.items() if name in wanted for partition in topic.partitions)

    def topics(self) -> list[str]:
        """The names of all topics that exist now."""
        return list(self._ask(lambda: self._consumer.list_topics(timeout=self._request_s)).topics)

    def plan(self, topics: Iterable[str]) -> ReadPlan:
        """The ranges [committed, end) of the topics, only those with something in them, and the gaps before them.

        Ends are the last stable offsets: what an open transaction holds back waits for a later run.
        """
        self._was_aside, self._aside = set(self._aside), {}
        places = self._readable(self.partitions(topics))
        if not places:
            self._require_some()
            return ReadPlan([], [], self.aside)
        earliest = self._offsets(places, OffsetSpec.earliest())
        latest = self._offsets(places, OffsetSpec.latest())
        high = self._offsets(places, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)
        places = [place for place in places if place in earliest and place in latest and place in high]
        if not places:
            self._require_some()
        done = self.committed(places)
        ends = {place: latest[place] for place in places}
        expired, anew = self.stands.forgotten(self._topic_ids, done, earliest, ends, lambda: bool(self._all_committed()))
        done |= {one.place: one.start for one in expired} | anew
        if expired or anew:
            # Committed before anything is read, so that neither is taken for the other later.
            self._refreshed_at = None
        for place in places:
            if place in done and self.stands.get(place) is None:
                self.stands.note(place, self._stand(place, done[place]))
        self._done = dict(done)
        gaps = [gap for place in places if (gap := self._gap(place, done.get(place), earliest[place], latest[place]))]
        starts = {place: done.get(place, earliest[place]) for place in places} | {gap.place: gap.resumed for gap in gaps}
        ranges = (OffsetRange(*place, starts[place], latest[place]) for place in places)
        held = self._held.look({place: (latest[place], high[place]) for place in places})
        return ReadPlan([one for one in ranges if one.lag > 0], gaps, self.aside, held, expired)

    def readable(self, topics: Iterable[str]) -> list[Place]:
        """As `partitions`, less those that this user may not read, which are set aside."""
        self._aside = {}
        return self._readable(self.partitions(topics))

    @property
    def aside(self) -> tuple[PartitionFault, ...]:
        """The partitions that could not be read since the last plan, while others could."""
        return tuple(self._aside[place] for place in sorted(self._aside))

    def set_aside(self, fault: PartitionFault) -> None:
        """Note a partition that a reader could not read."""
        self._aside.setdefault(fault.place, fault)

    def _require_some(self) -> None:
        """InfrastructureFault where not one partition can be read, although there are some: that is no one's of them."""
        if self._aside:
            first = self.aside[0]
            raise kafka_fault(self._target, f"none of {len(self._aside)} partitions can be read; {first.sentence.rstrip('.')}")

    def _readable(self, places: list[Place]) -> list[Place]:
        """The partitions of the topics that this user may read; the ids of all topics are known afterwards."""
        described = self._describe(sorted({topic for topic, _ in places}))
        self._topic_ids = {topic: str(one.topic_id) for topic, one in described.items()}
        for place in places:
            if place[0] in described and not may_read(described[place[0]]):
                self._aside[place] = PartitionFault(*place, NOT_READABLE)
        return [place for place in places if place not in self._aside]

    def _stand(self, place: Place, offset: int) -> CommittedPosition:
        return CommittedPosition(self._topic_ids.get(place[0], ""), offset)

    @property
    def needs_refresh(self) -> bool:
        """Whether it is time to commit again what is committed, so that Kafka does not forget it in partitions that are quiet."""
        return bool(self._done) and (self._refreshed_at is None or time.monotonic() - self._refreshed_at >= REFRESH_S)

    def refresh(self) -> None:
        """Commit again what was committed at the last plan, and what had expired then."""
        self._refreshed_at = time.monotonic()
        now = self.committed(self._done)
        self._commit({place: max(offset, now.get(place, 0)) for place, offset in self._done.items()})

    def commit_again(self) -> None:
        """Commit again all that the group has committed, wherever; for whoever alone commits for it."""
        self._commit(self._all_committed())

    def _all_committed(self) -> dict[Place, int]:
        """What the group has committed in all topics."""

        def ask() -> dict[Place, int]:
            group = self._target.group
            told = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=self._request_s)[
                group
            ].result()
            return {(at.topic, at.partition): at.offset for at in told.topic_partitions or () if at.offset >= 0}

        return self._ask(ask)

    def _gap(self, place: Place, committed: int | None, earliest: int, latest: int) -> OffsetGap | None:
        anew = gap_of_topic_made_anew(place, self.stands.get(place), self._topic_ids.get(place[0], ""), earliest)
        return anew or (None if committed is None else gap_before(place, committed, earliest, latest))

    def _describe(self, topics: list[str]) -> dict[str, Any]:
        """Each topic: its id, as long as it exists, and the user's rights; one that is gone by now, or not told of, is absent."""

        def ask() -> dict[str, Any]:
            found: dict[str, Any] = {}
            asked = TopicCollection(topics)
            told = self._admin.describe_topics(asked, include_authorized_operations=True, request_timeout=self._request_s)
            for topic, described in told.items():
                try:
                    found[topic] = described.result()
                except KafkaException as error:
                    if not is_gone(error.args[0]) and not is_of_partition(error.args[0]):
                        raise
            return found

        return self._ask(ask) if topics else {}

    def held(self, topics: Iterable[str]) -> list[OffsetRange]:
        """All that the topics hold now, whoever has taken it in; only partitions with something in them.

        Raises InfrastructureFault where a partition cannot be asked: who wants all of it must not take less for that.
        """
        places = self.partitions(topics)
        if not places:
            return []
        earliest = self._all_offsets(places, OffsetSpec.earliest())
        latest = self._all_offsets(places, OffsetSpec.latest())
        found = (OffsetRange(*place, earliest[place], latest[place]) for place in places if place in earliest and place in latest)
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
        found = self._all_offsets(places, OffsetSpec.for_timestamp(timestamp_ms)) if places else {}
        return {place: offset for place, offset in found.items() if offset >= 0}

    def _all_offsets(self, places: list[Place], spec: OffsetSpec) -> dict[Place, int]:
        """As `_offsets`, but a partition that cannot be asked is an InfrastructureFault; one that is gone is absent."""
        found = self._offsets(places, spec)
        for place in places:
            if place not in found and place in self._aside:
                raise kafka_fault(self._target, self._aside[place].sentence.rstrip("."))
        return found

    def _offsets(
        self, places: list[Place], spec: OffsetSpec, isolation: IsolationLevel = IsolationLevel.READ_COMMITTED
    ) -> dict[Place, int]:
        """The offset of each partition that answers; one that is gone is absent, and so is one that cannot be asked, which is set aside."""
        found: dict[Place, int] = {}
        limit = time.monotonic() + min(_ELECTION_S, self._target.retry_s)

        def ask() -> dict[Place, KafkaError]:
            request = {TopicPartition(*place): spec for place in places if place not in found}
            failed: dict[Place, KafkaError] = {}
            for at, future in self._admin.list_offsets(request, isolation_level=isolation, request_timeout=self._request_s).items():
                try:
                    info: ListOffsetsResultInfo = future.result()
                    found[at.topic, at.partition] = info.offset
                except KafkaException as error:
                    failed[at.topic, at.partition] = error.args[0]
            for said in failed.values():
                if not found and not is_of_partition(said) and not is_gone(said):
                    raise KafkaException(said)
            return failed

        failed = self._ask(ask)
        while failed and time.monotonic() < limit and any(is_transient(KafkaException(one)) for one in failed.values()):
            if failed.keys() <= self._was_aside | self._aside.keys():
                break
            time.sleep(_AGAIN_S)
            failed = self._ask(ask)
        for place, said in failed.items():
            if not is_gone(said):
                self.set_aside(PartitionFault(*place, cause_of(said), said.str()))
        return found

    def committed(self, places: Iterable[Place]) -> dict[Place, int]:
        """The group's committed offsets; a partition without one is absent."""
        wanted = [TopicPartition(*place) for place in places]
        found = self._ask(lambda: self._consumer.committed(wanted, timeout=self._request_s))
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

        left = self._ask(lambda: self._taken(ends))
        for place in left:
            # Which of them it was, Kafka may not say.
            alone = {place: ends[place]}
            still = self._ask(lambda alone=alone: self._taken(alone)) if len(ends) > 1 else left  # type: ignore[misc]
            for refused in still.values():
                self.set_aside(PartitionFault(*place, cause_of(refused), refused.str()))
        ends = {place: end for place, end in ends.items() if place not in self._aside}
        for place, end in ends.items():
            self.stands.note(place, self._stand(place, end))
        self._done |= ends

    def _taken(self, ends: dict[Place, int]) -> dict[Place, KafkaError]:
        """Commit; the partitions for which Kafka took none where it is one of them that it refuses: none of the others need be done."""
        offsets = [TopicPartition(*place, end) for place, end in ends.items()]
        try:
            if self._fence is not None and self._fence.commit(self._consumer, offsets):
                return {}
            _raise_first(self._consumer.commit(offsets=offsets, asynchronous=False))
        except KafkaException as error:
            if not is_of_partition(error.args[0]):
                raise
            return dict.fromkeys(ends, error.args[0])
        return {}

    def next_record(self, at: OffsetRange) -> int:
        """The offset of the first record in the range that can be read; its end when there is none.

        Compaction and control records leave gaps; a range is done when a consumer's position has passed it. A partition that
        cannot be read is set aside, and its range begins where it began.
        """
        return self._ask(lambda: self._first_in(at))

    def _first_in(self, at: OffsetRange) -> int:
        self._consumer.assign([TopicPartition(at.topic, at.partition, at.start)])
        try:
            message = self._consumer.poll(_ELECTION_S)
            if message is None and not leaderless(self._consumer, [at.place]):
                message = self._consumer.poll(_SETTLE_S)
        finally:
            self._consumer.unassign()
        if message is None:
            # Raises where no broker answers at all.
            led = leaderless(self._consumer, [at.place])
            self.set_aside(led.get(at.place) or PartitionFault(*at.place, NO_ANSWER))
            return at.start
        error = message.error()
        if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            return at.end
        if error is not None:
            if is_transient(KafkaException(error)):
                raise KafkaException(error)
            self.set_aside(PartitionFault(*at.place, cause_of(error), error.str()))
            return at.start
        offset = message.offset()
        return at.end if offset is None else min(offset, at.end)


def _raise_first(committed: list[TopicPartition] | None) -> None:
    for at in committed or ():
        if at.error:
            raise KafkaException(at.error)


def kafka_fault(target: KafkaTarget, said: str) -> InfrastructureFault:
    """The fault that stops the run, in one sentence."""
    return InfrastructureFault(
        f"Kafka at {target.brokers} cannot be used ({said}); nothing after the last committed offsets counts as "
        f"done: start it or fix KAFKA_BROKERS and the KAFKA_SASL and KAFKA_SSL settings, then run again.{_likely(target, said)}"
    )


def _likely(target: KafkaTarget, said: str) -> str:
    """The likely cause of a fault that says only that there was no answer, with a space before it."""
    if not any(word in said.lower() for word in _NO_ANSWER):
        return ""
    asked = {"PLAINTEXT": "SASL or TLS", "SASL_PLAINTEXT": "TLS, or no login at all", "SSL": "a login (SASL_SSL), or no TLS"}
    other = asked.get(target.security_protocol, "another security protocol")
    return f" If it runs, does this listener speak {other}? `python -m pipelines.doctor` tells more."


def is_transient(error: BaseException) -> bool:
    """True where asking again may help: Kafka away, busy, or between two leaders or coordinators."""
    cause = error.args[0] if isinstance(error, KafkaException) and error.args else None
    return isinstance(cause, KafkaError) and (cause.retriable() or cause.code() in _TRANSIENT)
