"""What `tenants reap` and `tenants forget` share: who asks, whether it is meant, the purge with its progress, and what it came to."""

import getpass
import os
import socket
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, Final, NamedTuple

import structlog
import typer
from rich.table import Table

from pipelines.options.checks import usage_error
from pipelines.output.command import WIDE, console
from pipelines.output.progress import Count
from pipelines.output.readable import shown_time
from transforms.io.neo4j.purge import Purged, Store, begin, go_on, sizes
from transforms.planning.lifecycle.reaping import TenantStatus, Verdict

_LOG: Final = structlog.get_logger("tenants")

Judge = Callable[[TenantStatus, int | None], Verdict]


class Spared(NamedTuple):
    """A tenant that is not to be purged any more, and why."""

    said: str


def whoami() -> str:
    """user@host, for the audit."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def must_be_meant(*, yes: bool) -> None:
    """An error of use where nobody could be asked and it was not said beforehand."""
    if not yes and not sys.stdin.isatty():
        raise usage_error(
            "A purge cannot be undone and there is no terminal to ask at; give --yes, or look first with --dry_run or `list`."
        )


def ask_whether_meant(tenants: Iterable[str], *, yes: bool) -> None:
    """Return where it is meant; else the command ends with 1."""
    if not yes:
        typer.confirm(f"Purge the graph of {', '.join(tenants)}? It cannot be undone.", abort=True, err=True)


def purge_tenant(store: Store, client_id: str, judge: Judge, slice_rows: int) -> Purged | Spared | None:
    """Purge one tenant where it still is to be purged; None where there is no such tenant."""
    by = whoami()
    begun = begin(store, client_id, by, judge)
    if begun is None:
        return None
    if begun.started is None:
        _LOG.info("spared", client_id=client_id, said=begun.verdict.said)
        return Spared(begun.verdict.said)
    _LOG.info("purging", client_id=client_id, why=begun.verdict.why, by=by)
    left = sizes(store, client_id)
    with Count(f"purging {client_id}", left.nodes + left.bookkeeping + left.relationships) as count:
        purged = go_on(store, client_id, begun.started, by, slice_rows, count.advance)
    _LOG.info("purged", client_id=client_id, **asdict(purged))
    return purged


def purged_object(purged: Purged) -> dict[str, Any]:
    """What a purge came to, for machines."""
    return {
        "reason": purged.why,
        "by": purged.by,
        "nodes": purged.nodes,
        "relationships": purged.relationships,
        "began": shown_time(purged.began_ms),
        "ended": shown_time(purged.ended_ms),
    }


def print_purged(found: dict[str, Purged]) -> None:
    table = Table("tenant", "why", "nodes", "relationships", "seconds", title="purged")
    for client_id, one in found.items():
        seconds = f"{(one.ended_ms - one.began_ms) / 1000:,.1f}"
        table.add_row(client_id, one.why, f"{one.nodes:,}", f"{one.relationships:,}", seconds)
    console(WIDE).print(table)
