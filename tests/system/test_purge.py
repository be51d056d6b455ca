"""A tenant that is gone goes whole, killed or not, and leaves the others alone; what lives after never mixes with it."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from scripts.sampling.cluster import SampleCluster
from scripts.sampling.record import RESOURCES, SampleRecord, json_bytes
from scripts.sampling.stream import sample_stream
from tests.support.in_memory import expected_digests
from tests.system.world import Process, World
from transforms.io.neo4j.purge import Purged, begin, go_on
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.planning.facts.mutations import DeleteNode, EndSnapshot, Mutation, UpsertEdge, UpsertNode, UpsertReferrer
from transforms.planning.facts.values import digest_of
from transforms.planning.lifecycle.reaping import forget
from transforms.records.outcomes import Outcome
from transforms.records.record import make_ver, microseconds
from transforms.testing.memory_graph import MemoryGraphStore

TENANT, OTHER = "af-10", "af-11"
KILLS = 10
KEPT = "n:Cluster OR n:ClusterEpisode OR n:Lease"


def ver(t_ms: int) -> str:
    return make_ver(t_ms * 1000, "t", 0, t_ms)


def pod(name: str, t_ms: int, tenant: str = TENANT, image: str = "a") -> UpsertNode:
    props = {"kind": "Pod", "ns": "shop", "name": name, "image": image}
    return UpsertNode(tenant, ver(t_ms), f"pod:shop:{name}", "", props, digest_of(props))


def graph_of(tenant: str, pods: int, t_ms: int) -> list[Mutation]:
    """Pods on a node, an episode and a scrape target about each, and a rule that emits."""
    found: list[Mutation] = []
    for at in range(pods):
        name, rid = f"p{at:05}", f"pod:shop:p{at:05}"
        found += [pod(name, t_ms, tenant), UpsertEdge(tenant, ver(t_ms), f"e{at}", "RUNS_ON", rid, "node::n")]
        for label in ("Episodic", "PromTarget"):
            props = {"message": name, "subject": rid} | ({"alert": "Down"} if label == "Episodic" and at < 5 else {})
            found.append(UpsertReferrer(tenant, ver(t_ms), label, name, rid, props, digest_of(props)))
    rule = {"alert": "Down"}
    found += [UpsertReferrer(tenant, ver(t_ms), "Rule", "r", "", rule, digest_of(rule)), DeleteNode(tenant, ver(t_ms), "pod:shop:gone")]
    return found


def write(store: Neo4jGraphStore | MemoryGraphStore, mutations: Sequence[Mutation]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for start in range(0, len(mutations), 2000):
        batch = mutations[start : start + 2000]
        outcomes += store.write_batch(batch[0].client_id, batch).outcomes
    return outcomes


def alone(mutations: Sequence[Mutation]) -> str:
    """The digest of a tenant that knows nothing but these."""
    memory = MemoryGraphStore()
    write(memory, mutations)
    return memory.digest(mutations[0].client_id).hexdigest()


def cluster(world: World, tenant: str = TENANT) -> dict[str, Any]:
    (row,) = world.cypher("MATCH (c:Cluster {client_id: $tenant}) RETURN properties(c) AS props", tenant=tenant)
    props: dict[str, Any] = row["props"]
    return props


def left_of(world: World, tenant: str = TENANT) -> dict[str, int]:
    (row,) = world.cypher(
        f"OPTIONAL MATCH (n {{client_id: $tenant}}) WHERE NOT ({KEPT}) WITH count(n) AS nodes "
        "OPTIONAL MATCH ()-[r {client_id: $tenant}]->() RETURN nodes, count(r) AS relationships",
        tenant=tenant,
    )
    return row


def happened(world: World, tenant: str = TENANT) -> list[dict[str, Any]]:
    rows = world.cypher("MATCH (e:ClusterEpisode {client_id: $tenant}) RETURN properties(e) AS e ORDER BY e.at_ms", tenant=tenant)
    return [row["e"] for row in rows]


def server_ms(world: World) -> int:
    now: int = world.cypher("RETURN timestamp() AS now")[0]["now"]
    return now


def command(world: World, *arguments: str, expect: int = 0) -> dict[str, Any]:
    out = world.run("pipelines.tenants", *arguments, "--json", expect=expect).stdout
    found: dict[str, Any] = json.loads(out) if out else {}
    return found


def until(holds: Callable[[], bool], what: str, process: Process | None = None) -> None:
    limit = time.monotonic() + 60
    while not holds():
        assert process is None or process.poll() is None, (what, process.communicate())
        assert time.monotonic() < limit, what


def taken(world: World) -> int:
    props = cluster(world)
    number: int = props.get("purge_nodes", 0) + props.get("purge_relationships", 0)
    return number


def test_a_purge_takes_all_of_the_tenant_and_nothing_else(world: World, store: Neo4jGraphStore) -> None:
    ahead = server_ms(world) + 600_000
    write(store, [*graph_of(TENANT, 30, 1_000), pod("of-a-clock-that-runs-ahead", ahead)])
    write(store, graph_of(OTHER, 30, 1_000))
    world.cypher("MATCH (n:Pod {client_id: 'af-10'}) WITH n LIMIT 1 CREATE (n)-[:SEEN_BY_HAND]->(:Note)")
    before, other = left_of(world), store.digest(OTHER).hexdigest()

    purged = command(world, "forget", TENANT, "--yes", "--slice_rows=7")["tenants"][TENANT]

    assert left_of(world) == {"nodes": 0, "relationships": 0}
    assert purged["reason"] == "forgotten"
    assert (purged["nodes"], purged["relationships"]) == (before["nodes"], before["relationships"] + 1)
    assert store.digest(OTHER).hexdigest() == other
    props = cluster(world)
    assert props["state"] == "PURGED"
    assert props["floor"] == props["episode_floor"] == f"{ahead * 1000:018d}~"
    assert "purging" not in props
    (episode,) = happened(world)
    assert episode["etype"] == "cluster.purge"
    assert "@" in episode["by"]
    assert episode["began_ms"] <= episode["at_ms"] == props["purged_at"]
    assert (episode["nodes"], episode["relationships"]) == (purged["nodes"], purged["relationships"])


def test_a_node_with_more_relationships_than_a_slice_is_gone_on_with(world: World, store: Neo4jGraphStore) -> None:
    edges = [UpsertEdge(TENANT, ver(1), f"e{at}", "SELECTS", "service:shop:s", f"pod:shop:p{at}") for at in range(50)]
    write(store, edges)

    assert command(world, "forget", TENANT, "--yes", "--slice_rows=2")["tenants"][TENANT]["relationships"] == 50
    assert left_of(world) == {"nodes": 0, "relationships": 0}


def test_killed_ten_times_and_gone_on_with_it_ends_and_the_audit_counts_all(world: World, store: Neo4jGraphStore) -> None:
    write(store, graph_of(TENANT, 1_200, 1_000))
    before = left_of(world)
    # Each process takes a portion that is too small to end in before it is killed.
    portion = (before["nodes"] + before["relationships"]) // (2 * KILLS)

    for _ in range(KILLS):
        done = taken(world)
        process = world.start("pipelines.tenants", "forget", TENANT, "--yes", "--slice_rows=20")
        until(lambda done=done: taken(world) >= done + portion, "no progress", process)  # type: ignore[misc]
        process.kill()
        process.communicate()
        assert process.returncode == -9
        assert cluster(world)["purging"], "it was killed on the way"
    assert command(world, "list")["tenants"][TENANT]["notes"] == ["purging"]
    began = cluster(world)["purge_started"]
    purged = command(world, "reap", "--yes")["tenants"]

    assert left_of(world) == {"nodes": 0, "relationships": 0}
    assert (purged[TENANT]["nodes"], purged[TENANT]["relationships"]) == (before["nodes"], before["relationships"])
    (episode,) = happened(world)
    assert (episode["began_ms"], episode["reason"]) == (began, "forgotten")
    assert cluster(world)["floor"] >= f"{began * 1000:018d}"


def test_what_was_purged_does_not_come_back_with_its_records(world: World, store: Neo4jGraphStore) -> None:
    old = graph_of(TENANT, 10, 1_000)
    write(store, old)
    command(world, "forget", TENANT, "--yes")

    assert set(write(store, old)) == {Outcome.BELOW_FLOOR}
    assert left_of(world) == {"nodes": 0, "relationships": 0}
    assert (cluster(world)["state"], cluster(world)["generation"]) == ("PURGED", 1)


def begun(store: Neo4jGraphStore, tenant: str = TENANT) -> int:
    found = begin(store, tenant, "a test", lambda one, _: forget(one))
    assert found is not None
    assert found.started is not None
    return found.started


def test_past_records_are_below_the_floor_while_a_purge_is_under_way(world: World, store: Neo4jGraphStore) -> None:
    old = graph_of(TENANT, 10, 1_000)
    write(store, old)
    begun(store)
    before = left_of(world)

    assert set(write(store, old)) == {Outcome.BELOW_FLOOR}
    assert (left_of(world), cluster(world)["purging"]) == (before, True), "the writer leaves the purge to whoever began it"


def test_a_new_life_in_the_middle_of_a_purge_is_a_generation_of_its_own(world: World, store: Neo4jGraphStore) -> None:
    write(store, graph_of(TENANT, 300, 1_000))
    started = begun(store)
    now = server_ms(world) + 1_000
    new: list[Mutation] = [pod("p00001", now, image="b"), UpsertEdge(TENANT, ver(now), "e1", "RUNS_ON", "pod:shop:p00001", "node::other")]

    assert write(store, new) == [Outcome.WRITTEN] * 2

    assert store.digest(TENANT).hexdigest() == alone(new)
    assert left_of(world) == {"nodes": 2, "relationships": 1}
    props = cluster(world)
    assert (props["state"], props["generation"], props["resync_needed"], props["generation_from"]) == ("ACTIVE", 2, True, now)
    assert [one["etype"] for one in happened(world)] == ["cluster.purge", "cluster.generation"]
    told = command(world, "list", "--sizes")["tenants"][TENANT]
    assert (told["notes"], told["generation"], told["nodes"], told["relationships"]) == (["resync needed"], 2, 2, 1)
    # The process that began the purge goes on, and finds nothing of its own left.
    assert go_on(store, TENANT, started, "a test").nodes > 600
    assert store.digest(TENANT).hexdigest() == alone(new)

    assert write(store, [EndSnapshot(TENANT, ver(now), "pod")]) == [Outcome.CONTROL]
    assert command(world, "list")["tenants"][TENANT]["notes"] == []


def test_an_unchanged_object_two_intervals_later_shows_a_full_resync(world: World, store: Neo4jGraphStore) -> None:
    write(store, [pod("a", 1_000)])
    command(world, "forget", TENANT, "--yes")
    now = server_ms(world) + 1_000
    write(store, [pod("a", now)])

    assert write(store, [pod("a", now + 59_000)]) == [Outcome.UNCHANGED]
    assert cluster(world)["resync_needed"] is True
    assert write(store, [pod("a", now + 60_000)]) == [Outcome.UNCHANGED]
    assert cluster(world)["resync_needed"] is False


def test_deletes_after_a_purge_are_kept_and_are_no_life(world: World, store: Neo4jGraphStore) -> None:
    write(store, [pod("a", 1_000)])
    begun(store)
    now = server_ms(world) + 1_000

    assert write(store, [DeleteNode(TENANT, ver(now + 2), "pod:shop:a")]) == [Outcome.WRITTEN]
    assert (cluster(world)["state"], cluster(world)["generation"]) == ("PURGED", 1)
    assert write(store, [pod("a", now + 1)]) == [Outcome.SUPERSEDED], "the delete is known"


def test_a_mirror_does_not_outlive_the_purge(world: World, store: Neo4jGraphStore) -> None:
    write(store, [pod("a", 1_000)])
    write(store, [UpsertEdge(TENANT, ver(1_000), "e", "RUNS_ON", "pod:shop:a", "node::n")])
    command(world, "forget", TENANT, "--yes")
    now = server_ms(world) + 1_000
    new = [UpsertEdge(TENANT, ver(now), "e", "RUNS_ON", "pod:shop:a", "node::n")]

    write(store, new)

    assert store.digest(TENANT).hexdigest() == alone(new)


def test_purge_processes_and_writers_at_once_come_to_one_end(world: World, store: Neo4jGraphStore) -> None:
    write(store, graph_of(TENANT, 400, 1_000))
    before = left_of(world)
    started = begun(store)
    now = server_ms(world) + 1_000
    new = [pod(f"new{at}", now) for at in range(20)]
    stores = [Neo4jGraphStore(world.neo4j_target) for _ in range(4)]
    purges: list[Purged] = []
    outcomes: list[Outcome] = []

    def purge(one: Neo4jGraphStore) -> None:
        purges.append(go_on(one, TENANT, started, "a test", 20))

    def live(one: Neo4jGraphStore, part: list[UpsertNode]) -> None:
        outcomes.extend(write(one, part))

    threads = [threading.Thread(target=purge, args=(one,)) for one in stores[:2]]
    threads += [threading.Thread(target=live, args=(one, new[at::2])) for at, one in enumerate(stores[2:])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for one in stores:
        one.close()

    assert outcomes == [Outcome.WRITTEN] * 20
    assert [(one.nodes, one.relationships) for one in purges] == [(before["nodes"], before["relationships"])] * 2
    assert store.digest(TENANT).hexdigest() == alone(new)
    assert cluster(world)["generation"] == 2


def alive_at(tenant: str, moment: datetime, seed: int) -> list[SampleRecord]:
    sample = SampleCluster(tenant, Random(seed))
    sample.now = moment
    sample.start(3)
    return sample.records


def test_the_job_writes_the_others_and_the_new_life_of_the_one_that_is_being_purged(world: World, store: Neo4jGraphStore) -> None:
    old = sample_stream(clusters=2, resyncs=1, seed=21, poison_classes=0).records
    world.produce(old)
    world.run_job("--kafka_reader=bounded")
    write(store, graph_of(TENANT, 800, 1_000))
    moment = datetime.fromtimestamp(server_ms(world) / 1000, UTC) + timedelta(seconds=30)
    more = alive_at(TENANT, moment, 1)
    others = alive_at(OTHER, moment, 2)
    process = world.start("pipelines.tenants", "forget", TENANT, "--yes", "--slice_rows=20", "--json")
    until(lambda: taken(world) > 0, "no progress", process)

    # The old records again, too, as a copied topic has them.
    world.produce([*old, *more, *others])
    report = world.run_job("--kafka_reader=bounded")
    out, err = process.communicate(timeout=120)

    assert (process.returncode, report["rejected"]) == (0, 0), err
    assert json.loads(out)["tenants"][TENANT]["nodes"] > 1_600
    digests = world.digests()
    assert digests[TENANT] == expected_digests(more)[TENANT]
    assert digests[OTHER] == expected_digests([*old, *old, *others])[OTHER]
    assert (cluster(world)["generation"], cluster(world)["resync_needed"]) == (2, True)

    end = {"op": "SNAPSHOT_END", "kind": "Pod", "began": moment.isoformat(), "at": (moment + timedelta(hours=1)).isoformat()}
    at_ms = microseconds(moment + timedelta(hours=1)) // 1000
    world.produce([SampleRecord(RESOURCES, f"{TENANT}::snapshot:Pod".encode(), json_bytes(end), at_ms)])
    assert world.run_job("--kafka_reader=bounded")["tenants"][TENANT]["control"] == 1
    assert cluster(world)["resync_needed"] is False


HOUR = 3_600_000
BUS_MS = 1_000 * HOUR


def standing(world: World, tenant: str, **props: object) -> None:
    world.cypher("MERGE (c:Cluster {client_id: $tenant}) SET c += $props", tenant=tenant, props=props)


def test_reap_chooses_only_those_who_are_gone(world: World, store: Neo4jGraphStore) -> None:
    world.cypher("MERGE (b:Bus {client_id: '-', name: 'bus'}) SET b.clock_ms = $now", now=BUS_MS)
    tenants = ("alive", "stale", "deregistered", "late", "sending", "dead", "lately-dead", "begun")
    for tenant in tenants:
        write(store, [pod("a", 1_000, tenant)])
    standing(world, "stale", state="STALE")
    standing(world, "deregistered", deregistered_at=HOUR, last_seen=HOUR - 1, registered=False, labels=["a=b"], registry_ver="v")
    standing(world, "late", deregistered_at=HOUR, last_seen=HOUR + 120_000)
    standing(world, "sending", deregistered_at=HOUR, last_seen=HOUR + 120_001)
    standing(world, "dead", state="DEAD", dead_clock_ms=BUS_MS - 10 * HOUR, registered=True, cluster="d")
    standing(world, "lately-dead", state="DEAD", dead_clock_ms=BUS_MS - 10 * HOUR + 1)
    begun(store, "begun")

    look = command(world, "reap", "--dry_run", "--purge_after=10h")
    assert {name: one["reason"] for name, one in look["tenants"].items()} == {
        "begun": "forgotten",
        "dead": "dead",
        "deregistered": "deregistered",
        "late": "deregistered",
    }
    assert look["still_sending"] == ["sending"]
    assert left_of(world, "dead")["nodes"] == 1, "a dry run takes nothing away"

    assert command(world, "reap", "--yes", "--purge_after=10h", "--client_id=alive")["tenants"] == {}
    assert "no terminal to ask at" in world.run("pipelines.tenants", "reap", expect=2).stderr
    assert set(command(world, "reap", "--yes", "--purge_after=10h")["tenants"]) == set(look["tenants"])
    assert {tenant for tenant in tenants if not left_of(world, tenant)["nodes"]} == set(look["tenants"])
    assert "labels" not in cluster(world, "deregistered")
    assert cluster(world, "deregistered")["registry_ver"] == "v"
    assert (cluster(world, "dead")["registered"], cluster(world, "dead")["cluster"]) == (True, "d")
    assert command(world, "reap", "--yes", "--purge_after=10h")["tenants"] == {}, "a second run finds nothing"
    assert store.tenants() == sorted(tenants), "the clusters themselves stay"


def test_one_who_comes_back_before_the_purge_begins_is_spared(world: World, store: Neo4jGraphStore) -> None:
    write(store, [pod("a", 1_000)])

    spared = begin(store, TENANT, "a test", lambda one, _: forget(one)._replace(why=None, said=f"{one.state} again"))

    assert spared is not None
    assert (spared.started, spared.verdict.said) == (None, "ACTIVE again")
    assert "floor" not in cluster(world)


def test_the_commands_tell_of_a_cluster_and_of_one_that_is_not_there(world: World, store: Neo4jGraphStore) -> None:
    write(store, graph_of(TENANT, 3, 1_000))
    standing(world, TENANT, last_seen=server_ms(world) - 5_000, quarantined_at=1, quarantine_reason="why")

    one = command(world, "list", "--sizes")["tenants"][TENANT]
    assert 5 <= one["last_seen_age_s"] < 60
    assert 0 <= one["written_at_age_s"] < 60
    assert (one["nodes"], one["bookkeeping"], one["notes"]) == (11, 1, ["quarantined"])
    text = world.run("pipelines.tenants", "list").stdout
    assert TENANT in text
    assert "quarantined" in text

    world.run("pipelines.tenants", "forget", TENANT, "--yes")
    shown = command(world, "show", TENANT)
    assert shown["cluster"]["state"] == "PURGED"
    assert "quarantined_at" not in shown["cluster"]
    assert [episode["etype"] for episode in shown["episodes"]] == ["cluster.purge"]
    assert "cluster.purge" in world.run("pipelines.tenants", "show", TENANT).stdout
    for arguments in (("show", "nobody"), ("forget", "nobody", "--yes"), ("reap", "--yes", "--client_id=nobody")):
        assert world.run("pipelines.tenants", *arguments, expect=1).stderr == (
            "There is no tenant nobody in the graph; `tenants list` tells of those there are.\n"
        )
    assert store.tenants() == [TENANT]


def test_after_a_restore_a_backfill_brings_the_whole_graph_back(world: World) -> None:
    records = sample_stream(clusters=1, resyncs=2, seed=4, poison_classes=0).records
    world.produce(records)
    world.run_job()
    before = world.digests()
    span = ("--from=2026-01-01T00:00:00Z", "--client_id=af-10", "--source=kafka")

    look = command(world, "forget", "af-10", "--dry_run")
    assert look["dry_run"] is True
    told = look["tenants"]["af-10"]
    assert told["nodes"] + told["bookkeeping"] == left_of(world, "af-10")["nodes"] > 20, "a dry run takes nothing away"

    command(world, "forget", "af-10", "--yes")
    below = json.loads(world.run("pipelines.backfill", "--json", *span).stdout)
    assert below["written"] == below["unchanged"] == 0
    assert below["below_floor"] > 100
    assert left_of(world, "af-10")["nodes"] == 0

    assert command(world, "restore", "af-10")["client_id"] == "af-10"
    assert "cluster.restore" in {one["etype"] for one in happened(world, "af-10")}
    above = json.loads(world.run("pipelines.backfill", "--json", "--again", *span).stdout)
    assert above["below_floor"] == 0
    assert above["written"] > 0
    assert world.digests() == before


def test_only_a_purge_that_has_ended_can_be_taken_back(world: World, store: Neo4jGraphStore) -> None:
    write(store, [pod("a", 1_000)])
    assert "has no floor of a purge" in world.run("pipelines.tenants", "restore", TENANT, expect=1).stderr
    begun(store)

    assert "is under way" in world.run("pipelines.tenants", "restore", TENANT, expect=1).stderr
    assert cluster(world)["floor"]
    assert "There is no tenant nobody" in world.run("pipelines.tenants", "restore", "nobody", expect=1).stderr
