"""What a backfill tells: the plan of a dry run, the table by tenant at the end, or one JSON object."""

from typing import Any, NamedTuple

import typer
from rich.table import Table

from pipelines.output.command import console, print_json
from pipelines.output.readable import shown_time, spoken_number
from pipelines.output.run_report import by_why, print_summary, run_summary
from runners.loops.backfill import BackfillTotals
from runners.loops.bounded import RunTotals
from transforms.io.backfill.ledger import Slice
from transforms.model.metrics import REJECT_REASONS, UNAVAILABLE
from transforms.planning.scheduling.backfill_plan import Scope


class Ran(NamedTuple):
    """A backfill that ran, to its end or not."""

    scope: Scope
    totals: BackfillTotals
    seconds: float


def scope_object(scope: Scope) -> dict[str, Any]:
    """What a backfill is of, for machines."""
    return {
        "name": scope.name,
        "from": shown_time(scope.from_ms),
        "to": shown_time(scope.to_ms),
        "as_of": shown_time(scope.to_ms - 1) if scope.as_of else None,
        "client_ids": list(scope.client_ids),
        "topics": list(scope.topics),
        "source": scope.source,
        "archive": scope.archive,
        "every_s": scope.every_ms // 1000,
    }


def ran_object(ran: list[Ran]) -> dict[str, Any]:
    """The object of `run --json`: the sums as the job tells them, and each run. The outcomes add up to `read`."""
    whole = BackfillTotals()
    for one in ran:
        whole.add(one.totals)
        whole.slices += one.totals.slices
        whole.before += one.totals.before
        whole.stopped |= one.totals.stopped
    told = RunTotals(whole.read, whole.slices, whole.counts)
    summary = run_summary(told, sum(one.seconds for one in ran))
    return {
        **{name: value for name, value in summary.items() if name not in ("gaps", "transitions")},
        "slices_before": whole.before,
        "lost": whole.lost,
        "stopped": whole.stopped,
        "rejected_why": by_why(whole.counts.of(REJECT_REASONS)),
        "unavailable_why": by_why(whole.counts.of(UNAVAILABLE)),
        "runs": [{**scope_object(one.scope), "read": one.totals.read, "seconds": round(one.seconds, 3)} for one in ran],
    }


def print_ran(told: dict[str, Any], *, as_json: bool) -> None:
    """Print what was done on standard output."""
    if as_json:
        print_json(told)
        return
    for one in told["runs"]:
        when = f"as of {one['as_of']}" if one["as_of"] else f"{one['from']} to {one['to']}"
        typer.echo(f"{when} from {one['source']}: {spoken_number(one['read'], 'record')}")
    if before := told["slices_before"]:
        typer.echo(f"{spoken_number(before, 'slice')} done before; --again does all of it anew.")
    if not told["runs"]:
        typer.echo("Nothing is due.")
    print_summary({**told, "gaps": [], "transitions": []}, as_json=False, has_letters=False)
    for reason, number in told["rejected_why"].items():
        typer.echo(f"rejected: {number:,} as {reason}; their dead letters exist already, see `deadletters list`")
    for why, number in told["unavailable_why"].items():
        typer.echo(f"not in the archive: {spoken_number(number, 'record' if why == 'withheld' else 'block')}, {why}")
    if told["lost"]:
        typer.echo(f"lost: {spoken_number(told['lost'], 'offset')}, deleted by Kafka before the read; the archive may hold the records")


def print_plan(plans: list[tuple[Scope, list[Slice]]], *, as_json: bool) -> None:
    """Print what would be read: by topic, how many offsets, or files and their bytes."""
    if as_json:
        print_json({"dry_run": True, "runs": [{**scope_object(scope), **_plan_object(slices)} for scope, slices in plans]})
        return
    for scope, slices in plans:
        table = Table(
            "topic",
            "partitions",
            "offsets",
            "files",
            "bytes of files",
            title=f"would be read: {scope}, in {spoken_number(len(slices), 'slice')}",
        )
        for topic, row in _plan_object(slices)["topics"].items():
            table.add_row(topic, *(f"{row[name]:,}" for name in ("partitions", "offsets", "files", "bytes")))
        console().print(table)
    if not plans:
        typer.echo("Nothing is due.")


def _plan_object(slices: list[Slice]) -> dict[str, Any]:
    topics: dict[str, dict[str, int]] = {}
    partitions: set[tuple[str, int]] = set()

    def add(topic: str, partition: int, **more: int) -> None:
        row = topics.setdefault(topic, {"partitions": 0, "offsets": 0, "files": 0, "bytes": 0})
        row["partitions"] += (topic, partition) not in partitions
        partitions.add((topic, partition))
        for name, number in more.items():
            row[name] += number

    for one in slices:
        for held in one.ranges:
            add(held.topic, held.partition, offsets=held.lag)
        for file in one.files:
            add(file.topic, file.partition, files=1, bytes=file.size_bytes)
    return {"slices": len(slices), "topics": dict(sorted(topics.items()))}
