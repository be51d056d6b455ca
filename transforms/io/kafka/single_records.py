"""Records that lie in Kafka, by their coordinates: exact, bounded, and without a committed offset.

What was deleted before it could be read is missing from the answer; it is never replaced by what came after it.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Final

from transforms.io.kafka.offsets import KafkaOffsets, OffsetRange, Place, kafka_fault
from transforms.io.kafka.range_reader import RangeReader
from transforms.io.kafka.target import KafkaTarget
from transforms.records.dead_letters.letters import coordinates_of
from transforms.records.dead_letters.selection import Coordinates
from transforms.records.record import KafkaRecord

# Passing over so many records costs less than a seek.
NEAR_OFFSETS: Final = 200
_MAX_EMPTY_READS: Final = 5


class HeldRecords:
    """Reads what the topics hold; close it with the owner. Every fault of Kafka's is an InfrastructureFault."""

    def __init__(self, target: KafkaTarget) -> None:
        self._target = target
        self._offsets = KafkaOffsets(target)
        self._reader = RangeReader(target)

    def close(self) -> None:
        self._reader.close()
        self._offsets.close()

    def ranges(self, topics: Iterable[str]) -> list[OffsetRange]:
        """From the beginning of each topic to its end as of now; a topic that does not exist holds nothing."""
        return self._offsets.held(topics)

    def read(self, ranges: list[OffsetRange]) -> Iterator[list[KafkaRecord]]:
        """Every record of the ranges that Kafka still holds, in chunks; at most one range a partition.

        The reader ends a partition whose offsets are deleted under it; reading goes on at what is left of it.
        """
        left, barren = self._still_held(ranges), 0
        while left:
            ends: dict[Place, int] = {}
            for chunk in self._reader.read(left, sys.maxsize, sys.maxsize):
                ends |= {place: passed.position for place, passed in chunk.passed.items()}
                if chunk.records:
                    yield chunk.records
            barren = 0 if ends else barren + 1
            if barren >= _MAX_EMPTY_READS:
                raise kafka_fault(self._target, f"{left[0].topic}[{left[0].partition}] gives nothing from offset {left[0].start} on")
            left = self._still_held([one._replace(start=max(one.start, ends.get(one.place, one.start))) for one in left])

    def find(self, wanted: Iterable[Coordinates]) -> dict[Coordinates, KafkaRecord]:
        """The records at the coordinates; those that Kafka no longer holds are absent."""
        asked = set(wanted)
        found: dict[Coordinates, KafkaRecord] = {}
        for ranges in rounds_of(asked):
            for records in self.read(ranges):
                found |= {at: record for record in records if (at := coordinates_of(record)) in asked}
        return found

    def _still_held(self, ranges: list[OffsetRange]) -> list[OffsetRange]:
        wanted = [one for one in ranges if one.lag > 0]
        if not wanted:
            return []
        held = {one.place: one for one in self._offsets.held({one.topic for one in wanted})}
        clipped = (
            one._replace(start=max(one.start, bounds.start), end=min(one.end, bounds.end))
            for one in wanted
            if (bounds := held.get(one.place)) is not None
        )
        return [one for one in clipped if one.lag > 0]


def rounds_of(wanted: Iterable[Coordinates], near: int = NEAR_OFFSETS) -> list[list[OffsetRange]]:
    """Ranges that hold the coordinates, in rounds with at most one range a partition; near offsets share a range."""
    of_place: dict[Place, list[OffsetRange]] = {}
    for topic, partition, offset in sorted(set(wanted)):
        ranges = of_place.setdefault((topic, partition), [])
        if ranges and offset - ranges[-1].end < near:
            ranges[-1] = ranges[-1]._replace(end=offset + 1)
        else:
            ranges.append(OffsetRange(topic, partition, offset, offset + 1))
    most = max((len(ranges) for ranges in of_place.values()), default=0)
    return [[ranges[number] for ranges in of_place.values() if number < len(ranges)] for number in range(most)]
