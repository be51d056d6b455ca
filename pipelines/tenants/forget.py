"""`tenants forget`: purge one tenant now."""

from contextlib import closing
from dataclasses import asdict

import typer

from pipelines.options.flow import tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import exit_on_fault, print_json
from pipelines.output.known_tenant import no_such_tenant
from pipelines.output.readable import spoken_number
from pipelines.tenants.purging import (
    ask_whether_meant,
    must_be_meant,
    print_purged,
    purge_tenant,
    purged_object,
)
from transforms.io.neo4j.purge import Purged, Sizes, sizes, tenants_found
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.planning.lifecycle.reaping import Why
from transforms.planning.lifecycle.reaping import forget as forgetting


def forget(client_id: str, neo4j: Neo4jOptions, *, dry_run: bool, yes: bool, slice_rows: int, json: bool) -> None:
    """Purge a tenant now, whatever its state, as `reap` does."""
    target, tenant = neo4j.target(), tenant_id(client_id, "CLIENT_ID")
    if not dry_run:
        must_be_meant(yes=yes)
    with exit_on_fault(), closing(Neo4jGraphStore(target)) as store:
        store.check_version()
        if not tenants_found(store, tenant):
            no_such_tenant(tenant)
        if dry_run:
            _tell_plan(tenant, sizes(store, tenant), json=json)
            return
        ask_whether_meant([tenant], yes=yes)
        done = purge_tenant(store, tenant, lambda one, _: forgetting(one), slice_rows)
    if not isinstance(done, Purged):
        no_such_tenant(tenant)
    if json:
        print_json({"tenants": {tenant: purged_object(done)}})
    else:
        print_purged({tenant: done})
        typer.echo(f"Older records of {tenant} are below its floor from now on; `tenants restore {tenant}` is the way back.")


def _tell_plan(tenant: str, size: Sizes, *, json: bool) -> None:
    if json:
        print_json({"dry_run": True, "tenants": {tenant: {"reason": Why.FORGOTTEN, **asdict(size)}}})
        return
    typer.echo(
        f"Would purge {tenant}: {spoken_number(size.nodes, 'node')}, {spoken_number(size.relationships, 'relationship')} and "
        f"{spoken_number(size.bookkeeping, 'node')} of bookkeeping. Nothing was changed."
    )
