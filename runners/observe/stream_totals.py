"""What a watched job comes to: totals for the table at the end, metrics for whoever scrapes them."""

from collections.abc import Callable, Mapping
from typing import Final

from runners.flink.counters import JobCounters, Latency
from runners.flink.job import FlinkJob
from runners.loops.bounded import RunTotals
from runners.loops.watch import JobLook
from runners.observe.stream_metrics import StreamMonitor
from transforms.io.kafka.offsets import Place
from transforms.model.metrics import READ
from transforms.steps.metrics import gaps_of

_NOTHING: Final = JobCounters({}, Latency())


class StreamReport:
    """Adds up a job's counters, which begin anew where the job does; observes the watch.

    judge: told when all that was there at an earlier look has been taken in.
    """

    def __init__(self, totals: RunTotals, monitor: StreamMonitor, judge: Callable[[], None]) -> None:
        self._totals = totals
        self._monitor = monitor
        self._read: Callable[[], JobCounters] = lambda: _NOTHING
        self._judge = judge
        self._before = _NOTHING

    def follow(self, job: FlinkJob) -> FlinkJob:
        """Report of this job from now on; its counters begin with it."""
        self._read, self._before = job.counters, _NOTHING
        return job

    def looked(self, look: JobLook) -> None:
        self._monitor.looked(look)
        if look.is_running:
            self._take_in(self._read())

    def _take_in(self, told: JobCounters) -> None:
        gained = grown(self._before, told)
        self._before = told
        counts = gained.counts
        self._totals.read += counts.total(READ)
        self._totals.counts.update(counts)
        self._monitor.counted(counts)
        self._monitor.batches(gained.latency)
        for gap in gaps_of(counts):
            self._totals.gaps.append(gap)
            self._monitor.lost(gap)

    def lagging(self, lag: Mapping[Place, int]) -> None:
        self._monitor.planned(dict(lag))

    def caught_up(self) -> None:
        self._judge()


def grown(before: JobCounters, now: JobCounters) -> JobCounters:
    """What was counted between two looks. A counter that is less than before began anew with its step."""
    counters = {
        name: number - (before.counters.get(name, 0) if number >= before.counters.get(name, 0) else 0)
        for name, number in now.counters.items()
    }
    was = before.latency if now.latency.number >= before.latency.number else Latency()
    latency = Latency(now.latency.number - was.number, now.latency.sum_ms - was.sum_ms, now.latency.max_ms)
    return JobCounters(counters, latency)
