"""A job's counters are read as Flink writes them, added up over its steps, and go on where a step begins anew."""

from collections.abc import Iterator

import pytest

from runners.flink.answers import Vertex
from runners.flink.counters import JobCounters, Latency, own_name, read_counters
from runners.loops.bounded import RunTotals
from runners.loops.watch import CheckpointLook, JobLook
from runners.observe.stream_metrics import StreamMonitor
from runners.observe.stream_totals import StreamReport, grown
from transforms.model.metrics import OUTCOMES, OUTCOMES_OF_FOLD, READ, REJECT_REASONS, WRITE_US
from transforms.records.outcomes import Outcome, Tally

KEYED = "[14]{ReadRecords__DecodeRecords__ResolveTenants__RejectSetAside__."
WRITES = "[9]{FoldMutations__PlanBatches__WriteGraph__."


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (f"{KEYED}outcome_af-11/filtered", ("outcome", "af-11/filtered")),
        (f"{WRITES}outcome-fold_af-11/superseded", ("outcome-fold", "af-11/superseded")),
        (f"{WRITES}outcome_a~b_c/written", ("outcome", "a~b_c/written")),
        (f"{WRITES}set_aside_af-11/tenant", ("set_aside", "af-11/tenant")),
        (f"{WRITES}write_batch_ms", ("write", "batch_ms")),
        ("numRecordsOut", None),
        ("fn/read/ref_PCollection_PCollection_16_0_metric_data_channel_read_index_v1", None),
        ("GroupByTenant.numBytesIn", None),
    ],
)
def test_our_counters_are_told_from_flinks_and_beams(metric: str, name: tuple[str, str] | None) -> None:
    assert own_name(metric) == name


class Rest:
    """Two vertices with these sums over their subtasks, and what each subtask says of its transactions."""

    def vertices(self, _job: str) -> list[Vertex]:
        return [Vertex("v1", "key", 2), Vertex("v2", "write", 2)]

    def metric_names(self, _job: str, vertex: str) -> list[str]:
        return [*self._sums(vertex), "numRecordsOut", *([f"{WRITES}write_batch_ms"] if vertex == "v2" else [])]

    def _sums(self, vertex: str) -> dict[str, float]:
        if vertex == "v1":
            return {f"{KEYED}outcome_af-11/superseded": 5.0, f"{KEYED}read_state~k8s~resource/0": 9.0, f"{KEYED}reason_-/bad_key": 1.0}
        return {f"{WRITES}outcome_af-11/superseded": 2.0, f"{WRITES}outcome-fold_af-11/superseded": 1.0, f"{WRITES}write_us": 1500000.0}

    def vertex_metrics(self, _job: str, vertex: str, names: list[str]) -> dict[str, float]:
        return {name: self._sums(vertex)[name] for name in names}

    def subtask_metric(self, _job: str, _vertex: Vertex, _name: str) -> list[str]:
        return ["DistributionResult{sum=30, count=3, min=5, max=20}", "DistributionResult{sum=0, count=0, min=9223, max=-9223}"]


def test_counters_of_the_same_name_add_up_over_steps() -> None:
    told = read_counters(Rest(), "job")  # type: ignore[arg-type]

    assert told.counts.outcomes == Tally({("af-11", Outcome.SUPERSEDED): 8})
    assert told.counts.of(REJECT_REASONS) == {("-", "bad_key"): 1}
    assert (told.counts.total(READ), told.counts.total(WRITE_US), told.latency) == (9, 1_500_000, Latency(3, 30, 20))


def of(written: int, batches: int) -> JobCounters:
    counters = {
        (OUTCOMES.namespace, "af~10/written"): written,
        (OUTCOMES_OF_FOLD, "af~10/superseded"): 1,
        (READ.namespace, "t/0"): written + 1,
        ("write", "rows"): 2,
    }
    return JobCounters(counters, Latency(batches, batches * 10, 50))


def test_what_begins_anew_counts_from_nothing() -> None:
    assert grown(of(5, 4), of(7, 5)).counters[OUTCOMES.namespace, "af~10/written"] == 2
    assert grown(of(5, 4), of(3, 1)).counters[OUTCOMES.namespace, "af~10/written"] == 3
    assert grown(of(5, 4), of(3, 1)).latency == Latency(1, 10, 50)
    assert grown(of(5, 4), of(5, 6)).latency == Latency(2, 20, 50)


class Job:
    def __init__(self, *told: JobCounters) -> None:
        self._told: Iterator[JobCounters] = iter(told)

    def counters(self) -> JobCounters:
        return next(self._told)


def test_totals_and_metrics_go_on_over_a_job_that_begins_anew() -> None:
    totals, monitor = RunTotals(), StreamMonitor(60)
    judged: list[str] = []
    report = StreamReport(totals, monitor, lambda: judged.append("judged"))
    runs = JobLook("RUNNING", True, False, 1, "", CheckpointLook(5000, 40, 123, 2))

    report.follow(Job(of(5, 4), of(7, 5)))  # type: ignore[arg-type]
    report.looked(runs)
    report.looked(JobLook("RESTARTING", False, False, 1, "Neo4j is away"))
    report.looked(runs)
    report.follow(Job(of(2, 1)))  # type: ignore[arg-type]
    report.looked(runs)
    report.caught_up()

    assert totals.counts.outcomes["af.10", Outcome.WRITTEN] == 9
    assert (totals.read, judged) == (8 + 3, ["judged"])
    value = monitor.registry.get_sample_value
    assert value("graph_records_total", {"client_id": "af.10", "outcome": "written"}) == 9
    assert value("graph_batches_total") == 6
    assert (value("graph_job_running"), value("graph_job_restarts"), value("graph_checkpoint_bytes")) == (1, 1, 123)
    assert value("graph_last_checkpoint_timestamp_seconds") == 5


def test_a_job_that_does_not_run_for_long_is_not_well() -> None:
    monitor = StreamMonitor(0)
    monitor.looked(JobLook("RESTARTING", False, False, 3, "Neo4j is away"))
    is_well, said = monitor.health()
    assert not is_well
    assert "Neo4j is away" in said
