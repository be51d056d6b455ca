"""Replay steps in a pipeline: rejects are counted by tenant and reason, and go nowhere."""

import apache_beam as beam

from runners.direct import run_pipeline
from transforms.model.metrics import REJECT_REASONS
from transforms.records.outcomes import Outcome
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reason, Reject, Step
from transforms.steps.metrics import read_counts
from transforms.steps.replay import CountRejects


def rejected(client_id: str, reason: Reason) -> Reject:
    return Reject(KafkaRecord("t", 0, 0, 0, b"k", b"v"), client_id, Step.DECODE, reason, "why")


def test_rejects_are_counted_by_tenant_and_reason() -> None:
    rejects = [rejected("af-10", Reason.BAD_TIME)] * 12 + [rejected("af-10", Reason.BAD_KEY), rejected("", Reason.TENANT_MISSING)]

    result = run_pipeline(lambda pipeline: pipeline | beam.Create(rejects) | CountRejects())

    assert read_counts(result).of(REJECT_REASONS) == {("af-10", "bad_time"): 12, ("af-10", "bad_key"): 1, ("-", "tenant_missing"): 1}
    assert read_counts(result).outcomes == {("af-10", Outcome.REJECTED): 13, ("-", Outcome.REJECTED): 1}
