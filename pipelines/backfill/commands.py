"""Backfills: records of a span of time once more through the job's own flow, from Kafka or from the archive.

`run` need not be named. It writes no committed offset and no dead letter, runs beside the job, and changes nothing that is newer. What is
done is entered in a ledger in the graph, so that the same command goes on where it was stopped or killed. `compact` makes few files of
the many that a job writes to its archive.

Exit codes: 0 done, 1 failed or stopped (one sentence says why), 2 wrong usage.

Examples:

  python -m pipelines.backfill --from 2026-03-01T08:00:00Z --to 2026-03-01T12:00:00Z

  python -m pipelines.backfill --from 2h --client_id af-10 --archive /archive --dry_run

  python -m pipelines.backfill --as_of 2026-03-01T09:30:00Z --client_id af-10 --archive /archive --into bolt://other:7687

  python -m pipelines.backfill status

  python -m pipelines.backfill compact --archive /archive
"""

# Each command imports what it works with when it runs: drivers and Beam take seconds, and `--help` needs neither.
# ruff: noqa: PLC0415

import sys
from typing import Annotated

import typer

from pipelines.options.backfill import HowOptions, IntoOptions, ScheduleOptions, SpanOptions
from pipelines.options.default_command import RunsByDefault
from pipelines.options.failures import FailureOptions
from pipelines.options.flatten import flatten_option_groups
from pipelines.options.flink import FlinkOptions
from pipelines.options.flow import ClientId, Json, LogLevel, WriteOptions, log_level
from pipelines.options.grouped_help import GroupedHelp
from pipelines.options.kafka import KafkaOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.registry import RegistryOptions
from pipelines.options.tenants import AdmissionOptions, RouteOptions
from pipelines.options.told_value import TellsValues
from pipelines.output.command import exit_on_fault
from pipelines.output.logs import configure_logs

app = typer.Typer(
    cls=RunsByDefault, add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False
)


@app.command(cls=GroupedHelp)
@flatten_option_groups
def run(
    span: SpanOptions,
    how: HowOptions,
    schedule: ScheduleOptions,
    into: IntoOptions,
    kafka: KafkaOptions,
    neo4j: Neo4jOptions,
    registry: RegistryOptions,
    routes: RouteOptions,
    admission: AdmissionOptions,
    writes: WriteOptions,
    failures: FailureOptions,
    flink: FlinkOptions,
    json: Json = False,
    level: LogLevel = "INFO",
) -> None:
    """The records with record timestamps from --from up to, but not at, --to, as the job would take them in now.

    What is rejected is counted; no letter is written, since the job wrote one when it met the record. Run it again after a stop, a fault or
    a kill: it goes on after the slices that are done. --again does all of it anew.
    """
    configure_logs(log_level(level))
    from pipelines.backfill.run import Asked, run_asked

    asked = Asked(span, how, schedule, into, kafka, neo4j, registry, routes, admission, writes, failures, flink)
    with exit_on_fault("Interrupted; what is done stays, and the slices that are done are in the ledger: run again to go on."):
        is_done = run_asked(asked, as_json=json)
    if not is_done:
        typer.echo("Stopped as asked, before all was done; run again to go on after the slices that are.", err=True)
        sys.exit(1)


@app.command(cls=TellsValues)
@flatten_option_groups
def status(neo4j: Neo4jOptions, into: IntoOptions, json: Json = False, level: LogLevel = "WARNING") -> None:
    """What was planned, what is done and what failed, of every backfill of the last three months.

    `interrupted`: it neither ended nor is at work. The ledger lies in the graph that is written: with --into, in that one.
    """
    from pipelines.backfill.status import status as run

    run(neo4j=neo4j, into=into, json=json, level=level)


@app.command(cls=TellsValues)
def compact(
    archive: Annotated[str, typer.Option("--archive", envvar="ARCHIVE", help="The archive: a folder, or a URL that Beam knows.")] = "",
    older_than: Annotated[
        str, typer.Option("--older_than", help="Leave hours alone that ended less than this ago: 90s, 15m, 12h, 30d.")
    ] = "2h",
    client_id: ClientId = "",
    json: Json = False,
    level: LogLevel = "WARNING",
) -> None:
    """Make one file of the small ones of each tenant, topic, partition and hour; for cron, beside the running job and readers.

    Records that are there twice are there once afterwards. Safe to kill and to repeat; SIGTERM ends it after the hour it is at. A
    file that cannot be read is told, its hour stays as it is, and the exit code is 1.
    """
    from pipelines.backfill.compact import compact as run

    run(archive=archive, older_than=older_than, client_id=client_id, json=json, level=level)
