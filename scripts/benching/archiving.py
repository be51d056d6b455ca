"""What archiving costs the job: the same records with and without, in turns, and what they take on disk."""

import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from scripts.benching.job import JobRun, run_job
from scripts.benching.stage import Stage
from scripts.benching.traffic import Fleet
from scripts.sampling.produce import TOPICS
from scripts.sampling.record import SampleRecord
from transforms.io.archive.files import Archive
from transforms.steps.readers import BOUNDED

ROUNDS: Final = 5
# Seconds of archiving for a second of the job, and bytes on disk for a byte of JSON, at most.
COST_BAR: Final = 0.15
SIZE_BAR: Final = 0.35


def measure_archive(
    messages: int, clusters: int, objects: int, mix: str, seed: int, stage: Stage, say: Callable[[str], None]
) -> dict[str, Any]:
    """The figures, as the JSON object that `--json` prints: resyncs of a fleet, read from the beginning by every run."""
    stage.clear()
    fleet = Fleet(clusters, objects // clusters, seed)
    raw_bytes = 0

    def counted(records: Iterator[SampleRecord]) -> Iterator[SampleRecord]:
        nonlocal raw_bytes
        for one in records:
            raw_bytes += len(one.value or b"")
            yield one

    say(f"producing {messages:,} records of {clusters} clusters, mix {mix}")
    number = stage.produce(counted(chain(fleet.once(), fleet.traffic(mix, messages))))
    rounds: list[dict[str, JobRun]] = []
    with tempfile.TemporaryDirectory() as folder:
        say("once without, for the database to warm up")
        _run(stage, "archive-warm", number, None)
        for at in range(ROUNDS):
            say(f"round {at + 1} of {ROUNDS}, without and with the archive")
            # In turns, the other one first each time: what came before must not favour one of them.
            order = ("without", "with") if at % 2 == 0 else ("with", "without")
            rounds.append(
                {name: _run(stage, f"archive-{at}-{name}", number, Path(folder, str(at)) if name == "with" else None) for name in order}
            )
        kept = Archive(str(Path(folder, "0"))).find(0, 2**62)
    costs = [one["with"].report["seconds"] / one["without"].report["seconds"] - 1 for one in rounds]
    size = sum(file.size_bytes for file in kept)
    return {
        "mix": mix,
        "records": number,
        "clusters": clusters,
        "seed": seed,
        "runs": {name: [_figures(one[name], number) for one in rounds] for name in ("without", "with")},
        "costs": [round(cost, 3) for cost in costs],
        "cost": round(statistics.median(costs), 3),
        "cost_bar": COST_BAR,
        "files": len(kept),
        "bytes_per_record": round(size / number, 1),
        "raw_bytes_per_record": round(raw_bytes / number, 1),
        "size_ratio": round(size / raw_bytes, 3),
        "size_bar": SIZE_BAR,
    }


def _run(stage: Stage, group: str, number: int, archive: Path | None) -> JobRun:
    stage.clear_graph()
    flags = [f"--kafka_reader={BOUNDED}", f"--kafka_group={group}", f"--topics={','.join(TOPICS)}"]
    run = run_job([*flags, f"--archive={archive}"] if archive else flags, stage.environment(), None)
    if run.report["read"] != number:
        raise RuntimeError(f"{number} records were produced, {run.report['read']} read")
    return run


def _figures(run: JobRun, records: int) -> dict[str, Any]:
    return {
        "seconds": run.report["seconds"],
        "messages_per_s": round(records / run.report["seconds"]),
        "cpu_s_per_million": round(run.cpu_s * 1e6 / records, 1),
        "peak_rss_mb": round(run.peak_rss_mb, 1),
    }


def show_archive(found: dict[str, Any]) -> None:
    """Print the figures."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    table = Table("archive", "seconds", "messages/s", "CPU-s per million", "peak MB")
    for name, runs in found["runs"].items():
        for one in runs:
            table.add_row(name, *(f"{one[field]:,}" for field in ("seconds", "messages_per_s", "cpu_s_per_million", "peak_rss_mb")))
    console.print(table)
    console.print(f"cost in time, median of {len(found['costs'])} pairs: {found['cost']:.1%} (bar {found['cost_bar']:.0%})")
    size = f"{found['size_ratio']} of its JSON (bar {found['size_bar']})"
    console.print(f"{found['bytes_per_record']} bytes a record in {found['files']:,} files, {size}")
