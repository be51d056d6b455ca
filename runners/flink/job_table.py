"""What `scripts/flink status` says of each job."""

import datetime
from collections.abc import Iterator

from runners.flink.answers import Checkpoints, Job
from runners.flink.rest import FlinkRest


def job_rows(rest: FlinkRest) -> Iterator[tuple[str, ...]]:
    """One row a job, the oldest first: id, name, state, tasks, restarts, checkpoints, last checkpoint, last failure."""
    for job in rest.jobs():
        restarts = "-" if job.ended else str(rest.restarts(job.id))
        yield job_row(job, restarts, rest.checkpoints(job.id), rest.cause(job.id))


def job_row(job: Job, restarts: str, checkpoints: Checkpoints, cause: str) -> tuple[str, ...]:
    tasks = f"{job.tasks.running + job.tasks.finished} of {job.tasks.total}"
    counts = checkpoints.counts
    return (job.id, job.name, job.state, tasks, restarts, f"{counts.completed} done, {counts.failed} failed", _last(checkpoints), cause)


def _last(checkpoints: Checkpoints) -> str:
    last = checkpoints.latest.completed
    if last is None:
        return "-"
    at = datetime.datetime.fromtimestamp(last.ended_ms / 1000, datetime.UTC)
    return f"{last.id} at {at:%H:%M:%S} UTC, {last.size_bytes} bytes, {last.took_ms} ms"
