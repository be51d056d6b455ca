"""A run's resources and what it does with them: the store, the group's offsets, the lease, the dead letters."""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import structlog

from pipelines.job.late_analysis import LateAnalysis
from pipelines.job.liveness_check import hidden_topics, judge_tenants
from pipelines.settings import RunSettings
from runners.direct import check_java_side
from runners.loops.bounded import BoundedRun, RunObserver, RunTotals
from runners.loops.stop import StopSignals
from runners.observe.faster_reader import FasterReader
from runners.observe.metrics import Monitor
from runners.observe.missing_topics import MissingTopics
from runners.observe.quarantine_warning import QuarantineWatch
from runners.observe.unreadable_partitions import OutOfReach
from transforms.io.dead_letters.sinks import LetterSink, process_sink
from transforms.io.graph_admin.group_progress import GroupProgressStore
from transforms.io.graph_admin.lease import HeldElsewhere, Lease
from transforms.io.graph_admin.lease_holder import readable_holder
from transforms.io.kafka.offsets import HeldBack, KafkaOffsets, OffsetGap, OffsetRange, PartitionFault
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.planning.scheduling.slices import CONNECTOR_RECORDS, MOST_RECORDS, SlicePacer, SliceSize
from transforms.records.tenancy.routes import route_of, topics_to_read
from transforms.records.topic_names import REGISTRY, TOPIC_NAMES
from transforms.steps.readers import BEAM

_LOG = structlog.get_logger("run")

RunSlice = Callable[[list[OffsetRange], SliceSize], Any]


class Job:
    """Runs slices of the flow, with a commit after each, while it holds the group's lease.

    run_slice: runs the flow over a prefix of the ranges. waits: for topics that do not exist yet.
    Open it as a context; it closes what it opened.
    """

    def __init__(
        self, settings: RunSettings, run_slice: RunSlice, stop: StopSignals, monitor: Monitor | None = None, *, waits: bool = False
    ) -> None:
        self._settings = settings
        self._run_slice = run_slice
        self._stop = stop
        self._monitor = monitor
        most = CONNECTOR_RECORDS if settings.reader == BEAM else MOST_RECORDS
        self._pacer = SlicePacer(settings.slice_bytes, settings.slice_s, most)
        self._store = Neo4jGraphStore(settings.flow.neo4j)
        self._offsets: KafkaOffsets | None = None
        self._wanted: Lease | None = None
        self._lease: Lease | None = None
        self._is_migrated = False
        held = monitor.quarantined if monitor else None
        self._held = QuarantineWatch(self._store, settings.flow.kafka, settings.flow.letters, held)
        self._out_of_reach = OutOfReach(monitor)
        self._missing = MissingTopics(settings.flow.kafka.brokers, monitor, must_exist=settings.topics_are_named, waits=waits)
        self._kept: GroupProgressStore | None = None
        self._is_checked = False
        self._late = LateAnalysis(settings.flow, monitor)
        self._faster = (FasterReader(),) if settings.reader == BEAM else ()

    def __enter__(self) -> "Job":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._lease is not None:
            self._late.run()
        if self._kept is not None and self._offsets is not None:
            self._kept.keep(self._offsets.stands.all())
        if self._lease is not None:
            self._lease.release()
        if self._offsets is not None:
            self._offsets.close()
        self._store.close()

    def run_once(self, totals: RunTotals, *observers: RunObserver) -> None:
        """Take in what the topics hold now; adds to the totals, also where a fault ends it halfway."""
        offsets = self._prepared()
        if offsets is None:
            totals.stopped = True
            return
        every = (*observers, *self._faster, *([self._monitor] if self._monitor else []))
        run = BoundedRun(offsets, self._slice, self._pacer, self, every, goes_first=self._is_registry)
        run.whole_topics = self._settings.reader == BEAM
        self._out_of_reach.begin()
        try:
            run.run(self._topics(offsets))
        finally:
            totals.add(run.totals)
        self._out_of_reach.end()
        totals.counts.update(self._late.run())
        if self._kept is not None and self._kept.is_due:
            self._kept.keep(offsets.stands.all())
        if run.totals.read and not run.totals.stopped:
            # All that was there has been read, but for what nobody is given to read.
            hidden = hidden_topics(run.totals.left_out, run.totals.held_back, self._settings.flow.limits)
            totals.transitions += judge_tenants(self._settings.flow, self._monitor, hidden)
        self._held.look()

    def _topics(self, offsets: KafkaOffsets) -> Iterable[str]:
        """The topics that are named, and those of clusters that are there now; what is missing of them is told."""
        named, flow, there = self._settings.topics, self._settings.flow, offsets.topics()
        found = topics_to_read(named, there, flow.patterns, flow.letters.topic)
        self._missing.look(found, there)
        return found

    def _is_registry(self, topic: str) -> bool:
        """Registrations first: they decide whose other records are."""
        return route_of(topic, self._settings.flow.patterns, TOPIC_NAMES).topic == REGISTRY

    def attempt(self) -> HeldElsewhere | None:
        """Take the group's lease where it can be taken; None once this run holds it, otherwise who does."""
        lease = self._candidate()
        held = lease.attempt()
        if held is None:
            self._holds(lease)
        return held

    def give_back(self) -> None:
        """Give the lease back at once, whatever is still at work here; nothing is committed without it."""
        if self._lease is not None:
            self._lease.release()

    def _candidate(self) -> Lease:
        if self._wanted is None:
            # Constraints and indexes do no harm beside a run of an older version; what changes the graph waits for the lease.
            self._store.create_schema()
            self._wanted = Lease(self._store, self._settings.flow.kafka.group, self._settings.lease_s)
        return self._wanted

    def _holds(self, lease: Lease) -> None:
        self._lease = lease
        if self._monitor:
            self._monitor.at_work()
        if lease.left_by:
            _LOG.warning("the run before did not end by itself; the first slices are small", holder=readable_holder(lease.left_by))
            self._pacer.begin_small()
            self._late.expect_all()

    def _prepared(self) -> KafkaOffsets | None:
        """Schema, lease and offsets; what did not come to be in one try does in the next. None: told to stop waiting."""
        if self._lease is None:
            lease = self._candidate()
            if not lease.acquire(self._stop.wait):
                return None
            self._holds(lease)
        assert self._lease is not None
        if not self._is_migrated:
            self._store.migrate()
            self._is_migrated = True
        if self._offsets is None:
            self._kept = GroupProgressStore(self._store, self._settings.flow.kafka.group, self._lease.holder)
            self._offsets = KafkaOffsets(self._settings.flow.kafka, fenced=True)
            self._offsets.stands.remember(*self._kept.read())
        return self._offsets

    def _slice(self, ranges: list[OffsetRange], size: SliceSize) -> Any:
        if not self._is_checked:
            if self._settings.reader == BEAM:
                check_java_side(self._settings.expansion_service)
            self._dead_letters()
            self._is_checked = True
        return self._run_slice(ranges, size)

    def _dead_letters(self) -> LetterSink:
        return process_sink(self._settings.flow.kafka, self._settings.flow.letters)

    # What the run asks

    def on_gap(self, gap: OffsetGap) -> None:
        letters = self._dead_letters()
        letters.send_gap(gap)
        letters.flush()
        if self._monitor:
            self._monitor.lost(gap)

    def on_aside(self, fault: PartitionFault) -> None:
        self._out_of_reach.aside(fault)

    def on_held_back(self, held: tuple[HeldBack, ...]) -> None:
        self._out_of_reach.held_back(held)

    def before_commit(self) -> None:
        if self._lease is not None:
            self._lease.check()

    def should_stop(self) -> bool:
        return self._stop.asked()
