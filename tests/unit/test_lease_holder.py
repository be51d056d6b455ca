"""A holder counts as dead only where that is certain: on this machine, with its process gone."""

import os
import subprocess
import sys
from typing import Any, cast

import psutil
import pytest

from transforms.io.lease import Holder, Lease, is_dead_here
from transforms.io.neo4j_graph import Neo4jGraphStore
from transforms.model import cypher

HERE = Holder.of_this_process()


@pytest.fixture
def ended() -> Holder:
    """A process that is no more."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        started = int(psutil.Process(process.pid).create_time())
        process.communicate(b"\n")
    return HERE._replace(pid=process.pid, started=started)


def test_this_process_is_alive() -> None:
    assert HERE.pid == os.getpid()
    assert not is_dead_here(str(HERE))


def test_a_process_that_is_no_more_is_dead(ended: Holder) -> None:
    assert is_dead_here(str(ended))


def test_a_process_that_was_killed_and_not_yet_collected_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = HERE._replace(pid=process.pid, started=int(psutil.Process(process.pid).create_time()))
    assert not is_dead_here(str(holder))

    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert is_dead_here(str(holder))
    process.communicate()


def test_another_process_of_the_same_number_is_not_the_holder() -> None:
    assert is_dead_here(str(HERE._replace(started=HERE.started - 100)))


def test_a_clock_that_was_set_by_a_second_makes_nobody_dead() -> None:
    assert not is_dead_here(str(HERE._replace(started=HERE.started - 1)))


def test_of_a_process_on_another_machine_nothing_is_known(ended: Holder) -> None:
    assert not is_dead_here(str(ended._replace(machine="elsewhere")))
    assert not is_dead_here(str(ended._replace(machine=ended.machine + "x"))), "another pid namespace of a host of the same name"


@pytest.mark.parametrize(
    "text", ["", "somebody", f"{HERE.machine} pid x started 1", f"{HERE.machine} pid 1 started", f"{HERE.machine} pid -1 started 1"]
)
def test_what_names_no_process_is_not_dead(text: str) -> None:
    assert not is_dead_here(text)


class Graph:
    """Answers as the graph does that keeps a lease: `before` held it, whose lease has run out or who is dead here."""

    def __init__(self, before: str | None, *, has_run_out: bool) -> None:
        self.holder = before
        self.has_run_out = has_run_out

    def ask(self, statement: str, **asked: Any) -> list[dict[str, Any]]:
        if statement == cypher.DROP_LEASE:
            self.holder = None
            return []
        before = self.holder
        free = before in (None, asked["holder"], asked["replaces"]) or self.has_run_out
        self.holder = asked["holder"] if free else before
        return [{"free": free, "before": before, "holder": self.holder, "expires": 1, "left_ms": 1000}]


@pytest.mark.parametrize("has_run_out", [True, False])
def test_a_lease_knows_who_left_it_without_giving_it_back(ended: Holder, has_run_out: bool) -> None:
    graph = Graph(str(ended), has_run_out=has_run_out)
    lease = Lease(cast("Neo4jGraphStore", graph), "g", 30)

    assert lease.acquire(lambda _seconds: True)
    assert lease.left_by == str(ended)
    lease.release()
    assert graph.holder is None


def test_a_lease_that_was_given_back_was_left_by_nobody() -> None:
    lease = Lease(cast("Neo4jGraphStore", Graph(None, has_run_out=False)), "g", 30)

    assert lease.acquire(lambda _seconds: True)
    assert lease.left_by == ""
    lease.release()
