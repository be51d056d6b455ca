"""`tenants list`: who is there, how they are, and what is to be known of them."""

from contextlib import closing
from typing import Any, Final

import typer
from rich.table import Table
from rich.text import Text

from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import WIDE, console, exit_on_fault, print_json
from pipelines.output.readable import printable, shown_age, shown_time
from transforms.io.neo4j.purge import Found, Sizes, sizes, tenants_found
from transforms.io.neo4j.store import Neo4jGraphStore

NO_TENANTS: Final = "There is no tenant yet: the first valid record of a cluster that the job takes in creates it."


def list_tenants(neo4j: Neo4jOptions, with_sizes: bool, json: bool) -> None:
    """The tenants with their state, the age of the last sign of life and of the last write, and their generation."""
    target = neo4j.target()
    with exit_on_fault(), closing(Neo4jGraphStore(target)) as store:
        found = tenants_found(store)
        counted = {one.standing.client_id: sizes(store, one.standing.client_id) for one in found} if with_sizes else {}
    if json:
        print_json({"tenants": {one.standing.client_id: list_object(one, counted.get(one.standing.client_id)) for one in found}})
        return
    if not found:
        typer.echo(NO_TENANTS)
        return
    table = Table("tenant", "state", "last sign", "last write", "generation", *(("nodes", "relationships") if with_sizes else ()), "notes")
    for one in found:
        size = counted.get(one.standing.client_id)
        sized = (f"{size.nodes:,}", f"{size.relationships:,}") if size else ()
        ages = (_age(one, "last_seen"), _age(one, "written_at"))
        cells = (one.standing.client_id, one.standing.state, *ages, str(generation_in(one)), *sized, ", ".join(notes(one)))
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console(WIDE).print(table)


def generation_in(one: Found) -> int:
    """Generations are counted from 1."""
    return one.props.get("generation") or 1


def _age(one: Found, name: str) -> str:
    at = one.props.get(name)
    return "-" if at is None else shown_age(one.now_ms - at)


def list_object(one: Found, size: Sizes | None) -> dict[str, Any]:
    """What `list --json` tells of a tenant; ages in seconds, None where nothing is known."""
    props = one.props
    times = {name: props.get(name) for name in ("last_seen", "written_at")}
    return {
        "state": one.standing.state,
        **{name: None if at is None else shown_time(at) for name, at in times.items()},
        **{f"{name}_age_s": None if at is None else round((one.now_ms - at) / 1000, 3) for name, at in times.items()},
        "generation": generation_in(one),
        "notes": notes(one),
        **({"nodes": size.nodes, "relationships": size.relationships, "bookkeeping": size.bookkeeping} if size else {}),
    }


def notes(one: Found) -> list[str]:
    """What is to be known of a tenant besides its state."""
    props = one.props
    said = (
        (props.get("deregistered_at") is not None, "deregistered"),
        (one.standing.purging, "purging"),
        (bool(props.get("resync_needed")), "resync needed"),
        (props.get("quarantined_at") is not None, "quarantined"),
    )
    return [note for holds, note in said if holds]
