"""The figures as tables."""

from typing import Any

from rich.table import Table

from pipelines.output.command import WIDE, console

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
    out = console(WIDE)
    out.print(_raw(found))
    out.print(_runs(f"{found['phase']}, mix {found['mix']}", "reader", found["jobs"]))
    if found["by_clusters"]:
        out.print(_runs("bounded reader", "clusters", found["by_clusters"]))
    idle, paced = found["idle"], found["paced"]
    out.print(f"following, nothing to read: {idle['cpu_percent']} % of a core, {idle['rss_mb']} MB")
    out.print(f"following {paced['messages_per_s']} messages/s: {paced['cpu_percent']} % of a core, {paced['rss_mb']} MB")


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
