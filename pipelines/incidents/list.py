"""`incidents list`: what is wrong, where, since when."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import typer
from rich.table import Table
from rich.text import Text

from pipelines.options.checks import duration_s, one_of
from pipelines.options.flow import tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import WIDE, console, exit_on_fault, print_json
from pipelines.output.known_tenant import must_be_known
from pipelines.output.readable import printable, spoken_number
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model import incident_cypher
from transforms.model.graph import TENANT_KEY

_MOST: Final = 500
_STATES: Final = ("open", "resolved", "all")
_COLOURS: Final = {"almost certain": "bold red", "likely": "red", "possible": "yellow"}
_TIMES: Final = ("opened", "last", "resolved")
# What people read; the hash orders writes.
_HIDDEN: Final = frozenset({"hash"})


def list_incidents(neo4j: Neo4jOptions, client_id: str, state: str, since: str, json: bool) -> None:
    """A table of incidents, or JSON with all that is known of each."""
    tenant = tenant_id(client_id)
    asked = one_of("--state", state, _STATES)
    from_time = datetime.now(UTC) - timedelta(seconds=duration_s("--since", since))
    target = neo4j.target()
    with exit_on_fault(), closing(Neo4jGraphStore(target)) as store:
        must_be_known(store, tenant)
        given = {TENANT_KEY: tenant, "state": "" if asked == "all" else asked, "since": from_time, "most": _MOST}
        found = [row["props"] for row in store.ask(incident_cypher.LIST_INCIDENTS, **given)]
        older = 0 if found or asked == "resolved" else _open(store, tenant)
    if json:
        print_json({"incidents": [incident_object(one) for one in found]})
        return
    if not found:
        typer.echo(none_found(asked, since, older))
        return
    table = Table("id", "tenant", "state", "opened", "what is wrong", "how sure")
    for one in found:
        shown = incident_object(one)
        cells = [str(shown.get(name, "-")) for name in ("iid", TENANT_KEY, "state", "opened", "title", "words")]
        style = _COLOURS.get(cells[-1], "") if cells[2] == "open" else "dim"
        table.add_row(*(Text(printable(cell), style=style) for cell in cells))
    console(WIDE).print(table)


def _open(store: Neo4jGraphStore, tenant: str) -> int:
    """How many incidents are open, whenever their last evidence was."""
    return sum(row["number"] for row in store.ask(incident_cypher.COUNT_INCIDENTS, **{TENANT_KEY: tenant}))


def none_found(asked: str, since: str, older: int) -> str:
    """What is said where no incident is listed. older: open ones whose evidence is of before."""
    listed = f"No incident ({asked}, within {since})."
    if not older:
        return listed
    it, them = ("is", "it") if older == 1 else ("are", "them")
    return f"{listed} {spoken_number(older, 'older one')} {it} open; a longer --since, such as 3650d, lists {them}."


def incident_object(props: dict[str, Any]) -> dict[str, Any]:
    """What JSON tells of an incident: its properties, times as text."""
    return {name: _plain(value) for name, value in sorted(props.items()) if name not in _HIDDEN}


def _plain(value: Any) -> Any:
    native = value.to_native() if hasattr(value, "to_native") else value
    if isinstance(native, datetime):
        return native.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return native
