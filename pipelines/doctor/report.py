"""What the doctor tells: a table on a terminal, plain lines elsewhere, or one JSON object."""

import sys
from collections import Counter
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.output.command import print_json
from runners.doctor.verdict import Check, Status, overall

_STYLES: Final = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "bold red", Status.SKIPPED: "dim"}
_ENDINGS: Final = {
    Status.OK: "the job can run here",
    Status.WARNING: "the job can run here; see the warnings",
    Status.FAILED: "the job cannot run here",
}


def print_checks(checks: list[Check], *, as_json: bool) -> None:
    """Print the checks on standard output."""
    if as_json:
        print_json(checks_summary(checks))
    elif sys.stdout.isatty():
        Console().print(_table(checks))
        typer.echo(ending(checks))
    else:
        typer.echo("\n".join((*plain_lines(checks), ending(checks))))


def checks_summary(checks: list[Check]) -> dict[str, Any]:
    """The object of `--json`: status, then each check with name, status, said and remedy ("" for none)."""
    return {"status": overall(checks), "checks": [check._asdict() for check in checks]}


def plain_lines(checks: list[Check]) -> list[str]:
    """A line a check, and one below it for its remedy."""
    lines: list[str] = []
    for check in checks:
        lines.append(f"{check.status:<8} {check.name}: {check.said}")
        if check.remedy:
            lines.append(f"{'':<8} -> {check.remedy}")
    return lines


def ending(checks: list[Check]) -> str:
    """How many of each, and what that means, in one line."""
    counts = Counter(check.status for check in checks)
    told = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    return f"{told}: {_ENDINGS[overall(checks)]}."


def _table(checks: list[Check]) -> Table:
    table = Table("", "check", "found, and what to do")
    for check in checks:
        # Text, since what servers say may look like markup.
        found = Text(check.said)
        if check.remedy:
            found.append(f"\n-> {check.remedy}", "bold")
        table.add_row(Text(check.status, _STYLES[check.status]), Text(check.name), found)
    return table
