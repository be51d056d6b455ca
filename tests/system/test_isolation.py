"""A tenant that cannot be written is quarantined and released again, on real Kafka and Neo4j; the others never notice."""

import json
from collections import Counter
from pathlib import Path

from scripts.faulting.round import await_that
from scripts.faulting.topics import configure_topic
from scripts.sampling.record import SampleRecord
from scripts.sampling.stream import sample_stream
from tests.support.in_memory import expected_digests
from tests.system.world import DEADLETTERS, World, locked

FLAGS = ("--kafka_reader=bounded", "--tenant_max_failures=2")
QUARANTINED = "tenant_quarantined"
# What somebody may do to a graph by hand: a version in place of bytes, so that nothing can be planned on it.
SPOIL = (
    "MATCH (n:Resource {client_id: $id}) WHERE n.kind = 'Deployment' WITH n LIMIT 1 SET n.kept = n.hash, n.hash = 'by hand' RETURN n.rid"
)
MEND = "MATCH (n:Resource {client_id: $id}) WHERE n.kept IS NOT NULL SET n.hash = n.kept REMOVE n.kept RETURN n.rid"


def half_taken_in(world: World, clusters: int, seed: int) -> tuple[list[SampleRecord], dict[str, str]]:
    """Half of the records are in the graph; the others, and the digests that all of them come to."""
    records = sample_stream(clusters=clusters, resyncs=2, seed=seed, poison_classes=0).records
    world.produce(records[: len(records) // 2])
    world.run_job(*FLAGS)
    return records[len(records) // 2 :], expected_digests(records)


def of(records: list[SampleRecord], client_id: str) -> list[SampleRecord]:
    return [one for one in records if (one.key or b"").startswith(f"{client_id}::".encode())]


def spoil(world: World, *client_ids: str) -> None:
    for client_id in client_ids:
        assert world.cypher(SPOIL, id=client_id)


def mend(world: World, client_id: str) -> None:
    assert world.cypher(MEND, id=client_id)


def marks(world: World) -> dict[str, str]:
    found = world.cypher("MATCH (c:Cluster) WHERE c.quarantined_at > 0 RETURN c.client_id AS id, c.quarantine_reason AS reason")
    return {row["id"]: row["reason"] for row in found}


def letters(world: World) -> Counter[tuple[str, str]]:
    return Counter((one["client_id"], one["reason"]) for one in world.deadletters())


def without(digests: dict[str, str], *client_ids: str) -> dict[str, str]:
    return {client_id: digest for client_id, digest in digests.items() if client_id not in client_ids}


def release(world: World, client_id: str, *flags: str, expect: int = 0) -> tuple[dict[str, object], str]:
    done = world.run("pipelines.tenants", "release", client_id, "--json", "--tenant_max_failures=2", *flags, expect=expect)
    return json.loads(done.stdout), done.stderr


def test_a_tenant_with_a_spoilt_graph_is_set_aside_survives_a_restart_and_is_released_when_mended(world: World) -> None:
    second, expected = half_taken_in(world, clusters=3, seed=11)
    spoil(world, "af-11")
    world.produce(second)

    told = world.run_job(*FLAGS)

    assert marks(world).keys() == {"af-11"}
    assert "cannot be understood" in marks(world)["af-11"]
    assert told["stderr"].count('"event": "tenant quarantined"') == 1
    assert told["stderr"].count("Traceback") == 1, "logged once, however often it failed"
    held = letters(world)
    assert held.keys() == {("af-11", QUARANTINED)}
    assert held["af-11", QUARANTINED] == told["tenants"]["af-11"]["rejected"]
    assert told["read"] == len(second)
    assert without(world.digests(), "af-11") == without(expected, "af-11")
    assert world.run_job(*FLAGS)["read"] == 0, "all of it is committed"

    again = of(second, "af-11")[-5:]
    world.produce(again)
    assert world.run_job(*FLAGS)["tenants"]["af-11"]["rejected"] == len(again), "a restart keeps it aside"

    failed, said = release(world, "af-11", expect=1)
    assert failed["state"] == "set aside"
    assert "stays in quarantine" in said
    assert marks(world).keys() == {"af-11"}

    mend(world, "af-11")
    told, _ = release(world, "af-11")
    assert (told["state"], told["rejected"], told["letters"]) == ("released", 0, told["replayed"])
    assert marks(world) == {}
    assert world.digests() == expected

    told_of = world.cypher("MATCH (e:ClusterEpisode {client_id: 'af-11'}) RETURN e.etype AS etype ORDER BY e.at_ms")
    assert [row["etype"] for row in told_of] == ["cluster.quarantine", "cluster.release"], "in quarantine again is no news"
    repeated, _ = release(world, "af-11")
    assert (repeated["was_set_aside"], repeated["written"]) == (False, 0)
    world.produce(again)
    assert world.run_job(*FLAGS)["rejected"] == 0


def test_a_tenant_whose_lock_is_held_delays_nobody_for_ever(world: World) -> None:
    second, expected = half_taken_in(world, clusters=3, seed=12)
    world.produce(second)

    with locked(world, "af-12"):
        told = world.run_job(*FLAGS, "--write_timeout_s=4")
        assert marks(world) == {}, "it could not even be marked"

    assert "in this process alone" in told["stderr"]
    assert letters(world).keys() == {("af-12", QUARANTINED)}
    assert without(world.digests(), "af-12") == without(expected, "af-12")
    release(world, "af-12")
    assert world.digests() == expected


def test_a_lock_on_one_node_of_a_tenant_is_no_rows_fault(world: World) -> None:
    second, expected = half_taken_in(world, clusters=3, seed=12)
    world.produce(second)
    with world.graph.session() as session, session.begin_transaction() as held:
        held.run("MATCH (n:Resource {client_id: 'af-12', kind: 'Node'}) SET n.held = true").consume()
        told = world.run_job(*FLAGS, "--lock_timeout_s=1")
        assert marks(world).keys() == {"af-12"}, "its :Cluster is not locked"
        # By whom it is blocked is in it where the server could be asked meanwhile.
        assert "another session holds a lock of the tenant's" in marks(world)["af-12"]
        held.rollback()

    assert letters(world).keys() == {("af-12", QUARANTINED)}
    assert told["stderr"].count('"event": "tenant failed"') == 1
    assert without(world.digests(), "af-12") == without(expected, "af-12")
    release(world, "af-12")
    assert world.digests() == expected


def test_one_tenant_in_ten_may_be_spoilt_and_the_others_are_as_in_a_clean_run(world: World) -> None:
    second, expected = half_taken_in(world, clusters=10, seed=13)
    spoil(world, "af-14")
    world.produce(second)

    # Small batches: many of the spoilt tenant's, between those of all others.
    told = world.run_job(*FLAGS, "--batch_rows=20")

    assert marks(world).keys() == {"af-14"}
    assert {client_id for client_id, counts in told["tenants"].items() if counts["rejected"]} == {"af-14"}
    assert without(world.digests(), "af-14") == without(expected, "af-14")


def test_a_run_that_follows_takes_a_released_tenant_in_again_without_a_restart(world: World) -> None:
    second, expected = half_taken_in(world, clusters=2, seed=14)
    spoil(world, "af-10")
    world.produce(second[: len(second) // 2])
    job = world.start_job(*FLAGS, "--follow", "--every_s=0.2")
    try:
        await_that(lambda: "af-10" in marks(world), 60, "the tenant is in quarantine")
        mend(world, "af-10")
        release(world, "af-10", "--settle_s=2")
        world.produce(second[len(second) // 2 :])
        await_that(lambda: world.digests() == expected, 60, "both graphs are as in a clean run")
    finally:
        job.terminate()
        job.communicate(timeout=60)
    assert job.returncode == 0


def test_a_warning_comes_before_what_is_held_is_lost(world: World) -> None:
    half_taken_in(world, clusters=1, seed=11)
    configure_topic(world.brokers, DEADLETTERS, retention_ms="100000")
    age = "MATCH (c:Cluster) SET c.quarantined_at = timestamp() - $age, c.quarantine_reason = 'why'"
    world.cypher(age, age=10_000)
    assert "about to be lost" not in world.run_job(*FLAGS)["stderr"]
    world.cypher(age, age=90_000)
    assert "tenants release af-10" in world.run_job(*FLAGS)["stderr"]


def test_a_tenant_is_released_from_letters_in_files_too(world: World, tmp_path: Path) -> None:
    second, expected = half_taken_in(world, clusters=2, seed=12)
    spoil(world, "af-11")
    world.produce(second)
    path = f"--deadletter_path={tmp_path}"
    rejected = world.run_job(*FLAGS, path)["tenants"]["af-11"]["rejected"]
    mend(world, "af-11")

    told, _ = release(world, "af-11", path)

    assert rejected > 100
    assert letters(world) == {}, "the topic of dead letters was never used"
    assert (told["state"], told["replayed"], told["rejected"]) == ("released", rejected, 0)
    assert marks(world) == {}
    assert world.digests() == expected
