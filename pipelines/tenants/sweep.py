"""`tenants sweep`: take away what is too old to matter."""

from dataclasses import asdict
from typing import Final

import structlog
import typer
from rich.table import Table

from pipelines.options.checks import duration_s
from pipelines.options.flow import tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import console, exit_on_fault, print_json
from pipelines.output.known_tenant import must_be_known
from pipelines.output.progress import Count
from pipelines.output.readable import spoken_number
from transforms.io.graph_admin.sweep import count_old, floors_at
from transforms.io.graph_admin.sweep import sweep as sweep_tenant
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.io.neo4j.target import Neo4jTarget
from transforms.planning.facts.changes import Floors

_LOG: Final = structlog.get_logger("tenants")


def sweep(neo4j: Neo4jOptions, client_id: str, episode_retention: str, tombstone_grace: str, dry_run: bool, json: bool) -> None:
    """Sweep, and print what went."""
    target, tenant = neo4j.target(), tenant_id(client_id)
    ages = duration_s("--episode_retention", episode_retention), duration_s("--tombstone_grace", tombstone_grace)
    with exit_on_fault():
        found = swept(target, tenant, *ages, dry_run=dry_run)
    if json:
        print_json({"dry_run": dry_run, "tenants": found})
        return
    if not any(number for row in found.values() for number in row.values()):
        typer.echo(f"Nothing is old enough to be taken away; looked at {spoken_number(len(found), 'tenant')}.")
        return
    table = Table("tenant", "episodes", "tombstones", "stubs", "incidents", title="would be taken away" if dry_run else "taken away")
    for name, row in found.items():
        table.add_row(name, *(f"{number:,}" for number in row.values()))
    console().print(table)


def swept(
    target: Neo4jTarget, client_id: str, episode_retention_s: float, tombstone_grace_s: float, *, dry_run: bool
) -> dict[str, dict[str, int]]:
    """What was taken away, or would be, by tenant."""
    store = Neo4jGraphStore(target)
    try:
        store.check_version()
        must_be_known(store, client_id)
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
