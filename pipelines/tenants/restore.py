"""`tenants restore`: let records from before a purge count again."""

import sys
from contextlib import closing

import typer

from pipelines.options.flow import tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import exit_on_fault, print_json
from pipelines.output.known_tenant import no_such_tenant
from pipelines.tenants.purging import whoami
from transforms.io.neo4j.purge import floor_time, tenants_found
from transforms.io.neo4j.purge import restore as take_floors_away
from transforms.io.neo4j.store import Neo4jGraphStore


def restore(client_id: str, neo4j: Neo4jOptions, json: bool) -> None:
    """Take the tenant's floors away, and say what to do next; exits with 1 where there are none."""
    target, tenant = neo4j.target(), tenant_id(client_id, "CLIENT_ID")
    with exit_on_fault(), closing(Neo4jGraphStore(target)) as store:
        found = tenants_found(store, tenant)
        if not found:
            no_such_tenant(tenant)
        floor = take_floors_away(store, tenant, whoami())
    if floor is None:
        typer.echo(why_not(tenant, is_purging=found[0].standing.purging), err=True)
        sys.exit(1)
    before = floor_time(floor).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if json:
        print_json({"client_id": tenant, "floor": before})
    else:
        typer.echo(
            f"Records of {tenant} up to {before} count again. Read them: `python -m pipelines.backfill --from 7d --client_id {tenant}` "
            "(--again where the ledger has that range as done), or let its agents report."
        )


def why_not(tenant: str, *, is_purging: bool) -> str:
    """Why nothing was restored, and what to do."""
    if is_purging:
        return f"The purge of {tenant} is under way; let it end with `tenants forget {tenant}`, then restore."
    return f"{tenant} has no floor of a purge: nothing keeps its older records out."
