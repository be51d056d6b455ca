"""What happens to clusters, agents and what they need: after each the graph is what the API server says, object by object."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scripts.control_plane import scenario, shop
from scripts.control_plane.kube import Kube
from scripts.control_plane.plane import ControlPlane
from tests.system.lab_world import (
    Job,
    agent_pids,
    await_true,
    holder,
    install,
    job,
    leaked,
    said_by_agents,
    set_clock,
    settled,
    uninstall,
    writer,
)
from tests.system.world import World

pytestmark = pytest.mark.timeout(3600)
ME = "af-10"
NAMESPACE = f"agent-{ME}"
CUSTOM = "customKinds={*.networking.istio.io}"
AGENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/graph-agent"
FIRST_S = 240.0
# Two agents hand over within 15 s, and the second tells everything anew.
HAND_OVER_S = 15.0
CALM = [name for name in scenario.STEPS if name not in ("set-up", "make-many", "delete-many")]


@contextmanager
def watched(world: World, plane: ControlPlane, kube: Kube, brokers: str) -> Iterator[Job]:
    """A cluster with workloads, two agents and the job, and the graph that is equal to it; in the end no secret is anywhere."""
    scenario.set_up(kube)
    with job(world, plane.folder / "job.log") as following:
        install(plane, brokers, ME, CUSTOM, "logs.enabled=false")
        settled(world, kube, ME, within_s=FIRST_S)
        try:
            yield following
        except BaseException:
            print(said_by_agents(plane), following.log.read_text()[-3000:])  # noqa: T201 - for whoever reads why it failed
            raise
        uninstall(plane, kube, NAMESPACE, "--no-hooks")
    assert world.deadletters() == []
    assert leaked(brokers, shop.PLANTED, shop.ROTATED) == []


def test_after_every_step_the_graph_is_what_the_cluster_is(world: World, plane: ControlPlane, kube: Kube, brokers: str) -> None:
    with watched(world, plane, kube, brokers):
        for name in CALM:
            scenario.STEPS[name](kube)
            took_s = settled(world, kube, ME)
            print(f"{name}: equal after {took_s:.1f} s")  # noqa: T201 - a measurement


def test_many_pods_come_and_go(world: World, plane: ControlPlane, kube: Kube, brokers: str) -> None:
    with watched(world, plane, kube, brokers):
        for name in ("make-many", "delete-many"):
            scenario.STEPS[name](kube)
            took_s = settled(world, kube, ME)
            print(f"{name}: equal after {took_s:.1f} s")  # noqa: T201 - a measurement


def test_what_went_while_no_agent_ran_is_gone_once_one_runs(world: World, plane: ControlPlane, kube: Kube, brokers: str) -> None:
    with watched(world, plane, kube, brokers):
        kube.patch(AGENTS, {"spec": {"replicas": 0}})
        await_true(lambda: not agent_pids(plane, kube, NAMESPACE))
        assert holder(kube, NAMESPACE) == "", "the last agent gives its lease up"
        scenario.rotate_secret(kube)
        kube.delete(kube.path(shop.deployment("cart")))
        # The Service frontend is named by an Ingress: without it, a stub would stand for it, rightly.
        scenario.delete_service(kube)
        scenario.await_that("the Pods are gone", lambda: not scenario.pods_of(kube, "cart"))
        kube.patch(AGENTS, {"spec": {"replicas": 2}})
        await_true(lambda: bool(holder(kube, NAMESPACE)), 120)
        settled(world, kube, ME)


def test_an_agent_that_is_killed_or_robbed_of_its_lease_is_followed_by_another(
    world: World, plane: ControlPlane, kube: Kube, brokers: str
) -> None:
    with watched(world, plane, kube, brokers):
        first = holder(kube, NAMESPACE)
        killed_at = time.monotonic()
        os.kill(writer(plane, kube, NAMESPACE), signal.SIGKILL)
        scenario.scale(kube)
        await_true(lambda: holder(kube, NAMESPACE) not in ("", first))
        took_s = time.monotonic() - killed_at
        print(f"hand-over after a kill: {took_s:.1f} s")  # noqa: T201 - a measurement
        settled(world, kube, ME)

        lease = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/graph-agent"
        kube.patch(lease, {"spec": {"holderIdentity": "somebody-else"}})
        robbed_at = time.monotonic()
        scenario.roll_out(kube)
        await_true(lambda: holder(kube, NAMESPACE) != "somebody-else")
        print(f"hand-over after a lost lease: {time.monotonic() - robbed_at:.1f} s")  # noqa: T201 - a measurement
        settled(world, kube, ME)
        assert took_s <= HAND_OVER_S


def test_an_api_server_that_is_killed_and_forgets_costs_nothing(world: World, plane: ControlPlane, kube: Kube, brokers: str) -> None:
    with watched(world, plane, kube, brokers):
        kill_api_server(plane)
        time.sleep(3)
        plane.up()
        scenario.roll_out(kube)
        settled(world, kube, ME)

        pids = agent_pids(plane, kube, NAMESPACE).values()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        scenario.scale(kube)
        kube.delete(kube.path(shop.service("cart")))
        plane.etcd.compact()
        kill_api_server(plane)
        plane.up()
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        scenario.rotate_secret(kube)
        settled(world, kube, ME)
        assert "410" in said_by_agents(plane), "the watches were too old to be resumed"


def kill_api_server(plane: ControlPlane) -> None:
    process = plane.api.process.find()
    assert process is not None
    process.kill()
    process.wait(10)


def test_kafka_may_be_away_for_a_minute(world: World, plane: ControlPlane, kube: Kube, brokers: str) -> None:
    with watched(world, plane, kube, brokers) as following:
        world.stack.kafka.process.stop()
        scenario.roll_out(kube)
        scenario.rotate_secret(kube)
        time.sleep(60)
        scenario.delete_service(kube)
        world.stack.up()
        following.ensure()
        settled(world, kube, ME)


def test_a_clock_that_is_set_back_changes_nothing(world: World, plane: ControlPlane, kube: Kube, brokers: str) -> None:
    with watched(world, plane, kube, brokers):
        set_clock(plane, -300)
        scenario.roll_out(kube)
        scenario.delete_service(kube)
        settled(world, kube, ME)
        leader = holder(kube, NAMESPACE)
        os.kill(writer(plane, kube, NAMESPACE), signal.SIGKILL)
        set_clock(plane, 0)
        scenario.rotate_secret(kube)
        await_true(lambda: holder(kube, NAMESPACE) not in ("", leader))
        settled(world, kube, ME)
