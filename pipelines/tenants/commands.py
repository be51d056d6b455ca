"""Tenants, looked at from outside the job.

Exit codes: 0 done, 1 failed (one sentence says why), 2 wrong usage.
"""

# Each command imports what it works with when it runs: drivers and Beam take seconds, and `--help` needs neither.
# ruff: noqa: PLC0415

from typing import Annotated

import typer

from pipelines.options.compare import CompareOptions
from pipelines.options.default_command import OptionsComeLast
from pipelines.options.failures import FailureOptions
from pipelines.options.flatten import begin_logs_later, flatten_option_groups
from pipelines.options.flow import ClientId, Json, LogLevel, WriteOptions, log_level
from pipelines.options.grouped_help import GroupedHelp
from pipelines.options.kafka import KafkaOptions
from pipelines.options.letter_place import DEFAULT_DEADLETTER_TOPIC, DeadletterPath, DeadletterTopic
from pipelines.options.letters import ReplayOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.purging import DEFAULT_SLICE_ROWS, SliceRows, Tenant, Yes
from pipelines.options.registry import RegistryOptions
from pipelines.options.tenants import AdmissionOptions, RouteOptions
from pipelines.options.told_value import TellsValues

app = typer.Typer(
    cls=OptionsComeLast, add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False
)


@app.callback()
def main(context: typer.Context, level: LogLevel = "WARNING") -> None:
    begin_logs_later(context, log_level(level))


@app.command(cls=TellsValues)
@flatten_option_groups
def digest(neo4j: Neo4jOptions, client_id: ClientId = "", json: Json = False) -> None:
    """One hash per tenant of its live graph: equal exactly when the graphs are.

    Any delivery order, duplication, crash and restart over the same records gives the digest of one clean run.
    Read in pages, in bounded memory; exact while nothing writes the tenant. With --client_id, that tenant alone.
    """
    from pipelines.tenants.digest import digest as run

    run(neo4j=neo4j, client_id=client_id, json=json)


@app.command(cls=TellsValues)
@flatten_option_groups
def sweep(
    neo4j: Neo4jOptions,
    client_id: ClientId = "",
    episode_retention: Annotated[str, typer.Option("--episode_retention", help="How long episodes are kept: 90s, 15m, 12h, 30d.")] = "30d",
    tombstone_grace: Annotated[
        str, typer.Option("--tombstone_grace", help="How long what is dead is remembered; longer than the longest backfill.")
    ] = "14d",
    dry_run: Annotated[bool, typer.Option("--dry_run", help="Count what is old enough, and take nothing away.")] = False,
    json: Json = False,
) -> None:
    """Take away old episodes, old tombstones, and stubs that nothing refers to; for cron, beside the running job.

    Ages are those of the newest record on each, by the graph server's clock. Nothing comes back: older episodes are `below_floor`
    from then on, and of each tombstone a few bytes are kept, which go on to hold. Safe to stop and to repeat.
    """
    from pipelines.tenants.sweep import sweep as run

    run(
        neo4j=neo4j,
        client_id=client_id,
        episode_retention=episode_retention,
        tombstone_grace=tombstone_grace,
        dry_run=dry_run,
        json=json,
    )


@app.command(cls=TellsValues)
@flatten_option_groups
def compare(neo4j: Neo4jOptions, which: CompareOptions, json: Json = False) -> None:
    """Prove two graphs equal, tenant by tenant, or tell what differs. Exit code 0: equal; 1: they differ, or a fault.

    Both are read in pages, in the order of their keys, in bounded memory; nothing is written. Equal graphs have equal digests. What is
    told as different while somebody writes may be a record on its way: compare again once both have taken in the same records.

    Examples:

      python -m pipelines.tenants compare --left bolt://old:7687 --right /neo4j

      python -m pipelines.tenants compare --left /neo4j --right /neo4j --left_client_id af-10 --right_client_id eu-10

      python -m pipelines.tenants compare --left bolt://old:7687 --right /neo4j --client_id af-10 --left_mapping old.toml --json
    """
    from pipelines.tenants.compare import compare as run

    run(neo4j=neo4j, which=which, json=json)


@app.command(cls=TellsValues)
@flatten_option_groups
def schema(neo4j: Neo4jOptions, json: Json = False) -> None:
    """Create the constraints and indexes that are missing, and tell which version of the schema the graph has.

    Safe to repeat, and beside a running job. Tenants of an older version are not brought over: the job does that once it holds the lease
    of its group. A graph of a newer version is refused with exit code 1.
    """
    from pipelines.tenants.schema import schema as run

    run(neo4j=neo4j, json=json)


@app.command("list", cls=TellsValues)
@flatten_option_groups
def list_tenants(
    neo4j: Neo4jOptions,
    with_sizes: Annotated[bool, typer.Option("--sizes", help="Count the nodes and relationships, too; takes a while.")] = False,
    json: Json = False,
) -> None:
    """The tenants with their state, the age of the last sign of life and of the last write, and their generation.

    Ages are by the graph server's clock. A write is a transaction that took a batch in, also where that changed nothing. Nodes are
    those that people query, without tombstones.
    """
    from pipelines.tenants.list import list_tenants as run

    run(neo4j=neo4j, with_sizes=with_sizes, json=json)


@app.command(cls=TellsValues)
@flatten_option_groups
def discover(
    kafka: KafkaOptions,
    neo4j: Neo4jOptions,
    routes: RouteOptions,
    member_pattern: Annotated[
        list[str] | None,
        typer.Option(
            "--member_pattern",
            help="RE2 pattern of names of groups and members, with a group (?P<client_id>…); before the built-in ones. May be repeated.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Tenants that there may be, by the names of topics, consumer groups and their members, beside those that the graph knows.

    Hints for a migration, and no more: whose a record is, its key, topic, header or registration says. A candidate that the graph
    does not know may be a builder of one cluster that is to be replaced, or no tenant at all.

    Examples:

      python -m pipelines.tenants discover

      python -m pipelines.tenants discover --member_pattern 'neo4j-writer-(?P<client_id>[a-z0-9-]+)' --json
    """
    from pipelines.tenants.discover import discover as run

    run(kafka=kafka, neo4j=neo4j, routes=routes, member_pattern=member_pattern, json=json)


@app.command(cls=TellsValues)
@flatten_option_groups
def show(
    client_id: Tenant,
    neo4j: Neo4jOptions,
    most: Annotated[int, typer.Option("--episodes", min=0, help="So many episodes of the cluster, the newest first.")] = 20,
    json: Json = False,
) -> None:
    """All that stands on a tenant's `:Cluster`, how much it has, and what happened to it, the newest first.

    Exit code 1 where there is no such tenant.
    """
    from pipelines.tenants.show import show as run

    run(client_id=client_id, neo4j=neo4j, most=most, json=json)


@app.command(cls=TellsValues)
@flatten_option_groups
def reap(
    neo4j: Neo4jOptions,
    client_id: ClientId = "",
    purge_after: Annotated[
        str, typer.Option("--purge_after", help="How long a cluster has been dead, while others were heard: 90s, 15m, 12h, 7d.")
    ] = "7d",
    dry_run: Annotated[bool, typer.Option("--dry_run", help="Say who would be purged and why, and take nothing away.")] = False,
    yes: Yes = False,
    slice_rows: SliceRows = DEFAULT_SLICE_ROWS,
    json: Json = False,
) -> None:
    """Purge tenants that are gone: deregistered and silent since, or DEAD for --purge_after; and those whose purge was begun.

    The graph goes in slices, relationships first, beside the running job; the `:Cluster` stays, with an episode that tells who
    purged how much. The tenant's floors are raised first: older records are `below_floor` from then on, so that nothing
    comes back, and a cluster that registers again begins a new generation. Safe to kill and to repeat.
    """
    from pipelines.tenants.reap import reap as run

    run(neo4j=neo4j, client_id=client_id, purge_after=purge_after, dry_run=dry_run, yes=yes, slice_rows=slice_rows, json=json)


@app.command(cls=TellsValues)
@flatten_option_groups
def forget(
    client_id: Tenant,
    neo4j: Neo4jOptions,
    dry_run: Annotated[bool, typer.Option("--dry_run", help="Say what would be purged, and take nothing away.")] = False,
    yes: Yes = False,
    slice_rows: SliceRows = DEFAULT_SLICE_ROWS,
    json: Json = False,
) -> None:
    """Purge a tenant now, whatever its state, as `reap` does.

    A cluster that still sends begins a new generation with its next record. Records from before the purge are below the tenant's
    floor from then on, wherever they are read again, until `restore`. Exit code 1 where there is no such tenant.
    """
    from pipelines.tenants.forget import forget as run

    run(client_id=client_id, neo4j=neo4j, dry_run=dry_run, yes=yes, slice_rows=slice_rows, json=json)


@app.command(cls=TellsValues)
@flatten_option_groups
def restore(client_id: Tenant, neo4j: Neo4jOptions, json: Json = False) -> None:
    """Let records from before a purge of the tenant count again; the way back from `forget` and `reap`.

    Nothing is read here: a backfill of the range, or the agents' next report, builds the graph again. Exit code 1 where there is
    no such tenant, it was not purged, or its purge is under way.

    Examples:

      python -m pipelines.tenants restore af-10

      python -m pipelines.backfill --from 7d --client_id af-10
    """
    from pipelines.tenants.restore import restore as run

    run(client_id=client_id, neo4j=neo4j, json=json)


@app.command(cls=GroupedHelp)
@flatten_option_groups
def release(
    client_id: Annotated[str, typer.Argument(metavar="CLIENT_ID", help="The tenant, once the cause is mended.")],
    kafka: KafkaOptions,
    neo4j: Neo4jOptions,
    registry: RegistryOptions,
    how: ReplayOptions,
    routes: RouteOptions,
    admission: AdmissionOptions,
    writes: WriteOptions,
    failures: FailureOptions,
    deadletter_topic: DeadletterTopic = DEFAULT_DEADLETTER_TOPIC,
    deadletter_path: DeadletterPath = "",
    settle_s: Annotated[
        float, typer.Option("--settle_s", min=0, help="Seconds to wait for letters of a slice at work, where a run of the group goes on.")
    ] = 30.0,
    json: Json = False,
) -> None:
    """Release a tenant from quarantine, and replay its records that the dead letters hold.

    First what is held is replayed, with its original coordinates and times, then the mark is taken away, then what came
    meanwhile is replayed, until nothing is left. Where a replay fails as before, the tenant stays in quarantine: exit code 1.
    Safe to stop and to repeat; a tenant that is not in quarantine is only replayed. Give it the job's flags.

    Examples:

      python -m pipelines.tenants release af-10 --dry_run

      python -m pipelines.tenants release af-10
    """
    from pipelines.tenants.release import release as run

    run(
        client_id=client_id,
        kafka=kafka,
        neo4j=neo4j,
        registry=registry,
        how=how,
        routes=routes,
        admission=admission,
        writes=writes,
        failures=failures,
        deadletter_topic=deadletter_topic,
        deadletter_path=deadletter_path,
        settle_s=settle_s,
        json=json,
    )
