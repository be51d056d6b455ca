"""The promise: install the chart with a name for the cluster, and its graph is there; uninstall it, and the graph goes."""

from pathlib import Path

from scripts.control_plane import scenario, shop
from scripts.control_plane.kube import Kube
from scripts.control_plane.plane import ControlPlane
from tests.system.lab_world import await_true, install, job, leaked, settled, uninstall
from tests.system.world import World

NAMES = ("af-10", "af-11", "af-12")
CUSTOM = "customKinds={*.networking.istio.io}"


def test_the_promise_three_charts_are_installed_and_one_job_keeps_three_graphs_until_one_is_uninstalled(
    world: World, plane: ControlPlane, kube: Kube, brokers: str, tmp_path: Path
) -> None:
    scenario.set_up(kube)
    with job(world, tmp_path / "job.log"):
        namespaces = {name: install(plane, brokers, name, CUSTOM) for name in NAMES}
        # The job has just begun, and the graph plans each statement for the first time.
        settled(world, kube, *NAMES, within_s=240)
        crossing = world.cypher("MATCH (a)--(b) WHERE a.client_id <> b.client_id RETURN count(*) AS n")
        assert crossing[0]["n"] == 0
        sizes = world.cypher("MATCH (n:Resource) RETURN n.client_id AS id, count(*) AS n")
        assert {row["id"] for row in sizes} == {*NAMES}

        scenario.roll_out(kube)
        settled(world, kube, *NAMES)

        uninstall(plane, kube, namespaces["af-11"])
        gone = "MATCH (c:Cluster {client_id: 'af-11'}) WHERE c.deregistered_at IS NOT NULL RETURN c.client_id AS id"
        await_true(lambda: bool(world.cypher(gone)))
        world.run("pipelines.tenants", "reap", "--yes")
        left = world.cypher(
            "MATCH (n {client_id: 'af-11'}) WHERE NOT (n:Cluster OR n:ClusterEpisode OR n:Tombstone) RETURN labels(n) AS labels"
        )
        assert left == []

        scenario.scale(kube)
        settled(world, kube, "af-10", "af-12")
        for name in ("af-10", "af-12"):
            uninstall(plane, kube, namespaces[name])
    assert world.deadletters() == []
    assert leaked(brokers, shop.PLANTED) == []
