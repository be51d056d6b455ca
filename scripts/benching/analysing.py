"""What the incidents of tenants cost: analysed for the first time, and again with nothing new, beside the reads that it cannot do without.

Every tenant has objects of the traffic's shape, four Events for each of them within the last two hours, all distinct, three in ten of
them warnings, and in each tenant five workloads fail. The floor is the raw driver that reads the same rows, and nothing else.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple

import psutil
from rich.table import Table

from pipelines.output.command import WIDE, console
from scripts.benching.raw import folded_by_tenant
from scripts.benching.stage import Stage
from scripts.benching.traffic import Fleet
from scripts.sampling.record import EVENTS, RESOURCES, SampleRecord, json_bytes
from transforms.io.neo4j.incident_reader import AnalysisTransaction
from transforms.io.neo4j.incident_store import IncidentStore
from transforms.io.neo4j.session import GraphSession
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.planning.causes.incidents import Analysed
from transforms.planning.causes.neighbourhood import read_neighbourhood
from transforms.planning.merge.batches import cut_batches

# Seconds that a tenant may take that is analysed again, and the share of what it costs to write its objects again.
BAR_S: Final = 0.1
ROUNDS: Final = 5
# A server that has just begun compiles what it runs often; so long it is not measured.
_WARM: Final = 10
_EVENTS_PER_OBJECT: Final = 4
_FAILING: Final = 5
_WITHIN_S: Final = 2 * 3600 - 60
_WARNINGS: Final = ("Unhealthy", "FailedMount", "BackOff")
_SHARE_OF_WARNINGS: Final = 0.3
# Of the warnings, those about Pods that fail.
_SHARE_OF_FAILING: Final = 0.5
_BATCH_ROWS: Final = 2000
_BATCH_BYTES: Final = 4 << 20
_AT_ONCE: Final = 50
_NOW: Final = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


class _Took(NamedTuple):
    """Seconds of the clock, of this process and of Neo4j."""

    wall_s: float
    python_s: float
    neo4j_s: float


def measure_analysis(
    clusters: tuple[int, ...], objects: int, per_cluster: int, seed: int, stage: Stage, say: Callable[[str], None]
) -> dict[str, Any]:
    """The figures, as the JSON object that `--json` prints. objects, per_cluster: as `measure_scaling`."""
    found: dict[str, Any] = {}
    for number in clusters:
        each = per_cluster or max(objects // number, 6)
        say(f"{number:,} clusters of about {each:,} objects and {each * _EVENTS_PER_OBJECT:,} Events: writing them")
        found[str(number)] = {"objects": each, **_of_fleet(number, each, seed, stage, say)}
    return {"seed": seed, "rounds": ROUNDS, "bar_s": BAR_S, "by_clusters": found}


def _of_fleet(clusters: int, each: int, seed: int, stage: Stage, say: Callable[[str], None]) -> dict[str, Any]:
    stage.clear_graph()
    tenants = []
    with closing(Neo4jGraphStore(stage.neo4j_target)) as written:
        for client_id, records in _tenants(clusters, each, seed):
            tenants.append(client_id)
            for batch, _, _ in cut_batches(list(folded_by_tenant(records)[client_id].values()), _BATCH_ROWS, _BATCH_BYTES):
                written.write_batch(client_id, [one.mutation for one in batch])
    server = stage.stack.neo4j.process.find()
    assert server is not None
    neo4j = psutil.Process(server.pid)
    with closing(GraphSession(stage.neo4j_target)) as session:
        store = IncidentStore(session)
        say("analysing them")
        first = _took(neo4j, lambda: _all(store, tenants))
        for _ in range(_WARM):
            _all(store, tenants)
            _read(session, tenants)
        again = _median([_took(neo4j, lambda: _all(store, tenants)) for _ in range(ROUNDS)])
        floor = _median([_took(neo4j, lambda: _read(session, tenants)) for _ in range(ROUNDS)])
        outcomes = store.analyse(tenants)
    incidents = sum(one.open for one in outcomes.values() if isinstance(one, Analysed))
    return {
        "incidents": incidents,
        **{name: _figures(took, clusters) for name, took in (("first", first), ("again", again), ("reads", floor))},
        "floors": round(again.wall_s / floor.wall_s, 2),
        "peak_rss_mb": round(psutil.Process().memory_info().rss / 2**20),
    }


def _all(store: IncidentStore, tenants: list[str]) -> None:
    failed = {client_id: one for client_id, one in store.analyse(tenants).items() if isinstance(one, Exception)}
    if failed:
        raise RuntimeError(f"{len(failed)} tenants were not analysed; the first: {next(iter(failed.items()))}")


def _read(session: GraphSession, tenants: list[str]) -> None:
    """The rows that the analysis reads, in as many transactions."""
    for begin in range(0, len(tenants), _AT_ONCE):
        part = tenants[begin : begin + _AT_ONCE]

        def work(tx: Any, part: list[str] = part) -> None:
            transaction = AnalysisTransaction(tx)
            transaction.read(transaction.heads(part), lambda _client_id, reader: bool(read_neighbourhood(reader)))

        session.transact_tenants(work, session.limits)


def _took(server: psutil.Process, work: Callable[[], None]) -> _Took:
    def cpu_s() -> float:
        times = server.cpu_times()
        return float(times.user + times.system)

    wall, own, theirs = time.perf_counter(), time.process_time(), cpu_s()
    work()
    return _Took(time.perf_counter() - wall, time.process_time() - own, cpu_s() - theirs)


def _median(all_of: list[_Took]) -> _Took:
    return _Took(*(statistics.median(values) for values in zip(*all_of, strict=True)))


def _figures(took: _Took, tenants: int) -> dict[str, float]:
    """Milliseconds a tenant."""
    return {name.replace("_s", "_ms"): round(seconds * 1000 / tenants, 2) for name, seconds in took._asdict().items()}


# What the tenants hold


def _tenants(clusters: int, each: int, seed: int) -> Iterator[tuple[str, list[SampleRecord]]]:
    random = Random(seed)  # noqa: S311 - seeded traffic, not a secret
    held: dict[str, list[SampleRecord]] = {}
    for one in Fleet(clusters, each, seed).once():
        held.setdefault(_key(one).partition("::")[0], []).append(one)
    for client_id, records in held.items():
        pods = sorted({_key(one).rpartition(":")[2] for one in records if "::pod:" in _key(one) and one.topic == RESOURCES})
        failing = {f"app-{at}" for at in range(_FAILING)}
        bad = [pod for pod in pods if pod.rpartition("-rs-")[0] in failing]
        yield client_id, [*records, *(_failing(client_id, pod) for pod in bad), *_events(client_id, pods, bad, each, random)]


def _key(record: SampleRecord) -> str:
    return (record.key or b"").decode()


def _failing(client_id: str, pod: str) -> SampleRecord:
    waiting = {"name": "app", "restartCount": 7, "ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    app = pod.rpartition("-rs-")[0]
    body = {
        "op": "UPSERT",
        "at": _at(_NOW),
        "kind": "Pod",
        "apiVersion": "v1",
        "namespace": "shop",
        "name": pod,
        "uid": f"{client_id}-{pod}",
        "labels": {"app": app, "version": "v1"},
        "ownerRefs": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{app}-rs"}],
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [waiting]},
    }
    return SampleRecord(RESOURCES, f"{client_id}::pod:shop:{pod}".encode(), json_bytes(body), _ms(_NOW))


def _events(client_id: str, pods: list[str], bad: list[str], each: int, random: Random) -> Iterator[SampleRecord]:
    for at in range(each * _EVENTS_PER_OBJECT):
        moment = _NOW - timedelta(seconds=random.uniform(0, _WITHIN_S))
        is_warning = random.random() < _SHARE_OF_WARNINGS
        pod = random.choice(bad if is_warning and bad and random.random() < _SHARE_OF_FAILING else pods)
        body = {
            "event_id": f"e{at}",
            "event_time": _at(moment),
            "etype": "k8s.event",
            "severity": "WARNING" if is_warning else "INFO",
            "reason": random.choice(_WARNINGS) if is_warning else "Pulled",
            "message": f"attempt {at} on 10.244.{at % 250}.{at % 240}: {random.getrandbits(64):x}",
            "subject": {"kind": "Pod", "ns": "shop", "name": pod},
        }
        yield SampleRecord(EVENTS, f"{client_id}::e{at}".encode(), json_bytes(body), _ms(moment))


def _at(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def show_analysis(found: dict[str, Any]) -> None:
    """Print the figures."""
    table = Table(
        *("clusters", "objects of each", "incidents", "what", "ms a tenant", "CPU-ms of Python", "CPU-ms of Neo4j"),
        title=f"incidents; again: the median of {found['rounds']} rounds with nothing new",
    )
    for number, one in found["by_clusters"].items():
        for name in ("first", "again", "reads"):
            figures = (f"{one[name][of]:,}" for of in ("wall_ms", "python_ms", "neo4j_ms"))
            table.add_row(number, f"{one['objects']:,}", f"{one['incidents']:,}", name, *figures)
    out = console(WIDE)
    out.print(table)
    for number, one in found["by_clusters"].items():
        out.print(
            f"{number} clusters: again {one['again']['wall_ms'] / 1000:.3f} s a tenant (bar {found['bar_s']}), {one['floors']} of the reads"
        )
