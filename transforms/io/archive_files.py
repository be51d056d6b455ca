"""The archive in a folder of this machine: raw records as Avro files by tenant, topic and hour, written whole, found by range."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import fastavro
from fastavro import block_reader

from transforms.io.faults import InfrastructureFault
from transforms.records.archived import (
    ARCHIVE_SCHEMA,
    HOUR_MS,
    SCHEMA_VERSION,
    Archived,
    Group,
    from_avro,
    group_of,
    parse_path,
    path_of,
    to_avro,
)
from transforms.records.record import KafkaRecord

_PARSED: Final = fastavro.parse_schema(ARCHIVE_SCHEMA)
_METADATA: Final = {"schema_version": str(SCHEMA_VERSION)}


class ArchiveFile(NamedTuple):
    """A file of the archive, as its path tells. path: relative to the root. hour_ms: the beginning of the hour."""

    path: str
    client_id: str
    topic: str
    partition: int
    first_offset: int
    last_offset: int
    hour_ms: int
    size_bytes: int


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


@dataclass(slots=True)
class Archive:
    """An archive at a folder.

    corrupt: blocks passed over by `read`, by path. withheld: records that `read` left out, since their values are not here.
    """

    root: str
    corrupt: Counter[str] = field(default_factory=Counter)
    withheld: int = 0

    def write(self, records: Iterable[Archived]) -> list[str]:
        """Return when files hold all the records; their paths, sorted. The same records give the same names."""
        groups: dict[Group, list[Archived]] = {}
        for one in records:
            groups.setdefault(group_of(one), []).append(one)
        try:
            return sorted(self._put(group, sorted(held, key=lambda one: one.record.offset)) for group, held in groups.items())
        except OSError as error:
            raise self._fault("written", error) from error

    def _put(self, group: Group, records: list[Archived]) -> str:
        path = path_of(group, records)
        target = Path(self.root, path)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_suffix(".partial")
            with partial.open("wb") as opened:
                fastavro.writer(opened, _PARSED, map(to_avro, records), codec="deflate", metadata=_METADATA)
            partial.replace(target)
        return path

    def find(
        self, from_ms: int, to_ms: int, client_ids: frozenset[str] = frozenset(), topics: frozenset[str] = frozenset()
    ) -> list[ArchiveFile]:
        """The files that may hold records with timestamps in [from_ms, to_ms), sorted; of these tenants and topics, empty for all."""
        try:
            return sorted(one for one in self._files() if _is_wanted(one, from_ms, to_ms, client_ids, topics))
        except OSError as error:
            raise self._fault("read", error) from error

    def _files(self) -> Iterator[ArchiveFile]:
        root = Path(self.root)
        for found in sorted(root.glob(f"v{SCHEMA_VERSION}/*/*/*/*.avro")):
            named = parse_path(path := found.relative_to(root).as_posix())
            if named is not None:
                group, size = named.group, found.stat().st_size
                yield ArchiveFile(
                    path, group.client_id, group.topic, group.partition, named.first_offset, named.last_offset, group.hour_ms, size
                )

    def read(self, file: ArchiveFile, *, skip_corrupt: bool = False) -> Iterator[list[KafkaRecord]]:
        """The records of a file, block by block; what has no value here is left out and counted in `withheld`.

        Raises CorruptArchive, or with skip_corrupt passes over the rest of the file and counts it in `corrupt`.
        """
        number: int | None = None
        try:
            with Path(self.root, file.path).open("rb") as opened:
                for block in block_reader(opened):
                    number = 0 if number is None else number + 1
                    held = [from_avro(one) for one in block]  # type: ignore[arg-type]
                    whole = [one.record for one in held if one.withheld is None]
                    self.withheld += len(held) - len(whole)
                    if whole:
                        yield whole
        except OSError as error:
            raise self._fault("read", error) from error
        except (ValueError, EOFError, KeyError, TypeError) as error:
            if not skip_corrupt:
                raise CorruptArchive(file.path, number, f"{type(error).__name__}: {error}"[:300]) from error
            self.corrupt[file.path] += 1

    def _fault(self, doing: str, error: OSError) -> InfrastructureFault:
        said = error.strerror or type(error).__name__
        return InfrastructureFault(f"The archive at {self.root} cannot be {doing} ({said}); make it so for this user, then run again.")


def _is_wanted(one: ArchiveFile, from_ms: int, to_ms: int, client_ids: frozenset[str], topics: frozenset[str]) -> bool:
    is_in_time = one.hour_ms < to_ms and one.hour_ms + HOUR_MS > from_ms
    return is_in_time and (not client_ids or one.client_id in client_ids) and (not topics or one.topic in topics)
