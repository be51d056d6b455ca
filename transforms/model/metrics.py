"""What the job counts and what a supervisor sees of it, declared once.

Beam counters, the totals of every run, Flink's counters, the JSON report, Prometheus metrics and the tables in the documentation
derive from the two tables here: `COUNTS` lists what steps count, `METRICS` what a scraper sees.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Flink cuts metric names at dots; neither a tenant's id nor a topic's name contains a tilde.
_DOT: Final = "~"


@dataclass(frozen=True, slots=True)
class Count:
    """A number that steps count and that every run adds up.

    namespace: the namespace of its Beam counters; also: further namespaces that count the same thing.
    labels: what it is counted by; their values form the counter's name. name: the only counter's name where there are no labels.
    report: its key in the JSON report of a run; "" for none. per: the factor between the counter's unit and that of its
    report and its metric.
    """

    namespace: str
    labels: tuple[str, ...] = ()
    name: str = ""
    also: tuple[str, ...] = ()
    report: str = ""
    per: int = 1

    def counter_name(self, *labels: str) -> str:
        """The name of the Beam counter for these label values."""
        return "/".join(labels).replace(".", _DOT) if self.labels else self.name

    def label_values(self, counter_name: str) -> tuple[str, ...]:
        """The label values that a counter's name was formed from."""
        return tuple(counter_name.replace(_DOT, ".").rsplit("/", len(self.labels) - 1)) if self.labels else ()

    def reported(self, total: int) -> float:
        """The total in the report's unit."""
        return total if self.per == 1 else round(total / self.per, 3)

    def scaled(self, number: int) -> float:
        """The number in the unit of its metric and its report."""
        return number if self.per == 1 else number / self.per


# Flink keeps one counter per name for all steps that it fuses, with the value of one of them: steps that count the same thing and
# may be fused use namespaces of their own.
OUTCOMES_OF_FOLD: Final = "outcome-fold"
OUTCOMES_OF_SIGNS: Final = "outcome-signs"
OUTCOMES: Final = Count("outcome", ("client_id", "outcome"), also=(OUTCOMES_OF_FOLD, OUTCOMES_OF_SIGNS))
REJECT_REASONS: Final = Count("reason", ("client_id", "reason"))
INTERNAL: Final = Count("internal", ("step",))
READ: Final = Count("read", ("topic", "partition"))
READ_BYTES: Final = Count("bytes", name="read")
# Rows that what was read comes to, before the graph is compared.
PLANNED_ROWS: Final = Count("held", name="rows")
WRITTEN_ROWS: Final = Count("write", name="rows", report="rows_written")
WRITE_US: Final = Count("write", name="us", report="write_seconds", per=1_000_000)
# How old the oldest record of each batch was when the batch was in the graph, added up, and the number of batches.
FRESHNESS: Final = Count("fresh_ms", ("client_id",), per=1000)
FRESH: Final = Count("fresh", ("client_id",))
COMMANDS: Final = Count("command", ("command",))
RESTORED: Final = Count("restored", name="records")
UNAVAILABLE: Final = Count("unavailable", ("client_id", "why"))
# Tenants that were quarantined in the middle of a pipeline; `what` is always `tenant`.
QUARANTINED: Final = Count("set_aside", ("client_id", "what"))
# What manifests and the graph were apart by; `what` is `gone` or `missing`.
DRIFT: Final = Count("drift", ("client_id", "what"))
UNREADABLE: Final = Count("partition", ("topic", "partition", "cause"))
GAPS: Final = Count("gap", ("topic", "partition", "from", "to"))

# Analyses of tenants for incidents; `result` is `ok` or `failed`.
ANALYSES: Final = Count("analysis", ("client_id", "result"))

COUNTS: Final = (
    OUTCOMES,
    REJECT_REASONS,
    INTERNAL,
    READ,
    READ_BYTES,
    PLANNED_ROWS,
    WRITTEN_ROWS,
    WRITE_US,
    FRESHNESS,
    FRESH,
    COMMANDS,
    RESTORED,
    UNAVAILABLE,
    QUARANTINED,
    DRIFT,
    UNREADABLE,
    GAPS,
    ANALYSES,
)

# Distributions, which runs read by hand: the offsets met in each partition, and the milliseconds of each transaction.
POSITION: Final = "position"
BATCH_MS: Final = ("write", "batch_ms")


class MetricType(StrEnum):
    """How Prometheus treats a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """A Prometheus metric; its name and labels are a contract with dashboards and alarms.

    of: the count that it shows, from which the exporter updates it without further code; None where `Monitor` sets it.
    alarm: when an operator should be woken; "" for never. stream: only a watched streaming job has it.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    of: Count | None = None
    alarm: str = ""
    stream: bool = False

    @property
    def sample(self) -> str:
        """The metric's name in queries, with its labels."""
        suffix = "_total" if self.type is MetricType.COUNTER else ""
        return self.name + suffix + (f"{{{', '.join(self.labels)}}}" if self.labels else "")


_PARTITION: Final = ("topic", "partition")
_COUNTER, _GAUGE, _HISTOGRAM = MetricType.COUNTER, MetricType.GAUGE, MetricType.HISTOGRAM

LAG: Final = Metric("graph_lag_offsets", _GAUGE, "Offsets not yet taken in, as of the last look.", _PARTITION)
LOST: Final = Metric("graph_offsets_lost", _COUNTER, "Offsets deleted before they were taken in.", _PARTITION, alarm="any")
GAPS_MET: Final = Metric("graph_gaps", _COUNTER, "Gaps met: offsets deleted, or a log cut back.", _PARTITION, alarm="any")
ASIDE: Final = Metric(
    "graph_partitions_set_aside", _GAUGE, "1 while it cannot be read and others can.", (*_PARTITION, "cause"), alarm="any"
)
HELD_BACK: Final = Metric(
    "graph_held_back_offsets",
    _GAUGE,
    "Offsets behind a transaction that is not ended; `graph_lag_offsets` does not count them.",
    _PARTITION,
    alarm="it stays above 0",
)
SLICE_SECONDS: Final = Metric("graph_slice_seconds", _HISTOGRAM, "Duration of a slice, from reading to commit.")
LAST_COMMIT: Final = Metric("graph_last_commit_timestamp_seconds", _GAUGE, "When a slice was last committed.")
ACTIVE: Final = Metric(
    "graph_active",
    _GAUGE,
    "1 while this run holds the lease of its consumer group, 0 while it stands by.",
    alarm="the sum over all is not 1",
)
TENANTS: Final = Metric("graph_tenants", _GAUGE, "Tenants by state, as of the last run.", ("state",))
OPEN_INCIDENTS: Final = Metric(
    "graph_open_incidents",
    _GAUGE,
    "Open incidents by tenant and kind, as of the last look.",
    ("client_id", "kind"),
    alarm="it rises",
)
QUARANTINED_TENANTS: Final = Metric(
    "graph_quarantined_tenants", _GAUGE, "Tenants in quarantine, as of the last look.", alarm="it stays above 0"
)
TRANSITIONS: Final = Metric("graph_tenant_transitions", _COUNTER, "Tenants whose state changed, by the new state.", ("state",))
FAULTS: Final = Metric("graph_faults", _COUNTER, "Infrastructure faults that ended a micro-batch.")
TOPICS_MISSING: Final = Metric(
    "graph_topics_missing", _GAUGE, "Topics to read that do not exist, as of the last look.", alarm="it is above 0 and you named the topics"
)
BUILD_INFO: Final = Metric(
    "graph_build_info", _GAUGE, "Always 1; the labels name this version, that of Beam, and the reader.", ("version", "beam", "reader")
)
JOB_RUNNING: Final = Metric("graph_job_running", _GAUGE, "1 while every task of the job runs.", stream=True)
JOB_RESTARTS: Final = Metric(
    "graph_job_restarts", _GAUGE, "Times the job began again since it was submitted.", stream=True, alarm="it rises"
)
BATCHES: Final = Metric("graph_batches", _COUNTER, "Transactions of the write step.", stream=True)
BATCH_SECONDS: Final = Metric("graph_batch_seconds", _COUNTER, "Seconds that they took in all.", stream=True)
BATCH_MAX: Final = Metric("graph_batch_max_seconds", _GAUGE, "Duration of the longest since the step began.", stream=True)
CHECKPOINT_AT: Final = Metric(
    "graph_last_checkpoint_timestamp_seconds",
    _GAUGE,
    "When a checkpoint was last completed.",
    stream=True,
    alarm="it is older than a few `--checkpoint_s`",
)
CHECKPOINT_SECONDS: Final = Metric("graph_checkpoint_seconds", _GAUGE, "Duration of the last checkpoint.", stream=True)
CHECKPOINT_BYTES: Final = Metric("graph_checkpoint_bytes", _GAUGE, "Size of the last checkpoint.", stream=True)
CHECKPOINTS_FAILED: Final = Metric(
    "graph_checkpoints_failed", _GAUGE, "Checkpoints that were not completed; some while a job starts are normal.", stream=True
)

METRICS: Final = (
    Metric("graph_records", _COUNTER, "Records by what became of them.", OUTCOMES.labels, OUTCOMES),
    Metric(
        "graph_rejects",
        _COUNTER,
        "Rejected records by reason.",
        REJECT_REASONS.labels,
        REJECT_REASONS,
        alarm="any with the reason `internal`",
    ),
    Metric("graph_internal_faults", _COUNTER, "Defects of the job that were met and passed over.", INTERNAL.labels, INTERNAL, alarm="any"),
    Metric(
        "graph_incident_analyses",
        _COUNTER,
        "Analyses of tenants for incidents.",
        ANALYSES.labels,
        ANALYSES,
        alarm="any with the result `failed`",
    ),
    Metric(
        "graph_manifest_drift",
        _COUNTER,
        "Objects by which manifests and the graph differed: `gone`, which were ended, or `missing` here.",
        DRIFT.labels,
        DRIFT,
        alarm="`missing` keeps rising",
    ),
    Metric("graph_read_bytes", _COUNTER, "Bytes of keys and values read.", of=READ_BYTES),
    Metric(
        "graph_freshness_seconds",
        _COUNTER,
        "Age of the oldest record of each batch once it was in the graph, added up.",
        FRESHNESS.labels,
        FRESHNESS,
        alarm="by batch, it stays above your objective",
    ),
    Metric("graph_freshness_batches", _COUNTER, "Batches that `graph_freshness_seconds_total` adds up.", FRESH.labels, FRESH),
    Metric("graph_write_seconds", _COUNTER, "Seconds in which the write step was at work.", of=WRITE_US),
    Metric("graph_rows_written", _COUNTER, "Nodes and relationships that were written.", of=WRITTEN_ROWS),
    LAG,
    LOST,
    GAPS_MET,
    ASIDE,
    HELD_BACK,
    SLICE_SECONDS,
    LAST_COMMIT,
    ACTIVE,
    TENANTS,
    OPEN_INCIDENTS,
    QUARANTINED_TENANTS,
    TRANSITIONS,
    FAULTS,
    TOPICS_MISSING,
    BUILD_INFO,
    JOB_RUNNING,
    JOB_RESTARTS,
    BATCHES,
    BATCH_SECONDS,
    BATCH_MAX,
    CHECKPOINT_AT,
    CHECKPOINT_SECONDS,
    CHECKPOINT_BYTES,
    CHECKPOINTS_FAILED,
)
