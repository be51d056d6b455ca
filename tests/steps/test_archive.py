"""The archive as a step: what reaches it, in how many pieces, and that a fault ends the pipeline."""

from pathlib import Path

import apache_beam as beam
import pytest

from runners.direct import run_pipeline
from tests.steps.test_flow import records
from transforms.io.archive.files import Archive
from transforms.io.faults import InfrastructureFault
from transforms.records.archive_format.archived import Archived, place_of
from transforms.records.outcomes import Outcome, Tally
from transforms.records.tenancy.tenant import TenantRules
from transforms.steps import archive as step
from transforms.steps.archive import ArchiveRecords, AwaitArchived, AwaitArchivedFn
from transforms.steps.decode import DecodeRecords, WireSettings
from transforms.steps.elements import RecordChunk
from transforms.steps.metrics import read_counts
from transforms.steps.resolve_tenants import ResolveTenants

pytestmark = pytest.mark.slow

REJECTED: list[int] = []


def keep_rejected(offset: int) -> None:
    REJECTED.append(offset)


def run(root: Path, client_id: str = "", *, waits: bool = True) -> Tally:
    REJECTED.clear()
    taken = records()
    chunks = [RecordChunk(taken[at : at + 100]) for at in range(0, len(taken), 100)]

    def build(pipeline: beam.Pipeline) -> None:
        decoded = pipeline | beam.Create(chunks, reshuffle=False) | DecodeRecords(client_id)
        owned = decoded | ResolveTenants(TenantRules(client_id), keeps=True)
        archived = owned.taken | ArchiveRecords(str(root), client_id, WireSettings(), waits=waits)
        if not waits:
            done = owned.main | "After" >> beam.FlatMap(lambda _: ())
            (archived, done) | AwaitArchived(str(root))
        owned.rejects | beam.Map(lambda one: one.record.offset) | "KeepRejected" >> beam.Map(keep_rejected)

    return read_counts(run_pipeline(build)).outcomes


def archived(root: Path) -> list[Archived]:
    archive = Archive(str(root))
    return [one for file in archive.find(0, 2**62) for block in archive.blocks(file, skip_corrupt=False) for one in block]


def test_every_record_but_the_rejected_is_archived_once(tmp_path: Path) -> None:
    tally = run(tmp_path)

    found = sorted(place_of(one)[0] for one in archived(tmp_path))
    assert found == [one.offset for one in records() if one.offset not in REJECTED]
    assert REJECTED
    assert {outcome for _, outcome in tally} == {Outcome.CONTROL, Outcome.FILTERED}, "these are archived too"


def test_what_is_awaited_later_is_archived_when_the_pipeline_ends(tmp_path: Path) -> None:
    run(tmp_path / "waited")
    run(tmp_path / "later", waits=False)

    waited, later = (sorted(map(repr, archived(tmp_path / name))) for name in ("waited", "later"))
    assert waited
    assert later == waited


def test_a_fault_of_what_is_awaited_later_ends_the_pipeline_too(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InfrastructureFault, match="cannot be written"):
        run(tmp_path / "file", waits=False)


def test_a_receipt_of_another_process_is_a_defect(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"receipts of process 0 came to process \d+"):
        list(AwaitArchivedFn(str(tmp_path)).process((0, [1])))


def test_other_tenants_are_not_archived_in_single_tenant_mode(tmp_path: Path) -> None:
    run(tmp_path, "af-11")
    assert {one.client_id for one in archived(tmp_path)} == {"af-11"}


def test_what_is_held_is_written_before_it_grows_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path / "one")
    monkeypatch.setattr(step, "HELD_BYTES", 50_000)
    run(tmp_path / "many")

    one, many = (Archive(str(tmp_path / name)).find(0, 2**62) for name in ("one", "many"))
    assert len(many) > len(one)
    assert sorted(map(repr, archived(tmp_path / "one"))) == sorted(map(repr, archived(tmp_path / "many")))


def test_the_same_slice_again_gives_the_same_files(tmp_path: Path) -> None:
    run(tmp_path)
    before = Archive(str(tmp_path)).find(0, 2**62)
    run(tmp_path)
    assert Archive(str(tmp_path)).find(0, 2**62) == before


def test_a_folder_that_cannot_be_written_ends_the_pipeline_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InfrastructureFault) as raised:
        run(tmp_path / "file")
    assert raised.value.sentence.startswith(f"The archive at {tmp_path / 'file'} cannot be written (Not a directory); ")
