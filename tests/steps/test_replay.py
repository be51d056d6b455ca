"""Replay steps in a pipeline: rejects are counted by tenant and reason, and go nowhere."""

from pathlib import Path

import apache_beam as beam

from runners.direct import run_pipeline
from transforms.io.dead_letters.not_taken import NotTaken
from transforms.model.metrics import REJECT_REASONS
from transforms.records.dead_letters.letters import Wanted
from transforms.records.dead_letters.selection import Coordinates
from transforms.records.outcomes import Outcome
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reason, Reject, Step
from transforms.steps.metrics import read_counts
from transforms.steps.replay import CountRejects


def rejected(client_id: str, reason: Reason) -> Reject:
    return Reject(KafkaRecord("t", 0, 0, 0, b"k", b"v"), client_id, Step.DECODE, reason, "why")


def test_rejects_are_counted_by_tenant_and_reason_and_their_records_are_not_taken(tmp_path: Path) -> None:
    rejects = [rejected("af-10", Reason.BAD_TIME)] * 12 + [rejected("af-10", Reason.BAD_KEY), rejected("", Reason.TENANT_MISSING)]

    not_taken = NotTaken(str(tmp_path / "not_taken"))

    result = run_pipeline(lambda pipeline: pipeline | beam.Create(rejects) | CountRejects(not_taken))

    assert read_counts(result).of(REJECT_REASONS) == {("af-10", "bad_time"): 12, ("af-10", "bad_key"): 1, ("-", "tenant_missing"): 1}
    assert read_counts(result).outcomes == {("af-10", Outcome.REJECTED): 13, ("-", Outcome.REJECTED): 1}
    letters = [Wanted(Coordinates("d", 0, 0), Coordinates("t", 0, offset), "-", 0, 0) for offset in (0, 1)]
    assert not_taken.taken(letters) == letters[1:]
