"""The job's own flow, from records to a graph in this process, without Kafka and Neo4j."""

from functools import cache
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that

from pipelines.flow import into_graph
from pipelines.options.flow import WriteOptions
from runners.direct import run_pipeline
from scripts.sampling.stream import sample_stream
from tests.support.flow_settings import flow_settings
from tests.support.in_memory import expected_digests
from tests.support.wire import AT, AT_MS, LOG, LOGS, RESOURCES, json_of
from transforms.records.envelopes.types import Filtered, Log
from transforms.records.outcomes import NO_TENANT, Outcome, Tally
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reason, Reject
from transforms.records.tenancy.tenant import TenantRules
from transforms.steps.decode import DecodeRecords, WireSettings
from transforms.steps.elements import RecordChunk
from transforms.steps.key_by_tenant import shard_of
from transforms.steps.metrics import read_counts
from transforms.testing.memory_sink import MemorySink


@cache
def records() -> list[KafkaRecord]:
    stream = sample_stream(clusters=3, resyncs=2, seed=4, poison_classes=99).records
    return [KafkaRecord(one.topic, 0, at, one.timestamp_ms, one.key, one.value, one.headers) for at, one in enumerate(stream)]


def chunks(pipeline: beam.Pipeline, size: int) -> Any:
    """The records of the stream in chunks, as a reader gives them."""
    taken = records()
    found = [RecordChunk(taken[at : at + size]) for at in range(0, len(taken), size)]
    return pipeline | beam.Create(found, reshuffle=False)


# The runner's worker is in this process and finds this list by its name.
OUTPUT: list[tuple[str, Any]] = []


def keep(row: Any, name: str) -> None:
    OUTPUT.append((name, row))


GRAPH = MemorySink("test_flow")


def run(size: int, **settings: Any) -> tuple[dict[str, str], list[Reject], Tally]:
    """The job's own wiring into an empty graph in this process: the digests by tenant, the rejects, the outcomes."""
    OUTPUT.clear()
    GRAPH.clear()

    def build(pipeline: beam.Pipeline) -> None:
        outputs = into_graph(chunks(pipeline, size), flow_settings(**settings), GRAPH)
        outputs.rejects | "KeepRejects" >> beam.Map(keep, "rejects")

    result = run_pipeline(build)
    store = GRAPH.graph.store
    digests = {tenant: store.digest(tenant).hexdigest() for tenant in sorted(store.tenants)}
    return digests, [row for _, row in OUTPUT], read_counts(result).outcomes


@pytest.mark.parametrize(("word", "kept"), [("on", {("CALLS", "deployment:shop:web", "service:shop:cart")}), ("off", set())])
def test_addresses_are_kept_and_make_calls_unless_told(word: str, kept: set[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    variable = {"name": "CART_ADDR", "value": "cart:7070"}
    template = {"spec": {"containers": [{"name": "web", "image": "web:1", "env": [variable]}]}}
    body = {"op": "UPSERT", "at": AT, "kind": "Deployment", "namespace": "shop", "name": "web", "spec": {"template": template}}
    record = KafkaRecord(RESOURCES, 0, 0, AT_MS, b"af-10::deployment:shop:web", json_of(body), ())
    monkeypatch.setattr(f"{__name__}.records", lambda: [record])
    run(1, writes=WriteOptions(calls=word))
    tenant = GRAPH.graph.store.tenants["af-10"]
    assert {one for one in tenant.triples() if one[0] == "CALLS"} == kept
    facts = str(tenant.resources["deployment:shop:web"]["facts"])
    assert ("7070" in facts) == ("calls" in facts) == bool(kept)


@pytest.mark.parametrize(("size", "shards"), [(1, 1), (7, 1), (1000, 1), (100, 4)])
def test_chunks_and_shards_do_not_show_and_every_record_has_one_outcome(size: int, shards: int) -> None:
    digests, rejects, tally = run(size, writes=WriteOptions(shards=shards, batch_rows=50, batch_rows_least=50))

    assert digests == expected_digests(sample_stream(clusters=3, resyncs=2, seed=4, poison_classes=99).records)
    assert sum(tally.values()) + len(rejects) == len(records())
    assert set(GRAPH.graph.tenants.directory().known) == {"af-10", "af-11", "af-12"}


def test_single_tenant_mode_lets_no_other_tenant_through() -> None:
    digests, rejects, tally = run(100, tenants=TenantRules("af-11"))

    assert set(digests) == {"af-11"}
    assert {client_id for client_id, outcome in tally if outcome is Outcome.SKIPPED} == {NO_TENANT}
    assert {one.client_id for one in rejects} == {"af-11"}


def test_a_tenant_in_quarantine_is_rejected_whole_and_its_neighbours_are_not() -> None:
    GRAPH.clear()
    OUTPUT.clear()
    GRAPH.graph.store.marks["af-11"] = "a lock"

    def build(pipeline: beam.Pipeline) -> None:
        into_graph(chunks(pipeline, 100), flow_settings(), GRAPH).rejects | "KeepRejects" >> beam.Map(keep, "rejects")

    run_pipeline(build)
    store = GRAPH.graph.store
    expected = expected_digests(sample_stream(clusters=3, resyncs=2, seed=4, poison_classes=99).records)
    assert {tenant: store.digest(tenant).hexdigest() for tenant in store.tenants} == {
        tenant: digest for tenant, digest in expected.items() if tenant != "af-11"
    }
    assert Reason.TENANT_QUARANTINED in {row.reason for _, row in OUTPUT if row.client_id == "af-11"}
    assert Reason.TENANT_QUARANTINED not in {row.reason for _, row in OUTPUT if row.client_id != "af-11"}


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
    GRAPH.clear()

    def build(pipeline: beam.Pipeline) -> None:
        rejects = into_graph(chunks(pipeline, 100), flow_settings(), GRAPH).rejects
        tenants = rejects | beam.Map(lambda one: one.client_id or NO_TENANT) | beam.Distinct()
        assert_that(tenants, contains_all)

    run_pipeline(build)


def contains_all(tenants: list[str]) -> None:
    assert {"af-10", "af-11", "af-12"} <= set(tenants)
