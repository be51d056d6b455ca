"""Measure the job against the raw clients: real Kafka and Neo4j, all in one run, on a stack of its own.

Figures of one run compare with each other, not with those of another run or machine: the raw rates are measured so that
ratios can be taken. First load: every object and relationship once, on an empty graph. Resync: a fleet that is known
already reports every object again, in the shares of production traffic. Exit codes: 0 done, 1 failed, 2 wrong usage.

Examples:

  scripts/bench

  scripts/bench --json --messages 1000000 --clusters 10 --mix state --phase resync --readers bounded

  scripts/bench --clusters 1,10,100 --readers bounded

  scripts/bench --scaling --clusters 10,100,1000 --objects 20000 --messages 300000 --mix upstream

  scripts/bench --scaling --clusters 10,100 --per_cluster 288 --mix upstream

  scripts/bench --incidents --clusters 1,10,100 --per_cluster 1210

  scripts/bench --groups --clusters 10,100,1000 --objects 10000

  scripts/bench --purge --json

  scripts/bench --flood --messages 100000

  scripts/bench --archive --json

  scripts/bench --backfill --json

  scripts/bench --runner flink --minutes 15
"""

import sys
import time
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from scripts.benching.analysing import measure_analysis, show_analysis
from scripts.benching.archiving import measure_archive, show_archive
from scripts.benching.backfilling import measure_backfill, show_backfill
from scripts.benching.flooding import measure_flood, show_flood
from scripts.benching.grouping import measure_groups, show_groups
from scripts.benching.measure import Plan, measure
from scripts.benching.purging import measure_purge, show_purge
from scripts.benching.scaling import measure_scaling, show_scaling
from scripts.benching.stage import Stage, stage
from scripts.benching.streaming import measure_streaming, show_streaming
from scripts.benching.tables import show
from scripts.benching.traffic import MIXES
from transforms.io.faults import InfrastructureFault
from transforms.steps.readers import BEAM, BOUNDED, READERS

PHASES = ("first", "resync")
GROUP_ROUNDS = 5
FLINK = "flink"
RUNNERS = ("direct", FLINK)
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


class Measured(NamedTuple):
    """What is measured on an empty stack, and how its figures are shown."""

    measure: Callable[[Stage], dict[str, Any]]
    show: Callable[[dict[str, Any]], None]


def _chosen(flag: str, text: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names or ("",):
        if name not in allowed:
            raise typer.BadParameter(f"{flag} is {name!r}; choose of {', '.join(allowed)}.")
    return names


def _counts(text: str, flag: str = "--clusters") -> tuple[int, ...]:
    try:
        counts = tuple(int(part) for part in text.split(","))
    except ValueError:
        counts = ()
    if not counts or min(counts) < 1:
        raise typer.BadParameter(f"{flag} is {text!r}; give numbers from 1 on, comma-separated.")
    return counts


@app.command(help=__doc__)
def main(
    messages: Annotated[int, typer.Option("--messages", min=1000, help="Records of a measured run.")] = 200_000,
    clusters: Annotated[str, typer.Option("--clusters", help="Clusters; with several numbers, CPU and memory for each.")] = "10",
    mix: Annotated[str, typer.Option("--mix", help=" | ".join(MIXES))] = "state",
    phase: Annotated[str, typer.Option("--phase", help=" | ".join(PHASES))] = "resync",
    readers: Annotated[str, typer.Option("--readers", help="Comma-separated; beam takes part with fewer records.")] = f"{BOUNDED},{BEAM}",
    objects: Annotated[int, typer.Option("--objects", min=6, help="Kubernetes objects of all clusters together, in resyncs.")] = 1010,
    first_load: Annotated[int, typer.Option("--first_load", min=1000, help="Records of the first load, all distinct.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same traffic.")] = 7,
    purge: Annotated[
        bool, typer.Option("--purge", help="Measure the purge of a large tenant beside nine others, and nothing else.")
    ] = False,
    flood: Annotated[
        bool, typer.Option("--flood", help="Measure what a tenant with ten times its share costs nine others, and nothing else.")
    ] = False,
    scaling: Annotated[
        bool, typer.Option("--scaling", help="Measure what the number of clusters costs, against the floor, and nothing else.")
    ] = False,
    incidents: Annotated[
        bool, typer.Option("--incidents", help="Measure what it costs to keep incidents, against the reads alone, and nothing else.")
    ] = False,
    groups: Annotated[
        bool, typer.Option("--groups", help="Measure what it saves to write tenants' batches together, and nothing else.")
    ] = False,
    per_cluster: Annotated[
        int,
        typer.Option(
            "--per_cluster", min=0, help="Objects of each cluster, with --scaling or --incidents, in place of --objects; 0: not so."
        ),
    ] = 0,
    runner: Annotated[
        str, typer.Option("--runner", help="direct | flink. flink: the job streams on a cluster of its own, against the bounded run.")
    ] = "direct",
    minutes: Annotated[float, typer.Option("--minutes", min=0.2, help="Minutes of paced traffic, with --runner flink.")] = 2.0,
    archive: Annotated[bool, typer.Option("--archive", help="Measure what archiving costs the job, and nothing else.")] = False,
    purge_nodes: Annotated[int, typer.Option("--purge_nodes", min=1000, help="Nodes of the tenant that is purged.")] = 200_000,
    backfill: Annotated[
        bool, typer.Option("--backfill", help="Measure backfills against the live run of the same records, and nothing else.")
    ] = False,
    backfill_records: Annotated[
        str, typer.Option("--backfill_records", help="Records of a backfill; with several numbers, memory for each.")
    ] = "100000,1000000",
    json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object on standard output.")] = False,
) -> None:
    plan = Plan(
        messages=messages,
        clusters=_counts(clusters),
        mix=_chosen("--mix", mix, tuple(MIXES))[0],
        phase=_chosen("--phase", phase, PHASES)[0],
        readers=_chosen("--readers", readers, READERS),
        objects=objects,
        first_load=first_load,
        seed=seed,
    )
    _chosen("--runner", runner, RUNNERS)
    sizes = _counts(backfill_records, "--backfill_records")
    started = time.monotonic()

    def say(text: str) -> None:
        typer.echo(f"[{time.monotonic() - started:6.1f} s] {text}", err=True)

    alone = (
        (runner == FLINK, Measured(lambda empty: measure_streaming(messages, minutes, seed, empty, say), show_streaming)),
        (
            scaling,
            Measured(
                lambda empty: measure_scaling(plan.clusters, objects, per_cluster, messages, plan.mix, seed, empty, say), show_scaling
            ),
        ),
        (
            incidents,
            Measured(lambda empty: measure_analysis(plan.clusters, objects, per_cluster, seed, empty, say), show_analysis),
        ),
        (groups, Measured(lambda empty: measure_groups(plan.clusters, objects, GROUP_ROUNDS, seed, empty, say), show_groups)),
        (purge, Measured(lambda empty: measure_purge(purge_nodes, empty, say), show_purge)),
        (flood, Measured(lambda empty: measure_flood(messages // 10, seed, empty, say), show_flood)),
        (archive, Measured(lambda empty: measure_archive(messages, plan.clusters[0], objects, plan.mix, seed, empty, say), show_archive)),
        (backfill, Measured(lambda empty: measure_backfill(sizes, plan.mix, seed, empty, say), show_backfill)),
    )
    chosen = next((one for is_asked, one in alone if is_asked), Measured(lambda empty: measure(plan, empty, say), show))
    say("starting a stack")
    try:
        with stage() as empty:
            found = chosen.measure(empty)
    except (RuntimeError, InfrastructureFault) as fault:
        typer.echo(str(fault), err=True)
        sys.exit(1)
    say("done")
    if json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        chosen.show(found)


if __name__ == "__main__":
    app()
