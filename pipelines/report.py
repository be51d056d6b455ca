"""What a run tells: progress while it goes on, a table per tenant at its end, or one JSON object."""

import sys
from types import TracebackType
from typing import Any, TextIO

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from runners.bounded import RunTotals, SliceReport
from transforms.io.kafka_offsets import Place
from transforms.records.outcomes import Outcome, Tally


class ProgressBar:
    """A bar against the known lag, on a terminal; nothing elsewhere, where the log tells of every slice."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        console = Console(file=stream)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task = self._progress.add_task("offsets", total=None)
        self._left = 0

    def __enter__(self) -> "ProgressBar":
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def planned(self, lag: dict[Place, int]) -> None:
        self._left = sum(lag.values())
        self._progress.update(self._task, total=self._left)

    def committed(self, slice_: SliceReport) -> None:
        left = sum(slice_.lag.values())
        self._progress.advance(self._task, self._left - left)
        self._left = left


def run_summary(totals: RunTotals, seconds: float) -> dict[str, Any]:
    """The object of `--json`: what was read and what became of it, in all and by tenant ("-": names no tenant)."""
    tenants = sorted({client_id for client_id, _ in totals.outcomes})
    by_tenant = {client_id: _counts(totals.outcomes, client_id) for client_id in tenants}
    whole = {outcome.value: sum(counts[outcome.value] for counts in by_tenant.values()) for outcome in Outcome}
    wrote = {"rows_written": totals.rows, "write_seconds": round(totals.write_s, 3)}
    gaps = [{"topic": gap.topic, "partition": gap.partition, "from": gap.start, "to": gap.end} for gap in totals.gaps]
    return {
        "read": totals.read,
        **whole,
        "seconds": round(seconds, 3),
        "slices": totals.slices,
        **wrote,
        "gaps": gaps,
        "tenants": by_tenant,
    }


def _counts(outcomes: Tally, client_id: str) -> dict[str, int]:
    counts = {outcome.value: outcomes[client_id, outcome] for outcome in Outcome}
    return {"read": sum(counts.values()), **counts}


def print_summary(summary: dict[str, Any], *, as_json: bool) -> None:
    """Print the summary on standard output."""
    if as_json:
        print(msgspec.json.encode(summary).decode())
        return
    names = [outcome.value for outcome in Outcome if summary[outcome.value] or outcome in (Outcome.WRITTEN, Outcome.REJECTED)]
    table = Table("tenant", *("read", *names), title=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for client_id, counts in summary["tenants"].items():
        table.add_row(client_id, *(f"{counts[name]:,}" for name in ("read", *names)))
    table.add_section()
    table.add_row("all", *(f"{summary[name]:,}" for name in ("read", *names)))
    console = Console(width=None if sys.stdout.isatty() else 120)
    if summary["read"]:
        console.print(table)
    for gap in summary["gaps"]:
        console.print(f"lost: {gap['topic']}[{gap['partition']}] offsets {gap['from']} to {gap['to']}, deleted before they were taken in")
    console.print(f"{summary['read']:,} records in {summary['seconds']:.1f} s", highlight=False)
