"""`tenants show`: everything that is known of one cluster itself."""

from contextlib import closing
from dataclasses import asdict
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from pipelines.options.flow import tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import WIDE, console, exit_on_fault, print_json
from pipelines.output.known_tenant import no_such_tenant
from pipelines.output.readable import printable, shown_age, shown_time
from pipelines.tenants.list import notes
from transforms.io.neo4j.purge import Found, Rows, Sizes, episodes, floor_time, sizes, tenants_found
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model.graph import TENANT_KEY

# Properties that hold milliseconds since 1970. Those of the bus's clock, which stands still at times, are no moments.
_TIMES: Final = frozenset(
    {
        "created",
        "first_seen",
        "last_seen",
        "heard",
        "written_at",
        "state_since",
        "registered_at",
        "deregistered_at",
        "purge_started",
        "purged_at",
        "quarantined_at",
        "generation_from",
        "began_ms",
        "analysed_at",
    }
)
_FLOORS: Final = frozenset({"floor", "episode_floor", "swept"})
# What the job keeps for itself; `--json` has it.
_INTERNAL: Final = frozenset({"spelling", "writes", "registry_ver", "dead_clock_ms", "silent_clock_ms"})
_TOLD: Final = frozenset({TENANT_KEY, "eid", "etype", "reason", "message", "at_ms", "by"})


def show(client_id: str, neo4j: Neo4jOptions, most: int, json: bool) -> None:
    """All that stands on a tenant's `:Cluster`, how much it has, and what happened to it, the newest first."""
    target, tenant = neo4j.target(), tenant_id(client_id, "CLIENT_ID")
    with exit_on_fault(), closing(Neo4jGraphStore(target)) as store:
        found = tenants_found(store, tenant)
        if not found:
            no_such_tenant(tenant)
        sized, happened = sizes(store, tenant), episodes(store, tenant, most)
    if json:
        print_json(show_object(found[0], sized, happened))
    else:
        print_shown(found[0], sized, happened)


def show_object(one: Found, sized: Sizes, happened: Rows) -> dict[str, Any]:
    """The object of `show --json`: properties as they stand in the graph."""
    return {"cluster": one.props, "notes": notes(one), "now_ms": one.now_ms, "sizes": asdict(sized), "episodes": happened}


def print_shown(one: Found, sized: Sizes, happened: Rows) -> None:
    """Print what is known of a cluster, without what the job keeps for itself."""
    table = Table("of the cluster", "")
    for name in sorted(one.props.keys() - {TENANT_KEY} - _INTERNAL):
        table.add_row(name, Text(printable(readable(name, one.props[name], one.now_ms))))
    for name, number in asdict(sized).items():
        table.add_row(name, f"{number:,}")
    table.add_row("notes", ", ".join(notes(one)))
    console(WIDE).print(table)
    if not happened:
        return
    table = Table("when", "what", "reason", "by", "message", "more", title="what happened to it")
    for episode in happened:
        more = ", ".join(f"{name}: {readable(name, value, one.now_ms)}" for name, value in sorted(episode.items()) if name not in _TOLD)
        cells = [shown_time(episode["at_ms"]), *(str(episode.get(name, "")) for name in ("etype", "reason", "by", "message")), more]
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console(WIDE).print(table)


def readable(name: str, value: Any, now_ms: int) -> str:
    """A property for reading: moments with their age, floors with their time."""
    if name in _TIMES and isinstance(value, int):
        return f"{shown_time(value)} ({shown_age(now_ms - value)} ago)"
    if name in _FLOORS and value:
        return f"{floor_time(value).isoformat()} ({value})"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
