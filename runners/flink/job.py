"""A job on Flink as the watch sees it."""

from runners.flink.counters import JobCounters, read_counters
from runners.flink.rest import FlinkRest
from runners.loops.watch import CheckpointLook, JobLook


class FlinkJob:
    """One job of a cluster, by its id. All faults are InfrastructureFault."""

    def __init__(self, rest: FlinkRest, job_id: str, name: str) -> None:
        self._rest = rest
        self.id = job_id
        self.name = name

    def look(self) -> JobLook:
        job = self._rest.job(self.id)
        restarts = self._rest.restarts(self.id) if not job.ended else 0
        cause = self._rest.cause(self.id) if job.ended or restarts else ""
        return JobLook(job.state, job.works, job.ended, restarts, cause, self._checkpoint())

    def _checkpoint(self) -> CheckpointLook | None:
        found = self._rest.checkpoints(self.id)
        last = found.latest.completed
        return CheckpointLook(last.ended_ms, last.took_ms, last.size_bytes, found.counts.failed) if last else None

    def counters(self) -> JobCounters:
        """What its steps have counted since they began, as of at most 10 s ago."""
        return read_counters(self._rest, self.id)

    def cancel(self) -> None:
        """Return when nothing of it runs any more."""
        if not self._rest.job(self.id).ended:
            self._rest.cancel(self.id)
