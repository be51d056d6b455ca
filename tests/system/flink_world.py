"""A Flink cluster beside the session's stack, for all tests that name it: four processes, on free loopback ports."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import psutil
import pytest

from runners.flink.rest import FlinkRest
from runners.flink.settings import FlinkSettings
from runners.flink.submit import submit
from runners.local.flink_cluster import FlinkCluster, free_flink_ports
from runners.local.flink_conf import FlinkShape
from runners.local.stack import LocalStack
from tests.support.places import CHECKOUT

JARS = CHECKOUT / ".stack" / "java"
# Windows and checkpoints of tests are short, and the machine may be busy.
PATIENCE_S = 90.0


class FlinkWorld:
    """A running cluster, and what tests do to it and ask of it."""

    def __init__(self, cluster: FlinkCluster) -> None:
        self.cluster = cluster
        self.rest = FlinkRest(cluster.addresses().master)

    @property
    def master(self) -> str:
        return self.cluster.addresses().master

    def settings(self, job_name: str, **changed: Any) -> FlinkSettings:
        """Checkpoints as often as a test wants them, and small bundles."""
        told = FlinkSettings(job_name, self.cluster.addresses(), checkpoint_ms=300, max_bundle_ms=200)
        return replace(told, **changed)

    def submit(self, build: Callable[[beam.Pipeline], None], job_name: str, **changed: Any) -> str:
        return submit(build, self.settings(job_name, **changed))

    def cancel_all(self) -> None:
        """End every job, so that the next test has all slots."""
        for job in self.rest.jobs():
            if not job.ended:
                self.rest.cancel(job.id)

    def processes(self) -> list[psutil.Process]:
        """Those of the cluster and all that they started."""
        own = [found for service in self.cluster.services if (found := service.process.find())]
        return own + [child for one in own for child in one.children(recursive=True)]


def wait_until(holds: Callable[[], bool], what: Callable[[], str], within_s: float = PATIENCE_S) -> None:
    limit = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < limit, f"not within {within_s:.0f} s: {what()}"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def flink_cluster(stack: LocalStack) -> Iterator[FlinkCluster]:
    """Its folder is where `runners.local.flink_cli` looks for one, since the stack fixture names the parent."""
    folder = Path(stack.endpoints().neo4j_password_file).parent / "flink"
    cluster = FlinkCluster(folder, free_flink_ports(), FlinkShape(), JARS)
    try:
        yield cluster
    finally:
        cluster.reset()


@pytest.fixture
def flink(flink_cluster: FlinkCluster) -> Iterator[FlinkWorld]:
    """Up and without a job, whatever the test before did to it."""
    flink_cluster.up()
    world = FlinkWorld(flink_cluster)
    world.cancel_all()
    yield world
    world.rest.close()
