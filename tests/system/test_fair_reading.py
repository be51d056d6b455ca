"""A partition with a large backlog leaves the others their share of a slice, and no record is lost or read twice over it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Producer

from scripts.faulting.round import await_that
from scripts.sampling.record import RESOURCES
from tests.system.world import World
from transforms.io.kafka.offsets import KafkaOffsets, OffsetRange, Place
from transforms.io.kafka.range_reader import RangeReader

LOUD, QUIET = 6_000, 300
MANY_BYTES = 1 << 40


@pytest.fixture
def reader(world: World) -> Iterator[RangeReader]:
    """Partition 0 has twenty times as much as each of the others, and more after the ends that are planned."""
    producer = Producer({"bootstrap.servers": world.brokers, "linger.ms": 5})
    for partition in range(4):
        for number in range((LOUD if partition == 0 else QUIET) + 50):
            producer.produce(RESOURCES, b"x" * 100, b"%d" % number, partition=partition)
    assert producer.flush(30) == 0
    # What was acknowledged a moment ago may not be shown to a consumer yet, who would then be told of an end before it.
    with closing(KafkaOffsets(world.kafka_target)) as offsets:
        wanted = [OffsetRange(RESOURCES, partition, 0, (LOUD if partition == 0 else QUIET) + 50) for partition in range(4)]
        await_that(lambda: sorted(offsets.held([RESOURCES])) == wanted, 60, "all records can be read")
    reader = RangeReader(world.kafka_target)
    yield reader
    reader.close()


def planned() -> list[OffsetRange]:
    return [OffsetRange(RESOURCES, partition, 0, LOUD if partition == 0 else QUIET) for partition in range(4)]


def taken(reader: RangeReader, ranges: list[OffsetRange], max_records: int, max_bytes: int = MANY_BYTES) -> dict[Place, list[int]]:
    """The offsets that a slice delivers; where it says to go on is after the last of them."""
    found: dict[Place, list[int]] = {one.place: [] for one in ranges}
    for chunk in reader.read(ranges, max_records, max_bytes):
        for record in chunk.records:
            found[record.topic, record.partition].append(record.offset)
        for place, passed in chunk.passed.items():
            assert passed.position == found[place][-1] + 1
    return found


def test_a_slice_holds_an_equal_share_of_each_partition(reader: RangeReader) -> None:
    found = taken(reader, planned(), 800)

    assert [len(offsets) for offsets in found.values()] == [200] * 4


def test_what_the_quiet_do_not_need_goes_to_the_loud(reader: RangeReader) -> None:
    found = taken(reader, planned(), 2_000)

    assert [len(offsets) for offsets in found.values()] == [2_000 - 3 * QUIET, QUIET, QUIET, QUIET]


def test_a_share_counts_bytes_too(reader: RangeReader) -> None:
    per_record = 104
    found = taken(reader, planned(), 2_000, 400 * per_record)

    quiet = [len(offsets) for offsets in found.values()][1:]
    assert all(95 <= number <= 110 for number in quiet), quiet


@pytest.mark.parametrize(("max_records", "max_bytes"), [(700, MANY_BYTES), (1_001, MANY_BYTES), (5_000, 60_000), (10_000, MANY_BYTES)])
def test_slices_one_after_the_other_hold_every_record_once_and_nothing_after_the_planned_ends(
    reader: RangeReader, max_records: int, max_bytes: int
) -> None:
    left = planned()
    counted: Counter[tuple[int, int]] = Counter()
    for _ in range(40):
        for (_topic, partition), offsets in taken(reader, left, max_records, max_bytes).items():
            counted.update((partition, offset) for offset in offsets)
            left = [one._replace(start=offsets[-1] + 1) if offsets and one.partition == partition else one for one in left]
        left = [one for one in left if one.lag]

    assert left == []
    assert counted == Counter((one.partition, offset) for one in planned() for offset in range(one.end))
