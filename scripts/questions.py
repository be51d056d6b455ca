"""Ask the local stack's graph questions, showing the Cypher that asks them."""

from pathlib import Path
from typing import Annotated

import neo4j
import typer
from rich.console import Console
from rich.table import Table

from runners.local.endpoints import read_endpoints
from scripts.queries import QUERIES


def main(
    client_id: Annotated[str, typer.Option("--client_id", help="The tenant to ask.")] = "af-10",
    number: Annotated[int, typer.Option("--number", min=1, max=len(QUERIES), help="How many of the questions.")] = 3,
) -> None:
    """Ask the local stack's graph."""
    endpoints = read_endpoints()
    if endpoints is None:
        raise typer.BadParameter("The local stack is down; start it with `scripts/stack up`.")
    console = Console(width=120)
    password = Path(endpoints.neo4j_password_file).read_text()
    with neo4j.GraphDatabase.driver(endpoints.neo4j_uri, auth=(endpoints.neo4j_user, password)) as driver:
        for question, cypher in QUERIES[:number]:
            found = driver.execute_query(cypher, client_id=client_id)
            table = Table(*found.keys)
            for record in found.records:
                table.add_row(*(_shown(value) for value in record))
            console.print(f"\n{question} ({client_id})", style="bold", markup=False, highlight=False)
            # Cypher's square brackets are no markup.
            console.print(cypher, style="dim", markup=False, highlight=False)
            console.print(table)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    typer.run(main)
