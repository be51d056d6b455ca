"""What the number of clusters costs: three runs over each fleet, against the floor of the same records.

The floor is what one thread needs that polls the records and decodes their JSON, and nothing else; it is measured in the same run, so that
figures of different machines can be compared as multiples of it. First load: every object once, on an empty graph. Resync: traffic of all
topics on top of it. Again: a new process with a group of its own reads all of that a second time.
"""

from collections.abc import Callable
from typing import Any, Final

from rich.table import Table

from pipelines.output.command import WIDE, console
from scripts.benching.job import JobRun, run_job
from scripts.benching.raw import Floor, floor_of
from scripts.benching.stage import Stage
from scripts.benching.traffic import Fleet
from scripts.sampling.produce import TOPICS
from transforms.steps.readers import BOUNDED

PHASES: Final = ("first", "resync", "again")
# Of messages/s at the largest number of clusters to those at the smallest, same objects in all; and of CPU a message.
RATE_BAR: Final = 0.6
CPU_BAR: Final = 1.3
_COLUMNS: Final = ("records", "messages_per_s", "cpu_s_per_million", "floors", "slices", "peak_rss_mb")


def measure_scaling(
    clusters: tuple[int, ...], objects: int, per_cluster: int, messages: int, mix: str, seed: int, stage: Stage, say: Callable[[str], None]
) -> dict[str, Any]:
    """The figures, as the JSON object that `--json` prints.

    objects: of all clusters together. per_cluster: of each, in place of that; 0: as `objects` says.
    """
    stage.clear()
    say("a run with nothing to read")
    run_job(_flags("scaling-start"), stage.environment(), None)
    start_cpu_s = run_job(_flags("scaling-start"), stage.environment(), None).cpu_s
    found: dict[str, Any] = {}
    for number in clusters:
        each = per_cluster or objects // number
        found[str(number)] = _fleet(number, each, messages, mix, seed, start_cpu_s, stage, say)
    return {"mix": mix, "seed": seed, "start_cpu_s": round(start_cpu_s, 2), "by_clusters": found, "ratios": _ratios(found)}


def _fleet(
    clusters: int, objects: int, messages: int, mix: str, seed: int, start_cpu_s: float, stage: Stage, say: Callable[[str], None]
) -> dict[str, Any]:
    stage.clear()
    fleet = Fleet(clusters, objects, seed)
    figures: dict[str, Any] = {"clusters": clusters, "objects": fleet.facts}
    records = 0
    for phase in PHASES:
        say(f"{clusters:,} clusters of about {objects:,} objects: {phase}")
        number = stage.produce(fleet.once() if phase == "first" else fleet.traffic(mix, messages)) if phase != "again" else records
        records += number
        run = run_job(_flags("scaling-again" if phase == "again" else "scaling"), stage.environment(), None)
        if run.report["read"] != number:
            raise RuntimeError(f"{number} records were produced, {run.report['read']} read")
        figures[phase] = _figures(run, number, start_cpu_s)
    floor = floor_of(stage.brokers, TOPICS)
    for phase in PHASES:
        figures[phase]["floors"] = round(figures[phase]["cpu_s_per_million"] / floor.cpu_s_per_million, 1)
    return {**figures, "floor": _floor(floor)}


def _floor(floor: Floor) -> dict[str, Any]:
    return {"cpu_s_per_million": round(floor.cpu_s_per_million, 2), "messages_per_s": round(floor.messages_per_s)}


def _figures(run: JobRun, records: int, start_cpu_s: float) -> dict[str, Any]:
    report = run.report
    outcomes = {name: report[name] for name in ("written", "unchanged", "superseded", "filtered", "undecoded", "rejected")}
    return {
        "records": records,
        "seconds": report["seconds"],
        "messages_per_s": round(records / report["seconds"]),
        "cpu_s_per_million": round(max(run.cpu_s - start_cpu_s, 0.0) * 1e6 / records, 1),
        "peak_rss_mb": round(run.peak_rss_mb, 1),
        "slices": report["slices"],
        "rows_written": report["rows_written"],
        "write_seconds": report["write_seconds"],
        "outcomes": {name: number for name, number in outcomes.items() if number},
    }


def _ratios(found: dict[str, Any]) -> dict[str, Any]:
    """The most clusters against the fewest."""
    if len(found) < 2:  # noqa: PLR2004 - of which there must be both
        return {}
    fewest, most = (found[str(of(map(int, found)))] for of in (min, max))
    return {
        phase: {
            "messages_per_s": round(most[phase]["messages_per_s"] / fewest[phase]["messages_per_s"], 2),
            "cpu": round(most[phase]["cpu_s_per_million"] / max(fewest[phase]["cpu_s_per_million"], 0.1), 2),
        }
        for phase in PHASES
    }


def _flags(group: str) -> list[str]:
    return [f"--kafka_reader={BOUNDED}", f"--kafka_group={group}", f"--topics={','.join(TOPICS)}"]


def show_scaling(found: dict[str, Any]) -> None:
    """Print the figures."""
    out = console(WIDE)
    table = Table("clusters", "phase", "records", "messages/s", "CPU-s per million", "times the floor", "slices", "peak MB")
    for name, figures in found["by_clusters"].items():
        for phase in PHASES:
            table.add_row(name, phase, *(f"{figures[phase][column]:,}" for column in _COLUMNS))
    out.print(table)
    for name, figures in found["by_clusters"].items():
        floor = figures["floor"]
        out.print(f"floor at {name} clusters: {floor['cpu_s_per_million']} CPU-s per million, {floor['messages_per_s']:,} messages/s")
    for phase, ratio in found["ratios"].items():
        rate, cpu = ratio["messages_per_s"], ratio["cpu"]
        out.print(f"{phase}, most clusters to fewest: messages/s {rate} (bar {RATE_BAR}), CPU a message {cpu} (bar {CPU_BAR})")
