"""What a scraper sees of a streaming job: the metrics of the other runs, and how the job itself is."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import Counter, Gauge

from runners.flink.counters import Latency
from runners.loops.watch import JobLook
from runners.observe.metrics import Monitor
from transforms.records.outcomes import Tally

_MS: Final = 1000.0


class StreamMonitor(Monitor):
    """Healthy while the job runs; stale_s: unhealthy when it has not been seen running for so many seconds."""

    def __init__(self, stale_s: float) -> None:
        super().__init__(stale_s)
        named = self.registry
        self._running = Gauge("graph_job_running", "1 while every task of the job runs.", registry=named)
        self._restarts = Gauge("graph_job_restarts", "Times the job began again since it was submitted.", registry=named)
        self._batches = Counter("graph_batches", "Transactions of the write step.", registry=named)
        self._batch_s = Counter("graph_batch_seconds", "Seconds that they took, in all.", registry=named)
        self._batch_max = Gauge("graph_batch_max_seconds", "The longest since the step began.", registry=named)
        self._checkpoint_at = Gauge("graph_last_checkpoint_timestamp_seconds", "When a checkpoint was last completed.", registry=named)
        self._checkpoint_s = Gauge("graph_checkpoint_seconds", "Duration of the last checkpoint.", registry=named)
        self._checkpoint_bytes = Gauge("graph_checkpoint_bytes", "Size of the last checkpoint.", registry=named)
        self._checkpoints_failed = Gauge("graph_checkpoints_failed", "Checkpoints that were not completed.", registry=named)

    def looked(self, look: JobLook) -> None:
        """Show the job as it is."""
        self._running.set(look.is_running)
        self._restarts.set(look.restarts)
        if look.is_running:
            self.cycle_done()
        elif look.cause:
            self.cycle_failed(look.cause)
        if look.checkpoint:
            self._checkpoint_at.set(look.checkpoint.ended_ms / _MS)
            self._checkpoint_s.set(look.checkpoint.took_ms / _MS)
            self._checkpoint_bytes.set(look.checkpoint.size_bytes)
            self._checkpoints_failed.set(look.checkpoint.failed)

    def gained(self, outcomes: Tally, reasons: Mapping[tuple[str, str], int], size_bytes: int, internal: Mapping[str, int]) -> None:
        """So much more was taken in."""
        self._count(outcomes, reasons, size_bytes, internal)

    def batches(self, gained: Latency) -> None:
        """So many more transactions, and the longest of all."""
        self._batches.inc(gained.number)
        self._batch_s.inc(gained.sum_ms / _MS)
        self._batch_max.set(gained.max_ms / _MS)
