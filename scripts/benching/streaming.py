"""The job on Flink against the bounded run on the same topics: rate, latency from event to graph, memory while it goes on."""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import psutil

from pipelines.output.command import console
from runners.flink.rest import FlinkRest
from runners.local.flink_cluster import FlinkCluster, free_flink_ports
from scripts.benching.job import run_job
from scripts.benching.stage import Stage
from scripts.benching.traffic import Fleet
from scripts.sampling.record import RESOURCES, SampleRecord, json_bytes
from transforms.io.kafka.offsets import KafkaOffsets

GROUP: Final = "bench-flink"
CLUSTERS: Final = 10
OBJECTS: Final = 101
PACE: Final = 1000
WINDOW_S: Final = 2
_LOOK_S: Final = 0.05
_PATIENCE_S: Final = 900.0
_MARKS: Final = "MATCH (n:ConfigMap) WHERE n.client_id IN $tenants AND n.name STARTS WITH 'mark-' RETURN n.name AS name"
_KNOWN: Final = "af-10"
_NEW: Final = 100


def measure_streaming(messages: int, minutes: float, seed: int, stage: Stage, say: Callable[[str], None]) -> dict[str, Any]:
    """The figures, as the JSON object that `--json` prints. messages: of the measured rates. minutes: at `PACE` messages a second."""
    fleet = Fleet(CLUSTERS, OBJECTS, seed)
    stage.clear()
    stage.produce(fleet.once())
    bounded = ["--kafka_reader=bounded", f"--kafka_group={GROUP}"]
    say("first load, bounded")
    run_job(bounded, stage.environment(), None)
    say("starting Flink and the job")
    with _cluster(stage) as cluster, _job(stage), closing(KafkaOffsets(replace(stage.kafka_target, group=f"{GROUP}.flink"))) as offsets:
        _await_job(cluster)
        _await_read(offsets, say)
        say(f"{messages:,} records, streamed")
        produced = stage.produce(fleet.traffic("state", messages))
        began = time.perf_counter()
        _await_read(offsets, say)
        streamed = produced / (time.perf_counter() - began)
        say("the same records, bounded")
        run = run_job(bounded, stage.environment(), None)
        direct = run.report["read"] / run.report["seconds"]
        say(f"{PACE} messages/s for {minutes:g} minutes")
        paced = _paced(fleet, minutes, stage, cluster)
    return {
        "flink": {
            "messages": produced,
            "streamed_per_s": round(streamed),
            "bounded_per_s": round(direct),
            "ratio": round(streamed / direct, 3),
            "window_s": WINDOW_S,
            **paced,
        }
    }


def show_streaming(found: dict[str, Any]) -> None:
    flink = found["flink"]
    out = console()
    out.print(
        f"{flink['messages']:,} records: {flink['streamed_per_s']:,} a second streamed, {flink['bounded_per_s']:,} bounded:",
        highlight=False,
    )
    out.print(f"ratio {flink['ratio']}", highlight=False)
    out.print(
        f"at {flink['pace']:,} messages/s from event to graph: p50 {flink['p50_s']} s, p95 {flink['p95_s']} s of {flink['marks']} marks, "
        f"windows of {flink['window_s']} s",
        highlight=False,
    )
    out.print(
        f"{flink['new_tenants']} new tenants, one after the other: each in the graph within {flink['new_tenant_max_s']} s", highlight=False
    )
    out.print(f"memory after {flink['minutes']:g} minutes: {flink['memory_ratio']} times that after a fifth of them", highlight=False)


@contextmanager
def _cluster(stage: Stage) -> Iterator[FlinkCluster]:
    cluster = FlinkCluster(Path(stage.stack.endpoints().neo4j_password_file).parent / "flink", free_flink_ports(), jars=stage.jars)
    cluster.reset()
    try:
        cluster.up()
        yield cluster
    finally:
        cluster.reset()


@contextmanager
def _job(stage: Stage) -> Iterator[None]:
    """The job, submitted and watched, its group beginning where the bounded run stands."""
    flags = ["--runner=FlinkRunner", f"--kafka_group={GROUP}", f"--window_s={WINDOW_S}", "--log_level=ERROR"]
    watch = subprocess.Popen(
        [sys.executable, "-m", "pipelines.graph_build", *flags], env={**os.environ, **stage.environment()}, stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        watch.terminate()
        watch.wait(60)


def _await_job(cluster: FlinkCluster) -> None:
    limit = time.monotonic() + _PATIENCE_S
    with FlinkRest(cluster.addresses().master) as rest:
        while not any(job.works for job in rest.jobs()):
            if time.monotonic() > limit:
                raise RuntimeError("the job does not run on Flink")
            time.sleep(0.2)


def _await_read(offsets: KafkaOffsets, say: Callable[[str], None]) -> None:
    """Return when all that the topics hold is in the graph, as the committed offsets tell."""
    limit, told = time.monotonic() + _PATIENCE_S, time.monotonic()
    while True:
        held = offsets.held([RESOURCES, "state.k8s.topology"])
        done = offsets.committed([one.place for one in held])
        left = sum(one.end - done.get(one.place, one.start) for one in held)
        if left <= 0:
            return
        if time.monotonic() > limit:
            raise RuntimeError(f"{left} records are not in the graph after {_PATIENCE_S:.0f} s")
        if time.monotonic() - told > 10:  # noqa: PLR2004 - seconds between two lines
            told = time.monotonic()
            say(f"{left:,} records to go")
        time.sleep(_LOOK_S)


def _paced(fleet: Fleet, minutes: float, stage: Stage, cluster: FlinkCluster) -> dict[str, Any]:
    """Latencies of marks among the traffic, by a tenant that is known and by new ones, and memory over the time."""
    seconds = max(_NEW // 2, int(minutes * 60))
    known, new = _Marks(stage, [_KNOWN]), _Marks(stage, [f"new-{number}" for number in range(_NEW)])
    memory: list[float] = []
    traffic = fleet.traffic("state", PACE * seconds)
    began = time.perf_counter()
    with known, new:
        for portion in range(2 * seconds):
            marks = [known.mark(), *([new.mark()] if new.sent < _NEW else [])]
            stage.produce([*(record for record, _ in zip(traffic, range(PACE // 2), strict=False)), *marks])
            memory.append(_memory_mb(cluster))
            time.sleep(max(0.0, began + (portion + 1) / 2 - time.perf_counter()))
        paced_s = time.perf_counter() - began
        known.await_all()
        new.await_all()
    early, late = memory[max(1, len(memory) // 5) - 1], statistics.mean(memory[-5:])
    latencies = sorted(known.latencies())
    return {
        "pace": round(PACE * seconds / paced_s),
        "minutes": round(paced_s / 60, 2),
        "marks": len(latencies),
        "p50_s": round(latencies[len(latencies) // 2], 2),
        "p95_s": round(latencies[int(len(latencies) * 0.95)], 2),
        "new_tenants": len(new.latencies()),
        "new_tenant_max_s": round(max(new.latencies()), 2),
        "memory_mb": round(late),
        "memory_ratio": round(late / early, 3),
    }


def _memory_mb(cluster: FlinkCluster) -> float:
    """Of the TaskManager and of the Python workers."""
    own = [psutil.Process(found.pid) for one in (cluster.taskmanager, cluster.pool) if (found := one.process.find())]
    every = own + [child for one in own for child in one.children(recursive=True)]
    return sum(one.memory_info().rss for one in every) / 2**20


class _Marks:
    """Objects of names that are in no other record, of these tenants in turn; a thread sees when each is in the graph."""

    def __init__(self, stage: Stage, tenants: list[str]) -> None:
        self._stage = stage
        self._tenants = tenants
        self._sent: dict[str, float] = {}
        self._seen: dict[str, float] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "_Marks":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def sent(self) -> int:
        return len(self._sent)

    def mark(self) -> SampleRecord:
        """The next, to be produced at once."""
        number, now = len(self._sent), time.time()
        name, tenant = f"mark-{number}", self._tenants[number % len(self._tenants)]
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        body = {"op": "UPSERT", "at": at, "kind": "ConfigMap", "apiVersion": "v1", "namespace": "shop", "name": name}
        self._sent[name] = time.perf_counter()
        return SampleRecord(RESOURCES, f"{tenant}::configmap:shop:{name}".encode(), json_bytes(body), int(now * 1000))

    def _look(self) -> None:
        while not self._done.is_set():
            for row in self._stage.cypher(_MARKS, tenants=self._tenants):
                self._seen.setdefault(row["name"], time.perf_counter())
            time.sleep(_LOOK_S)

    def await_all(self) -> None:
        limit = time.monotonic() + _PATIENCE_S
        while len(self._seen) < len(self._sent):
            if time.monotonic() > limit:
                raise RuntimeError(f"{len(self._sent) - len(self._seen)} marks are not in the graph")
            time.sleep(_LOOK_S)

    def latencies(self) -> list[float]:
        return [seen - self._sent[name] for name, seen in self._seen.items()]
