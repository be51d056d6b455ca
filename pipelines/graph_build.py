"""The main job: Kubernetes state, events and failures in logs of many clusters, from Kafka into one graph per cluster.

`python -m pipelines.graph_build --runner=DirectRunner` takes in what is there and exits. With `--follow` it goes on in
micro-batches until SIGTERM. `--runner=FlinkRunner` submits the same flow as a streaming job, or takes up the one that runs, and watches it
until SIGTERM, which leaves the job running.

Exit codes: 0 when all of it was taken in, or when --follow or the watch was told to stop; 1 when the run had to stop (one
sentence says why); 2 for a wrong flag or setting; 3 when all was taken in but partitions that cannot be read (the summary names them).

Examples:

  python -m pipelines.graph_build --runner=DirectRunner

  CLIENT_ID=af-10 python -m pipelines.graph_build --json

  python -m pipelines.graph_build --follow --every_s 10 --metrics_port 9464

  python -m pipelines.graph_build --runner=FlinkRunner --flink_master=127.0.0.1:8081
"""

import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

import apache_beam as beam
import typer

from pipelines.command import faults_told
from pipelines.job import Job
from pipelines.logs import configure_logs
from pipelines.on_runner import run_pipeline_on
from pipelines.options.archive import ArchiveOptions
from pipelines.options.failures import FailureOptions
from pipelines.options.flink import FlinkOptions
from pipelines.options.flow import Json, LogLevel, TenantOptions, WriteOptions, log_level
from pipelines.options.grouped import grouped
from pipelines.options.kafka import KafkaOptions, TopicOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.registry import RegistryOptions
from pipelines.options.run import DIRECT, FollowOptions, RunOptions
from pipelines.options.stream import StreamOptions
from pipelines.options.tenants import AdmissionOptions, LivenessOptions, RouteOptions
from pipelines.report import ProgressBar, print_summary, run_summary
from pipelines.settings import FlowSettings, RunSettings, flow_settings
from pipelines.taken import Taken
from runners.bounded import RunTotals
from runners.direct import RunPipeline, run_pipeline, spare_the_collector
from runners.follow import Follow
from runners.monitor import Monitor, MonitorServer
from runners.settled import run_settled
from runners.stop import StopSignals
from transforms.io.kafka_offsets import OffsetRange
from transforms.planning.slices import SliceSize
from transforms.steps.archive import ArchiveRecords, AwaitArchived
from transforms.steps.carry_out import CarryOutCommands
from transforms.steps.commit_offsets import COMMIT_EVERY_S, CommitOffsets
from transforms.steps.decode import DecodeRecords, WireSettings
from transforms.steps.fold import FoldMutations
from transforms.steps.group import WindowByArrival
from transforms.steps.key_by_tenant import KeyByTenant
from transforms.steps.plan import PlanBatches
from transforms.steps.read import ReadRecords
from transforms.steps.read_stream import ReadStream
from transforms.steps.readers import BEAM
from transforms.steps.reject import WriteDeadLetters
from transforms.steps.resolve_tenants import ResolveTenants
from transforms.steps.set_aside import RejectSetAside
from transforms.steps.tell_gaps import TellGaps
from transforms.steps.write import WriteGraph
from transforms.steps.write_signs import WriteSigns

# The exit code of a run that took in all but what cannot be read.
LEFT_OUT: Final = 3
_SHOWN: Final = 5


def build(pipeline: beam.Pipeline, ranges: list[OffsetRange], size: SliceSize, settings: RunSettings) -> None:
    """The flow, one step a line."""
    flow = settings.flow
    records = pipeline | "ReadRecords" >> ReadRecords(settings.reader, flow.kafka, ranges, size, settings.expansion_service)
    taken = into_graph(records, flow)
    taken.rejects | "WriteDeadLetters" >> WriteDeadLetters(flow.kafka, flow.letters)


def build_stream(pipeline: beam.Pipeline, topics: list[str], settings: RunSettings) -> None:
    """The same flow without an end; offsets are committed behind it, for whoever watches the lag."""
    flow = settings.flow
    records = pipeline | "ReadRecords" >> ReadStream(flow.kafka, topics, settings.expansion_service)
    taken = into_graph(records.main, flow)
    letters = taken.rejects | "WriteDeadLetters" >> WriteDeadLetters(flow.kafka, flow.letters)
    gaps = records.gaps | "TellGaps" >> TellGaps(flow.kafka, flow.letters)
    (records.positions, *taken.done, letters, gaps) | "CommitOffsets" >> CommitOffsets(flow.kafka, COMMIT_EVERY_S)


def into_graph(records: beam.PCollection[Any], flow: FlowSettings) -> Taken:
    """The flow from Decode on, whoever read the records."""
    streams = flow.window is not None
    wire = WireSettings(flow.legacy_topics, flow.patterns, flow.failure_patterns, flow.registry)
    decoded = records | "DecodeRecords" >> DecodeRecords(flow.tenants.client_id, wire)
    owned = decoded | "ResolveTenants" >> ResolveTenants(flow.tenants, flow.neo4j, keeps=bool(flow.archive))
    carried = owned.commands | "CarryOutCommands" >> CarryOutCommands(flow.neo4j, flow.writes.limits())
    unheard = owned.signs | "WriteSigns" >> WriteSigns(flow.neo4j, flow.limits, live=flow.live)
    heeded = owned.main | "RejectSetAside" >> RejectSetAside(flow.neo4j, flow.writes.limits(), released=flow.released)
    keyed = heeded.main | "KeyByTenant" >> KeyByTenant(flow.writes.shards, keeps=streams)
    grouped = keyed.main | "WindowByArrival" >> WindowByArrival(flow.window) | "GroupByTenant" >> beam.GroupByKey()
    folded = grouped | "FoldMutations" >> FoldMutations(keeps=streams)
    batches = folded.main | "PlanBatches" >> PlanBatches(flow.writes.batch_rows, flow.writes.batch_bytes)
    written = batches.main | "WriteGraph" >> WriteGraph(flow.neo4j, flow.writes.writing(streams=streams))
    faulty = (owned.rejects, unheard, heeded.rejects, keyed.rejects, folded.rejects, batches.rejects, written.rejects)
    rejects = faulty | "Rejects" >> beam.Flatten()
    archived = (_archive(owned.taken, written.main, flow, wire),) if flow.archive else ()
    return Taken(rejects, (written.main, carried, *archived))


def _archive(taken: beam.PCollection[Any], written: beam.PCollection[Any], flow: FlowSettings, wire: WireSettings) -> beam.PCollection[Any]:
    archived = taken | "ArchiveRecords" >> ArchiveRecords(flow.archive, flow.tenants.client_id, wire, waits=not flow.in_one_process)
    return (archived, written) | "AwaitArchived" >> AwaitArchived(flow.archive) if flow.in_one_process else archived


def run(settings: RunSettings, follow: FollowOptions, run_one: RunPipeline = run_pipeline) -> RunTotals:
    """Take in what the topics hold, in slices, with a commit after each; once, or until asked to stop.

    run_one: runs the pipeline of a slice.
    """

    def run_slice(ranges: list[OffsetRange], size: SliceSize) -> Any:
        return run_settled(lambda: run_one(lambda pipeline: build(pipeline, ranges, size, settings), settings.flow.kafka))

    spare_the_collector()
    with ExitStack() as held:
        stop = held.enter_context(StopSignals())
        monitor = Monitor(follow.healthy_for_s())
        if follow.metrics_port:
            held.enter_context(MonitorServer(monitor, follow.metrics_host, follow.metrics_port))
        job = held.enter_context(Job(settings, run_slice, stop, monitor))
        if follow.follow:
            return Follow(job.run_once, follow.every_s, follow.max_faults, stop, monitor).run()
        totals = RunTotals()
        job.run_once(totals, held.enter_context(ProgressBar()))
        return totals


app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(help=__doc__)
@grouped
def main(
    run_options: RunOptions,
    follow: FollowOptions,
    kafka: KafkaOptions,
    topics: TopicOptions,
    neo4j: Neo4jOptions,
    registry: RegistryOptions,
    tenants: TenantOptions,
    routes: RouteOptions,
    admission: AdmissionOptions,
    liveness: LivenessOptions,
    failures: FailureOptions,
    writes: WriteOptions,
    flink: FlinkOptions,
    stream: StreamOptions,
    archive: ArchiveOptions,
    json: Json = False,
    level: LogLevel = "INFO",
) -> None:
    configure_logs(log_level(level))
    streams = run_options.streams(bounded=stream.bounded)
    follow.check(streams=streams)
    reader = BEAM if streams else run_options.reader(follow=follow.follow)
    rules = admission.rules(tenants.client_id)
    flow = flow_settings(kafka.target(), neo4j.target(), topics.letters(), rules, routes, writes, failures, registry)
    settings = RunSettings(
        flow=replace(
            flow,
            limits=liveness.limits(),
            archive=archive.root(),
            window=stream.window() if streams else None,
            in_one_process=run_options.runner == DIRECT,
        ),
        topics=topics.topic_names(),
        reader=reader,
        expansion_service=topics.expansion_address() if reader == BEAM and not streams else "",
        slice_bytes=run_options.slice_bytes,
        slice_s=run_options.seconds_of_slice(),
        lease_s=run_options.lease_s,
    )
    started = time.monotonic()
    if streams:
        from pipelines.stream import Watching, watch_stream  # noqa: PLC0415 - it imports this module's flow

        with faults_told("Interrupted; the job goes on: run the same command to watch it again."):
            totals = watch_stream(
                settings,
                stream.on(flink.settings(run_options.runner)),
                Watching(stream.discovery_every_s, follow.max_faults, stream.detach),
                follow,
            )
        print_summary(run_summary(totals, time.monotonic() - started), as_json=json)
        return
    with faults_told("Interrupted; nothing after the last committed offsets counts as done: run again to go on."):
        totals = run(settings, follow, run_pipeline_on(run_options.runner, flink, "graph-build-slice"))
    print_summary(run_summary(totals, time.monotonic() - started), as_json=json)
    if totals.left_out and not follow.follow:
        left_out = ", ".join(f"{one.topic}[{one.partition}]" for one in totals.left_out[:_SHOWN])
        more = f" and {len(totals.left_out) - _SHOWN} more" if len(totals.left_out) > _SHOWN else ""
        typer.echo(f"Left out, since they cannot be read: {left_out}{more}; the log says why. All else was taken in.", err=True)
        sys.exit(LEFT_OUT)
    if totals.stopped and not follow.follow:
        typer.echo("Stopped as asked, before all was taken in; what is told above is committed: run again to go on.", err=True)
        sys.exit(1)


if __name__ == "__main__":
    app()
