"""A real Prometheus scrapes a real job: every panel has series, and alerts fire for real faults."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import yaml

from runners.local.service import free_ports
from scripts.faulting.job import SMALL, Job
from scripts.monitoring.panels import ROWS
from scripts.sampling.record import RESOURCES, SampleRecord
from scripts.sampling.stream import sample_stream
from tests.support.places import CHECKOUT
from tests.support.prometheus import binary
from tests.system.world import World

RULES = CHECKOUT / "deploy" / "monitoring" / "alerts.yaml"
WITHIN_S = 120.0
QUERIES = [(panel.title, query.expr) for row in ROWS for panel in row.panels for query in panel.queries]


class Prometheus:
    """Scrapes one port every second, and evaluates the alert rules without their waiting times."""

    def __init__(self, folder: Path, scraped: int) -> None:
        rules = yaml.safe_load(RULES.read_text())
        for rule in rules["groups"][0]["rules"]:
            rule["for"] = "0s"
        (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
        every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        jobs = [{"job_name": "graph-build", "static_configs": [{"targets": [f"127.0.0.1:{scraped}"]}]}]
        (folder / "prometheus.yaml").write_text(yaml.safe_dump({"global": every, "rule_files": ["rules.yaml"], "scrape_configs": jobs}))
        self.port = free_ports(1)[0]
        command = [str(binary("prometheus")), f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data"]
        command += [f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"]
        self.process = subprocess.Popen(command, cwd=folder)

    def ask(self, path: str) -> Any:
        with urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    def series(self, expr: str) -> list[dict[str, Any]]:
        """What a panel's query gives now, with all installations and tenants."""
        for variable, value in (("$job", ".*"), ("$client_id", ".*"), ("$__rate_interval", "30s")):
            expr = expr.replace(variable, value)
        found: list[dict[str, Any]] = self.ask(f"query?query={quote(expr)}")["result"]
        return found

    def firing(self) -> set[str]:
        return {alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"}

    def becomes(self, done: Callable[[], bool], what: str) -> None:
        limit = time.monotonic() + WITHIN_S
        while True:
            try:
                if done():
                    return
            except OSError:
                pass
            assert time.monotonic() < limit, f"{what}: not within {WITHIN_S:.0f} s"
            time.sleep(0.2)


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def prometheus(tmp_path: Path, port: int) -> Iterator[Prometheus]:
    server = Prometheus(tmp_path, port)
    yield server
    server.process.terminate()
    server.process.wait(30)


def test_every_panel_has_series_and_alerts_fire_for_what_happens(world: World, prometheus: Prometheus, port: int) -> None:
    stream = sample_stream(clusters=2, resyncs=2, seed=4, poison_classes=20)
    world.produce(stream.records)
    with Job(world, *SMALL, "--follow", "--every_s=1", f"--metrics_port={port}") as job:
        prometheus.becomes(lambda: bool(prometheus.series("graph_freshness_seconds_total")), "a tenant's freshness")
        for title, expr in QUERIES:
            prometheus.becomes(lambda expr=expr: bool(prometheus.series(expr)), f"series of {title}: {expr}")  # type: ignore[misc]
        (age,) = prometheus.series("max(graph_freshness_seconds_total / graph_freshness_batches_total)")
        # The samples are of a fixed day long ago, and so they are that old when they arrive.
        assert float(age["value"][1]) > 3600
        assert "GraphBuildNotActive" not in prometheus.firing()
        # A rate begins with a series' second value: one broken record makes the series, the others raise it.
        broken = SampleRecord(RESOURCES, b"af-10::pod:shop:x", b"{", stream.records[-1].timestamp_ms)
        world.produce([broken])
        rejects = 'graph_rejects_total{client_id="af-10", reason="not_json"}'
        prometheus.becomes(lambda: bool(prometheus.series(rejects)), "a reject of the tenant")
        world.produce([broken] * 50)
        prometheus.becomes(lambda: "GraphBuildRejects" in prometheus.firing(), "the alert for rejects")
        job.kill()
    prometheus.becomes(lambda: "GraphBuildNotActive" in prometheus.firing(), "the alert for a job that died")
