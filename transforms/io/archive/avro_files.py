"""Avro files by tenant, topic and hour under one root: written whole and once, found by range, read within limits."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Generic, NamedTuple, TypeVar

import structlog

from transforms.io.archive.folder import Folder
from transforms.io.archive.folders import folder_of
from transforms.io.faults import InfrastructureFault
from transforms.records.archive_format.container import Corrupt, encode_file, read_blocks, read_header
from transforms.records.archive_format.paths import VERSION_FOLDER, Group, Layout, Named, Within, hour_of, parse_hour, parse_path, path_of
from transforms.records.outcomes import NO_TENANT

_LOG = structlog.get_logger("avro")
# Files are small and many; waiting for the disk, for each alone, would take longest.
_WRITERS: Final = 8
# Groups of which is known how far they were written; asking for it again costs the listing of a folder.
_REACHED_GROUPS: Final = 100_000
_LAST_OFFSET: Final = 2**63 - 1

T = TypeVar("T")


class AvroFile(NamedTuple):
    """A file, as its path tells. path: relative to the root. hour_ms: the beginning of the hour."""

    path: str
    client_id: str
    topic: str
    partition: int
    first_offset: int
    last_offset: int
    hour_ms: int
    size_bytes: int

    @property
    def group(self) -> Group:
        return Group(self.client_id, self.topic, self.partition, self.hour_ms)


class CorruptArchive(Exception):
    """A file that cannot be read, or not whole. block: which, from 0 on; None for its header. why: what is wrong with it."""

    def __init__(self, path: str, block: int | None, why: str) -> None:
        where = "its header" if block is None else f"block {block}"
        super().__init__(
            f"The archive file {path} is corrupt at {where}: {why}; restore it from a copy, read the range from Kafka instead, "
            "or pass over it with --skip_corrupt."
        )
        self.path = path
        self.block = block
        self.why = why

    def __reduce__(self) -> tuple[type["CorruptArchive"], tuple[str, int | None, str]]:
        return (CorruptArchive, (self.path, self.block, self.why))


class AvroFiles(Generic[T]):
    """Files of records of one kind, at a folder of this machine or a URL of any filesystem that Beam knows.

    called: what they are, as sentences say it. corrupt: blocks passed over, by path.
    """

    def __init__(self, root: str, layout: Layout[T], called: str) -> None:
        self.root = root
        self.corrupt: Counter[str] = Counter()
        self._layout = layout
        self._called = called
        self._reached: dict[Group, int] = {}

    @property
    def folder(self) -> Folder:
        return folder_of(self.root)

    def write(self, records: Iterable[T]) -> list[str]:
        """Return when files hold all the records, each once; the paths of those files, sorted. Raises InfrastructureFault.

        Records that lie in the archive already, at the same coordinates and time, are left out: a slice that is run again
        writes nothing twice. The same records give the same names.
        """
        return self.write_groups(self._layout.grouped(records))

    def write_groups(self, taken: Mapping[Group, Sequence[T]]) -> list[str]:
        """The same for records by their groups, each in the order in which they came."""
        groups = {group: self._layout.in_order(held) for group, held in taken.items()}
        if len(self._reached) + len(groups) > _REACHED_GROUPS:
            self._reached.clear()
        try:
            # What waits for a disk is done by several threads; encoding is not, since those only take turns at it, at half the speed.
            with ThreadPoolExecutor(min(_WRITERS, max(len(groups), 1)), "archive") as pool:
                there = dict(zip(groups, pool.map(self._there, groups, groups.values()), strict=True))
                paths = [file.path for files in there.values() for file in files]
                # Before any is: where one cannot be written, others may be there, and are looked for when it is tried again.
                self._reached |= {group: max(self._reached[group], self._ends(held)[1]) for group, held in groups.items()}
                putting: list[Future[None]] = []
                for group, held in groups.items():
                    wanted = self._left(held, there[group])
                    if wanted:
                        path, data = self._encoded(group, wanted)
                        paths.append(path)
                        putting.append(pool.submit(self.folder.put, path, data))
                for one in putting:
                    one.result()
        except OSError as error:
            raise self.fault("written", error) from error
        return sorted(paths)

    def _there(self, group: Group, records: Sequence[T]) -> list[AvroFile]:
        """The files that may hold some of the records already."""
        first, last = self._ends(records)
        if group not in self._reached:
            # A run before this one may have come further than this one's first slice.
            self._reached[group] = max((one.last_offset for one in self.overlapping(group, 0, _LAST_OFFSET)), default=-1)
        # Listing a folder for every file would cost more than the file: what lies beyond all that was written is new.
        return self.overlapping(group, first, last) if first <= self._reached[group] else []

    def _left(self, records: Sequence[T], there: list[AvroFile]) -> Sequence[T]:
        """The records that no file holds."""
        if not there:
            return records
        held = self._places(there)
        return [one for one in records if self._layout.within(one) not in held]

    def _ends(self, records: Sequence[T]) -> tuple[int, int]:
        """The first and the last offset of records in their order."""
        return self._layout.offset(records[0]), self._layout.offset(records[-1])

    def _places(self, files: list[AvroFile]) -> set[Within]:
        """The records that the files hold; one that cannot be read holds none."""
        return {self._layout.within(one) for file in files for block in self.blocks(file) for one in block}

    def put(self, group: Group, records: Sequence[T]) -> str:
        """Write one file with records of one group in their order, whatever else there is; its path."""
        path, data = self._encoded(group, records)
        self.folder.put(path, data)
        return path

    def _encoded(self, group: Group, records: Sequence[T]) -> tuple[str, bytes]:
        """The file with these records, and its path."""
        encoded = encode_file(self._layout.format, records)
        return path_of(group, *self._ends(records), encoded.content), encoded.data

    def overlapping(self, group: Group, first: int, last: int) -> list[AvroFile]:
        """The files of a group that may hold offsets from `first` to `last`."""
        found = (file for file in map(_file, self.folder.files(group.folder)) if file is not None and file.group == group)
        return sorted(one for one in found if one.first_offset <= last and one.last_offset >= first)

    def find(
        self, from_ms: int, to_ms: int, client_ids: frozenset[str] = frozenset(), topics: frozenset[str] = frozenset()
    ) -> list[AvroFile]:
        """The files that may hold records with timestamps from `from_ms` up to, but not at, `to_ms`; sorted by path.

        client_ids, topics: of these alone; an empty set means all. Tenant "" or "-": records that name none.
        """
        try:
            return sorted(self._find(from_ms, to_ms, {one or NO_TENANT for one in client_ids}, topics))
        except OSError as error:
            raise self.fault("read", error) from error

    def _find(self, from_ms: int, to_ms: int, client_ids: set[str], topics: frozenset[str]) -> Iterator[AvroFile]:
        folder, begin = self.folder, hour_of(from_ms)
        for tenant in folder.folders(VERSION_FOLDER):
            if client_ids and tenant.partition("=")[2] not in client_ids:
                continue
            for topic in folder.folders(f"{VERSION_FOLDER}/{tenant}"):
                if topics and topic.partition("=")[2] not in topics:
                    continue
                for hour in folder.folders(f"{VERSION_FOLDER}/{tenant}/{topic}"):
                    hour_ms = parse_hour(hour.partition("=")[2])
                    if hour_ms is None or not begin <= hour_ms < to_ms:
                        continue
                    for found in folder.files(f"{VERSION_FOLDER}/{tenant}/{topic}/{hour}"):
                        file = _file(found)
                        if file is not None:
                            yield file

    def blocks(self, file: AvroFile, *, skip_corrupt: bool = True) -> Iterator[list[T]]:
        """The records of a file, block by block, in their order.

        Memory is bounded by one block, whatever the file says of itself. A file that was compacted meanwhile is read in what
        took its place. Raises CorruptArchive, or with skip_corrupt passes over what cannot be read, tells it and counts it in `corrupt`.
        Raises InfrastructureFault where the folder cannot be read.
        """
        try:
            source = self.folder.open(file.path)
        except FileNotFoundError:
            yield from self._successors(file, skip_corrupt)
            return
        except OSError as error:
            raise self.fault("read", error) from error
        number: int | None = None
        with source:
            try:
                header = read_header(self._layout.format, source)
                for number, block in enumerate(read_blocks(self._layout.format, source, header)):
                    found = block if isinstance(block, Corrupt) else self._astray(file, block)
                    if isinstance(found, Corrupt):
                        self._tell(file, number, found, skip_corrupt=skip_corrupt)
                    else:
                        yield found
            except Corrupt as corrupt:
                self._tell(file, number, corrupt, skip_corrupt=skip_corrupt)
            except OSError as error:
                raise self.fault("read", error) from error

    def count(self, file: AvroFile) -> int:
        """How many records the file says that it holds; one whose header cannot be read is corrupt, and holds none."""
        try:
            with self.folder.open(file.path) as source:
                return read_header(self._layout.format, source).records
        except Corrupt as corrupt:
            self._tell(file, None, corrupt, skip_corrupt=True)
            return 0
        except OSError as error:
            raise self.fault("read", error) from error

    def at(self, path: str) -> AvroFile | None:
        """The file at a path; None where no file can be called so. It need not be there."""
        return _file((path, 0))

    def _successors(self, file: AvroFile, skip_corrupt: bool) -> Iterator[list[T]]:
        """The records of a file that is gone, from those that it was compacted into."""
        found = [one for one in self.overlapping(file.group, file.first_offset, file.last_offset) if one.path != file.path]
        if not found:
            self._tell(file, None, Corrupt("it is gone, and nothing took its place"), skip_corrupt=skip_corrupt)
        for successor in found:
            for block in self.blocks(successor, skip_corrupt=skip_corrupt):
                held = [one for one in block if file.first_offset <= self._layout.offset(one) <= file.last_offset]
                if held:
                    yield held

    def _astray(self, file: AvroFile, block: list[T]) -> list[T] | Corrupt:
        """The block, or what is wrong with it: records that are not of the tenant, topic, hour and offsets of their file."""
        if self._layout.are_of(block, file.group, file.first_offset, file.last_offset):
            return block
        return Corrupt("it holds records of another tenant, topic, hour or offset than its name says")

    def _tell(self, file: AvroFile, block: int | None, corrupt: Corrupt, *, skip_corrupt: bool) -> None:
        if not skip_corrupt:
            raise CorruptArchive(file.path, block, corrupt.why) from None
        self.corrupt[file.path] += 1
        _LOG.warning("corrupt file passed over", path=file.path, block=block, why=corrupt.why)

    def fault(self, doing: str, error: Exception) -> InfrastructureFault:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        remedy = "make room there or make it writable for this user" if doing == "written" else "make it readable for this user"
        return InfrastructureFault(
            f"{self._called} at {self.root} cannot be {doing} ({said}); nothing after the last committed offsets counts as done: "
            f"{remedy}, then run again."
        )


def _file(found: tuple[str, int]) -> AvroFile | None:
    path, size_bytes = found
    named = parse_path(path)
    return None if named is None else _named(path, named, size_bytes)


def _named(path: str, named: Named, size_bytes: int) -> AvroFile:
    group = named.group
    return AvroFile(path, group.client_id, group.topic, group.partition, named.first_offset, named.last_offset, group.hour_ms, size_bytes)
