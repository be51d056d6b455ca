"""Retention: what is old goes and cannot come back; what is live stays, and a running job's mirrors notice."""

import json
from typing import Any

from tests.system.world import World
from transforms.io.graph_admin.sweep import SLICE_ROWS, floors_at, sweep
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.planning.facts.changes import Floors
from transforms.planning.facts.mutations import DeleteNode, Mutation, UpsertEdge, UpsertNode, UpsertReferrer
from transforms.planning.facts.values import digest_of
from transforms.planning.merge.swept import place_of
from transforms.records.outcomes import Outcome
from transforms.records.record import make_ver, time_limit

TENANT, OTHER = "af-10", "af-11"


def ver(t: int) -> str:
    return make_ver(t, "t", 0, t)


def pod(name: str, t: int, tenant: str = TENANT) -> UpsertNode:
    props = {"kind": "Pod", "ns": "shop", "name": name}
    return UpsertNode(tenant, ver(t), f"pod:shop:{name}", "", props, digest_of(props))


def episode(eid: str, t: int, about: str = "", tenant: str = TENANT) -> UpsertReferrer:
    props = {"message": eid} | ({"subject": about} if about else {})
    return UpsertReferrer(tenant, ver(t), "Episodic", eid, about, props, digest_of(props))


def write(store: Neo4jGraphStore, *mutations: Mutation) -> list[Outcome]:
    return store.write_batch(mutations[0].client_id, mutations).outcomes


def rows(world: World, label: str, tenant: str = TENANT) -> int:
    (found,) = world.cypher(f"MATCH (n:{label} {{client_id: $tenant}}) RETURN count(n) AS number", tenant=tenant)
    number: int = found["number"]
    return number


def quiet(_what: str, _gone: int) -> None:
    """Progress that nobody looks at."""


def test_old_episodes_tombstones_and_stubs_go_and_cannot_come_back(world: World, store: Neo4jGraphStore) -> None:
    write(store, pod("a", 5), pod("gone", 5), episode("old", 10, "pod:shop:never"), episode("new", 40, "pod:shop:a"))
    write(store, DeleteNode(TENANT, ver(20), "pod:shop:gone"))
    write(store, episode("old", 10, tenant=OTHER))
    assert (rows(world, "Episodic"), rows(world, "Tombstone")) == (2, 1)

    found = sweep(store, TENANT, Floors(swept=time_limit(30), episodes=time_limit(35)), quiet)

    assert (found.episodes, found.tombstones, found.stubs) == (1, 1, 1)
    assert (rows(world, "Episodic"), rows(world, "Resource")) == (1, 1)
    assert [row["key"] for row in world.cypher("MATCH (n:Tombstone) RETURN n.key AS key")] == [place_of("rid:pod:shop:gone")]
    assert rows(world, "Episodic", OTHER) == 1, "other tenants are left alone"
    assert write(store, pod("gone", 5), episode("old", 10), episode("late", 35)) == [
        Outcome.SUPERSEDED,
        Outcome.BELOW_FLOOR,
        Outcome.BELOW_FLOOR,
    ]
    assert write(store, pod("still-there", 5)) == [Outcome.WRITTEN], "nothing newer speaks of it"
    assert write(store, pod("gone", 31), episode("late", 36)) == [Outcome.WRITTEN] * 2


def test_more_than_a_slice_goes_and_what_has_no_version_stays(world: World, store: Neo4jGraphStore) -> None:
    number = SLICE_ROWS + 500
    write(store, *(episode(f"e{at:05}", 10) for at in range(number)))
    write(store, UpsertEdge(TENANT, ver(10), "e", "RUNS_ON", "pod:shop:a", "node::n"))

    assert sweep(store, TENANT, Floors(swept=time_limit(30), episodes=time_limit(30)), quiet).episodes == number
    assert (rows(world, "Episodic"), rows(world, "Resource")) == (0, 2)


def test_a_sweep_never_lowers_a_floor(world: World, store: Neo4jGraphStore) -> None:
    write(store, pod("a", 90))
    sweep(store, TENANT, Floors(swept=time_limit(50), episodes=time_limit(60)), quiet)
    sweep(store, TENANT, Floors(swept=time_limit(10), episodes=time_limit(10)), quiet)

    (cluster,) = world.cypher("MATCH (c:Cluster {client_id: $tenant}) RETURN c.swept AS swept, c.episode_floor AS episodes", tenant=TENANT)
    assert cluster == {"swept": time_limit(50), "episodes": time_limit(60)}


def test_a_writer_whose_mirror_is_older_than_the_sweep_notices(world: World, store: Neo4jGraphStore) -> None:
    writer = Neo4jGraphStore(world.neo4j_target)
    try:
        write(writer, pod("a", 5))
        write(writer, DeleteNode(TENANT, ver(20), "pod:shop:a"))
        sweep(store, TENANT, Floors(swept=time_limit(30)), quiet)
        assert write(writer, pod("a", 15)) == [Outcome.SUPERSEDED]
        write(writer, pod("a", 40))
    finally:
        writer.close()

    (node,) = world.cypher("MATCH (n:Pod {client_id: $tenant}) RETURN n.ver AS ver", tenant=TENANT)
    assert node["ver"] == ver(40)


def test_a_tenant_that_does_not_exist_is_not_made(world: World, store: Neo4jGraphStore) -> None:
    sweep(store, "nobody", floors_at(store, 1, 1), quiet)

    assert store.tenants() == []


def run(world: World, *arguments: str, expect: int = 0) -> dict[str, Any]:
    out = world.run("pipelines.tenants", "sweep", *arguments, expect=expect).stdout
    found: dict[str, Any] = json.loads(out) if out.startswith("{") else {}
    return found


def test_the_command_counts_on_a_dry_run_and_sweeps_then(world: World, store: Neo4jGraphStore) -> None:
    write(store, pod("a", 5), episode("old", 10, "pod:shop:a"))
    before = world.digests()

    assert run(world, "--json", "--dry_run")["tenants"] == {TENANT: {"episodes": 1, "tombstones": 0, "stubs": 0, "incidents": 0}}
    assert world.digests() == before
    assert run(world, "--json", "--episode_retention=30d")["tenants"] == {
        TENANT: {"episodes": 1, "tombstones": 0, "stubs": 0, "incidents": 0}
    }
    assert rows(world, "Episodic") == 0
    assert run(world, "--json", f"--client_id={TENANT}")["tenants"] == {
        TENANT: {"episodes": 0, "tombstones": 0, "stubs": 0, "incidents": 0}
    }
    assert "write a whole number with its unit" in world.run("pipelines.tenants", "sweep", "--tombstone_grace=2 weeks", expect=2).stderr
