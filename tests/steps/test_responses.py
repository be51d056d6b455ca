"""A record that lists many things, or none, has one outcome all the same."""

from typing import Any

import apache_beam as beam

from runners.direct import run_pipeline
from tests.support.wire import AT_MS, RULES, TARGETS, json_of, kafka_record
from transforms.records.outcomes import Outcome, Tally
from transforms.records.tenancy.tenant import TenantRules
from transforms.steps.decode import DecodeRecords
from transforms.steps.elements import RecordChunk, TenantMutations
from transforms.steps.fold import FoldMutations
from transforms.steps.key_by_tenant import KeyByTenant
from transforms.steps.metrics import read_counts
from transforms.steps.resolve_tenants import ResolveTenants

# The runner's worker is in this process and finds these lists by their names.
FOLDED: list[TenantMutations] = []
REJECTED: list[Any] = []


def keep_folded(row: TenantMutations) -> None:
    FOLDED.append(row)


def keep_rejected(row: Any) -> None:
    REJECTED.append(row)


def run(*values: tuple[str, dict[str, Any]]) -> Tally:
    FOLDED.clear()
    REJECTED.clear()
    records = [kafka_record(topic, json_of(body), b"af-10::r", AT_MS + at, offset=at) for at, (topic, body) in enumerate(values)]

    def build(pipeline: beam.Pipeline) -> None:
        decoded = pipeline | beam.Create([RecordChunk(records)], reshuffle=False) | DecodeRecords()
        keyed = (decoded | ResolveTenants(TenantRules())).main | KeyByTenant(4)
        (keyed.main | beam.GroupByKey() | FoldMutations()).main | "KeepFolded" >> beam.Map(keep_folded)
        keyed.rejects | "KeepRejected" >> beam.Map(keep_rejected)

    return read_counts(run_pipeline(build)).outcomes


def listing(*instances: str) -> dict[str, Any]:
    targets = [{"labels": {"job": "j", "instance": instance}, "health": "up"} for instance in instances]
    return {"status": "success", "data": {"activeTargets": targets}}


def primaries() -> int:
    return sum(one.primary for tenant in FOLDED for one in tenant.mutations)


def test_a_response_has_one_primary_mutation_however_many_it_lists() -> None:
    assert run((TARGETS, listing(*(f"i{number}" for number in range(50))))) == Tally()
    assert (sum(len(tenant.mutations) for tenant in FOLDED), primaries(), REJECTED) == (50, 1, [])


def test_a_response_that_lists_nothing_is_unchanged_once() -> None:
    tally = run((TARGETS, listing()), (RULES, {"status": "success", "data": {"groups": []}}))
    assert (tally, FOLDED, REJECTED) == ({("af-10", Outcome.UNCHANGED): 2}, [], [])


def test_a_response_with_one_faulty_row_is_one_reject_and_leaves_no_trace() -> None:
    assert run((TARGETS, listing("i1", "x" * 2000, "i2"))) == Tally()
    assert (FOLDED, [one.reason for one in REJECTED]) == ([], ["limit_exceeded"])


def test_of_two_responses_the_one_that_lost_its_first_row_is_superseded() -> None:
    tally = run((TARGETS, listing("i1", "i2")), (TARGETS, listing("i1")))
    assert tally == {("af-10", Outcome.SUPERSEDED): 1}
    assert (sum(len(tenant.mutations) for tenant in FOLDED), primaries()) == (2, 1)
