"""A holder counts as dead only where that is certain: on this machine, with its process gone."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import psutil
import pytest
from structlog.testing import capture_logs

from transforms.io.graph_admin import lease_holder as holders
from transforms.io.graph_admin.lease import Lease
from transforms.io.graph_admin.lease_holder import Holder, is_dead_here, readable_holder
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model import cypher

HERE = Holder.of_this_process()


def of(pid: int) -> Holder:
    ticks = holders._ticks(pid)
    assert ticks is not None
    return HERE._replace(pid=pid, ticks=ticks)


@pytest.fixture
def ended() -> Holder:
    """A process that is no more."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        found = of(process.pid)
        process.communicate(b"\n")
    return found


def test_this_process_is_alive() -> None:
    assert HERE.pid == os.getpid()
    assert not is_dead_here(str(HERE))


def test_a_process_that_is_no_more_is_dead(ended: Holder) -> None:
    assert is_dead_here(str(ended))


def test_a_process_that_was_killed_and_not_yet_collected_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = of(process.pid)
    assert not is_dead_here(str(holder))

    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert is_dead_here(str(holder))
    process.communicate()


def test_another_process_of_the_same_number_is_not_the_holder() -> None:
    assert is_dead_here(str(HERE._replace(ticks=HERE.ticks - 1)))


@pytest.mark.parametrize("step_s", [-100_000, -3, -2, 2, 3, 100_000])
def test_a_clock_that_is_set_makes_nobody_dead(step_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_dead_here(str(HERE._replace(started=HERE.started + step_s)))
    # As psutil has it after such a step: it reckons start times from the machine's, which moves with the clock.
    now = psutil.Process().create_time()
    monkeypatch.setattr(psutil.Process, "create_time", lambda _self: now + step_s)
    assert not is_dead_here(str(HERE))


def test_of_another_machine_with_the_same_name_nothing_is_known(ended: Holder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    boot = tmp_path / "boot_id"
    boot.write_text("another-start\n")
    monkeypatch.setattr(holders, "_BOOT", boot)
    clone = Holder.of_this_process()
    assert clone.machine.split("/")[0] == HERE.machine.split("/")[0]
    assert not is_dead_here(str(ended)), "its pids are another machine's"
    monkeypatch.setattr(holders, "_BOOT", tmp_path / "missing")
    assert not is_dead_here(str(ended)), "where no start is known, nobody is judged"
    assert not is_dead_here(str(Holder.of_this_process()._replace(pid=2**22 - 1)))


def test_of_a_process_on_another_machine_nothing_is_known(ended: Holder) -> None:
    assert not is_dead_here(str(ended._replace(machine="elsewhere")))
    assert not is_dead_here(str(ended._replace(machine=ended.machine + "x"))), "another pid namespace of a host of the same name"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "somebody",
        f"{HERE.machine} pid x ticks 1 started 1",
        f"{HERE.machine} pid 1 ticks 1 started",
        f"{HERE.machine} pid -1 ticks 1 started 1",
        f"{HERE.machine} pid 99999999 started 1",
    ],
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


def test_a_wait_for_a_lease_is_told_once() -> None:
    lease = Lease(cast("Neo4jGraphStore", Graph("somebody else", has_run_out=False)), "g", 30)
    waits = iter([False, False, True])

    with capture_logs() as logs:
        assert not lease.acquire(lambda _seconds: next(waits))

    assert [one["event"] for one in logs] == ["waiting for the lease"]
    assert "until it runs out" in logs[0]["detail"]


def test_a_lease_that_was_given_back_was_left_by_nobody() -> None:
    lease = Lease(cast("Neo4jGraphStore", Graph(None, has_run_out=False)), "g", 30)

    assert lease.acquire(lambda _seconds: True)
    assert lease.left_by == ""
    lease.release()


@pytest.mark.parametrize(
    ("holder", "read"),
    [
        ("host-1/boot/pid:[4] pid 42 ticks 7 started 1795871084", "process 42 on host-1, started 2026-11-28T13:04:44Z"),
        ("host-1 pid 42 ticks 0 started 0", "process 42 on host-1, started 1970-01-01T00:00:00Z"),
        ("h pid 1 ticks 1 started 99999999999999999999", "process 1 on h, started 99999999999999999999"),
        ("h pid 1 ticks 1 started 99999999999", "process 1 on h, started 5138-11-16T09:46:39Z"),
        ("somebody", "somebody"),
        ("", ""),
    ],
)
def test_a_holder_is_told_to_people_with_a_time(holder: str, read: str) -> None:
    assert readable_holder(holder) == read


def test_an_attempt_at_a_lease_that_another_machine_holds_waits_for_nobody() -> None:
    graph = Graph("pod-a/boot/pid:[1] pid 7 ticks 1 started 1", has_run_out=False)
    lease = Lease(cast("Neo4jGraphStore", graph), "g", 30)

    held = lease.attempt()

    assert held is not None
    assert (held.host, held.left_s) == ("pod-a", 1.0)
    graph.has_run_out = True
    assert lease.attempt() is None
    assert lease.left_by.startswith("pod-a/")
    lease.release()
