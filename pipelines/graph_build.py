"""The main job: Kubernetes state, events and failures in logs of many clusters, from Kafka into one graph per cluster.

`python -m pipelines.graph_build --runner=DirectRunner` takes in what is there and exits. With `--follow` it goes on in
micro-batches until SIGTERM. `--runner=FlinkRunner` submits the same flow as a streaming job, or takes up the one that runs, and watches it
until SIGTERM, which leaves the job running.

Exit codes: 0 when all of it was taken in, or when --follow or the watch was told to stop; 1 when the run had to stop (one
sentence says why); 2 for a wrong flag or setting; 3 when all was taken in but partitions that cannot be read (the summary names them).

Examples:

  python -m pipelines.graph_build --runner=DirectRunner

  SINGLE_TENANT=af-10 python -m pipelines.graph_build --json

  python -m pipelines.graph_build --follow --every_s 10 --metrics_port 9464

  python -m pipelines.graph_build --runner=FlinkRunner --flink_master=127.0.0.1:8081
"""

import sys
import time
from dataclasses import replace
from typing import Final

import typer

from pipelines.options.archive import ArchiveOptions
from pipelines.options.failures import FailureOptions
from pipelines.options.flatten import flatten_option_groups
from pipelines.options.flink import FlinkOptions
from pipelines.options.flow import Json, LogLevel, TenantOptions, WriteOptions, log_level
from pipelines.options.grouped_help import GroupedHelp
from pipelines.options.kafka import KafkaOptions, TopicOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.registry import RegistryOptions
from pipelines.options.run import DIRECT, FollowOptions, ReaderChoice, RunOptions
from pipelines.options.servers import origin
from pipelines.options.stream import StreamOptions
from pipelines.options.tenants import AdmissionOptions, LivenessOptions, RouteOptions
from pipelines.output.command import exit_on_fault
from pipelines.output.logs import configure_logs
from transforms.steps.readers import BEAM

# The exit code of a run that took in all but what cannot be read.
LEFT_OUT: Final = 3
_SHOWN: Final = 5


app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(help=__doc__, cls=GroupedHelp)
@flatten_option_groups
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
    logs_from = log_level(level)
    # What the flow needs takes long to import, drivers and Beam most of it, and `--help` and errors of use need none of it, nor logs.
    from pipelines.settings import RunSettings, flow_settings  # noqa: PLC0415

    streams = run_options.streams(bounded=stream.bounded)
    follow.check(streams=streams)
    chosen = ReaderChoice(BEAM, "on Flink") if streams else run_options.reader(follow=follow.follow, java_side=topics.java_side())
    rules = admission.rules(tenants.client_id)
    flow = flow_settings(kafka.target(), neo4j.target(), topics.letters(), rules, routes, writes, failures, registry)
    settings = RunSettings(
        flow=replace(
            flow,
            limits=liveness.limits(),
            archive=archive.root(),
            window=stream.window() if streams else None,
            in_one_process=run_options.runner == DIRECT,
            paced=run_options.runner == DIRECT,
        ),
        topics=topics.topic_names(),
        reader=chosen.reader,
        expansion_service=topics.expansion_address() if chosen.reader == BEAM and not streams else "",
        slice_bytes=run_options.slice_bytes,
        slice_s=run_options.seconds_of_slice(),
        lease_s=run_options.lease_s,
        topics_are_named=topics.are_named,
        origin=origin(),
    )
    configure_logs(logs_from)
    from pipelines.job.start import check_settings, tell_start  # noqa: PLC0415

    with exit_on_fault(commits=True):
        check_settings(settings)
    tell_start(settings, follow, chosen.why)
    from pipelines.output.run_report import print_summary, run_summary  # noqa: PLC0415

    started = time.monotonic()
    if streams:
        with exit_on_fault("Interrupted; the job goes on: run the same command to watch it again.", commits=True):
            from pipelines.job.stream import Watching, watch_stream  # noqa: PLC0415

            totals = watch_stream(
                settings,
                stream.on(flink.settings(run_options.runner)),
                Watching(stream.discovery_every_s, follow.max_faults, stream.detach),
                follow,
            )
        print_summary(run_summary(totals, time.monotonic() - started), as_json=json)
        return
    with exit_on_fault("Interrupted; nothing after the last committed offsets counts as done: run again to go on.", commits=True):
        from pipelines.job.on_runner import run_pipeline_on  # noqa: PLC0415
        from pipelines.job.run import run  # noqa: PLC0415

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
