"""The job without an end: submitted to Flink, and watched until told to stop watching."""

from contextlib import ExitStack, closing
from dataclasses import replace
from hashlib import sha256
from types import TracebackType
from typing import Final, NamedTuple

import structlog

from pipelines.flow import build, build_stream
from pipelines.job.liveness_check import hidden_topics, judge_tenants
from pipelines.job.start import installed_version
from pipelines.options.run import FollowOptions
from pipelines.settings import RunSettings
from runners.direct import run_pipeline
from runners.flink.job import FlinkJob
from runners.flink.preflight import require
from runners.flink.rest import FlinkRest
from runners.flink.settings import FlinkSettings
from runners.flink.submit import submit
from runners.loops.bounded import RunTotals
from runners.loops.stop import StopSignals
from runners.loops.watch import Watch
from runners.observe.missing_topics import MissingTopics
from runners.observe.monitor_server import MonitorServer
from runners.observe.quarantine_warning import QuarantineWatch
from runners.observe.stream_bus import KafkaBus
from runners.observe.stream_metrics import StreamMonitor
from runners.observe.stream_totals import StreamReport
from transforms.io.dead_letters.sinks import process_sink
from transforms.io.faults import InfrastructureFault
from transforms.io.graph_admin.lease import Lease
from transforms.io.kafka.offsets import KafkaOffsets, Place
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.planning.scheduling.slices import MOST_RECORDS, SliceSize
from transforms.records.tenancy.routes import route_of
from transforms.records.topic_names import REGISTRY, TOPIC_NAMES
from transforms.steps.metrics import reached_of
from transforms.steps.readers import BOUNDED

_LOG: Final = structlog.get_logger("stream")
GROUP_SUFFIX: Final = ".flink"
_REGISTRY_SLICE: Final = SliceSize(MOST_RECORDS, 64 * 1024 * 1024, 60)


class Watching(NamedTuple):
    """How a job is watched.

    discovery_s: seconds between two looks for new topics. max_faults: so many looks in a row that fail end the watch.
    detach: it is not watched at all.
    """

    discovery_s: float
    max_faults: int
    detach: bool


def watch_stream(settings: RunSettings, flink: FlinkSettings, how: Watching, follow: FollowOptions) -> RunTotals:
    """Submit the job or take it up, and watch it until asked to stop; what it took in meanwhile."""
    totals = RunTotals()
    with ExitStack() as held:
        stop = held.enter_context(StopSignals())
        monitor = StreamMonitor(follow.healthy_for_s())
        monitor.built(installed_version(), installed_version("apache-beam"), settings.reader)
        if follow.metrics_port:
            held.enter_context(MonitorServer(monitor, follow.metrics_host, follow.metrics_port))
        held.enter_context(StreamRun(settings, flink, stop, monitor)).run(totals, how)
    return totals


class StreamRun:
    """A streaming job's resources: the store, its group's offsets, the lease of whoever watches it. Open it as a context.

    settings: those of a run, with the batch runs' group; what this job commits goes to `<group>.flink`.
    """

    def __init__(self, settings: RunSettings, flink: FlinkSettings, stop: StopSignals, monitor: StreamMonitor) -> None:
        kafka = settings.flow.kafka
        self._batch = kafka
        self._flow = replace(settings.flow, kafka=replace(kafka, group=kafka.group + GROUP_SUFFIX))
        self._settings = replace(settings, flow=self._flow, expansion_service=flink.addresses.expansion)
        self._flink = flink
        self._stop = stop
        self._monitor = monitor
        self._rest = FlinkRest(flink.addresses.master)
        self._store = Neo4jGraphStore(self._flow.neo4j)
        self._offsets = KafkaOffsets(self._flow.kafka)
        self._lease: Lease | None = None
        self._bus = KafkaBus(self._offsets, self._settings.topics, self._flow.patterns, self._flow.letters.topic)
        brokers, named = self._flow.kafka.brokers, self._settings.topics_are_named
        self._missing = MissingTopics(brokers, monitor, must_exist=named, waits=True)
        self._held = QuarantineWatch(self._store, self._flow.kafka, self._flow.letters, monitor.quarantined)

    def __enter__(self) -> "StreamRun":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._lease is not None:
            self._lease.release()
        self._offsets.close()
        self._store.close()
        self._rest.close()

    def run(self, totals: RunTotals, how: Watching) -> None:
        """Take up the job of this group, or submit it where none runs, and watch it until asked to stop; the job goes on.

        Raises InfrastructureFault where it cannot be submitted, and where it has ended.
        """
        self._store.create_schema()
        lease = Lease(self._store, self._flow.kafka.group, self._settings.lease_s)
        if not lease.acquire(self._stop.wait):
            return
        self._lease = lease
        self._monitor.at_work()
        places = self._await_topics(how.discovery_s)
        job = self._running() if places else None
        if not places or (how.detach and job):
            return
        if job is None:
            require(self._flink, self._flow.kafka)
            process_sink(self._flow.kafka, self._flow.letters)
            job = self._submit(places)
        if not how.detach:
            self._watch(job, places, totals, how)

    def _watch(self, job: FlinkJob, places: list[Place], totals: RunTotals, how: Watching) -> None:
        report = StreamReport(totals, self._monitor, lambda: self._judge(totals))
        report.follow(job)

        def submit_again(new: list[Place]) -> FlinkJob:
            return report.follow(self._submit(new))

        watch = Watch(submit_again, self._bus, report, self._stop, discovery_s=how.discovery_s, max_faults=how.max_faults)
        # One that was begun for other partitions is to begin anew with those of now.
        watch.run(job, places if job.name == _job_name(self._flow.kafka.group, places) else [])

    def _await_topics(self, every_s: float) -> list[Place]:
        """The partitions to read, once there are any; none where asked to stop before."""
        while not (places := self._bus.places()):
            self._look_for_topics()
            if self._stop.wait(every_s):
                return []
        self._look_for_topics()
        return places

    def _look_for_topics(self) -> None:
        self._missing.look(self._bus.topics(), self._offsets.topics())

    def _running(self) -> FlinkJob | None:
        """The job of this group that runs already; InfrastructureFault where one does although it is to begin from a savepoint."""
        found = [one for one in self._rest.jobs() if one.name.startswith(f"{self._flow.kafka.group}-") and not one.ended]
        if not found:
            return None
        job = found[-1]
        if self._flink.savepoint:
            raise InfrastructureFault(
                f"Flink at {self._rest.address} runs {job.name} already ({job.id}); cancel that, then go on from the savepoint."
            )
        _LOG.info("taking up the watch", job=job.id, name=job.name)
        return FlinkJob(self._rest, job.id, job.name)

    def _submit(self, places: list[Place]) -> FlinkJob:
        """Submit the job for these partitions' topics; it begins behind what the graph holds, or at the savepoint, once."""
        # Now no job writes the graph, whatever version the one before had.
        self._store.migrate()
        self._begin_where_batch_runs_stand(places)
        self._take_in_registry()
        topics = sorted({topic for topic, _ in places})
        flink = replace(self._flink, job_name=_job_name(self._flow.kafka.group, places))
        job_id = submit(lambda pipeline: build_stream(pipeline, topics, self._settings), flink)
        self._flink = replace(self._flink, savepoint="")
        _LOG.info("job runs", job=job_id, name=flink.job_name, topics=len(topics), partitions=len(places))
        return FlinkJob(self._rest, job_id, flink.job_name)

    def _begin_where_batch_runs_stand(self, places: list[Place]) -> None:
        done = self._offsets.committed(places)
        new = [place for place in places if place not in done]
        with closing(KafkaOffsets(self._batch)) as batch:
            self._offsets.commit(batch.committed(new))

    def _take_in_registry(self) -> None:
        """Registrations first: they decide whose other records are. What is read here is read by the job again, to no effect."""
        flow = replace(self._flow, window=None, live=False)
        settings = replace(self._settings, flow=flow, reader=BOUNDED)
        topics = [topic for topic in self._bus.topics() if route_of(topic, flow.patterns, TOPIC_NAMES).topic == REGISTRY]
        ranges = self._offsets.held(topics)
        while ranges:
            result = run_pipeline(lambda pipeline, ranges=ranges: build(pipeline, ranges, _REGISTRY_SLICE, settings))  # type: ignore[misc]
            reached = reached_of(result)
            left = [one._replace(start=reached[one.place].position) for one in ranges if one.place in reached]
            ranges = [one for one in left if one.lag > 0]

    def _judge(self, totals: RunTotals) -> None:
        self._look_for_topics()
        plan = self._offsets.plan(self._bus.topics())
        self._monitor.aside(plan.aside)
        self._monitor.held_back(plan.held_back)
        totals.left_out, totals.held_back = list(plan.aside), list(plan.held_back)
        hidden = hidden_topics(plan.aside, plan.held_back, self._flow.limits)
        totals.transitions += judge_tenants(self._flow, self._monitor, hidden)
        self._held.look()


def _job_name(group: str, places: list[Place]) -> str:
    """The group, and a mark of what is read: whoever takes up the watch sees by it whether that is still all."""
    return f"{group}-{sha256(repr(sorted(places)).encode()).hexdigest()[:8]}"
