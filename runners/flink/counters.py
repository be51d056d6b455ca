"""The flow's own counters as Flink shows them: sums over subtasks, by namespace and name.

Flink's names begin with the operator's, which Beam makes of the steps fused in it and Flink cuts and cleans; what follows the
last dot is the counter's own, whose dots `steps/metrics.py` avoids. Counters begin anew where an operator does.
"""

from typing import Final, NamedTuple

import re2

from runners.flink.rest import FlinkRest
from transforms.model.metrics import BATCH_MS, COUNTS
from transforms.records.counts import Counts, counts_of

# The longer ones first: one name may begin with another.
_NAMESPACES: Final = sorted({one for what in COUNTS for one in (what.namespace, *what.also)}, reverse=True)
_DISTRIBUTION: Final = re2.compile(r"DistributionResult\{sum=(-?\d+), count=(\d+), min=(-?\d+), max=(-?\d+)\}")

Counters = dict[tuple[str, str], int]


class Latency(NamedTuple):
    """Transactions of the write step: how many, and what they took in milliseconds."""

    number: int = 0
    sum_ms: int = 0
    max_ms: int = 0

    def plus(self, other: "Latency") -> "Latency":
        return Latency(self.number + other.number, self.sum_ms + other.sum_ms, max(self.max_ms, other.max_ms))


class JobCounters(NamedTuple):
    """What the counters of a job say."""

    counters: Counters
    latency: Latency

    @property
    def counts(self) -> Counts:
        """The declared counts, whichever step counted them."""
        return counts_of((*name, number) for name, number in self.counters.items())


def own_name(metric: str) -> tuple[str, str] | None:
    """Namespace and name of a metric of ours; None for one of Flink's or Beam's."""
    last = metric.rpartition(".")[2]
    for namespace in _NAMESPACES:
        if last.startswith(f"{namespace}_"):
            return namespace, last[len(namespace) + 1 :]
    return None


def read_counters(rest: FlinkRest, job: str) -> JobCounters:
    """All counters of a job, as of at most 10 s ago. All faults are InfrastructureFault."""
    counters: Counters = {}
    latency = Latency()
    for vertex in rest.vertices(job):
        own = {metric: name for metric in rest.metric_names(job, vertex.id) if (name := own_name(metric))}
        latencies = [metric for metric, name in own.items() if name == BATCH_MS]
        sums = rest.vertex_metrics(job, vertex.id, [metric for metric in own if metric not in latencies])
        for metric, number in sums.items():
            counters[own[metric]] = counters.get(own[metric], 0) + int(number)
        for text in (text for metric in latencies for text in rest.subtask_metric(job, vertex, metric)):
            latency = latency.plus(_latency(text))
    return JobCounters(counters, latency)


def _latency(text: str) -> Latency:
    found = _DISTRIBUTION.fullmatch(text)
    if found is None or found[2] == "0":
        return Latency()
    total, count, _, most = map(int, found.groups())
    return Latency(count, total, most)
