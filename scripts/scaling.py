"""Print what a number of clusters needs, from constants that were measured: `scripts/bench --scaling` gives your own.

All figures are of traffic like production's: an object is reported each 30 seconds, and resources are a fifth of all messages. They
leave out what nobody here has measured: a network between the parts, replicas, backups.

Examples:

  scripts/scaling

  scripts/scaling --objects 250 --clusters 10,50 --cpu_s_per_million 60 --rows_per_s 30000
"""

import math
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.table import Table

from pipelines.output.command import WIDE, console
from scripts.benching.traffic import RESYNC_S, UPSTREAM
from scripts.sampling.record import RESOURCES, TOPOLOGY

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
_SHARE: Final = UPSTREAM[RESOURCES] / sum(UPSTREAM.values())
_ROWS: Final = (UPSTREAM[RESOURCES] + UPSTREAM[TOPOLOGY]) / sum(UPSTREAM.values())
# Of what a part can do, so that it catches up after an hour's standstill in about two.
_HEADROOM: Final = 0.65
_FACTS_PER_OBJECT: Final = 2.0
_GIB: Final = 2**30


@dataclass(frozen=True, slots=True)
class Constants:
    """What one machine does. cpu_s_per_million: of Python, a million messages. rows_per_s: that one Neo4j writes.

    slot_per_s: messages that one Flink slot takes. partition_per_s: that one partition gives a reader. bytes_per_object: of Neo4j's store.
    """

    cpu_s_per_million: float
    rows_per_s: float
    slot_per_s: float
    partition_per_s: float
    bytes_per_object: float


@dataclass(frozen=True, slots=True)
class Needs:
    """What so many clusters come to. breaks_first: the part that is nearest to its limit on one machine."""

    clusters: int
    messages_per_s: float
    rows_per_s: float
    cores: float
    partitions: int
    slots: int
    neo4j: int
    store_gib: float
    mirror_gib: float
    breaks_first: str


def needs(clusters: int, objects: int, constants: Constants) -> Needs:
    """What the clusters need, each of so many objects."""
    messages = clusters * objects / RESYNC_S / _SHARE
    rows = messages * _ROWS
    cores = messages * constants.cpu_s_per_million / 1e6 / _HEADROOM
    databases = max(1, math.ceil(rows / (constants.rows_per_s * _HEADROOM)))
    uses = {
        "nothing": _HEADROOM,
        "a core of Python: use --runner flink": messages * constants.cpu_s_per_million / 1e6,
        "the writes of one Neo4j: spread tenants (ADR 031)": rows / constants.rows_per_s,
    }
    return Needs(
        clusters,
        messages,
        rows,
        cores,
        max(1, math.ceil(messages / constants.partition_per_s)),
        max(1, math.ceil(messages / (constants.slot_per_s * _HEADROOM))),
        databases,
        clusters * objects * constants.bytes_per_object / _GIB,
        clusters * objects * _FACTS_PER_OBJECT * 1024 / _GIB,
        max(uses, key=lambda name: uses[name]),
    )


@app.command(help=__doc__)
def main(
    clusters: Annotated[str, typer.Option("--clusters", help="Comma-separated.")] = "10,100,1000,10000",
    objects: Annotated[int, typer.Option("--objects", min=1, help="Kubernetes objects of each cluster.")] = 1010,
    cpu_s_per_million: Annotated[float, typer.Option("--cpu_s_per_million", min=0.1, help="CPU-seconds of Python.")] = 87.0,
    rows_per_s: Annotated[float, typer.Option("--rows_per_s", min=1, help="Rows that one Neo4j writes.")] = 16_000.0,
    slot_per_s: Annotated[float, typer.Option("--slot_per_s", min=1, help="Messages that one Flink slot takes.")] = 6_000.0,
    partition_per_s: Annotated[float, typer.Option("--partition_per_s", min=1, help="Messages that one partition gives.")] = 20_000.0,
    bytes_per_object: Annotated[float, typer.Option("--bytes_per_object", min=1, help="Of Neo4j's store.")] = 4_000.0,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object on standard output.")] = False,
) -> None:
    try:
        counts = [int(part) for part in clusters.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 1:
        raise typer.BadParameter(f"--clusters is {clusters!r}; give numbers from 1 on, comma-separated.")
    constants = Constants(cpu_s_per_million, rows_per_s, slot_per_s, partition_per_s, bytes_per_object)
    found = [needs(number, objects, constants) for number in counts]
    if json:
        told: dict[str, Any] = {"objects": objects, "constants": constants, "clusters": found}
        typer.echo(msgspec.json.encode(told).decode())
        return
    out = console(WIDE)
    table = Table("clusters", "messages/s", "rows/s", "cores", "partitions", "Flink slots", "Neo4j", "store GiB", "breaks first")
    for one in found:
        numbers = (f"{one.messages_per_s:,.0f}", f"{one.rows_per_s:,.0f}", f"{one.cores:,.1f}", str(one.partitions), str(one.slots))
        table.add_row(f"{one.clusters:,}", *numbers, str(one.neo4j), f"{one.store_gib:,.1f}", one.breaks_first)
    out.print(table)


if __name__ == "__main__":
    sys.exit(app())
