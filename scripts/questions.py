"""Three questions that the graph answers, asked of one tenant, with the Cypher that asks them."""

from pathlib import Path
from typing import Annotated, Final

import neo4j
import typer
from rich.console import Console
from rich.table import Table

from runners.local.endpoints import read_endpoints

QUESTIONS: Final = (
    (
        "What runs where?",
        "MATCH (p:Pod {client_id: $client_id})-[:RUNS_ON]->(n:Node {client_id: $client_id})\n"
        "RETURN n.name AS node, count(p) AS pods, collect(p.name)[..3] AS `some of them` ORDER BY node",
    ),
    (
        "Which services lose pods when node-1 goes?",
        "MATCH (n:Node {client_id: $client_id, name: 'node-1'})<-[:RUNS_ON]-(p:Pod)<-[:SELECTS]-(s:Service)\n"
        "MATCH (s)-[:SELECTS]->(all:Pod)\n"
        "RETURN s.name AS service, count(DISTINCT p) AS `pods lost`, count(DISTINCT all) AS `of` ORDER BY service",
    ),
    (
        "What happened to the workload payments?",
        "MATCH (d:Deployment {client_id: $client_id, name: 'payments'})-[:CONTROLS*0..2]->(o)<-[:ABOUT]-(e:Episodic)\n"
        "RETURN toString(e.event_time) AS at, o.kind AS kind, o.name AS name, e.reason AS reason, e.message AS message\n"
        "ORDER BY at LIMIT 8",
    ),
)


def main(client_id: Annotated[str, typer.Option("--client_id", help="The tenant to ask.")] = "af-10") -> None:
    """Ask the local stack's graph."""
    endpoints = read_endpoints()
    if endpoints is None:
        raise typer.BadParameter("The local stack is down; start it with `scripts/stack up`.")
    console = Console(width=120)
    password = Path(endpoints.neo4j_password_file).read_text()
    with neo4j.GraphDatabase.driver(endpoints.neo4j_uri, auth=(endpoints.neo4j_user, password)) as driver:
        for question, cypher in QUESTIONS:
            found = driver.execute_query(cypher, client_id=client_id)
            table = Table(*found.keys, title=f"{question} ({client_id})", title_justify="left")
            for record in found.records:
                table.add_row(*(_shown(value) for value in record))
            console.print(f"\n[dim]{cypher}[/dim]", highlight=False)
            console.print(table)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    typer.run(main)
