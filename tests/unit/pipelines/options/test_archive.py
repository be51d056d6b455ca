"""--archive: where it may point, and what compaction says."""

from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from pipelines.backfill.commands import app
from pipelines.options.archive import ArchiveOptions, archive_root
from pipelines.options.letter_place import letter_place
from tests.support.archive_samples import archived
from transforms.io.archive.files import Archive
from transforms.records.dead_letters.selection import LetterPlace


@pytest.fixture(autouse=True)
def logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner's streams are gone after each command; loggers must not keep them."""
    monkeypatch.setattr("pipelines.backfill.compact.configure_logs", lambda _level: None)


def test_nothing_is_archived_unless_told() -> None:
    assert ArchiveOptions().root() == ""
    assert ArchiveOptions("folder").root() == "folder"


@pytest.mark.parametrize(("named", "why"), [("", "No archive is named"), ("nowhere://x", "Beam has no filesystem for it here")])
def test_an_archive_that_cannot_be_is_an_error_of_use(named: str, why: str) -> None:
    with pytest.raises(typer.BadParameter, match=why):
        archive_root(named)


def test_dead_letters_lie_on_their_topic_unless_a_folder_is_named() -> None:
    assert letter_place("dead", "") == LetterPlace("dead")
    assert str(letter_place("dead", "folder")) == "folder"
    with pytest.raises(typer.BadParameter, match="--deadletter_path is 'nowhere://x'; Beam has no filesystem for it here"):
        letter_place("dead", "nowhere://x")


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["compact", *arguments])
    return done.exit_code, done.output


def test_compaction_tells_what_it_did(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    for at in range(3):
        archive.write([archived(at)])

    code, said = run(f"--archive={tmp_path}", "--json")

    assert code == 0
    told = msgspec.json.decode(said)
    assert (told["groups"], told["files"], told["records"], told["doubles"], told["corrupt"]) == (1, 3, 3, 0, {})
    assert run(f"--archive={tmp_path}")[1].startswith("0 files became 0; 0 records, 0 that were there twice dropped; ")


def test_compaction_of_one_tenant_leaves_the_others(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    for client_id in ("a", "b"):
        for at in range(2):
            archive.write([archived(at, client_id=client_id)])

    assert run(f"--archive={tmp_path}", "--client_id=a")[0] == 0
    assert [file.client_id for file in archive.find(0, 2**62)] == ["a", "b", "b"]


def test_hours_that_ended_lately_stay(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    for at in range(2):
        archive.write([archived(at)])
    assert run(f"--archive={tmp_path}", "--older_than=36500d")[0] == 0
    assert len(archive.find(0, 2**62)) == 2


def test_a_corrupt_file_is_told_and_the_exit_code_is_1(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    paths = [path for at in range(2) for path in archive.write([archived(at)])]
    (tmp_path / paths[0]).write_bytes(b"no file")

    code, said = run(f"--archive={tmp_path}")

    assert code == 1
    assert f"The archive file {paths[0]} is corrupt: it does not begin as an Avro file does; its hour stays as it is" in said
