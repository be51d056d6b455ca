"""What a backfill reads of an archive: the span, whole and in chunks; what cannot be read is told or counted."""

from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

from runners.direct import run_pipeline
from transforms.io.archive.files import Archive
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.range_reader import CHUNK_RECORDS
from transforms.model.metrics import RESTORED, UNAVAILABLE
from transforms.records.archive_format.archived import Archived, Withheld
from transforms.records.archive_format.paths import HOUR_MS
from transforms.records.record import KafkaRecord
from transforms.steps.backfill import ReadArchive
from transforms.steps.elements import RecordChunk
from transforms.steps.metrics import read_counts

T = 1_772_352_000_000
# The runner works in this process; what travels with a function to its worker is a copy, a module is not.
SEEN: list[list[int]] = []


def see(chunk: RecordChunk) -> None:
    SEEN.append([one.offset for one in chunk])


def archive(root: Path, number: int, step_ms: int = 1000, **more: Any) -> Archive:
    """So many records, one every so many milliseconds."""
    found = Archive(str(root))
    found.write(Archived(KafkaRecord("t", 0, at, T + at * step_ms, b"k", b"v%d" % at), "af-10", **more) for at in range(number))
    return found


def read(held: Archive, begin: int, end: int, *, skip_corrupt: bool = False) -> tuple[list[list[int]], Any]:
    """The offsets of each chunk, and the pipeline's result."""
    SEEN.clear()

    def build(pipeline: beam.Pipeline) -> None:
        records = pipeline | ReadArchive(held.root, held.find(begin, end), (begin, end), skip_corrupt=skip_corrupt)
        records | beam.Map(see)

    result = run_pipeline(build)
    return [*SEEN], result


def test_records_of_the_span_come_once_and_in_chunks(tmp_path: Path) -> None:
    held = archive(tmp_path, 9000)
    assert len(held.find(0, T * 2)) == 3, "an hour has 3,600 seconds"

    chunks, result = read(held, T + HOUR_MS - 2000, T + HOUR_MS + 1_500_000)

    assert sorted(offset for chunk in chunks for offset in chunk) == list(range(3598, 5100))
    assert [len(chunk) for chunk in chunks] == [CHUNK_RECORDS, 502]
    assert read_counts(result).total(RESTORED) == 1502


def test_what_was_withheld_is_no_tombstone_but_counted(tmp_path: Path) -> None:
    held = archive(tmp_path, 5, withheld=Withheld(7, b"\0" * 32))

    chunks, result = read(held, T, T + HOUR_MS)

    assert (chunks, read_counts(result).total(RESTORED)) == ([], 0)
    assert read_counts(result).of(UNAVAILABLE) == {("af-10", "withheld"): 5}


def test_a_file_that_is_cut_off_is_told_by_name_or_passed_over(tmp_path: Path) -> None:
    held = archive(tmp_path, 5000)
    first, second = held.find(T, T + 2 * HOUR_MS)
    victim = tmp_path / first.path
    victim.write_bytes(victim.read_bytes()[:-30])

    with pytest.raises(InfrastructureFault) as told:
        read(held, T, T + 2 * HOUR_MS)
    chunks, result = read(held, T, T + 2 * HOUR_MS, skip_corrupt=True)

    assert first.path in told.value.sentence
    assert read_counts(result).of(UNAVAILABLE) == {("af-10", "corrupt"): 1}
    assert set(range(second.first_offset, 5000)) <= {offset for chunk in chunks for offset in chunk}
