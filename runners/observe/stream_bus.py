"""What a streaming job has to read, and how far its group has come, as Kafka tells."""

from collections.abc import Iterable
from typing import Final

import structlog

from runners.loops.watch import Stands
from transforms.io.kafka.offsets import KafkaOffsets, OffsetRange, Place
from transforms.records.tenancy.routes import topics_to_read

_LOG: Final = structlog.get_logger("watch")


class KafkaBus:
    """Named topics, those of clusters by pattern, and the group's committed offsets; reads no record but to tell gaps.

    Every fault of Kafka's is an InfrastructureFault.
    """

    def __init__(self, offsets: KafkaOffsets, topics: tuple[str, ...], patterns: tuple[str, ...], deadletter_topic: str) -> None:
        self._offsets = offsets
        self._topics = topics
        self._patterns = patterns
        self._deadletter_topic = deadletter_topic
        self._before: dict[Place, int] = {}
        self._told: set[Place] = set()

    def places(self) -> list[Place]:
        """Every partition of every topic that is to be read, exists now and may be read; an alarm for each that newly may not."""
        found = self._offsets.readable(self.topics())
        for fault in self._offsets.aside:
            if fault.place not in self._told:
                _LOG.error("partition left out", topic=fault.topic, partition=fault.partition, cause=fault.cause, detail=fault.sentence)
        self._told = {fault.place for fault in self._offsets.aside}
        return found

    def topics(self) -> list[str]:
        """The topics that are named, and those of clusters that exist now."""
        if not self._patterns:
            return list(self._topics)
        return topics_to_read(self._topics, self._offsets.topics(), self._patterns, self._deadletter_topic)

    def stands(self, places: Iterable[Place]) -> Stands:
        """Where the group stands, and where the partitions end; one that is gone is absent.

        Done are the committed offsets, or the ends of what holds no record after them.
        """
        wanted = list(places)
        first, last = self._offsets.earliest(wanted), self._offsets.latest(wanted)
        done = first | self._offsets.committed(list(first))
        # A log may end with offsets that hold no record: markers of transactions, what compaction took away. Worth a look
        # only where nothing has gone on since the last one.
        stands = [place for place, offset in done.items() if offset < last.get(place, 0) and self._before.get(place) == offset]
        self._before = dict(done)
        left = [OffsetRange(*place, max(done[place], first[place]), last[place]) for place in stands]
        passed = {one.place: one.end for one in left if self._offsets.next_record(one) == one.end}
        return Stands(done | passed, last)
