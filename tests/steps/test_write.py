"""What a batch says of its tenant's times, and what becomes of further rows that the graph refuses."""

import time
from collections.abc import Sequence

import apache_beam as beam
from msgspec import structs
from structlog.testing import capture_logs

from runners.direct import run_pipeline
from tests.support.failing_store import FailingStore
from tests.support.wire import AT_MS, TARGETS, TENANT, kafka_record
from transforms.io.graph_admin.quarantine import Quarantine
from transforms.io.neo4j.errors import RowRefused
from transforms.model.metrics import FRESH, FRESHNESS, OUTCOMES, WRITTEN_ROWS
from transforms.planning.facts.mutations import DeleteReferrer, Mutation
from transforms.planning.merge.fold import Interpreted
from transforms.records.outcomes import Outcome
from transforms.records.record import make_ver
from transforms.records.rejects import Reason
from transforms.steps.elements import TenantMutations
from transforms.steps.metrics import read_counts
from transforms.steps.write import WriteGraph, WriteGraphFn
from transforms.steps.write_tenant import Settled, TenantWriter
from transforms.steps.writing import Writing
from transforms.testing.memory_sink import MemorySink


def refusing(refused: str = "") -> FailingStore:
    """A store that refuses one key."""

    def answer(mutations: Sequence[Mutation]) -> RowRefused | None:
        found = any(isinstance(one, DeleteReferrer) and one.key == refused for one in mutations)
        return RowRefused("too long") if found else None

    return FailingStore(writes=answer)


def rows(*keys: str, after_ms: int = 0, is_broker_time: bool = False) -> list[Interpreted]:
    """What a record at that time has: the first row is its primary one."""
    ver = make_ver((AT_MS + after_ms) * 1000, TARGETS, 0, after_ms)
    at = kafka_record(TARGETS, b"x", timestamp_ms=AT_MS + after_ms, offset=after_ms)
    record = structs.replace(at, is_broker_time=is_broker_time)
    return [Interpreted(DeleteReferrer(TENANT, ver, "PromTarget", key), record if at == 0 else None) for at, key in enumerate(keys)]


def test_a_batch_is_as_old_as_the_first_of_its_records_that_the_broker_stamped() -> None:
    store = refusing()
    writer = TenantWriter(store, Quarantine(store), 3)
    for broker in (True, False):
        batch = rows("a", "b", after_ms=3, is_broker_time=broker) + rows("c", after_ms=7, is_broker_time=True)
        assert len(writer.write(TENANT, batch).results) == 3
    writer.write(TENANT, rows("a", "b"))
    assert store.times == [AT_MS + 3, AT_MS + 7, None]


def test_a_further_row_that_the_graph_refuses_is_logged_with_its_record() -> None:
    store = refusing("b")
    settled = TenantWriter(store, Quarantine(store), 3).write(TENANT, rows("a", "b", "c"))
    assert [outcome for _, outcome in settled.results if isinstance(outcome, Outcome)] == [Outcome.WRITTEN] * 2

    with capture_logs() as logs:
        WriteGraphFn(MemorySink("test_write"), Writing(1))._settle([Settled(TENANT, settled.results, 2)])

    (said,) = logs
    assert (said["event"], said["client_id"], said["detail"]) == ("a further row of a record was refused", TENANT, "too long")
    assert f"{TARGETS} 0000000000 " in said["ver"]


def test_a_stream_rejects_each_record_of_a_tenant_that_is_set_aside_on_the_way() -> None:
    left = rows("a", "b") + rows("c", after_ms=7)
    aside = Settled(TENANT, [], 0, set_aside="a lock", left=left)
    step = WriteGraphFn(MemorySink("test_write"), Writing(1, streams=True))

    step._settle([aside])

    assert [(one.client_id, one.reason, one.record.offset) for one in step._rejects] == [
        (TENANT, Reason.TENANT_QUARANTINED, 0),
        (TENANT, Reason.TENANT_QUARANTINED, 7),
    ]
    assert "a lock" in step._rejects[0].detail
    assert f"tenants release {TENANT}" in step._rejects[0].detail


def test_a_slice_leaves_them_to_be_run_again() -> None:
    step = WriteGraphFn(MemorySink("test_write"), Writing(1))
    step._settle([Settled(TENANT, [], 0, set_aside="a lock", left=rows("a"))])
    assert step._rejects == []


def test_the_rows_that_were_committed_are_counted_for_the_report_of_the_run() -> None:
    graph = MemorySink("test_write_counts")
    graph.clear()
    batches = [TenantMutations(TENANT, rows("a")), TenantMutations("af-11", rows("b"))]

    result = run_pipeline(lambda pipeline: pipeline | beam.Create(batches, reshuffle=False) | WriteGraph(graph, Writing(1)))

    counts = read_counts(result)
    assert counts.reported()["rows_written"] == counts.total(WRITTEN_ROWS) == len(batches)
    assert counts.total(OUTCOMES) == len(batches)


def test_a_transaction_is_as_fresh_as_its_oldest_record_of_its_tenant() -> None:
    graph = MemorySink("test_write_freshness")
    graph.clear()
    now_ms = int(time.time() * 1000)
    old = rows("a", after_ms=now_ms - AT_MS - 90_000) + rows("b", after_ms=now_ms - AT_MS - 5_000)
    # No time at all, and a clock that is ahead.
    young = rows("c", after_ms=-AT_MS) + rows("d", after_ms=now_ms - AT_MS + 60_000)
    batches = [TenantMutations(TENANT, old), TenantMutations("af-11", young)]

    result = run_pipeline(lambda pipeline: pipeline | beam.Create(batches, reshuffle=False) | WriteGraph(graph, Writing(1)))

    counts = read_counts(result)
    assert counts.of(FRESH) == {(TENANT,): 1, ("af-11",): 1}
    assert 90_000 <= counts.of(FRESHNESS)[TENANT,] < 150_000
    assert counts.of(FRESHNESS)["af-11",] == 0
