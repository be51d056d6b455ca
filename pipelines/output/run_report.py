"""What a run tells: progress while it goes on, a table per tenant at its end, or one JSON object."""

import sys
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

from rich.table import Table

from pipelines.output.command import console, print_json
from pipelines.output.progress import bar
from pipelines.output.readable import spoken_number
from runners.loops.bounded import RunTotals, SliceReport
from runners.loops.replay import ReplayTotals
from transforms.io.kafka.offsets import Place
from transforms.model.metrics import REJECT_REASONS, UNAVAILABLE
from transforms.records.counts import Labels
from transforms.records.dead_letters.letters import Unavailable
from transforms.records.outcomes import Outcome, Tally


class ProgressBar:
    """A bar against the known lag, on a terminal; nothing elsewhere, where the log tells of every slice."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._progress = bar(stream)
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
    outcomes = totals.counts.outcomes
    tenants = sorted({client_id for client_id, _ in outcomes})
    by_tenant = {client_id: _counts(outcomes, client_id) for client_id in tenants}
    whole = {outcome.value: sum(counts[outcome.value] for counts in by_tenant.values()) for outcome in Outcome}
    gaps = [{"topic": gap.topic, "partition": gap.partition, "from": gap.start, "to": gap.end} for gap in totals.gaps]
    held_back = [{"topic": one.topic, "partition": one.partition, "from": one.first, "offsets": one.offsets} for one in totals.held_back]
    return {
        "read": totals.read,
        **whole,
        "seconds": round(seconds, 3),
        "slices": totals.slices,
        **totals.counts.reported(),
        "gaps": gaps,
        "left_out": [one._asdict() for one in totals.left_out],
        "held_back": held_back,
        "transitions": [{"client_id": client_id, "from": before, "to": state} for client_id, before, state in totals.transitions],
        "tenants": by_tenant,
    }


def _counts(outcomes: Tally, client_id: str) -> dict[str, int]:
    counts = {outcome.value: outcomes[client_id, outcome] for outcome in Outcome}
    return {"read": sum(counts.values()), **counts}


def print_summary(summary: dict[str, Any], *, as_json: bool, has_letters: bool = True) -> None:
    """Print the summary on standard output. has_letters: rejects of this run have become dead letters."""
    if as_json:
        print_json(summary)
        return
    out = console()
    if summary["read"]:
        out.print(_tenant_table(summary, ("read", *_shown_outcomes(summary))))
    for gap in summary["gaps"]:
        out.print(f"lost: {gap['topic']}[{gap['partition']}] offsets {gap['from']} to {gap['to']}, deleted before they were taken in")
    for one in summary["left_out"]:
        out.print(f"left out: {one['topic']}[{one['partition']}], {one['cause']}; what it holds is not taken in", highlight=False)
    for one in summary["held_back"]:
        out.print(f"held back: {one['offsets']:,} offsets of {one['topic']}[{one['partition']}], by an open transaction", highlight=False)
    for one in summary["transitions"]:
        out.print(f"tenant {one['client_id']}: {one['from']} became {one['to']}", highlight=False)
    said = f"{spoken_number(summary['read'], 'record')} in" if summary["read"] else "There were no new records; looking took"
    if has_letters and (rejected := summary[Outcome.REJECTED.value]):
        out.print(f"{rejected:,} rejected: `graph-build deadletters list` shows the reasons", highlight=False)
    out.print(f"{said} {summary['seconds']:.1f} s", highlight=False)


def _shown_outcomes(summary: dict[str, Any]) -> list[str]:
    return [outcome.value for outcome in Outcome if summary[outcome.value] or outcome in (Outcome.WRITTEN, Outcome.REJECTED)]


def _tenant_table(summary: dict[str, Any], names: tuple[str, ...]) -> Table:
    table = Table("tenant", *names, title=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for client_id, counts in summary["tenants"].items():
        table.add_row(client_id, *(f"{counts[name]:,}" for name in names))
    table.add_section()
    table.add_row("all", *(f"{summary[name]:,}" for name in names))
    return table


def replay_summary(totals: ReplayTotals, seconds: float, *, dry_run: bool) -> dict[str, Any]:
    """The object of `replay --json`: letters = replayed + unavailable + gaps, and the outcomes add up to replayed.

    By tenant, what was replayed counts for the tenant that the replay found, the rest for the one that the letter names.
    """
    tenants = sorted({client_id for client_id, _ in totals.counts.outcomes} | totals.letters.keys())
    by_tenant = {client_id: _replay_counts(totals, client_id) for client_id in tenants}
    return {
        "dry_run": dry_run,
        "letters": totals.letters.total(),
        "replayed": totals.replayed,
        **{outcome.value: sum(counts[outcome.value] for counts in by_tenant.values()) for outcome in Outcome},
        "unavailable": totals.counts.total(UNAVAILABLE),
        "gaps": totals.gaps.total(),
        "replayed_before": totals.before,
        "seconds": round(seconds, 3),
        "slices": totals.slices,
        **totals.counts.reported(),
        "rejected_why": by_why(totals.counts.of(REJECT_REASONS)),
        "unavailable_why": by_why(totals.counts.of(UNAVAILABLE)),
        "unreadable": dict(totals.unreadable),
        "tenants": by_tenant,
    }


def _replay_counts(totals: ReplayTotals, client_id: str) -> dict[str, int]:
    counts = _counts(totals.counts.outcomes, client_id)
    unavailable = sum(number for (named, _), number in totals.counts.of(UNAVAILABLE).items() if named == client_id)
    return {
        "letters": totals.letters[client_id],
        "replayed": counts.pop("read"),
        **counts,
        "unavailable": unavailable,
        "gaps": totals.gaps[client_id],
    }


def by_why(counted: Mapping[Labels, int]) -> dict[str, int]:
    """Numbers by tenant and cause, added up by cause."""
    found: Counter[str] = Counter()
    for (_, why), number in counted.items():
        found[why] += number
    return dict(sorted(found.items()))


def print_replay(summary: dict[str, Any], *, as_json: bool) -> None:
    """Print the summary of a replay on standard output."""
    if as_json:
        print_json(summary)
        return
    out = console()
    if summary["tenants"]:
        names = [] if summary["dry_run"] else ["replayed", *_shown_outcomes(summary)]
        out.print(_tenant_table(summary, ("letters", *names, "unavailable", "gaps")))
    for why, number in summary["unavailable_why"].items():
        out.print(f"unavailable: {number:,}, since {Unavailable(why).sentence}", highlight=False)
    for reason, number in summary["rejected_why"].items():
        out.print(f"rejected again: {number:,} as {reason}; their letters stay open", highlight=False)
    if summary["replayed_before"]:
        before = summary["replayed_before"]
        them = "was replayed before; --again replays it too" if before == 1 else "were replayed before; --again replays them too"
        out.print(f"{spoken_number(before, 'letter')} {them}", highlight=False)
    said = "would be replayed" if summary["dry_run"] else f"replayed in {summary['seconds']:.1f} s"
    out.print(f"{summary['replayed']:,} of {spoken_number(summary['letters'], 'letter')} {said}", highlight=False)
    if not summary["dry_run"] and summary["replayed"] > summary[Outcome.REJECTED.value]:
        others = "; `show` says why others were rejected" if summary[Outcome.REJECTED.value] else ""
        out.print(f"`deadletters list` counts those that were taken in as replayed{others}", highlight=False)
