"""A large tenant purged by a process of its own while others are written: what the others feel of it, and what it takes.

The others are written as the job writes them, by as many writers, batch after batch without a pause, before the purge and
while it goes on. Every batch changes every object that it names.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final

import msgspec
import psutil
from rich.table import Table

from pipelines.options.flow import WriteOptions
from pipelines.output.command import WIDE, console
from scripts.benching.raw import write_rate
from scripts.benching.stage import Stage
from transforms.io.neo4j.rows import Write, writes
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model.limits import PURGE_ROWS
from transforms.planning.facts.changes import Changes
from transforms.planning.facts.mutations import Mutation, UpsertEdge, UpsertNode
from transforms.planning.facts.stored import Triple
from transforms.planning.facts.values import digest_of
from transforms.records.record import make_ver

TENANT: Final = "purged"
OTHERS: Final = 9
BEFORE_S: Final = 30.0
BAR: Final = 2.0
_PODS_PER_NODE: Final = 100
_LOAD_PODS: Final = 5000
_BATCH_PODS: Final = 500
_LOOK_S: Final = 0.05


def measure_purge(nodes: int, stage: Stage, say: Callable[[str], None]) -> dict[str, Any]:
    """The figures, as the JSON object that `--json` prints. nodes: of the tenant that is purged."""
    stage.clear_graph()
    with closing(Neo4jGraphStore(stage.neo4j_target)) as store:
        say(f"making a tenant of {nodes:,} nodes, and {OTHERS} others")
        store.write_batch(TENANT, [_pod(TENANT, 0, 0)])
        write_rate(stage.neo4j_target, list(large_tenant(nodes)))
        others = Others(store, WriteOptions().writers)
        others.write_while(lambda: others.rounds(2))
        say(f"the others are written for {BEFORE_S:.0f} s")
        before = others.write_while(lambda: time.sleep(BEFORE_S))
        say(f"the others are written while {TENANT} is purged")
        purges: list[dict[str, Any]] = []
        during = others.write_while(lambda: purges.append(run_purge(stage.environment())))
    ratio = round(during["p95_ms"] / before["p95_ms"], 2)
    figures = {"nodes": nodes, "others": OTHERS, "writers": WriteOptions().writers, "slice_rows": PURGE_ROWS}
    return {**figures, "before": before, "during": during, "p95_ratio": ratio, "bar": BAR, "purge": purges[0]}


def large_tenant(nodes: int) -> Iterator[tuple[str, list[Write]]]:
    """The transactions that make the tenant, Pods that run on Nodes, by the job's own statements."""
    hosts = max(nodes // _PODS_PER_NODE, 1)
    for start in range(0, nodes - hosts, _LOAD_PODS):
        changes = Changes()
        for number in range(start, min(start + _LOAD_PODS, nodes - hosts)):
            pod, host = _pod(TENANT, number, 0), f"n{number % hosts}"
            changes.nodes[pod.rid] = {**pod.props, "ver": pod.ver, "hash": pod.digest}
            changes.nodes[f"node::{host}"] = {"kind": "Node", "name": host, "ver": pod.ver, "hash": b""}
            changes.edges[Triple("RUNS_ON", pod.rid, f"node::{host}")] = {"edge_id": f"e{number}", "ver": pod.ver}
        yield TENANT, list(writes(TENANT, changes))


def _ver(number: int, turn: int) -> str:
    return make_ver(turn + 1, "t", 0, number)


def _pod(client_id: str, number: int, turn: int) -> UpsertNode:
    props = {"kind": "Pod", "ns": "shop", "name": f"p{number}", "image": f"registry/app:{turn}"}
    return UpsertNode(client_id, _ver(number, turn), f"pod:shop:p{number}", "", props, digest_of(props))


def _batch(client_id: str, turn: int) -> list[Mutation]:
    found: list[Mutation] = []
    for number in range(_BATCH_PODS):
        edge = UpsertEdge(client_id, _ver(number, turn), f"e{number}", "RUNS_ON", f"pod:shop:p{number}", f"node::n{turn % 2}")
        found += [_pod(client_id, number, turn), edge]
    return found


class Others:
    """The other tenants, each written by one writer at a time, in turns."""

    def __init__(self, store: Neo4jGraphStore, writers: int) -> None:
        self._store = store
        self._writers = writers
        self._turns = dict.fromkeys((f"other-{number}" for number in range(OTHERS)), 0)
        self._times_s: list[float] = []
        self._counted = threading.Condition()

    def rounds(self, number: int) -> None:
        """Return when every tenant may have been written so often."""
        with self._counted:
            self._counted.wait_for(lambda: len(self._times_s) >= number * OTHERS)

    def write_while(self, work: Callable[[], None]) -> dict[str, Any]:
        """Write until the work is done; how long batches took meanwhile."""
        self._times_s = []
        done = threading.Event()
        names = list(self._turns)
        threads = [threading.Thread(target=self._write, args=(names[at :: self._writers], done)) for at in range(self._writers)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        try:
            work()
        finally:
            done.set()
            for thread in threads:
                thread.join()
        return _figures(self._times_s, time.perf_counter() - started)

    def _write(self, names: list[str], done: threading.Event) -> None:
        while not done.is_set():
            for name in names:
                self._turns[name] += 1
                batch = _batch(name, self._turns[name])
                started = time.perf_counter()
                self._store.write_batch(name, batch)
                with self._counted:
                    self._times_s.append(time.perf_counter() - started)
                    self._counted.notify_all()


def _figures(times_s: list[float], wall_s: float) -> dict[str, Any]:
    ordered = sorted(times_s)
    at = {name: ordered[min(int(part * len(ordered)), len(ordered) - 1)] for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    shown = {f"{name}_ms": round(seconds * 1000, 1) for name, seconds in (*at.items(), ("max", ordered[-1]))}
    return {"batches": len(ordered), "seconds": round(wall_s, 1), **shown}


def run_purge(environment: dict[str, str]) -> dict[str, Any]:
    """Purge as an operator does; what it came to and what the process used. RuntimeError with what it said where it fails."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        command = [sys.executable, "-m", "pipelines.tenants", "forget", TENANT, "--yes", "--json"]
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=out, stderr=err)
        status, used, peak_mb = ended(process)
        wall_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            raise RuntimeError(f"the purge ended with {process.returncode}: {err.read()[-2000:].decode(errors='replace')}")
        told = msgspec.json.decode(out.read())["tenants"][TENANT]
    gone = told["nodes"] + told["relationships"]
    return {
        "nodes": told["nodes"],
        "relationships": told["relationships"],
        "wall_s": round(wall_s, 1),
        "per_s": round(gone / wall_s),
        "cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "peak_rss_mb": round(peak_mb, 1),
    }


def ended(process: "subprocess.Popen[bytes]") -> tuple[int, Any, float]:
    """Status, resource usage and peak MB of the process, once it has ended.

    Watched, since what the kernel gives as its peak is at least this process's own, from which it was started.
    """
    seen, peak = psutil.Process(process.pid), 0
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            return status, used, peak / 2**20
        with contextlib.suppress(psutil.Error):
            peak = max(peak, seen.memory_info().rss)
        time.sleep(_LOOK_S)


def show_purge(found: dict[str, Any]) -> None:
    """Print the figures."""
    out = console(WIDE)
    table = Table("others' batches", "number", "p50 ms", "p95 ms", "p99 ms", "longest ms")
    for when in ("before", "during"):
        one = found[when]
        table.add_row(when, f"{one['batches']:,}", *(f"{one[name]:,}" for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms")))
    out.print(table)
    purge = found["purge"]
    out.print(f"p95 during / before: {found['p95_ratio']} (bar {found['bar']})")
    out.print(
        f"purged {purge['nodes']:,} nodes and {purge['relationships']:,} relationships in {purge['wall_s']} s: {purge['per_s']:,} a second"
    )
    out.print(f"the process took {purge['cpu_s']} CPU-s and {purge['peak_rss_mb']} MB at its peak")
