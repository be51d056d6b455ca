"""What a backfill reads, planned as slices: ranges of offsets that Kafka holds, or files of the archive."""

from collections.abc import Callable, Iterable
from typing import Final

from transforms.io.archive.avro_files import AvroFile
from transforms.io.archive.files import Archive
from transforms.io.backfill.ledger import Slice
from transforms.io.kafka.offsets import KafkaOffsets, OffsetRange
from transforms.planning.scheduling.backfill_plan import Scope, cuts, packed

# A block of the archive holds about so many times its bytes; slices are cut by what is known of files without opening them.
INFLATES: Final = 8
SLICE_FILES: Final = 2000

GoesFirst = Callable[[str], bool]


def kafka_ranges(offsets: KafkaOffsets, topics: Iterable[str], from_ms: int, to_ms: int, late_ms: int | None = None) -> list[OffsetRange]:
    """The offsets that may hold records with timestamps in [from_ms, to_ms), of what Kafka holds now. No committed offset is asked for.

    Where they begin is exact: the first record that is as late as `from_ms`. Producers stamp records out of order, so that an earlier
    time may follow a later one: only the end of the partition is a safe end.
    late_ms: take no record to be so much out of order, and end where one is later than `to_ms` by that; None: to the end.
    """
    held = offsets.held(topics)
    places = [one.place for one in held]
    begins = offsets.reaching(places, from_ms) if from_ms > 0 else {one.place: one.start for one in held}
    ends = offsets.reaching(places, to_ms + late_ms) if late_ms is not None else {}
    return ranges_between(held, begins, ends)


def ranges_between(held: Iterable[OffsetRange], begins: dict[tuple[str, int], int], ends: dict[tuple[str, int], int]) -> list[OffsetRange]:
    """What is held, from where each begins, nothing where it does not; to where each ends, the whole rest where it does not."""
    found = (
        one._replace(start=max(one.start, begins[one.place]), end=min(one.end, ends.get(one.place, one.end)))
        for one in held
        if one.place in begins
    )
    return [one for one in found if one.lag > 0]


def slices_of_ranges(ranges: Iterable[OffsetRange], most: int, goes_first: GoesFirst) -> list[Slice]:
    """Slices of at most so many offsets, partition by partition; those of topics that go first before all others."""
    ordered = sorted(ranges, key=lambda one: (not goes_first(one.topic), one))
    pieces = [one._replace(start=start, end=end) for one in ordered for start, end in cuts(one.start, one.end, most)]
    return [Slice(number, ranges=held) for number, held in enumerate(packed(((one, one.lag) for one in pieces), most))]


def slices_of_files(files: Iterable[AvroFile], most_bytes: int, goes_first: GoesFirst) -> list[Slice]:
    """Slices of files of so many bytes together once they are inflated, about; hour by hour, topics that go first before all others."""
    ordered = sorted(files, key=lambda one: (not goes_first(one.topic), one.hour_ms, one))
    budget = max(most_bytes // INFLATES, 1)
    weighed = ((one, max(one.size_bytes, budget // SLICE_FILES)) for one in ordered)
    return [Slice(number, files=held) for number, held in enumerate(packed(weighed, budget))]


def archive_files(archive: Archive, scope: Scope) -> list[AvroFile]:
    """The files that may hold records of the scope."""
    client_ids = frozenset(scope.client_ids)
    return archive.find(scope.from_ms, scope.to_ms, client_ids, frozenset(scope.topics))


def still_held(offsets: KafkaOffsets, ranges: list[OffsetRange]) -> tuple[list[OffsetRange], int]:
    """What Kafka still holds of the ranges, and how many offsets of them were deleted or are gone with their topic."""
    bounds = {one.place: one for one in offsets.held({one.topic for one in ranges})}
    kept: list[OffsetRange] = []
    for one in ranges:
        held = bounds.get(one.place)
        if held is not None and max(one.start, held.start) < min(one.end, held.end):
            kept.append(one._replace(start=max(one.start, held.start), end=min(one.end, held.end)))
    return kept, sum(one.lag for one in ranges) - sum(one.lag for one in kept)
