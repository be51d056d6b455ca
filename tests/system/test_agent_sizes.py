"""What an agent costs: memory with many objects, processor time with many changes, and bytes beside a resync. Figures: docs/agent.md."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.support.cluster import Cluster
from tests.system.lab_world import rss_mib
from tests.system.world import CHECKOUT, World
from transforms.records.topic_names import RESOURCES

pytestmark = pytest.mark.timeout(3600)
PORT = 32199
# Those of the cluster in memory that an agent reads without being told of custom ones.
KINDS = 8
CHANGES_A_SECOND = 100
RESYNC_S = 30
REST_S = 60


@pytest.fixture(autouse=True)
def _in_the_lab(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--lab"):
        pytest.skip("measurements take minutes: run scripts/test --lab")


def mixed(cluster: Cluster, number: int) -> None:
    """Half of them Pods of 9 KB, as the median of real ones; ReplicaSets, ConfigMaps, Secrets and Services are the rest."""
    padding = {"annotations": {"a": "x" * 4000}, "managedFields": [{"fieldsV1": {"f": "y" * 3000}}], "labels": {"app": "web"}}
    container = {"name": "web", "image": "web:1", "env": [{"name": "A", "value": "b" * 500}]}
    for one in range(number // 2):
        status = {"phase": "Running", "conditions": [{"type": "Ready", "message": "z" * 500}]}
        spec = {"nodeName": f"node-{one % 100}", "containers": [container]}
        cluster.put("Pod", f"p-{one}", metadata=padding, spec=spec, status=status)
    for kind in ("ReplicaSet", "ConfigMap", "Secret", "Service"):
        for one in range(number // 8):
            cluster.put(kind, f"o-{one}", metadata=padding, spec={"replicas": 1, "selector": {}}, data={"k": "v" * 500})


@contextmanager
def agent(world: World, cluster: Cluster, folder: Path, *flags: str) -> Iterator[psutil.Process]:
    arguments = ("--client_id=af-10", f"--kafka_brokers={world.brokers}", f"--kubeconfig={cluster.kubeconfig(folder)}", *flags)
    command = [sys.executable, "-m", "pipelines.agent", "run", f"--metrics_port={PORT}", *arguments]
    with (folder / "agent.log").open("w") as log:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=world.environment(), stdout=log, stderr=log)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def metric(name: str) -> float:
    """The sum of a metric over its labels; 0 before it answers."""
    try:
        text = httpx2.get(f"http://127.0.0.1:{PORT}/metrics", timeout=10, trust_env=False).text
    except httpx2.HTTPError:
        return 0.0
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


def synced() -> bool:
    return metric("graph_agent_synced{") >= KINDS


def awaited(process: psutil.Process) -> None:
    until = time.monotonic() + 1800
    while not synced():
        assert process.is_running(), "the agent ended"
        assert time.monotonic() < until
        time.sleep(0.5)


@pytest.mark.parametrize(
    ("number", "most_mib", "streams"),
    # The API server in memory sorts all objects for each page, which takes too long for many.
    [(10_000, 120, True), (10_000, 120, False), (50_000, 200, True)],
    ids=["10000-streamed", "10000-in-pages", "50000-streamed"],
)
def test_memory_over_a_cold_start(world: World, tmp_path: Path, number: int, most_mib: int, *, streams: bool) -> None:
    with Cluster(streams=streams) as cluster:
        mixed(cluster, number)
        with agent(world, cluster, tmp_path) as process:
            awaited(process)
            peak, cpu = rss_mib(process.pid), process.cpu_times()
            sent = metric(f'graph_agent_bytes_total{{topic="{RESOURCES}"')
            print(f"{number} objects: {peak:.0f} MiB, {cpu.user + cpu.system:.1f} s of CPU, {sent / number:.0f} bytes an object")  # noqa: T201
            assert peak <= most_mib


def test_processor_time_at_100_changes_a_second(world: World, tmp_path: Path) -> None:
    with Cluster() as cluster:
        mixed(cluster, 1_000)
        with agent(world, cluster, tmp_path) as process:
            awaited(process)
            before, written = process.cpu_times(), metric("graph_agent_records_total{")
            changes, began = 3_000, time.monotonic()
            for one in range(changes):
                spec = {"nodeName": "node-1", "containers": [{"name": "web", "image": f"web:{one}"}]}
                cluster.put("Pod", f"p-{one % 500}", spec=spec, status={"phase": "Running"})
                time.sleep(max(0.0, began + one / CHANGES_A_SECOND - time.monotonic()))
            until = time.monotonic() + 120
            while metric("graph_agent_records_total{") < written + changes:
                assert time.monotonic() < until
                time.sleep(0.2)
            after, seconds = process.cpu_times(), changes / CHANGES_A_SECOND
            used = (after.user + after.system - before.user - before.system) / seconds
            print(f"at {CHANGES_A_SECOND} changes/s: {used:.1%} of a core")  # noqa: T201 - a measurement
            assert used <= 0.25


def test_bytes_at_rest_beside_a_resync(world: World, tmp_path: Path) -> None:
    with Cluster() as cluster:
        mixed(cluster, 2_000)
        with agent(world, cluster, tmp_path, "--manifest_s=20") as process:
            awaited(process)
            whole = metric(f'graph_agent_bytes_total{{topic="{RESOURCES}"')
            before = metric("graph_agent_bytes_total{")
            time.sleep(REST_S)
            rest = metric("graph_agent_bytes_total{") - before
    # One manifest in five minutes is what an agent writes; here it wrote one in 20 s, that some are seen.
    rest_hour, resync_hour = rest * 3600 / REST_S * 20 / 300, whole * 3600 / RESYNC_S
    times = resync_hour / rest_hour
    print(f"at rest: {rest_hour / 1e6:.2f} MB an hour, {times:.0f} times less than a resync every 30 s")  # noqa: T201 - a measurement
    assert times >= 50
    assert rest > 0
