"""What a scraper sees of a streaming job: the metrics of the other runs, and how the job itself is."""

from typing import Final

from runners.flink.counters import Latency
from runners.loops.watch import JobLook
from runners.observe.metrics import Monitor
from transforms.model.metrics import (
    BATCH_MAX,
    BATCH_SECONDS,
    BATCHES,
    CHECKPOINT_AT,
    CHECKPOINT_BYTES,
    CHECKPOINT_SECONDS,
    CHECKPOINTS_FAILED,
    JOB_RESTARTS,
    JOB_RUNNING,
)

_MS: Final = 1000.0


class StreamMonitor(Monitor):
    """Healthy while the job runs; stale_s: unhealthy when it has not been seen running for so many seconds."""

    def __init__(self, stale_s: float) -> None:
        super().__init__(stale_s, streams=True)

    def looked(self, look: JobLook) -> None:
        """Show the job as it is."""
        self._metrics[JOB_RUNNING].set(look.is_running)
        self._metrics[JOB_RESTARTS].set(look.restarts)
        if look.is_running:
            self.cycle_done()
        elif look.cause:
            self.cycle_failed(look.cause)
        if look.checkpoint:
            self._metrics[CHECKPOINT_AT].set(look.checkpoint.ended_ms / _MS)
            self._metrics[CHECKPOINT_SECONDS].set(look.checkpoint.took_ms / _MS)
            self._metrics[CHECKPOINT_BYTES].set(look.checkpoint.size_bytes)
            self._metrics[CHECKPOINTS_FAILED].set(look.checkpoint.failed)

    def batches(self, gained: Latency) -> None:
        """So many more transactions, and the longest of all."""
        self._metrics[BATCHES].inc(gained.number)
        self._metrics[BATCH_SECONDS].inc(gained.sum_ms / _MS)
        self._metrics[BATCH_MAX].set(gained.max_ms / _MS)
