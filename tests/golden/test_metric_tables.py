"""Metrics keep their names and labels, and the documentation lists them as they are declared."""

from pathlib import Path

import pytest
from prometheus_client import generate_latest

from runners.observe.stream_metrics import StreamMonitor
from scripts.metric_tables import TABLES, with_table
from transforms.model.metrics import COUNTS, METRICS, MetricType

# What dashboards and alarms may use. Names are added; none is renamed or removed.
CONTRACT = {
    "graph_records_total{client_id, outcome}",
    "graph_rejects_total{client_id, reason}",
    "graph_internal_faults_total{step}",
    "graph_offsets_lost_total{topic, partition}",
    "graph_gaps_total{topic, partition}",
    "graph_lag_offsets{topic, partition}",
    "graph_partitions_set_aside{topic, partition, cause}",
    "graph_held_back_offsets{topic, partition}",
    "graph_read_bytes_total",
    "graph_slice_seconds",
    "graph_last_commit_timestamp_seconds",
    "graph_active",
    "graph_freshness_seconds_total{client_id}",
    "graph_freshness_batches_total{client_id}",
    "graph_write_seconds_total",
    "graph_rows_written_total",
    "graph_quarantined_tenants",
    "graph_tenants{state}",
    "graph_tenant_transitions_total{state}",
    "graph_faults_total",
    "graph_job_running",
    "graph_job_restarts",
    "graph_batches_total",
    "graph_batch_seconds_total",
    "graph_batch_max_seconds",
    "graph_last_checkpoint_timestamp_seconds",
    "graph_checkpoint_seconds",
    "graph_checkpoint_bytes",
    "graph_checkpoints_failed",
}


def test_metrics_keep_their_names_and_labels() -> None:
    assert {metric.sample for metric in METRICS} >= CONTRACT


def test_every_declared_metric_is_exported_with_its_help() -> None:
    told = generate_latest(StreamMonitor(60).registry).decode()
    for metric in METRICS:
        suffix = "_total" if metric.type is MetricType.COUNTER else ""
        assert f"# HELP {metric.name}{suffix} {metric.help}\n" in told


def test_every_count_has_counters_of_its_own() -> None:
    names = [(namespace, what.name) for what in COUNTS for namespace in (what.namespace, *what.also)]
    assert len(set(names)) == len(names)
    assert all(bool(what.labels) != bool(what.name) for what in COUNTS)
    assert {what.namespace for what in COUNTS if what.labels}.isdisjoint(what.namespace for what in COUNTS if what.name)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_the_documentation_lists_them_as_declared(path: Path) -> None:
    assert with_table(path.read_text(), stream=TABLES[path]) == path.read_text(), "run python -m scripts.metric_tables"
