"""Files of the archive: whole or not at all, once, found by range, read while they are compacted."""

import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem

from tests.support.archive_samples import HOUR_MS, all_sorts, archived
from tests.support.full_disk import full_disk
from tests.support.wire import AT_MS, EVENTS, RESOURCES
from transforms.io.archive.avro_files import AvroFile, CorruptArchive
from transforms.io.archive.compact import Compacted, compact
from transforms.io.archive.files import Archive
from transforms.io.archive.folder import TEMPORARY, LocalFolder
from transforms.io.faults import InfrastructureFault
from transforms.records.archive_format.archived import Archived, place_of

FOREVER = 2**62
FILES: dict[str, bytes] = {}


class MemoryFileSystem(FileSystem):  # type: ignore[misc]
    """A filesystem as Beam knows them, in this process."""

    @classmethod
    def scheme(cls) -> str:
        return "held"

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join((basepath, *paths))

    def split(self, path: str) -> Any:
        return path.rpartition("/")[::2]

    def mkdirs(self, path: str) -> None: ...

    def has_dirs(self) -> bool:
        return False

    def _list(self, dir_or_prefix: str) -> Iterator[FileMetadata]:
        for path, data in FILES.items():
            if path.startswith(dir_or_prefix):
                yield FileMetadata(path, len(data))

    def create(self, path: str, mime_type: str = "", compression_type: str = "") -> Any:
        class Written(io.BytesIO):
            def close(self) -> None:
                if not self.closed:
                    FILES[path] = self.getvalue()
                super().close()

        return Written()

    def open(self, path: str, mime_type: str = "", compression_type: str = "") -> Any:
        return io.BytesIO(FILES[path])

    def rename(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        for one, other in zip(source_file_names, destination_file_names, strict=True):
            FILES[other] = FILES.pop(one)

    def exists(self, path: str) -> bool:
        return path in FILES

    def delete(self, paths: list[str]) -> None:
        for path in paths:
            if path not in FILES:
                raise BeamIOError(f"{path} is not there")
            del FILES[path]

    def copy(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        raise NotImplementedError

    def size(self, path: str) -> int:
        return len(FILES[path])

    def last_updated(self, path: str) -> float:
        raise NotImplementedError

    def metadata(self, path: str) -> FileMetadata:
        return FileMetadata(path, len(FILES[path]))

    def checksum(self, path: str) -> str:
        raise NotImplementedError


@pytest.fixture(params=["folder", "beam"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    FILES.clear()
    return str(tmp_path / "archive") if request.param == "folder" else "held://bucket/archive"


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "archive")


def files(archive: Archive) -> list[AvroFile]:
    return archive.find(0, FOREVER)


def records(archive: Archive) -> list[Archived]:
    """All records of all files, in no other order than they come."""
    return [one for file in files(archive) for block in archive.blocks(file, skip_corrupt=False) for one in block]


def compacted(archive: Archive, before_ms: int = FOREVER) -> Compacted:
    return compact(archive, before_ms, frozenset(), lambda: False, lambda _: None)


def test_what_is_written_is_found_and_read_again(root: str) -> None:
    archive = Archive(root)

    paths = archive.write(all_sorts())

    assert [file.path for file in files(archive)] == paths
    assert sorted(map(place_of, records(archive))) == sorted(map(place_of, all_sorts()))
    read = [one for file in files(archive) for block in archive.read(file) for one in block]
    assert read == [one.record for one in sorted(all_sorts(), key=place_of) if not one.withheld]
    assert archive.withheld == 1, "a value that is not here must not pass for a tombstone"


def test_a_file_holds_records_of_one_tenant_topic_partition_and_hour(root: str) -> None:
    archive = Archive(root)
    taken = [archived(0), archived(1), archived(2, at_ms=AT_MS + HOUR_MS), archived(0, partition=1), archived(0, client_id="")]
    taken.append(archived(0, topic=EVENTS))

    archive.write(reversed(taken))

    found = [(file.client_id, file.topic, file.partition, file.first_offset, file.last_offset, file.hour_ms) for file in files(archive)]
    assert sorted(found) == sorted(
        [
            ("af-10", RESOURCES, 0, 0, 1, AT_MS),
            ("af-10", RESOURCES, 0, 2, 2, AT_MS + HOUR_MS),
            ("af-10", RESOURCES, 1, 0, 0, AT_MS),
            ("", RESOURCES, 0, 0, 0, AT_MS),
            ("af-10", EVENTS, 0, 0, 0, AT_MS),
        ]
    )


def test_files_are_found_by_time_tenant_and_topic(root: str) -> None:
    archive = Archive(root)
    archive.write(
        archived(at, client_id=client, topic=topic, at_ms=AT_MS + at * HOUR_MS)
        for at in range(3)
        for client in ("a", "b", "")
        for topic in ("t", "u")
    )

    def found(from_ms: int, to_ms: int, **only: Any) -> int:
        return len(archive.find(from_ms, to_ms, **only))

    assert found(AT_MS, AT_MS + 3 * HOUR_MS) == 18
    assert found(AT_MS + 1, AT_MS + 2) == 6, "an hour that holds a part of the range"
    assert found(AT_MS, AT_MS) == 0
    assert found(AT_MS + HOUR_MS, AT_MS + 2 * HOUR_MS) == 6
    assert found(0, FOREVER, client_ids=frozenset({"a"}), topics=frozenset({"t"})) == 3
    assert found(0, FOREVER, client_ids=frozenset({"-"})) == found(0, FOREVER, client_ids=frozenset({""})) == 6
    assert found(0, FOREVER, client_ids=frozenset({"c"})) == 0
    assert Archive(root + "/none").find(0, FOREVER) == []


def test_the_same_slice_again_writes_nothing_and_gives_the_same_names(root: str) -> None:
    taken = [archived(at) for at in range(10)]
    paths = Archive(root).write(taken)
    archive = Archive(root)

    assert archive.write(taken) == archive.write(taken) == paths
    assert len(files(archive)) == 1


def test_slices_that_are_cut_otherwise_after_a_crash_double_nothing(root: str) -> None:
    Archive(root).write([archived(at) for at in range(10)])
    after = Archive(root)

    after.write([archived(at) for at in range(5, 20)])
    after.write([archived(at) for at in range(15)])
    after.write([archived(at) for at in range(20, 30)])

    assert sorted(place_of(one)[0] for one in records(after)) == list(range(30))


def test_a_run_that_had_come_further_before_it_was_killed_is_not_doubled(root: str) -> None:
    for start in range(0, 30, 10):
        Archive(root).write([archived(at) for at in range(start, start + 10)])
    after = Archive(root)

    for start in range(0, 40, 4):
        after.write([archived(at) for at in range(start, start + 4)])

    assert sorted(place_of(one)[0] for one in records(after)) == list(range(40))


def test_a_topic_that_was_made_anew_loses_nothing(root: str) -> None:
    archive = Archive(root)
    archive.write([archived(at, value=b"old") for at in range(5)])
    archive.write([archived(at, at_ms=AT_MS + 1000, value=b"new") for at in range(3)])

    assert sorted((one.record.offset, one.record.value) for one in records(archive)) == sorted(
        [(at, b"old") for at in range(5)] + [(at, b"new") for at in range(3)]
    )


def test_a_full_disk_is_told_in_one_sentence_and_leaves_nothing_half_written(folder: str) -> None:
    archive = Archive(folder)
    taken = [archived(at, value=bytes([at % 256]) * 9) for at in range(2000)]

    with full_disk(500), pytest.raises(InfrastructureFault) as raised:
        archive.write(taken)

    assert raised.value.sentence.startswith(f"The archive at {folder} cannot be written (File too large); nothing after the last")
    assert not [path for path in Path(folder).rglob("*") if path.is_file()]
    archive.write(taken)
    assert len(records(archive)) == 2000


def test_what_was_written_before_the_disk_was_full_is_not_doubled_by_the_same_process(folder: str) -> None:
    archive = Archive(folder)
    large = [archived(at, partition=1, value=random.Random(at).randbytes(500)) for at in range(20)]
    with full_disk(4000), pytest.raises(InfrastructureFault):
        archive.write([archived(at) for at in range(10)] + large)
    assert len(records(archive)) == 10, "the small file is there"

    archive.write([archived(at) for at in range(5, 20)] + large)
    archive.write([archived(at) for at in range(5)])

    assert sorted(place_of(one)[0] for one in records(archive)) == sorted([*range(20), *range(20)])


@pytest.mark.parametrize("doing", ["write", "find"])
def test_a_path_that_is_no_folder_is_told_in_one_sentence(folder: str, doing: str) -> None:
    Path(folder).write_text("a file")
    with pytest.raises(InfrastructureFault, match=r"cannot be (written|read) \(Not a directory\)"):
        Archive(folder).write([archived()]) if doing == "write" else Archive(folder).find(0, FOREVER)


def test_a_corrupt_file_is_told_with_its_block_or_passed_over_and_counted(folder: str) -> None:
    archive = Archive(folder)
    archive.write([archived(at) for at in range(5)])
    archive.write([archived(at, partition=1) for at in range(5)])
    spoiled, good = files(archive)
    path = Path(folder, spoiled.path)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)

    with pytest.raises(CorruptArchive) as raised:
        list(archive.read(spoiled))

    assert (raised.value.path, raised.value.block) == (spoiled.path, 0)
    assert "is corrupt at block 0: a block is not a whole Zstandard frame" in str(raised.value)
    assert [list(archive.read(one, skip_corrupt=True)) for one in (spoiled, good)] == [
        [],
        [[archived(at, partition=1).record for at in range(5)]],
    ]
    assert archive.corrupt == {spoiled.path: 1}
    path.write_bytes(b"")
    with pytest.raises(CorruptArchive, match="is corrupt at its header: it ends too early"):
        list(archive.read(spoiled))


def test_a_file_under_another_name_is_corrupt(folder: str) -> None:
    archive = Archive(folder)
    archive.write([archived(at) for at in range(5)])
    (file,) = files(archive)
    other = file.path.replace("client_id=af-10", "client_id=af-11")
    Path(folder, other).parent.mkdir(parents=True)
    Path(folder, file.path).rename(Path(folder, other))

    with pytest.raises(CorruptArchive, match="records of another tenant"):
        records(archive)


# Compaction


def small_files(archive: Archive, number: int = 6, of: int = 10) -> list[str]:
    return [path for at in range(number) for path in archive.write([archived(at * of + one) for one in range(of)])]


def test_small_files_become_one_that_holds_the_same(root: str) -> None:
    archive = Archive(root)
    small_files(archive)
    archive.write([archived(0, partition=1)])
    before = sorted(records(archive), key=lambda one: (one.record.partition, one.record.offset))

    done = compacted(archive)

    assert (done.groups, done.files, done.became, done.records, done.doubles) == (1, 6, 1, 60, 0)
    assert [(file.partition, file.first_offset, file.last_offset) for file in files(archive)] == [(0, 0, 59), (1, 0, 0)]
    assert sorted(records(archive), key=lambda one: (one.record.partition, one.record.offset)) == before
    assert compacted(archive).groups == 0


def test_doubles_are_dropped(root: str) -> None:
    archive = Archive(root)
    small_files(archive)
    group = files(archive)[0].group
    archive.put(group, [archived(at) for at in range(5, 25)])

    done = compacted(archive)

    assert (done.files, done.doubles, len(records(archive))) == (7, 20, 60)


def test_hours_that_are_not_over_stay_as_they_are(root: str) -> None:
    archive = Archive(root)
    small_files(archive)
    assert compacted(archive, AT_MS + HOUR_MS - 1).groups == 0
    assert compacted(archive, AT_MS + HOUR_MS).groups == 1


def test_what_is_large_already_is_left_alone(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(root)
    small_files(archive)
    monkeypatch.setattr("transforms.io.archive.compact.MERGED_BYTES", 2 * max(file.size_bytes for file in files(archive)))
    done = compacted(archive)
    assert (done.groups, done.files, len(files(archive))) == (3, 6, 3)


def test_what_takes_too_much_memory_becomes_few(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(root)
    small_files(archive)
    before = sorted(map(place_of, records(archive)))
    monkeypatch.setattr("transforms.io.archive.compact.HELD_BYTES", 4500)
    assert (compacted(archive).groups, len(files(archive))) == (2, 2)
    assert sorted(map(place_of, records(archive))) == before


class Killed(BaseException):
    """Ends a process at any step."""


@pytest.mark.parametrize("steps", range(9))
def test_a_kill_at_any_step_loses_and_doubles_nothing_once_it_is_run_again(
    folder: str, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(folder)
    small_files(archive)
    left = iter(range(steps))

    def counted(original: Any) -> Any:
        def call(self: LocalFolder, *arguments: Any) -> Any:
            if next(left, None) is None:
                raise Killed
            return original(self, *arguments)

        return call

    with monkeypatch.context() as patched:
        for name in ("put", "delete"):
            patched.setattr(LocalFolder, name, counted(getattr(LocalFolder, name)))
        if steps < 7:
            with pytest.raises(Killed):
                compacted(archive)
        else:
            compacted(archive)
    assert {place_of(one)[0] for one in records(archive)} == set(range(60))

    compacted(archive)

    assert sorted(place_of(one)[0] for one in records(archive)) == list(range(60))


def test_a_reader_that_meets_a_file_that_is_gone_reads_what_took_its_place(root: str) -> None:
    archive = Archive(root)
    small_files(archive)
    listed = files(archive)
    compacted(archive)

    assert [[one.offset for block in archive.read(file) for one in block] for file in listed] == [
        list(range(at * 10, at * 10 + 10)) for at in range(6)
    ]
    gone = listed[0]._replace(partition=7)
    with pytest.raises(CorruptArchive, match="it is gone, and nothing took its place"):
        list(archive.read(gone))


def test_a_corrupt_file_keeps_its_hour_as_it_is_and_is_told(folder: str) -> None:
    archive = Archive(folder)
    small_files(archive)
    archive.write([archived(at, partition=1) for at in range(5)])
    archive.write([archived(at, partition=1) for at in range(5, 9)])
    path = Path(folder, files(archive)[2].path)
    path.write_bytes(path.read_bytes()[:-1])

    done = compacted(archive)

    assert done.corrupt == {files(archive)[2].path: "it ends too early"}
    assert (done.groups, len(files(archive))) == (1, 7)


def test_what_killed_writers_left_is_no_file_and_goes_when_it_is_old(folder: str) -> None:
    archive = Archive(folder)
    (path,) = archive.write([archived()])
    left = Path(folder, path).parent / f"{TEMPORARY}1-{Path(path).name}"
    left.write_bytes(b"half")

    assert len(files(archive)) == 1
    assert compacted(archive).stale == 0
    assert LocalFolder(folder).tidy(-1) == 1
    assert not left.exists()
    assert len(files(Archive(folder))) == 1
