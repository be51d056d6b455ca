"""What it saves to write small batches of several tenants together: the same batches alone and in groups, in turns.

Each round reports objects of every tenant again, nine in ten unchanged. Everything but the gathering is the same:
statements, writers, mirrors.
"""

import statistics
import time
from collections.abc import Callable
from contextlib import closing
from random import Random
from typing import Any, Final

from rich.table import Table

from pipelines.options.flow import WriteOptions
from pipelines.output.command import WIDE, console
from scripts.benching.stage import Stage
from transforms.io.graph_admin.quarantine import Quarantine
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.io.tenant_queues import TenantQueues
from transforms.planning.facts.mutations import UpsertNode
from transforms.planning.facts.values import digest_of
from transforms.planning.merge.fold import Interpreted
from transforms.planning.scheduling.grouping import GroupLimits
from transforms.records.record import make_ver
from transforms.steps.write_group import Batch, GroupWriter
from transforms.steps.write_tenant import Settled, TenantWriter

ALONE: Final = "alone"
GROUPED: Final = "grouped"
_HELD: Final = 6
_NEWS: Final = 10


def measure_groups(
    clusters: tuple[int, ...], objects: int, rounds: int, seed: int, stage: Stage, say: Callable[[str], None]
) -> dict[str, Any]:
    """The figures, as the JSON object that `--json` prints. objects: that a round reports of all clusters together."""
    found: dict[str, Any] = {}
    for number in clusters:
        stage.clear_graph()
        each = max(objects // number, 1)
        say(f"{number:,} clusters, {each:,} objects of each in a round, {rounds} pairs")
        with closing(Neo4jGraphStore(stage.neo4j_target)) as alone, closing(Neo4jGraphStore(stage.neo4j_target)) as grouped:
            makers = {ALONE: _Maker(alone, None, "a"), GROUPED: _Maker(grouped, GroupLimits(2000, 4 << 20), "g")}
            random = Random(seed)  # noqa: S311 - seeded traffic, not a secret
            for name, maker in makers.items():
                took = maker.round(number, each, random)
                say(f"first load {name}: {took['seconds']:.1f} s")
                maker.round(number, each, random)
            pairs = []
            for at in range(rounds):
                order = (ALONE, GROUPED) if at % 2 == 0 else (GROUPED, ALONE)
                pairs.append({name: makers[name].round(number, each, random) for name in order})
        found[str(number)] = _figures(pairs, number * each)
    return {"objects": objects, "rounds": rounds, "seed": seed, "by_clusters": found}


class _Maker:
    """Writes rounds of reports through queues of its own, to tenants of its own."""

    def __init__(self, store: Neo4jGraphStore, groups: GroupLimits | None, prefix: str) -> None:
        self._writer = GroupWriter(store, TenantWriter(store, Quarantine(store), 3), groups)
        self._prefix = prefix
        self._turn = 0

    def round(self, clusters: int, each: int, random: Random) -> dict[str, float]:
        """Report all objects of all clusters once; the seconds, of the clock and of this process."""
        self._turn += 1
        batches = [(f"{self._prefix}-{at}", Batch(self._reports(f"{self._prefix}-{at}", each, random), each)) for at in range(clusters)]
        queues: TenantQueues[Batch, Settled] = TenantQueues(self._writer.write, WriteOptions().writers, _HELD, self._writer.share)
        wall, cpu = time.perf_counter(), time.process_time()
        with closing(queues):
            done = [one for client_id, batch in batches for one in queues.submit(client_id, batch)] + queues.drain()
        if sum(len(one.results) for one in done) != clusters * each:
            raise RuntimeError("not every report has its outcome")
        transactions = sum(len(one.seconds) for one in done)
        return {"seconds": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, "transactions": transactions}

    def _reports(self, client_id: str, each: int, random: Random) -> list[Interpreted]:
        found = []
        for at in range(each):
            restarts = self._turn if random.randrange(_NEWS) == 0 else 0
            props = {"kind": "Pod", "ns": "shop", "name": f"p{at}", "image": "registry/app:1", "restarts": restarts}
            ver = make_ver(self._turn * 1_000_000, "t", 0, at)
            found.append(Interpreted(UpsertNode(client_id, ver, f"pod:shop:p{at}", f"u{at}", props, digest_of(props)), None))
        return found


def _figures(pairs: list[dict[str, dict[str, float]]], reports: int) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name in (ALONE, GROUPED):
        wall, cpu = (statistics.median(one[name][field] for one in pairs) for field in ("seconds", "cpu_s"))
        told[name] = {
            "reports_per_s": round(reports / wall),
            "cpu_s_per_million": round(cpu * 1e6 / reports, 1),
            "transactions": statistics.median(one[name]["transactions"] for one in pairs),
        }
    told["times_as_fast"] = round(statistics.median(one[ALONE]["seconds"] / one[GROUPED]["seconds"] for one in pairs), 2)
    told["of_the_cpu"] = round(statistics.median(one[GROUPED]["cpu_s"] / one[ALONE]["cpu_s"] for one in pairs), 2)
    return told


def show_groups(found: dict[str, Any]) -> None:
    """Print the figures."""
    table = Table("clusters", "written", "reports/s", "CPU-s per million", "transactions a round", "times as fast", "of the CPU")
    for number, figures in found["by_clusters"].items():
        for name in (ALONE, GROUPED):
            one = figures[name]
            compared = (str(figures["times_as_fast"]), str(figures["of_the_cpu"])) if name == GROUPED else ("", "")
            cells = (f"{one['reports_per_s']:,}", f"{one['cpu_s_per_million']:,}", f"{one['transactions']:,}")
            table.add_row(number, name, *cells, *compared)
    console(WIDE).print(table)
