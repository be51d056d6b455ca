"""The job on the tests' Flink cluster, submitted and watched by a process of its own."""

import json
import os
import signal
import tempfile
import time
from types import TracebackType
from typing import Any, Final
from urllib.request import urlopen

from runners.local.stack import free_stack_ports
from scripts.faulting.round import Commits
from scripts.sampling.record import SampleRecord
from tests.system.flink_world import PATIENCE_S, FlinkWorld
from tests.system.world import GROUP, Process, World

# Short, so that tests are; each is an option that a person may set.
_SHORT: Final = ("--window_s=1", "--checkpoint_s=1", "--flink_python_workers=1", "--kafka_retry_s=5", "--neo4j_retry_s=5")
_END_S: Final = 60.0


class Stream:
    """Runs while the block does; then the watch is ended, if it has not been, and the job is cancelled."""

    def __init__(self, world: World, flink: FlinkWorld, *flags: str) -> None:
        self.world, self.flink = world, flink
        self.commits = Commits(world, f"{GROUP}.flink")
        self._flags = flags
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the stream
        self._watch: Process | None = None
        self.metrics_port = free_stack_ports().kafka

    def __enter__(self) -> "Stream":
        self.commits.__enter__()
        self.watch()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._watch is not None:
            self._watch.kill()
            self._watch.communicate(timeout=_END_S)
        self.flink.cancel_all()
        self.commits.__exit__()
        self._said.close()

    def watch(self, *flags: str) -> None:
        """Submit the job, or take it up; returns once every task of it runs."""
        self._watch = self.start_watch(*flags)
        self.await_that(lambda: any(job.works for job in self.flink.rest.jobs()), "the job runs")

    def start_watch(self, *flags: str) -> Process:
        """The process alone."""
        told = ("--runner=FlinkRunner", f"--metrics_port={self.metrics_port}", *_SHORT, *self._flags, *flags)
        return self.world.open("pipelines.graph_build", ("--json", *told), {}, self._said)

    def end_watch(self, expect: int = 0) -> dict[str, Any]:
        """End the watch as a person does; what it printed. The job goes on."""
        assert self._watch is not None
        os.kill(self._watch.pid, signal.SIGTERM)
        printed, _ = self._watch.communicate(timeout=_END_S)
        assert self._watch.returncode == expect, self.said()
        self._watch = None
        found: dict[str, Any] = json.loads(printed)
        return found

    def said(self) -> str:
        """What the watch has said so far."""
        self._said.seek(0)
        return self._said.read()

    def await_that(self, holds: Any, what: str, within_s: float = PATIENCE_S) -> None:
        limit = time.monotonic() + within_s
        while not holds():
            ended = self._watch is not None and self._watch.poll() is not None
            assert not ended, f"the watch ended before {what}: {self.said()}"
            assert time.monotonic() < limit, f"{what}: not within {within_s:.0f} s; {self.said()[-3000:]}"
            time.sleep(0.2)

    def await_graphs(self, digests: dict[str, str]) -> None:
        """Once all is written: a tenant is analysed at most every ten seconds, in the background."""
        self.await_that(lambda: self.world.digests() == digests, "the graphs are those of the records, incidents included")

    def await_done(self, records: int, within_s: float = PATIENCE_S) -> None:
        """So many records are in the graph or in the dead letters, as its committed offsets tell."""
        self.await_that(lambda: self.commits.look() >= records, f"{records} offsets are committed", within_s)
        assert self.commits.look() == records

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels, as a scraper sees it."""
        with urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))


def halves(records: list[SampleRecord]) -> tuple[list[SampleRecord], list[SampleRecord]]:
    middle = len(records) // 2
    return records[:middle], records[middle:]
