"""`tenants schema`: constraints and indexes without a run of the job, and which version of the schema the graph has."""

from contextlib import closing

import typer

from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import exit_on_fault, print_json
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model.schema_version import VERSION


def schema(neo4j: Neo4jOptions, json: bool) -> None:
    """Create what is missing, and print the versions."""
    with exit_on_fault(), closing(Neo4jGraphStore(neo4j.target())) as store:
        store.create_schema()
        version = store.check_version()
    if json:
        print_json({"version": version, "newest": VERSION})
        return
    typer.echo(shown(version))


def shown(version: int) -> str:
    """What the versions mean for the next run of the job."""
    if version == VERSION:
        return f"Constraints and indexes are there. The graph has version {version} of the schema, which is the one of this graph-build."
    has = f"has version {version} of the schema" if version else "tells no version of its schema"
    return f"Constraints and indexes are there. The graph {has}; the next run of the job brings it to version {VERSION}."
