"""Compaction: the small files of one tenant, topic, partition and hour become one, beside whoever writes and reads.

What takes the place of files is written whole and read back before any of them goes, so a kill at any moment loses nothing; it may
leave records twice, which the next compaction drops. A reader that meets a file that is gone finds its records in what took its place.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from transforms.io.archive.avro_files import AvroFile, CorruptArchive
from transforms.io.archive.files import Archive
from transforms.records.archive_format.archived import Archived, place_of
from transforms.records.archive_format.paths import HOUR_MS, Group
from transforms.records.archive_format.record_blocks import ARCHIVE, sizes_of

# Of files that become one, compressed; and of their records, which are held in memory meanwhile.
MERGED_BYTES: Final = 16 * 1024 * 1024
HELD_BYTES: Final = 96 * 1024 * 1024
# Whoever writes a file for longer than this was killed.
_STALE_S: Final = 3600.0
_END_MS: Final = 2**62


@dataclass(slots=True)
class Compacted:
    """What a compaction did. groups: how often files were made one. files: small ones that are gone, and what they became.

    doubles: records that were there twice. corrupt: files that cannot be read, with why; they and those of their hour stay.
    stale: files that killed writers left.
    """

    groups: int = 0
    files: int = 0
    became: int = 0
    records: int = 0
    doubles: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    stale: int = 0
    corrupt: dict[str, str] = field(default_factory=dict)


def compact(
    archive: Archive, before_ms: int, client_ids: frozenset[str], should_stop: Callable[[], bool], advance: Callable[[int], None]
) -> Compacted:
    """Compact the hours that ended before that time; what was done, also where it was asked to stop halfway.

    client_ids: of these tenants alone, empty for all. advance: told how many files were looked at.
    Raises InfrastructureFault where the folder cannot be read or written.
    """
    done = Compacted(stale=_tidied(archive))
    found = archive.find(0, _END_MS, client_ids)
    for group, files in groupby(sorted(found, key=lambda one: (one.group, one.first_offset, one.path)), key=lambda one: one.group):
        if should_stop():
            break
        held = list(files)
        if group.hour_ms + HOUR_MS <= before_ms:
            for portion in _portions(held):
                _merge(archive, group, portion, done)
        advance(len(held))
    return done


def _tidied(archive: Archive) -> int:
    try:
        return archive.folder.tidy(_STALE_S)
    except OSError as error:
        raise archive.fault("written", error) from error


def _portions(files: Iterable[AvroFile]) -> Iterator[list[AvroFile]]:
    """Files in the order of their offsets, as many at once as may become one; those that are alone are left as they are."""
    portion: list[AvroFile] = []
    size = 0
    for one in files:
        if portion and size + one.size_bytes > MERGED_BYTES:
            if len(portion) > 1:
                yield portion
            portion, size = [], 0
        portion.append(one)
        size += one.size_bytes
    if len(portion) > 1:
        yield portion


def _merge(archive: Archive, group: Group, files: list[AvroFile], done: Compacted) -> None:
    """Make one of the files, or few where what they hold takes too much memory at once."""
    portion: list[AvroFile] = []
    records: list[Archived] = []
    held = 0
    try:
        for file in files:
            found = [one for block in archive.blocks(file, skip_corrupt=False) for one in block]
            size = sum(sizes_of(found))
            if portion and held + size > HELD_BYTES:
                _replace(archive, group, portion, records, done)
                portion, records, held = [], [], 0
            portion.append(file)
            records += found
            held += size
        _replace(archive, group, portion, records, done)
    except CorruptArchive as corrupt:
        done.corrupt[corrupt.path] = corrupt.why
    except OSError as error:
        raise archive.fault("written", error) from error


def _replace(archive: Archive, group: Group, files: list[AvroFile], records: list[Archived], done: Compacted) -> None:
    if len(files) < 2:  # noqa: PLR2004 - one is one already
        return
    kept = ARCHIVE.in_order(records)
    path = archive.put(group, kept)
    merged = _proven(archive, group, path, kept)
    for file in files:
        if file.path != path:
            archive.folder.delete(file.path)
    done.groups += 1
    done.files += len(files)
    done.became += 1
    done.records += len(kept)
    done.doubles += len(records) - len(kept)
    done.bytes_before += sum(one.size_bytes for one in files)
    done.bytes_after += merged.size_bytes


def _proven(archive: Archive, group: Group, path: str, kept: Sequence[Archived]) -> AvroFile:
    """The file that was written, read back and found to hold them all."""
    first, last = kept[0].record.offset, kept[-1].record.offset
    (merged,) = [one for one in archive.overlapping(group, first, last) if one.path == path]
    found = [place_of(one) for block in archive.blocks(merged, skip_corrupt=False) for one in block]
    if found != [place_of(one) for one in kept]:
        raise CorruptArchive(path, 0, "it does not hold what was just written to it")
    return merged
