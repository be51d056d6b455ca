"""What a command says of a tenant that the graph does not have."""

import sys
from typing import NoReturn

import typer

from transforms.io.neo4j.purge import Store, tenants_found


def no_such_tenant(client_id: str) -> NoReturn:
    """End the command: exit code 1, one sentence."""
    typer.echo(f"There is no tenant {client_id} in the graph; `tenants list` tells of those there are.", err=True)
    sys.exit(1)


def must_be_known(store: Store, client_id: str) -> None:
    """Return where the graph has the tenant, or none is named; else end the command as `no_such_tenant` does."""
    if client_id and not tenants_found(store, client_id):
        no_such_tenant(client_id)
