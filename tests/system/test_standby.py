"""Two replicas, one at work: whichever is killed or stopped under load, the other takes over in time and the graph is right."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from random import Random

import pytest

from runners.local.service import free_ports
from scripts.faulting.job import SMALL, Command
from scripts.faulting.round import Commits
from scripts.sampling.in_memory import expected_digests
from scripts.sampling.stream import sample_stream
from tests.support.patience import is_long
from tests.system.world import World

LEASE_S = 3.0
# What a busy machine may add to what the job promises.
SLACK_S = 2.0
HANDOVER_S = 2.0
KILLS = 20 if is_long() else 6
FOLLOW = ("--follow", "--standby", "--every_s=0.2", f"--lease_s={LEASE_S}", "--max_faults=5", "--log_level=WARNING")


class Replica(Command):
    """A replica on a machine of its own, as far as leases can tell."""

    def __init__(self, world: World, host: str) -> None:
        self.host = host
        self.port = free_ports(1)[0]
        flags = (*FOLLOW, *SMALL, f"--metrics_port={self.port}")
        job = ("pipelines.graph_build", "--runner=DirectRunner", "--json", "--kafka_reader=bounded", *flags)
        super().__init__(world.start("tests.support.elsewhere", host, *job))

    def says(self, path: str = "/readyz") -> tuple[int, str]:
        """Status and text; (0, "") where nobody answers."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode().strip()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def becomes(self, wanted: str, within_s: float) -> float:
        """Seconds until it says so on /readyz."""
        began = time.monotonic()
        while (said := self.says()) != (200, wanted):
            assert time.monotonic() - began < within_s, f"{self.host} says {said} instead of {wanted!r} after {within_s} s"
            time.sleep(0.02)
        return time.monotonic() - began


@pytest.fixture
def replicas(world: World) -> Iterator[list[Replica]]:
    """The first one at work, the second one standing by."""
    with ExitStack() as held:
        found = [held.enter_context(Replica(world, "pod-0"))]
        found[0].becomes("active", 60)
        found.append(held.enter_context(Replica(world, "pod-1")))
        found[1].becomes("standby, pod-0 is active", 60)
        yield found
        for one in found:
            one.kill()


def test_a_replica_that_stands_by_is_ready_and_told_apart(world: World, replicas: list[Replica]) -> None:
    active, standby = replicas

    assert active.says("/readyz") == (200, "active")
    assert standby.says("/healthz")[1].endswith("; standby, pod-0 is active")
    assert "graph_active 1.0" in active.says("/metrics")[1]
    assert "graph_active 0.0" in standby.says("/metrics")[1]
    assert standby.stop().must_be(0).report["read"] == 0
    assert active.stop().must_be(0).report["read"] == 0


def test_the_active_is_killed_and_stopped_again_and_again_under_load(world: World, replicas: list[Replica]) -> None:
    random = Random(8)
    size = {"clusters": 4, "resyncs": 10} if is_long() else {"clusters": 2, "resyncs": 7}
    records = sample_stream(**size, seed=8, poison_classes=5).records
    world.produce(records[: len(records) // 2])
    produced = len(records) // 2
    deaths: list[float] = []
    handovers: list[float] = []
    with Commits(world) as commits, ExitStack() as held:
        active, standby = replicas
        for number in range(KILLS):
            # Load at every moment: half of what is left comes while the next one works.
            more = produced + (len(records) - produced) // 2
            world.produce(records[produced:more])
            produced = more
            time.sleep(random.uniform(0.0, 1.5))
            began = time.monotonic()
            if number % 2:
                active.kill()
            else:
                os.kill(active.pid, 15)
            standby.becomes("active", LEASE_S + 30)
            (deaths if number % 2 else handovers).append(time.monotonic() - began)
            if not number % 2:
                assert active.ends_within(10)
                active.end().must_be(0)
            active, standby = standby, held.enter_context(Replica(world, f"pod-{number + 2}"))
            standby.becomes(f"standby, {active.host} is active", 60)
        world.produce(records[produced:])
        print(f"takeover after a kill {max(deaths):.2f} s at most, after SIGTERM {max(handovers):.2f} s at most")  # noqa: T201
        commits.await_past(len(records), 240)
        active.stop().must_be(0)
        standby.kill()

    assert world.digests() == expected_digests(records)
    assert max(deaths) < LEASE_S + SLACK_S
    assert max(handovers) < HANDOVER_S + SLACK_S
