"""Exact offset ranges, read with librdkafka: nothing outside of them, no silent jump."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from operator import methodcaller
from typing import Final, NamedTuple

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaError, KafkaException, Message, TopicPartition

from transforms.io.kafka.offsets import OffsetRange, Place, is_transient, kafka_fault
from transforms.io.kafka.partitions import NO_ANSWER, PartitionFault, cause_of, leaderless
from transforms.io.kafka.target import KafkaTarget
from transforms.planning.scheduling.slices import fair_shares
from transforms.records.record import UNREADABLE_HEADERS, Headers, KafkaRecord

CHUNK_RECORDS: Final = 1000
# Held ready beyond what is being worked on; the rest of it is fetched again by the next slice.
_PREFETCH_KBYTES: Final = 8 * 1024
_WAIT_S: Final = 0.05
_HEADERS: Final = methodcaller("headers")
# A first fetch connects, finds the leader and waits for the broker: no sign of anything wrong.
_LEAST_PATIENCE_S: Final = 5.0
# So long in silence, and it is asked whether what is waited for is led by a broker at all.
_LOOK_S: Final = 2.0
# What a partition may answer instead of records; whoever planned the range finds out what became of its offsets.
_GONE: Final = frozenset(
    {
        KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001 - librdkafka's own codes are public under these names
        KafkaError.OFFSET_OUT_OF_RANGE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    }
)


class Passed(NamedTuple):
    """What a chunk holds of one partition: how many records, the first offset, and the offset to go on from."""

    records: int
    first: int
    position: int


class Chunk(NamedTuple):
    """Records in the order of each partition, and how far they bring each."""

    records: list[KafkaRecord]
    size_bytes: int
    passed: dict[Place, Passed]


@dataclass(slots=True)
class Share:
    """How much a partition may still have of a slice, while others wait for theirs."""

    records: int
    size_bytes: int

    @property
    def is_spent(self) -> bool:
        return self.records <= 0 or self.size_bytes <= 0

    def take(self, size_bytes: int) -> None:
        """Count a record of this size, key and value."""
        self.records -= 1
        self.size_bytes -= size_bytes


def _shares(ranges: list[OffsetRange], max_records: int, max_bytes: int) -> dict[Place, Share]:
    """Nothing where there is nothing to share: one range, or a slice that may hold all."""
    if len(ranges) == 1 or sum(one.lag for one in ranges) <= max_records:
        return {}
    records = fair_shares({one.place: one.lag for one in ranges}, max_records)
    return {place: Share(share, max_bytes // len(ranges)) for place, share in records.items()}


def _headers(message: Message) -> Headers:
    """The headers, or what stands for all of them where a name is not UTF-8.

    For those the client gives a list with holes, which end the process that looks into it, and leaves an exception behind.
    A plain call does not always look for that; one by way of `methodcaller` does, and raises it here. Ask once: the client keeps
    the list.
    """
    try:
        return tuple(_HEADERS(message) or ())
    except (SystemError, UnicodeDecodeError):
        return UNREADABLE_HEADERS


class RangeReader:
    """Reads ranges of offsets; close it with the owner.

    A partition that cannot be read on (its offsets deleted, its topic gone) simply ends, at the position reached.
    """

    def __init__(self, target: KafkaTarget) -> None:
        self._target = target
        self._aside: Callable[[PartitionFault], object] | None = None
        self._paused: list[TopicPartition] = []
        self._consumer = target.open(
            Consumer,
            {
                "group.id": target.group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "queued.max.messages.kbytes": _PREFETCH_KBYTES,
                "fetch.wait.max.ms": 100,
                # librdkafka waits a second by default once that much is held: with values of 2 MiB, after every few of them.
                "fetch.queue.backoff.ms": 20,
            },
        )

    def close(self) -> None:
        self._consumer.close()

    def read(
        self, ranges: list[OffsetRange], max_records: int, max_bytes: int, aside: Callable[[PartitionFault], object] | None = None
    ) -> Generator[Chunk, None, None]:
        """A prefix of every range, in chunks, until all are read or a limit is passed.

        Each range has an equal share of both limits first; what it does not need goes to those that have more.
        aside: told of a partition that cannot be read on, which then ends at the position reached; None: InfrastructureFault.
        Raises that too when Kafka gives nothing for the target's `retry_s`, or 5 s where that is less.
        """
        if not ranges:
            return
        left = {one.place: one for one in ranges}
        shares = _shares(ranges, max_records, max_bytes)
        patience_s = max(self._target.retry_s, _LEAST_PATIENCE_S)
        self._aside = aside
        self._assign(left)
        try:
            taken = size = 0
            heard = looked = time.monotonic()
            while left and taken < max_records and size < max_bytes:
                messages = self._consumer.consume(min(CHUNK_RECORDS, max_records - taken), _WAIT_S)
                chunk = self._chunk(messages, left, shares)
                if chunk.passed:
                    taken, size = taken + len(chunk.records), size + chunk.size_bytes
                    yield chunk
                    # Only now: what is done with a chunk may take longer than Kafka is given to answer.
                    heard = time.monotonic()
                    shares = self._spend(chunk, left, shares)
                elif left and time.monotonic() - heard > patience_s:
                    self._give_up(left, patience_s, is_heard=taken > 0)
                elif left and time.monotonic() - max(heard, looked) > _LOOK_S:
                    looked = time.monotonic()
                    self._end_leaderless(left)
        except KafkaException as error:
            raise kafka_fault(self._target, error.args[0].str()) from error
        finally:
            self._release()

    def _end_leaderless(self, left: dict[Place, OffsetRange]) -> None:
        """Wait no longer for partitions that no broker leads."""
        if self._aside is None:
            return
        try:
            found = leaderless(self._consumer, left)
        except KafkaException:
            # Nobody answers; that is waited out.
            return
        for place, fault in found.items():
            self._set_aside(fault)
            self._end(place, left)

    def _give_up(self, left: dict[Place, OffsetRange], patience_s: float, *, is_heard: bool) -> None:
        """Nothing came for so long. Where others did come, what is left is set aside: their brokers answer, these do not."""
        place = next(iter(left))
        if self._aside is None or not is_heard:
            raise kafka_fault(self._target, f"no answer for {place[0]}[{place[1]}] in {patience_s:.0f} s")
        for silent in list(left):
            self._set_aside(PartitionFault(*silent, NO_ANSWER, f"no answer in {patience_s:.0f} s"))
            self._end(silent, left)

    def _set_aside(self, fault: PartitionFault) -> None:
        if self._aside is None:
            raise kafka_fault(self._target, f"{fault.topic}[{fault.partition}]: {fault.said or fault.cause}")
        self._aside(fault)

    def _assign(self, left: dict[Place, OffsetRange]) -> None:
        self._consumer.assign([TopicPartition(one.topic, one.partition, one.start) for one in left.values()])

    def _spend(self, chunk: Chunk, left: dict[Place, OffsetRange], shares: dict[Place, Share]) -> dict[Place, Share]:
        """Keep quiet who has had its share; once all have, what is left over is anybody's. The shares from now on."""
        if not shares:
            return shares
        for place, passed in chunk.passed.items():
            if place in left:
                left[place] = left[place]._replace(start=passed.position)
        spent = [place for place in left if shares[place].is_spent]
        if len(spent) == len(left):
            # Anew, from where each stands: of those that were kept quiet, messages were let go of.
            self._assign(left)
            return {}
        quiet = [TopicPartition(*place) for place in spent if place in chunk.passed]
        if quiet:
            # Not paused: what is paused stays so when it is assigned again.
            self._consumer.incremental_unassign(quiet)
        return shares

    def _chunk(self, messages: list[Message], left: dict[Place, OffsetRange], shares: dict[Place, Share]) -> Chunk:
        records: list[KafkaRecord] = []
        size = 0
        firsts: dict[Place, int] = {}
        counts: dict[Place, int] = {}
        positions: dict[Place, int] = {}
        for message in messages:
            place = (message.topic(), message.partition())
            wanted = left.get(place)
            if wanted is None:
                continue
            share = shares.get(place)
            if share is not None and share.is_spent:
                # Whatever it says is after what was let go of, its end too.
                continue
            error = message.error()
            if error is not None:
                self._answered(error, message.offset(), wanted, left, positions)
                continue
            offset = message.offset()
            if offset < wanted.end:
                key, value = message.key(), message.value()
                message_bytes = len(key or b"") + len(value or b"")
                if share is not None:
                    share.take(message_bytes)
                kind, timestamp_ms = message.timestamp()
                told = (_headers(message), kind == TIMESTAMP_LOG_APPEND_TIME)
                records.append(KafkaRecord(place[0], place[1], offset, timestamp_ms, key, value, *told))
                size += message_bytes
                firsts.setdefault(place, offset)
                counts[place] = counts.get(place, 0) + 1
                positions[place] = offset + 1
            if offset >= wanted.end - 1:
                positions[place] = wanted.end
                self._end(place, left)
        passed = {place: Passed(counts.get(place, 0), firsts.get(place, at), at) for place, at in positions.items()}
        return Chunk(records, size, passed)

    def _answered(
        self, error: KafkaError, at: int, wanted: OffsetRange, left: dict[Place, OffsetRange], positions: dict[Place, int]
    ) -> None:
        """A partition's answer that is no record: it is at its end, it is gone, it is busy, or it refuses."""
        code = error.code()
        if code == KafkaError._PARTITION_EOF:  # noqa: SLF001
            if at >= wanted.end:
                positions[wanted.place] = wanted.end
            self._end(wanted.place, left)
        elif code in _GONE:
            self._end(wanted.place, left)
        elif not is_transient(KafkaException(error)):
            self._set_aside(PartitionFault(*wanted.place, cause_of(error), error.str()))
            self._end(wanted.place, left)

    def _end(self, place: Place, left: dict[Place, OffsetRange]) -> None:
        del left[place]
        if left:
            self._consumer.pause([TopicPartition(*place)])
            self._paused.append(TopicPartition(*place))

    def _release(self) -> None:
        """Let go of all partitions. What is paused stays so if the next read assigns it at once, and would never answer."""
        if self._paused:
            self._consumer.resume(self._paused)
            self._paused = []
        self._consumer.unassign()
