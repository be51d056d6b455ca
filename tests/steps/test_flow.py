"""The steps together, from records to folded mutations, without Kafka and Neo4j."""

from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from runners.direct import run_pipeline
from scripts.sampling.stream import sample_stream
from tests.unit.wire import AT_MS, LOG, LOGS, json_of
from transforms.records.envelopes import Filtered, Log
from transforms.records.outcomes import NO_TENANT, Outcome, Tally
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reject
from transforms.records.tenant import TenantRules
from transforms.steps.decode import DecodeRecords, WireSettings
from transforms.steps.elements import RecordChunk, TenantMutations
from transforms.steps.fold import FoldMutations
from transforms.steps.group import WindowByArrival
from transforms.steps.key_by_tenant import KeyByTenant, shard_of
from transforms.steps.metrics import outcomes_of
from transforms.steps.plan import PlanBatches
from transforms.steps.resolve_tenants import ResolveTenants


def records() -> list[KafkaRecord]:
    stream = sample_stream(clusters=3, resyncs=2, seed=4, poison_classes=99).records
    return [KafkaRecord(one.topic, 0, at, one.timestamp_ms, one.key, one.value, one.headers) for at, one in enumerate(stream)]


def flow(pipeline: beam.Pipeline, chunk: int, shards: int, rules: TenantRules) -> tuple[Any, Any]:
    """The flow between reading and writing; batches and rejects."""
    taken = records()
    chunks = [RecordChunk(taken[at : at + chunk]) for at in range(0, len(taken), chunk)]
    decoded = pipeline | beam.Create(chunks, reshuffle=False) | "DecodeRecords" >> DecodeRecords(rules.client_id)
    owned = decoded | "ResolveTenants" >> ResolveTenants(rules)
    keyed = owned.main | "KeyByTenant" >> KeyByTenant(shards)
    grouped = keyed.main | "WindowByArrival" >> WindowByArrival() | "GroupByTenant" >> beam.GroupByKey()
    folded = grouped | "FoldMutations" >> FoldMutations()
    batches = folded.main | "PlanBatches" >> PlanBatches(50, 1 << 20)
    return batches.main, (owned.rejects, keyed.rejects, folded.rejects, batches.rejects) | "Rejects" >> beam.Flatten()


def aspects(batch: TenantMutations) -> list[tuple[Any, ...]]:
    return [(batch.client_id, *one.mutation.aspect, one.mutation.ver) for one in batch.mutations]


# The runner's worker is in this process and finds this list by its name.
OUTPUT: list[tuple[str, Any]] = []


def keep(row: Any, name: str) -> None:
    OUTPUT.append((name, row))


def run(chunk: int, shards: int, rules: TenantRules = TenantRules()) -> tuple[set[tuple[Any, ...]], list[Reject], Tally]:  # noqa: B008
    """What comes out."""
    OUTPUT.clear()

    def build(pipeline: beam.Pipeline) -> None:
        batches, rejects = flow(pipeline, chunk, shards, rules)
        batches | beam.FlatMap(aspects) | "KeepBatches" >> beam.Map(keep, "batches")
        rejects | "KeepRejects" >> beam.Map(keep, "rejects")

    result = run_pipeline(build)
    batches = [row for name, row in OUTPUT if name == "batches"]
    return set(batches), [row for name, row in OUTPUT if name == "rejects"], outcomes_of(result)


@pytest.mark.parametrize(("chunk", "shards"), [(1, 1), (7, 1), (1000, 1), (100, 4)])
def test_chunks_and_shards_do_not_show_and_every_record_has_one_outcome(chunk: int, shards: int) -> None:
    mutations, rejects, tally = run(chunk, shards)
    expected, _, _ = run(500, 1)

    assert mutations == expected
    assert len({row[:4] for row in mutations}) == len(mutations), "one mutation an aspect and tenant"
    settled = sum(tally.values()) + len(rejects)
    primary = len(records()) - settled
    assert 0 < primary <= len(mutations)
    assert {outcome for _, outcome in tally} == {Outcome.SUPERSEDED, Outcome.CONTROL, Outcome.FILTERED}


def test_single_tenant_mode_lets_no_other_tenant_through() -> None:
    mutations, rejects, tally = run(100, 1, TenantRules("af-11"))

    assert {row[0] for row in mutations} == {"af-11"}
    assert {client_id for client_id, outcome in tally if outcome is Outcome.SKIPPED} == {NO_TENANT}
    assert {one.client_id for one in rejects} == {"af-11"}


def test_failure_patterns_of_ones_own_travel_to_the_worker() -> None:
    OUTPUT.clear()
    record = KafkaRecord(LOGS, 0, 0, AT_MS, b"af-10::u", json_of(LOG, severity="INFO"))

    def build(pipeline: beam.Pipeline) -> None:
        chunks = pipeline | beam.Create([RecordChunk([record])], reshuffle=False)
        for name, own in (("Own", (("LOG_PAYMENT", ("card declined",)),)), ("Declared", ())):
            decoded = chunks | f"Decode{name}" >> DecodeRecords("", WireSettings(failure_patterns=own))
            decoded | f"Flatten{name}" >> beam.FlatMap(list) | f"Keep{name}" >> beam.Map(keep, name)

    run_pipeline(build)
    bodies = {name: decoded.body for name, decoded in OUTPUT}
    assert bodies["Declared"] == Filtered()
    assert isinstance(bodies["Own"], Log)
    assert bodies["Own"].reason == "LOG_PAYMENT"


def test_the_same_aspect_always_goes_to_the_same_shard() -> None:
    assert [shard_of(("life", "pod:shop:a", uid), 8) for uid in ("", "u", "v")] == [shard_of(("rid", "pod:shop:a", ""), 8)] * 3
    assert shard_of(("rid", "pod:shop:a", ""), 1) == 0
    assert len({shard_of(("rid", f"pod:shop:{at}", ""), 8) for at in range(200)}) == 8


def test_beam_itself_checks_what_the_steps_give() -> None:
    def build(pipeline: beam.Pipeline) -> None:
        batches, _ = flow(pipeline, 100, 1, TenantRules())
        tenants = batches | beam.Map(lambda batch: batch.client_id) | beam.Distinct()
        assert_that(tenants, equal_to(["af-10", "af-11", "af-12"]))

    run_pipeline(build)
