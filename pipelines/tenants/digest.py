"""`tenants digest`: one hash per tenant of its live graph."""

import typer
from rich.table import Table

from pipelines.options.flow import tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import console, exit_on_fault, print_json
from pipelines.output.known_tenant import must_be_known
from pipelines.tenants.list import NO_TENANTS
from transforms.io.neo4j.digest import combined
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.io.neo4j.target import Neo4jTarget


def digest(neo4j: Neo4jOptions, client_id: str, json: bool) -> None:
    """Print the hashes."""
    target = neo4j.target()
    with exit_on_fault():
        found = digests(target, tenant_id(client_id))
    whole = combined({tenant: row["digest"] for tenant, row in found.items()})
    if json:
        print_json({"digest": whole, "tenants": found})
        return
    if not found:
        typer.echo(NO_TENANTS)
        return
    table = Table("tenant", "nodes", "relationships", "digest")
    for tenant, row in found.items():
        table.add_row(tenant, f"{row['nodes']:,}", f"{row['relationships']:,}", str(row["digest"]))
    console().print(table)
    typer.echo(f"all: {whole}")


def digests(target: Neo4jTarget, client_id: str = "") -> dict[str, dict[str, object]]:
    """Digest and sizes by tenant, in order of tenant. Ends the command where the graph does not have the one that is named."""
    store = Neo4jGraphStore(target)
    try:
        must_be_known(store, client_id)
        tenants = [client_id] if client_id else store.tenants()
        found = {tenant: store.digest(tenant) for tenant in tenants}
    finally:
        store.close()
    return {tenant: {"digest": one.hexdigest(), "nodes": one.nodes, "relationships": one.relationships} for tenant, one in found.items()}
