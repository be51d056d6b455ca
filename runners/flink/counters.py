"""The flow's own counters as Flink shows them: sums over subtasks, by namespace and name.

Flink's names begin with the operator's, which Beam makes of the steps fused in it and Flink cuts and cleans; what follows the
last dot is the counter's own, whose dots `steps/metrics.py` avoids. Counters begin anew where an operator does.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import re2

from runners.flink.rest import FlinkRest
from transforms.io.kafka.offsets import OffsetGap
from transforms.records.outcomes import Outcome, Tally
from transforms.steps.metrics import BYTES, GAP, INTERNAL, OUTCOMES, READ, REASON, RESTORED, SET_ASIDE, UNAVAILABLE, WRITE, gap_of, parts_of

# The longer ones first: one name may begin with another.
_NAMESPACES: Final = (*sorted(OUTCOMES, reverse=True), REASON, READ, BYTES, WRITE, SET_ASIDE, RESTORED, UNAVAILABLE, INTERNAL, GAP)
_DISTRIBUTION: Final = re2.compile(r"DistributionResult\{sum=(-?\d+), count=(\d+), min=(-?\d+), max=(-?\d+)\}")
LATENCY: Final = "batch_ms"

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
    def outcomes(self) -> Tally:
        found = Tally()
        for namespace in OUTCOMES:
            for name, number in self._of(namespace):
                client_id, outcome = parts_of(name)
                found[client_id, Outcome(outcome)] += number
        return found

    @property
    def reasons(self) -> dict[tuple[str, str], int]:
        """Rejected records by tenant and reason."""
        return {parts_of(name): number for name, number in self._of(REASON)}

    @property
    def internal(self) -> dict[str, int]:
        """Exceptions nobody foresaw, by step."""
        return dict(self._of(INTERNAL))

    @property
    def gaps(self) -> list[OffsetGap]:
        """Offsets that Kafka deleted before they were read."""
        return [gap_of(name) for name, number in self._of(GAP) if number > 0]

    @property
    def read(self) -> int:
        return sum(number for _, number in self._of(READ))

    @property
    def size_bytes(self) -> int:
        return sum(number for _, number in self._of(BYTES))

    @property
    def rows(self) -> int:
        return self.counters.get((WRITE, "rows"), 0)

    @property
    def write_s(self) -> float:
        return self.counters.get((WRITE, "us"), 0) / 1e6

    def _of(self, namespace: str) -> Iterable[tuple[str, int]]:
        return [(name, number) for (found, name), number in self.counters.items() if found == namespace]


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
        latencies = [metric for metric, name in own.items() if name == (WRITE, LATENCY)]
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
