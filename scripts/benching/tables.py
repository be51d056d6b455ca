"""The figures as tables."""

import sys
from typing import Any

from rich.console import Console
from rich.table import Table

_COLUMNS = {
    "records": "records",
    "messages_per_s": "messages/s",
    "rows_per_s": "rows/s",
    "cpu_s_per_million": "CPU-s per million",
    "java_cpu_s_per_million": "Java CPU-s per million",
    "peak_rss_mb": "peak MB",
    "wall_s": "seconds, start included",
}


def show(found: dict[str, Any]) -> None:
    """Print them."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(_raw(found))
    console.print(_runs(f"{found['phase']}, mix {found['mix']}", "reader", found["jobs"]))
    if found["by_clusters"]:
        console.print(_runs("bounded reader", "clusters", found["by_clusters"]))
    idle, paced = found["idle"], found["paced"]
    console.print(f"following, nothing to read: {idle['cpu_percent']} % of a core, {idle['rss_mb']} MB")
    console.print(f"following {paced['messages_per_s']} messages/s: {paced['cpu_percent']} % of a core, {paced['rss_mb']} MB")


def _raw(found: dict[str, Any]) -> Table:
    table = Table("what", "figure", title="raw clients, and the job's write step on a first load")
    table.add_row("confluent-kafka consumes", f"{found['raw_consume_per_s']:,} records/s")
    table.add_row("the driver writes", f"{found['raw_rows_per_s']:,} rows/s")
    table.add_row("the job's write step", f"{found['job_rows_per_s']:,} rows/s")
    table.add_row("ratio (median of pairs)", str(found["rows_ratio"]))
    return table


def _runs(title: str, first: str, runs: dict[str, Any]) -> Table:
    table = Table(first, *_COLUMNS.values(), title=title)
    for name, run in runs.items():
        table.add_row(name, *(f"{run[column]:,}" for column in _COLUMNS))
    return table
