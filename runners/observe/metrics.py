"""What a supervisor asks of a running job: its metrics, whether it is well, and whether it is at work or stands by."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from runners.loops.bounded import SliceReport
from transforms.io import pulse
from transforms.io.kafka.offsets import HeldBack, OffsetGap, PartitionFault, Place
from transforms.model.graph import TENANT_KEY
from transforms.model.metrics import (
    ACTIVE,
    ASIDE,
    BUILD_INFO,
    FAULTS,
    GAPS_MET,
    HELD_BACK,
    LAG,
    LAST_COMMIT,
    LOST,
    METRICS,
    OPEN_INCIDENTS,
    QUARANTINED_TENANTS,
    SLICE_SECONDS,
    TENANTS,
    TOPICS_MISSING,
    TRANSITIONS,
    Metric,
    MetricType,
)
from transforms.planning.lifecycle.liveness import State
from transforms.records.counts import Counts
from transforms.records.outcomes import NO_TENANT
from transforms.records.redaction.text import redact_tokens

_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)
# With series of their own; each has a dozen, which stay for the life of the process.
MOST_TENANTS: Final = 5_000


class Monitor:
    """The run's metrics and its health; observes runs and cycles.

    stale_s: unhealthy when no slice and no micro-batch went through for so many seconds, and within the slice at work no tenant
    was got on with either. progress: of tenants. streams: with the metrics of a streaming job, too.
    """

    def __init__(self, stale_s: float, progress: pulse.Pulse = pulse.PROCESS, *, streams: bool = False) -> None:
        self._stale_s = stale_s
        self._progress = progress
        self._last_done = time.monotonic()
        self._fault = ""
        # Who is at work instead of this run; None before it is known whether anybody is.
        self._active: str | None = None
        self._known: set[Place] = set()
        self._tenants_shown = {NO_TENANT}
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._metrics = {metric: _made(metric, self.registry) for metric in METRICS if streams or not metric.stream}
        self._shown_aside: dict[Place, str] = {}
        self._shown_held: set[Place] = set()
        self._incidents_shown: set[tuple[str, str]] = set()

    # What runs tell

    def built(self, version: str, beam: str, reader: str) -> None:
        """These versions run, with that reader."""
        self._metrics[BUILD_INFO].labels(version, beam, reader).set(1)

    def topics_missing(self, number: int) -> None:
        """So many of the topics to read do not exist."""
        self._metrics[TOPICS_MISSING].set(number)

    def planned(self, lag: dict[Place, int]) -> None:
        self._show_lag(lag)

    def committed(self, slice_: SliceReport) -> None:
        self.counted(slice_.counts)
        self._metrics[SLICE_SECONDS].observe(slice_.seconds)
        self._metrics[LAST_COMMIT].set_to_current_time()
        self._show_lag(slice_.lag)
        # A backlog may take one micro-batch hours; what commits slices is well.
        self.cycle_done()

    def counted(self, counts: Counts) -> None:
        """Steps counted so much more: every metric of a count goes up by it."""
        for metric, shown in self._metrics.items():
            for labels, number in counts.of(metric.of).items() if metric.of else ():
                values = [self._shown(one) if name == TENANT_KEY else one for name, one in zip(metric.labels, labels, strict=True)]
                (shown.labels(*values) if values else shown).inc(metric.of.scaled(number) if metric.of else 0)

    def _shown(self, client_id: str) -> str:
        """The tenant's own label, for the first `MOST_TENANTS`; the others are counted together."""
        if len(self._tenants_shown) < MOST_TENANTS:
            self._tenants_shown.add(client_id)
        return redact_tokens(client_id) if client_id in self._tenants_shown else NO_TENANT

    def _show_lag(self, lag: dict[Place, int]) -> None:
        """A partition once seen stays: nothing left there is a 0, no series that ends."""
        self._known.update(lag)
        for topic, partition in self._known - self._shown_aside.keys():
            # Of one that cannot be read nobody knows how much is left: it stays at what was last known.
            self._metrics[LAG].labels(topic, partition).set(lag.get((topic, partition), 0))

    def lost(self, gap: OffsetGap) -> None:
        self._metrics[GAPS_MET].labels(gap.topic, gap.partition).inc()
        self._metrics[LOST].labels(gap.topic, gap.partition).inc(gap.end - gap.start)

    def aside(self, faults: Iterable[PartitionFault]) -> None:
        """These partitions, and no others, cannot be read now."""
        now = {fault.place: fault.cause for fault in faults}
        for place, cause in self._shown_aside.items() - now.items():
            self._metrics[ASIDE].labels(*place, cause).set(0)
        for place, cause in now.items():
            self._metrics[ASIDE].labels(*place, cause).set(1)
        self._shown_aside = now

    def held_back(self, held: Iterable[HeldBack]) -> None:
        """Open transactions hide these offsets, and no others."""
        now = {one.place: one.offsets for one in held}
        self._shown_held.update(now)
        for topic, partition in self._shown_held:
            self._metrics[HELD_BACK].labels(topic, partition).set(now.get((topic, partition), 0))

    def turned(self, state: State) -> None:
        """A tenant came into the state."""
        self._metrics[TRANSITIONS].labels(state.value).inc()

    def tenants(self, states: Mapping[State, int]) -> None:
        """There are so many tenants in each state."""
        for state in State:
            self._metrics[TENANTS].labels(state.value).set(states.get(state, 0))

    def incidents(self, number_of: Mapping[tuple[str, str], int]) -> None:
        """So many incidents of each (tenant, kind) are open, and no others; a series once shown goes on with 0."""
        shown: dict[tuple[str, str], int] = dict.fromkeys(self._incidents_shown, 0)
        for (client_id, kind), number in number_of.items():
            labels = (self._shown(client_id), kind)
            shown[labels] = shown.get(labels, 0) + number
        for labels, number in shown.items():
            self._metrics[OPEN_INCIDENTS].labels(*labels).set(number)
        self._incidents_shown = set(shown)

    def standing_by(self, host: str) -> None:
        """Another run, on that host, is at work, and this one waits for its end."""
        self._active = host or "another run"
        self._metrics[ACTIVE].set(0)
        self.cycle_done()

    def at_work(self) -> None:
        """This run holds the lease of its consumer group."""
        self._active = ""
        self._metrics[ACTIVE].set(1)
        self.cycle_done()

    def quarantined(self, number: int) -> None:
        """So many tenants are in quarantine."""
        self._metrics[QUARANTINED_TENANTS].set(number)

    def cycle_done(self) -> None:
        self._last_done, self._fault = time.monotonic(), ""

    def cycle_failed(self, sentence: str) -> None:
        self._fault = sentence
        self._metrics[FAULTS].inc()

    def health(self) -> tuple[bool, str]:
        """Whether micro-batches go through, and a line that says why not."""
        # A tenant that is held up keeps the others' slice from its commit for a while; a fault that ended the slice counts as it is.
        last = self._last_done if self._fault else max(self._last_done, self._progress.at)
        quiet = time.monotonic() - last
        if quiet <= self._stale_s:
            standby = f"; standby, {self._active} is active" if self._active else ""
            return True, f"ok, {quiet:.0f} s since the last slice or micro-batch{standby}"
        return False, f"nothing went through for {quiet:.0f} s, more than {self._stale_s:.0f} s. {self._fault}".strip()

    def readiness(self) -> tuple[bool, str]:
        """Whether this run works, or could take over at any moment, and which of the two.

        A run that stands by is ready: otherwise a Deployment of two replicas would never be available.
        """
        is_well, said = self.health()
        if not is_well:
            return False, said
        if self._active is None:
            return False, "starting"
        return True, f"standby, {self._active} is active" if self._active else "active"


def _made(metric: Metric, registry: CollectorRegistry) -> Any:
    """The metric as declared, in the registry."""
    if metric.type is MetricType.HISTOGRAM:
        return Histogram(metric.name, metric.help, metric.labels, buckets=_SECONDS, registry=registry)
    return (Counter if metric.type is MetricType.COUNTER else Gauge)(metric.name, metric.help, metric.labels, registry=registry)
