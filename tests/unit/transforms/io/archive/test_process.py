"""The process that writes the archive: lanes apart, faults told as of this process, and that it never outlives the job."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from tests.support.archive_samples import all_sorts, archived
from tests.support.full_disk import full_disk
from transforms.io.archive import process as archive_process
from transforms.io.archive.files import Archive
from transforms.io.archive.process import ArchiveProcess, BundleStream
from transforms.io.archive.writer import Verb, frame
from transforms.io.faults import InfrastructureFault
from transforms.records.archive_format.archived import Archived
from transforms.records.archive_format.runs import Gathered, Gathering

WAIT_S = 60


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[ArchiveProcess]:
    found = ArchiveProcess(str(tmp_path / "archive"))
    yield found
    found.end()


def gathered(*records: Archived) -> Gathered:
    gathering = Gathering()
    for one in records:
        gathering.add(one)
    return gathering.taken()


def held(writer: ArchiveProcess) -> list[Archived]:
    archive = Archive(writer.root)
    return [one for file in archive.find(0, 2**62) for block in archive.blocks(file, skip_corrupt=False) for one in block]


def offsets(writer: ArchiveProcess) -> list[int]:
    return sorted(one.record.offset for one in held(writer))


def child(root: str, parent: int = os.getpid()) -> psutil.Process:
    """The process that writes there; others write elsewhere."""
    return wait_for(lambda: [one for one in psutil.Process(parent).children() if one.cmdline()[-1:] == [root]])[0]


def wait_for(found: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    limit = time.monotonic() + WAIT_S
    while not (seen := found()):
        assert time.monotonic() < limit
        time.sleep(0.05)
    return seen


def kill(process: psutil.Process) -> None:
    process.kill()
    wait_for(lambda: [process] if has_ended(process) else [])


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_records_come_to_files_as_they_were(writer: ArchiveProcess) -> None:
    lane = writer.lane()
    for one in all_sorts():
        lane.hold(gathered(one))

    paths = lane.write().result(WAIT_S)

    assert sorted(map(repr, held(writer))) == sorted(map(repr, all_sorts()))
    assert paths == [file.path for file in Archive(writer.root).find(0, 2**62)]


def test_lanes_are_written_apart(writer: ArchiveProcess) -> None:
    one, other = writer.lane(), writer.lane()
    one.hold(gathered(archived(1)))
    other.hold(gathered(archived(2)))
    one.hold(gathered(archived(3)))

    one.write().result(WAIT_S)
    assert offsets(writer) == [1, 3]

    other.write().result(WAIT_S)
    assert offsets(writer) == [1, 2, 3]


def test_what_a_lane_held_is_dropped_with_it(writer: ArchiveProcess) -> None:
    lane = writer.lane()
    number = lane.number
    lane.hold(gathered(archived(1)))
    first = writer.lane()
    first.write().result(WAIT_S)
    del lane
    assert list(writer.dropped) == [number]

    again = BundleStream(writer, number)
    again.hold(gathered(archived(2)))
    again.write().result(WAIT_S)

    assert offsets(writer) == [2]


def test_records_that_get_lost_on_the_way_are_a_defect(writer: ArchiveProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    lane = writer.lane()
    lane.hold(gathered(archived(1)))
    monkeypatch.setattr(
        archive_process, "frame", lambda number, verb, told=0: frame(number, verb, told + 1 if verb == Verb.WRITE else told)
    )
    with pytest.raises(RuntimeError, match="1 records came to be archived, of 2"):
        lane.write().result(WAIT_S)


def test_the_same_records_again_are_written_once_whichever_process_does(writer: ArchiveProcess) -> None:
    for _ in range(2):
        lane = writer.lane()
        lane.hold(gathered(*[archived(at) for at in range(10)]))
        lane.write().result(WAIT_S)
        kill(child(writer.root))
    assert offsets(writer) == list(range(10))


def test_a_killed_process_is_told_in_one_sentence_and_the_next_lane_has_another(writer: ArchiveProcess) -> None:
    lane = writer.lane()
    lane.hold(gathered(archived(1)))
    kill(child(writer.root))
    lane.hold(gathered(archived(2)))

    for _ in range(2):
        with pytest.raises(InfrastructureFault) as raised:
            lane.write().result(WAIT_S)
        assert raised.value.sentence.startswith(f"The process that writes the archive at {writer.root} ended with -9; nothing after the ")
    assert offsets(writer) == [], "half of a bundle is none"

    again = writer.lane()
    again.hold(gathered(archived(1), archived(2)))
    again.write().result(WAIT_S)
    assert offsets(writer) == [1, 2]


def test_a_full_disk_is_told_as_of_this_process(writer: ArchiveProcess) -> None:
    lane = writer.lane()
    with full_disk(100):
        lane.hold(gathered(*[archived(at, value=b"v%d" % at) for at in range(500)]))
        child(writer.root)
    with pytest.raises(InfrastructureFault) as raised:
        lane.write().result(WAIT_S)
    assert raised.value.sentence.startswith(f"The archive at {writer.root} cannot be written (File too large); nothing after the last")


def test_what_it_logs_is_logged_here(writer: ArchiveProcess) -> None:
    first = writer.lane()
    first.hold(gathered(*[archived(at) for at in range(10)]))
    (path,) = first.write().result(WAIT_S)
    whole = Path(writer.root, path)
    whole.write_bytes(whole.read_bytes()[:-40])

    lane = writer.lane()
    lane.hold(gathered(*[archived(at) for at in range(5)]))
    with capture_logs() as told:
        lane.write().result(WAIT_S)

    assert [(one["event"], one["log_level"], one["path"]) for one in told] == [("corrupt file passed over", "warning", path)]


def test_a_process_that_cannot_be_started_is_told_with_what_to_do(writer: ArchiveProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    lane = writer.lane()
    lane.hold(gathered(archived(1)))
    with pytest.raises(InfrastructureFault, match=r"cannot be started \(No such file or directory\); nothing after the last"):
        lane.write().result(WAIT_S)


JOB = """
import signal, sys, time
# Where the tests run in the background of a shell, it would be ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.support.archive_samples import archived
from transforms.io.archive.process import archive_process
from transforms.records.archive_format.runs import Gathered
lane = archive_process(sys.argv[1]).lane()
lane.hold(Gathered([], [archived(1)]))
lane.write().result()
print("written", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize("how", ["killed", "interrupted", "done"])
def test_it_ends_with_the_job_however_that_ends_and_not_before(tmp_path: Path, how: str) -> None:
    command = [sys.executable, "-c", JOB, str(tmp_path), "0" if how == "done" else "60"]
    job = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    assert job.stdout is not None
    with job.stdout:
        if how == "done":
            assert job.wait(WAIT_S) == 0
            assert not [one for one in psutil.process_iter(["cmdline"]) if str(tmp_path) in (one.info["cmdline"] or [])]
            return
        assert job.stdout.readline() == b"written\n"
    writing = child(str(tmp_path), job.pid)
    writing.send_signal(signal.SIGINT)
    writing.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert not has_ended(writing)

    job.send_signal(signal.SIGKILL if how == "killed" else signal.SIGINT)

    job.wait(WAIT_S)
    wait_for(lambda: [writing] if has_ended(writing) else [])
