"""Tenants, looked at from outside the job.

Exit codes: 0 done, 1 failed (one sentence says why), 2 wrong usage.
"""

import sys

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from pipelines.logs import configure_logs
from pipelines.options.flow import ClientId, Json, LogLevel, log_level, tenant_id
from pipelines.options.grouped import grouped
from pipelines.options.neo4j import Neo4jOptions
from transforms.io.faults import InfrastructureFault
from transforms.io.graph_digest import combined
from transforms.io.neo4j_graph import Neo4jGraphStore
from transforms.io.neo4j_target import Neo4jTarget

app = typer.Typer(add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def main(level: LogLevel = "WARNING") -> None:
    configure_logs(log_level(level))


@app.command()
@grouped
def digest(neo4j: Neo4jOptions, client_id: ClientId = "", json: Json = False) -> None:
    """One hash per tenant of its live graph: equal exactly when the graphs are.

    Any delivery order, duplication, crash and restart over the same records gives the digest of one clean run.
    Read in pages, in bounded memory; exact while nothing writes the tenant. With --client_id, that tenant alone.
    """
    target = neo4j.target()
    try:
        found = digests(target, tenant_id(client_id))
    except InfrastructureFault as fault:
        typer.echo(fault.sentence, err=True)
        sys.exit(1)
    whole = combined({tenant: row["digest"] for tenant, row in found.items()})
    if json:
        typer.echo(msgspec.json.encode({"digest": whole, "tenants": found}).decode())
        return
    table = Table("tenant", "nodes", "relationships", "digest")
    for tenant, row in found.items():
        table.add_row(tenant, f"{row['nodes']:,}", f"{row['relationships']:,}", str(row["digest"]))
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    typer.echo(f"all: {whole}")


def digests(target: Neo4jTarget, client_id: str = "") -> dict[str, dict[str, object]]:
    """Digest and sizes by tenant, in order of tenant."""
    store = Neo4jGraphStore(target)
    try:
        tenants = [client_id] if client_id else store.tenants()
        found = {tenant: store.digest(tenant) for tenant in tenants}
    finally:
        store.close()
    return {tenant: {"digest": one.hexdigest(), "nodes": one.nodes, "relationships": one.relationships} for tenant, one in found.items()}


if __name__ == "__main__":
    app()
