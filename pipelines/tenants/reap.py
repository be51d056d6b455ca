"""`tenants reap`: purge the clusters that are gone, for cron."""

import functools
from contextlib import closing
from dataclasses import asdict
from typing import Any, Final

import typer
from rich.table import Table

from pipelines.options.checks import duration_s
from pipelines.options.flow import tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import WIDE, console, exit_on_fault, print_json
from pipelines.output.known_tenant import no_such_tenant
from pipelines.tenants.purging import (
    Judge,
    ask_whether_meant,
    must_be_meant,
    print_purged,
    purge_tenant,
    purged_object,
)
from transforms.io.neo4j.purge import Purged, Sizes, Store, bus_clock, sizes, tenants_found
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.planning.lifecycle.reaping import Verdict, judge

_NOBODY: Final = "No tenant is to be purged."


def reap(neo4j: Neo4jOptions, client_id: str, purge_after: str, dry_run: bool, yes: bool, slice_rows: int, json: bool) -> None:
    """Purge tenants that are gone: deregistered and silent since, or DEAD for --purge_after; and those whose purge was begun."""
    target, tenant = neo4j.target(), tenant_id(client_id)
    wanted = functools.partial(judge, purge_after_ms=int(duration_s("--purge_after", purge_after) * 1000))
    if not dry_run:
        must_be_meant(yes=yes)
    with exit_on_fault(), closing(Neo4jGraphStore(target)) as store:
        store.check_version()
        verdicts = _verdicts(store, tenant, wanted)
        if verdicts is None:
            no_such_tenant(tenant)
        chosen = {name: verdict for name, verdict in verdicts.items() if verdict.why is not None}
        sending = [name for name, verdict in verdicts.items() if verdict.still_sending]
        if dry_run:
            _tell_plan(chosen, {name: sizes(store, name) for name in chosen}, sending, json=json)
        else:
            _purge(store, chosen, sending, wanted, yes=yes, slice_rows=slice_rows, json=json)


def _verdicts(store: Store, client_id: str, wanted: Judge) -> dict[str, Verdict] | None:
    """Each tenant's verdict; None where the one that was named does not exist."""
    found, clock = tenants_found(store, client_id), bus_clock(store)
    return None if client_id and not found else {one.standing.client_id: wanted(one.standing, clock) for one in found}


def _tell_plan(chosen: dict[str, Verdict], sized: dict[str, Sizes], sending: list[str], *, json: bool) -> None:
    if json:
        tenants = {name: {"reason": verdict.why, "said": verdict.said, **asdict(sized[name])} for name, verdict in chosen.items()}
        print_json({"dry_run": True, "tenants": tenants, "still_sending": sending, "spared": {}})
        return
    if not chosen:
        typer.echo(_NOBODY)
        _tell_sending(sending)
        return
    table = Table("tenant", "why", "nodes", "bookkeeping", "relationships", title="would be purged")
    for name, verdict in chosen.items():
        size = sized[name]
        table.add_row(name, verdict.said, f"{size.nodes:,}", f"{size.bookkeeping:,}", f"{size.relationships:,}")
    console(WIDE).print(table)
    _tell_sending(sending)


def _purge(store: Store, chosen: dict[str, Verdict], sending: list[str], wanted: Judge, *, yes: bool, slice_rows: int, json: bool) -> None:
    if chosen:
        ask_whether_meant((f"{name} ({verdict.said})" for name, verdict in chosen.items()), yes=yes)
    purged: dict[str, Purged] = {}
    spared: dict[str, str] = {}
    for name in chosen:
        done = purge_tenant(store, name, wanted, slice_rows)
        if isinstance(done, Purged):
            purged[name] = done
        elif done is not None:
            spared[name] = done.said
    if json:
        tenants: dict[str, Any] = {name: purged_object(one) for name, one in purged.items()}
        print_json({"dry_run": False, "tenants": tenants, "still_sending": sending, "spared": spared})
        return
    if purged:
        print_purged(purged)
    else:
        typer.echo(_NOBODY)
    for name, said in spared.items():
        typer.echo(f"{name} was spared: {said}.")
    _tell_sending(sending)


def _tell_sending(sending: list[str]) -> None:
    for name in sending:
        typer.echo(f"{name} is deregistered, but still sending; stop its agents, then reap again.")
