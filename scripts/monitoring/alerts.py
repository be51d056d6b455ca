"""The alert rules, declared once: Prometheus' rule file and the runbooks in docs/operations.md derive from them."""

from dataclasses import dataclass
from typing import Any, Final

RUNBOOKS: Final = "docs/operations.md"
# Seconds from a record's arrival in Kafka to the graph that a tenant may have, on average over ten minutes.
FRESHNESS_OBJECTIVE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule.

    expr: fires where it gives a series, for the time `after`. is_critical: somebody is to be woken; otherwise it can wait for the day.
    summary: one sentence with labels in the form {{ $labels.x }}. remedy: what to do, as the runbook has it.
    """

    name: str
    expr: str
    after: str
    summary: str
    remedy: str
    is_critical: bool = False

    @property
    def rule(self) -> dict[str, Any]:
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.after,
            "labels": {"severity": "critical" if self.is_critical else "warning"},
            "annotations": {"summary": self.summary, "runbook_url": f"{RUNBOOKS}#{self.name.lower()}"},
        }


def _rose(metric: str, by: str) -> str:
    """Where a counter went up in the last 15 minutes; one that was born with its first event counts too, which `increase` does not see."""
    now = f"sum by ({by}) ({metric})"
    return f"(sum by ({by}) (increase({metric}[15m])) > 0) or ({now} > 0 unless sum by ({by}) ({metric} offset 15m))"


_OPEN: Final = "max by (job, client_id, kind) (graph_open_incidents)"
# More of a kind than five minutes ago; a series that was not there then is one too, unless the job has only begun to look.
_NEW_INCIDENT: Final = (
    f"({_OPEN} > {_OPEN.replace('graph_open_incidents', 'graph_open_incidents offset 5m')})"
    f" or ({_OPEN} > 0 unless {_OPEN.replace('graph_open_incidents', 'graph_open_incidents offset 5m')}"
    " and on (job) max by (job) (graph_tenants offset 5m))"
)

_FRESHNESS: Final = (
    "sum by (job, client_id) (rate(graph_freshness_seconds_total[10m]))"
    " / sum by (job, client_id) (rate(graph_freshness_batches_total[10m]))"
)

ALERTS: Final = (
    Alert(
        "GraphBuildNotActive",
        "sum by (job) (graph_active) < 1 or absent(graph_active)",
        "2m",
        "No replica of graph-build holds the lease: nothing is read.",
        "Look at the pods and their logs. A replica that is not ready says why on `/readyz`. After a death the lease of the dead replica "
        "lasts for `--lease_s`; if Neo4j is away, no replica can take it.",
        is_critical=True,
    ),
    Alert(
        "GraphBuildTwiceActive",
        "sum by (job) (graph_active) > 1",
        "5m",
        "{{ $value }} replicas of graph-build believe that they hold the lease.",
        "One of them is held up, for example by a suspended machine. It commits nothing once it goes on. Delete the pod whose "
        "`graph_last_commit_timestamp_seconds` is the older one. If two groups run under one `job` label, give each its own.",
    ),
    Alert(
        "GraphBuildStalled",
        "time() - max by (job) (graph_last_commit_timestamp_seconds) > 300 and sum by (job) (graph_lag_offsets) > 0",
        "5m",
        "graph-build has records to read and has committed nothing for {{ $value | humanizeDuration }}.",
        "Read the log for `fault`: it names the server that cannot be used and the remedy. Without a fault, `SHOW TRANSACTIONS` in Neo4j "
        "shows what the slice at work waits for. Run `python -m pipelines.doctor --follow` in the pod's environment.",
        is_critical=True,
    ),
    Alert(
        "GraphBuildNotFresh",
        f"{_FRESHNESS} > {FRESHNESS_OBJECTIVE_S}",
        "10m",
        "Records of the tenant {{ $labels.client_id }} are {{ $value | humanizeDuration }} old when they are in the graph.",
        "If all tenants are late, look at the lag, the write time and the memory on the dashboard: a backlog is being read, or Neo4j is "
        "slow. If one tenant is late, look at its rejects and at who holds its lock; a producer whose clock is behind looks the same.",
    ),
    Alert(
        "GraphBuildLagGrows",
        "sum by (job) (deriv(graph_lag_offsets[30m])) > 0 and sum by (job) (graph_lag_offsets) > 100000",
        "30m",
        "graph-build reads more slowly than records arrive: {{ $value }} offsets a second.",
        "Look at the write time on the dashboard. If it is near one second a second, Neo4j limits: give it page cache and CPU. Otherwise "
        "the job does: give it CPU, or use Flink.",
    ),
    Alert(
        "GraphBuildFaults",
        "sum by (job) (increase(graph_faults_total[15m])) > 3",
        "0m",
        "Infrastructure faults end the micro-batches of graph-build again and again.",
        "Each fault is one line of the log that names the server and the remedy. The job waits longer after each, and nothing is lost.",
    ),
    Alert(
        "GraphBuildOffsetsLost",
        _rose("graph_gaps_total", "job, topic"),
        "0m",
        "Kafka deleted records of {{ $labels.topic }} before graph-build read them.",
        "The dead letters `offsets_lost` name the offsets. Lengthen the topic's retention. Then restart this project's agents, which "
        "report everything anew (older agents do so at their interval), or run "
        "`python -m pipelines.backfill` from the archive.",
        is_critical=True,
    ),
    Alert(
        "GraphBuildPartitionLeftOut",
        "max by (job, topic, partition, cause) (graph_partitions_set_aside) > 0",
        "5m",
        "{{ $labels.topic }}[{{ $labels.partition }}] cannot be read ({{ $labels.cause }}).",
        "See the table of causes in [When it stops](#when-it-stops). All other partitions are read.",
    ),
    Alert(
        "GraphBuildHeldBack",
        "max by (job, topic, partition) (graph_held_back_offsets) > 0",
        "15m",
        "A transaction that does not end hides {{ $value }} offsets of {{ $labels.topic }}[{{ $labels.partition }}].",
        "Find the producer with `kafka-transactions.sh find-hanging` and end its transaction with `abort`. Tenants whose records are "
        "hidden do not become STALE meanwhile.",
    ),
    Alert(
        "GraphBuildTenantQuarantined",
        "max by (job) (graph_quarantined_tenants) > 0",
        "1m",
        "{{ $value }} tenants are in quarantine; their records become dead letters.",
        "See [A quarantined tenant](#a-quarantined-tenant). Release it before the retention of the dead letters ends.",
    ),
    Alert(
        "GraphBuildIncidentOpened",
        _NEW_INCIDENT,
        "0m",
        "Something new is wrong in the cluster of {{ $labels.client_id }}: {{ $labels.kind }}.",
        "`python -m pipelines.incidents list --client_id …` names the cause; `show` explains it with its evidence. See "
        "[Incidents and causes](causes.md). `incidents notify` pages once for each incident, with the explanation; "
        "this rule is for who has only Prometheus.",
    ),
    Alert(
        "GraphBuildAnalysesFail",
        _rose('graph_incident_analyses_total{result="failed"}', "job, client_id"),
        "0m",
        "The incidents of {{ $labels.client_id }} are not up to date.",
        "The log line `incidents not brought up to date` names the cause. The graph itself is complete. "
        "The tenant's next change tries again.",
    ),
    Alert(
        "GraphBuildRejects",
        "sum by (job, client_id) (rate(graph_rejects_total[15m])) / sum by (job, client_id) (rate(graph_records_total[15m])) > 0.05",
        "15m",
        "{{ $value | humanizePercentage }} of the records of {{ $labels.client_id }} are rejected.",
        "`python -m pipelines.deadletters list --client_id …` shows the reasons, `show` one record. "
        "Mend the producer; [Dead letters](#dead-letters) says when to replay.",
    ),
    Alert(
        "GraphBuildDefect",
        _rose("graph_internal_faults_total", "job, step"),
        "0m",
        "graph-build met a defect of its own in the step {{ $labels.step }}.",
        "See [A defect of the job at one record](#a-defect-of-the-job-at-one-record). Report the log lines; they hold no values.",
    ),
    Alert(
        "GraphBuildJobRestarts",
        "max by (job) (delta(graph_job_restarts[15m])) > 2",
        "0m",
        "The Flink job began again {{ $value }} times in 15 minutes.",
        "`scripts/flink status`, or Flink's web UI, shows the last cause. See [On Flink](flink.md).",
    ),
    Alert(
        "GraphBuildCheckpointOld",
        "time() - max by (job) (graph_last_checkpoint_timestamp_seconds > 0) > 900",
        "5m",
        "The Flink job completed no checkpoint for {{ $value | humanizeDuration }}.",
        "After a failure the job repeats everything since its last checkpoint. Look at the storage of the checkpoints, and at steps under "
        "back pressure.",
    ),
)
