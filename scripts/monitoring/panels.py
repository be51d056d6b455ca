"""The panels of the dashboard, declared once, by row; each metric that a scraper sees is on one of them."""

from dataclasses import dataclass
from typing import Final

_HERE: Final = '{job=~"$job"}'
_OF_TENANTS: Final = '{job=~"$job", client_id=~"$client_id"}'


@dataclass(frozen=True, slots=True)
class Query:
    """A query and how its series are named."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. unit: as Grafana names it. says: what it shows, and what to look for."""

    title: str
    says: str
    unit: str
    queries: tuple[Query, ...]
    stacked: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Panels beside each other."""

    title: str
    panels: tuple[Panel, ...]


def _rate(metric: str, by: str, where: str = _HERE) -> str:
    return f"sum by ({by}) (rate({metric}{where}[$__rate_interval]))" if by else f"sum(rate({metric}{where}[$__rate_interval]))"


def _or_0(expr: str) -> str:
    """0 where there was no event yet, so that a panel is never without a series."""
    return f"({expr}) or vector(0)"


def _freshness() -> str:
    age = f"sum by (client_id) (rate(graph_freshness_seconds_total{_OF_TENANTS}[$__rate_interval]))"
    return f"{age} / sum by (client_id) (rate(graph_freshness_batches_total{_OF_TENANTS}[$__rate_interval]))"


ROWS: Final = (
    Row(
        "Service level",
        (
            Panel(
                "Freshness by tenant",
                "Seconds from a record's arrival in Kafka to the graph: the oldest record of each batch, on average. The 20 latest.",
                "s",
                (Query(f"topk(20, {_freshness()})", "{{client_id}}"),),
            ),
            Panel(
                "Since the last commit",
                "Seconds since a slice was committed. With lag it must stay low; without lag nothing need be committed.",
                "s",
                (Query(f"time() - max(graph_last_commit_timestamp_seconds{_HERE} > 0)", "since the last commit"),),
            ),
            Panel("Lag", "Offsets that are not read yet.", "short", (Query(f"sum by (topic) (graph_lag_offsets{_HERE})", "{{topic}}"),)),
            Panel(
                "Replicas at work",
                "Replicas that hold the lease. It must be 1.",
                "short",
                (Query(f"sum(graph_active{_HERE})", "active"), Query(f"count(graph_active{_HERE})", "replicas")),
            ),
        ),
    ),
    Row(
        "Records",
        (
            Panel(
                "Records by outcome",
                "Records a second by what became of them.",
                "ops",
                (Query(_rate("graph_records_total", "outcome", _OF_TENANTS), "{{outcome}}"),),
                stacked=True,
            ),
            Panel(
                "Records by tenant",
                "The 20 tenants that send most.",
                "ops",
                (Query(f"topk(20, {_rate('graph_records_total', 'client_id', _OF_TENANTS)})", "{{client_id}}"),),
            ),
            Panel(
                "Rejects by reason",
                "Dead letters a second.",
                "ops",
                (Query(_or_0(_rate("graph_rejects_total", "reason", _OF_TENANTS)), "{{reason}}"),),
                stacked=True,
            ),
            Panel("Bytes read", "Keys and values, a second.", "Bps", (Query(_rate("graph_read_bytes_total", ""), "read"),)),
        ),
    ),
    Row(
        "Tenants",
        (
            Panel(
                "Tenants by state",
                "As of the last run that read something.",
                "short",
                (Query(f"max by (state) (graph_tenants{_HERE})", "{{state}}"),),
                stacked=True,
            ),
            Panel(
                "Changes of state",
                "Tenants that became ACTIVE, STALE, DEAD or PURGED, an hour.",
                "short",
                (Query(_or_0(f"sum by (state) (increase(graph_tenant_transitions_total{_HERE}[1h]))"), "{{state}}"),),
            ),
            Panel(
                "Quarantine",
                "Tenants in quarantine; their records become dead letters.",
                "short",
                (Query(f"max(graph_quarantined_tenants{_HERE})", "tenants"),),
            ),
        ),
    ),
    Row(
        "Writing",
        (
            Panel(
                "Slices",
                "Seconds of a slice, from reading to commit.",
                "s",
                tuple(
                    Query(
                        f"histogram_quantile({part}, sum by (le) (rate(graph_slice_seconds_bucket{_HERE}[$__rate_interval])))",
                        f"{part:.0%} of slices",
                    )
                    for part in (0.5, 0.95)
                ),
            ),
            Panel(
                "Write time",
                "Share of the time in which the write step was at work; near 1, Neo4j limits the job.",
                "percentunit",
                (Query(_rate("graph_write_seconds_total", ""), "write step"),),
            ),
            Panel("Rows written", "Nodes and relationships a second.", "ops", (Query(_rate("graph_rows_written_total", ""), "rows"),)),
            Panel(
                "Memory",
                "Resident memory of the process, in bytes.",
                "bytes",
                (Query(f"process_resident_memory_bytes{_HERE}", "{{instance}}"),),
            ),
            Panel("CPU", "Cores in use.", "short", (Query(f"rate(process_cpu_seconds_total{_HERE}[$__rate_interval])", "{{instance}}"),)),
        ),
    ),
    Row(
        "Faults",
        (
            Panel(
                "Infrastructure faults and defects",
                "Faults that ended a micro-batch, and defects of the job that were passed over, an hour.",
                "short",
                (
                    Query(f"sum(increase(graph_faults_total{_HERE}[1h]))", "infrastructure faults"),
                    Query(_or_0(f"sum by (step) (increase(graph_internal_faults_total{_HERE}[1h]))"), "defects {{step}}"),
                ),
            ),
            Panel(
                "Held-back offsets",
                "Offsets behind a transaction that does not end.",
                "short",
                (Query(_or_0(f"max by (topic, partition) (graph_held_back_offsets{_HERE})"), "{{topic}}[{{partition}}]"),),
            ),
            Panel(
                "Partitions left out",
                "Partitions that cannot be read.",
                "short",
                (Query(_or_0(f"sum by (topic, cause) (graph_partitions_set_aside{_HERE})"), "{{topic}} {{cause}}"),),
            ),
            Panel(
                "Lost offsets",
                "Offsets that Kafka deleted before they were read, and the gaps that they make.",
                "short",
                (
                    Query(_or_0(f"sum by (topic) (graph_offsets_lost_total{_HERE})"), "offsets {{topic}}"),
                    Query(_or_0(f"sum by (topic) (graph_gaps_total{_HERE})"), "gaps {{topic}}"),
                ),
            ),
        ),
    ),
)

# Only a watched Flink job has these.
FLINK: Final = Row(
    "Flink",
    (
        Panel(
            "Job",
            "1 while every task runs, and how often the job began again.",
            "short",
            (Query(f"max(graph_job_running{_HERE})", "running"), Query(f"max(graph_job_restarts{_HERE})", "restarts")),
        ),
        Panel(
            "Checkpoints",
            "Age and duration of the last checkpoint; those that failed.",
            "s",
            (
                Query(f"time() - max(graph_last_checkpoint_timestamp_seconds{_HERE} > 0)", "age"),
                Query(f"max(graph_checkpoint_seconds{_HERE})", "duration"),
                Query(f"max(graph_checkpoints_failed{_HERE})", "failed"),
            ),
        ),
        Panel("Checkpoint size", "Bytes of the last checkpoint.", "bytes", (Query(f"max(graph_checkpoint_bytes{_HERE})", "size"),)),
        Panel(
            "Transactions",
            "Seconds of a transaction: the average, and the longest since the step began.",
            "s",
            (
                Query(f"{_rate('graph_batch_seconds_total', '')} / {_rate('graph_batches_total', '')}", "average"),
                Query(f"max(graph_batch_max_seconds{_HERE})", "longest"),
            ),
        ),
    ),
)
