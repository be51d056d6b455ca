"""Read for a backfill: records of a span of time, from Kafka or from the archive, in chunks as a reader would deliver them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import apache_beam as beam

from transforms.io.archive.avro_files import AvroFile, CorruptArchive
from transforms.io.archive.files import Archive
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import OffsetRange
from transforms.io.kafka.range_reader import CHUNK_RECORDS
from transforms.io.kafka.target import KafkaTarget
from transforms.model.metrics import READ_BYTES, RESTORED, UNAVAILABLE
from transforms.planning.scheduling.slices import SliceSize
from transforms.records.outcomes import NO_TENANT
from transforms.records.record import KafkaRecord
from transforms.steps.elements import RecordChunk
from transforms.steps.metrics import count
from transforms.steps.read import ReadRangesFn

# Why records of the archive are not there to be read.
WITHHELD: Final = "withheld"
CORRUPT: Final = "corrupt"

Span = tuple[int, int]


def within(records: Iterable[KafkaRecord], span: Span) -> RecordChunk:
    """The records with timestamps in [from, to), milliseconds since 1970."""
    begin, end = span
    return RecordChunk(one for one in records if begin <= one.timestamp_ms < end)


class ReadHeld(beam.PTransform):
    """The records of the ranges whose timestamps are in the span; where reading has to go on is marked."""

    def __init__(self, target: KafkaTarget, ranges: list[OffsetRange], span: Span, size: SliceSize) -> None:
        super().__init__()
        self._read = ReadRangesFn(target, ranges, size)
        self._within = WithinFn(span)

    def expand(self, begin: Any) -> beam.PCollection[RecordChunk]:
        read = begin | "Slice" >> beam.Impulse() | "ReadHeld" >> beam.ParDo(self._read).with_output_types(RecordChunk)
        return read | "Within" >> beam.ParDo(self._within).with_output_types(RecordChunk)


class WithinFn(beam.DoFn):
    def __init__(self, span: Span) -> None:
        self._span = span

    def process(self, chunk: RecordChunk) -> Iterator[RecordChunk]:
        wanted = within(chunk, self._span)
        if wanted:
            yield wanted
        count(RESTORED, len(wanted))


class ReadArchive(beam.PTransform):
    """The records of the files whose timestamps are in the span.

    What the archive does not hold whole is counted as unavailable: values that were withheld, and with skip_corrupt blocks that cannot
    be read. Without it such a block is an InfrastructureFault that names file and block.
    """

    def __init__(self, root: str, files: list[AvroFile], span: Span, *, skip_corrupt: bool) -> None:
        super().__init__()
        self._fn = ReadArchiveFn(root, files, span, skip_corrupt)

    def expand(self, begin: Any) -> beam.PCollection[RecordChunk]:
        return begin | "Files" >> beam.Impulse() | "ReadFiles" >> beam.ParDo(self._fn).with_output_types(RecordChunk)


class ReadArchiveFn(beam.DoFn):
    def __init__(self, root: str, files: list[AvroFile], span: Span, skip_corrupt: bool) -> None:
        self._root = root
        self._files = files
        self._span = span
        self._skip_corrupt = skip_corrupt

    def process(self, _slice: bytes) -> Iterator[RecordChunk]:
        archive = Archive(self._root)
        missing: Counter[tuple[str, str]] = Counter()
        held = RecordChunk()
        try:
            for file in self._files:
                withheld, corrupt = archive.withheld, archive.corrupt.total()
                for block in archive.read(file, skip_corrupt=self._skip_corrupt):
                    count(READ_BYTES, sum(one.size_bytes for one in block))
                    # Files of an hour are often small: a chunk holds several, as one of Kafka's holds several partitions.
                    held += within(block, self._span)
                    while len(held) >= CHUNK_RECORDS:
                        yield RecordChunk(held[:CHUNK_RECORDS])
                        count(RESTORED, CHUNK_RECORDS)
                        held = RecordChunk(held[CHUNK_RECORDS:])
                missing[file.client_id or NO_TENANT, WITHHELD] += archive.withheld - withheld
                missing[file.client_id or NO_TENANT, CORRUPT] += archive.corrupt.total() - corrupt
        except CorruptArchive as corrupt_file:
            raise InfrastructureFault(str(corrupt_file)) from corrupt_file
        if held:
            yield held
            count(RESTORED, len(held))
        for (client_id, why), number in missing.items():
            if number:
                count(UNAVAILABLE, number, client_id, why)
