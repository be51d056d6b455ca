"""Tenants, looked at from outside the job.

Exit codes: 0 done, 1 failed (one sentence says why), 2 wrong usage.
"""

from dataclasses import asdict
from typing import Annotated, Final

import structlog
import typer
from rich.table import Table

from pipelines.console.command import console, exit_on_fault, print_json
from pipelines.console.logs import configure_logs
from pipelines.console.progress import Count
from pipelines.options.checks import duration_s
from pipelines.options.flatten import flatten_option_groups
from pipelines.options.flow import ClientId, Json, LogLevel, log_level, tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.tenants.compare import compare
from pipelines.tenants.discover import discover
from pipelines.tenants.forget import forget
from pipelines.tenants.list import list_tenants
from pipelines.tenants.reap import reap
from pipelines.tenants.release import release
from pipelines.tenants.show import show
from transforms.io.graph_admin.sweep import count_old, floors_at
from transforms.io.graph_admin.sweep import sweep as sweep_tenant
from transforms.io.neo4j.digest import combined
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.io.neo4j.target import Neo4jTarget
from transforms.planning.facts.changes import Floors

_LOG: Final = structlog.get_logger("tenants")
app = typer.Typer(add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def main(level: LogLevel = "WARNING") -> None:
    configure_logs(log_level(level))


@app.command()
@flatten_option_groups
def digest(neo4j: Neo4jOptions, client_id: ClientId = "", json: Json = False) -> None:
    """One hash per tenant of its live graph: equal exactly when the graphs are.

    Any delivery order, duplication, crash and restart over the same records gives the digest of one clean run.
    Read in pages, in bounded memory; exact while nothing writes the tenant. With --client_id, that tenant alone.
    """
    target = neo4j.target()
    with exit_on_fault():
        found = digests(target, tenant_id(client_id))
    whole = combined({tenant: row["digest"] for tenant, row in found.items()})
    if json:
        print_json({"digest": whole, "tenants": found})
        return
    table = Table("tenant", "nodes", "relationships", "digest")
    for tenant, row in found.items():
        table.add_row(tenant, f"{row['nodes']:,}", f"{row['relationships']:,}", str(row["digest"]))
    console().print(table)
    typer.echo(f"all: {whole}")


@app.command()
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

    Ages are those of the newest record on each, by the graph server's clock. Nothing comes back: older episodes are superseded
    from then on, and of each tombstone a few bytes are kept, which go on to hold. Safe to stop and to repeat.
    """
    target, tenant = neo4j.target(), tenant_id(client_id)
    ages = duration_s("--episode_retention", episode_retention), duration_s("--tombstone_grace", tombstone_grace)
    with exit_on_fault():
        found = swept(target, tenant, *ages, dry_run=dry_run)
    if json:
        print_json({"dry_run": dry_run, "tenants": found})
        return
    table = Table("tenant", "episodes", "tombstones", "stubs", title="would be taken away" if dry_run else "taken away")
    for name, row in found.items():
        table.add_row(name, *(f"{number:,}" for number in row.values()))
    console().print(table)


app.command()(flatten_option_groups(compare))
app.command("list")(flatten_option_groups(list_tenants))
app.command()(flatten_option_groups(discover))
app.command()(flatten_option_groups(show))
app.command()(flatten_option_groups(reap))
app.command()(flatten_option_groups(forget))


def swept(
    target: Neo4jTarget, client_id: str, episode_retention_s: float, tombstone_grace_s: float, *, dry_run: bool
) -> dict[str, dict[str, int]]:
    """What was taken away, or would be, by tenant."""
    store = Neo4jGraphStore(target)
    try:
        tenants = [client_id] if client_id else store.tenants()
        floors = floors_at(store, episode_retention_s, tombstone_grace_s)
        if dry_run:
            return {tenant: asdict(count_old(store, tenant, floors)) for tenant in tenants}
        return {tenant: _swept(store, tenant, floors) for tenant in tenants}
    finally:
        store.close()


def _swept(store: Neo4jGraphStore, client_id: str, floors: Floors) -> dict[str, int]:
    with Count(f"sweeping {client_id}", None) as count:
        found = sweep_tenant(store, client_id, floors, lambda _what, gone: count.advance(gone))
    _LOG.info("swept", client_id=client_id, floor=floors.state, episode_floor=floors.episodes, **asdict(found))
    return asdict(found)


def digests(target: Neo4jTarget, client_id: str = "") -> dict[str, dict[str, object]]:
    """Digest and sizes by tenant, in order of tenant."""
    store = Neo4jGraphStore(target)
    try:
        tenants = [client_id] if client_id else store.tenants()
        found = {tenant: store.digest(tenant) for tenant in tenants}
    finally:
        store.close()
    return {tenant: {"digest": one.hexdigest(), "nodes": one.nodes, "relationships": one.relationships} for tenant, one in found.items()}


app.command()(flatten_option_groups(release))
