"""Tenants, looked at from outside the job.

Exit codes: 0 done, 1 failed (one sentence says why), 2 wrong usage.
"""

import sys

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from pipelines import options
from pipelines.logs import configure_logs
from transforms.io.faults import InfrastructureFault
from transforms.io.graph_digest import combined
from transforms.io.neo4j_graph import Neo4jGraphStore
from transforms.io.neo4j_target import Neo4jTarget

app = typer.Typer(add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def main(log_level: options.LogLevel = "WARNING") -> None:
    configure_logs(options.one_of("--log_level", log_level.upper(), options.LOG_LEVELS))


@app.command()
def digest(
    client_id: options.ClientId = "",
    neo4j_uri: options.Neo4jUri = "",
    neo4j_user: options.Neo4jUser = "neo4j",
    neo4j_password_file: options.Neo4jPasswordFile = "",
    neo4j_database: options.Neo4jDatabase = "neo4j",
    neo4j_ca_file: options.Neo4jCaFile = "",
    neo4j_retry_s: options.Neo4jRetryS = 30.0,
    json: options.Json = False,
) -> None:
    """One hash per tenant of its live graph: equal exactly when the graphs are.

    Any delivery order, duplication, crash and restart over the same records gives the digest of one clean run.
    Read in pages, in bounded memory; exact while nothing writes the tenant. With --client_id, that tenant alone.
    """
    target = options.neo4j_target(neo4j_uri, neo4j_user, neo4j_password_file, neo4j_database, neo4j_ca_file, neo4j_retry_s)
    try:
        found = digests(target, options.tenant_id(client_id))
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
