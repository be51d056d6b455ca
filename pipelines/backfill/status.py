"""`backfill status`: the ledger, as people and machines read it."""

from contextlib import closing
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from pipelines.backfill.report import scope_object
from pipelines.options.backfill import IntoOptions
from pipelines.options.flow import log_level
from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import console, exit_on_fault, print_json
from pipelines.output.logs import configure_logs
from pipelines.output.readable import printable, shown_age, shown_time
from transforms.io.backfill.ledger import DONE, FAILED, RUNNING, BackfillLedger, Entry
from transforms.io.graph_admin.lease import is_at_work
from transforms.io.neo4j.store import Neo4jGraphStore

INTERRUPTED = "interrupted"


def status(neo4j: Neo4jOptions, into: IntoOptions, json: bool, level: str) -> None:
    """What was planned, what is done and what failed, of every backfill of the last three months."""
    configure_logs(log_level(level))
    target = into.target(neo4j)
    with exit_on_fault(), closing(Neo4jGraphStore(target)) as store:
        entries = [(one, state_of(one, is_at_work=_runs(store, one))) for one in BackfillLedger(store).entries()]
    if json:
        print_json({"backfills": [entry_object(one, state) for one, state in entries]})
        return
    if not entries:
        typer.echo("No backfill is known; entries are kept for three months after they are done.")
        return
    table = Table("range", "tenants", "source", "state", "slices done", "failed", "records", "rejected", "changed")
    for one, state in entries:
        whose = ", ".join(one.scope.client_ids) or "all"
        slices = f"{one.slices.get(DONE, 0):,} of {one.props['slices']:,}"
        age = shown_age(one.now_ms - one.props.get("changed_ms", one.now_ms))
        cells = (
            str(one.scope),
            whose,
            one.scope.source,
            state,
            slices,
            f"{one.slices.get(FAILED, 0):,}",
            f"{one.read:,}",
            f"{one.rejected:,}",
            age,
        )
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console().print(table)
    for one, state in entries:
        if state == FAILED:
            typer.echo(printable(f"{one.scope}: {one.props.get('said', '')}"))


def _runs(store: Neo4jGraphStore, entry: Entry) -> bool:
    return entry.props["state"] == RUNNING and all(is_at_work(store, name) for name in entry.scope.locks)


def state_of(entry: Entry, *, is_at_work: bool) -> str:
    """How a run is; one that says it is running and holds no lock was killed."""
    state = str(entry.props["state"])
    return INTERRUPTED if state == RUNNING and not is_at_work else state


def entry_object(one: Entry, state: str) -> dict[str, Any]:
    """What `status --json` tells of a run."""
    return {
        **scope_object(one.scope),
        "state": state,
        "said": one.props.get("said", ""),
        "planned": shown_time(one.props["planned_ms"]),
        "changed": shown_time(one.props["changed_ms"]) if "changed_ms" in one.props else None,
        "slices": one.props["slices"],
        "slices_by_state": one.slices,
        "units_by_state": one.units,
        "read": one.read,
        "rejected": one.rejected,
        "lost": one.lost,
    }
