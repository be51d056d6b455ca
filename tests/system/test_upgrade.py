"""A graph that the version before API groups wrote is brought over, wherever that is stopped; an older job refuses a newer graph."""

import pytest

from tests.support.before_groups import TENANTS, records, restore
from tests.support.in_memory import expected_digests
from tests.system.world import World
from transforms.io.neo4j import schema as migrating
from transforms.io.neo4j.spelling import bring_over
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model.schema_version import VERSION

_VERSION = "MATCH (s:Schema {client_id: '-', name: 'graph'}) RETURN s.version AS version"
_OLD = "MATCH (n:Resource {client_id: $client_id, rid: 'gateway:mesh:public'}) RETURN n.uid AS uid"
_NEW = "MATCH (n:Resource {client_id: $client_id, rid: 'gateway.networking.istio.io:mesh:public'}) RETURN n.uid AS uid"


@pytest.fixture
def before(world: World, store: Neo4jGraphStore) -> World:
    """The graph of the version before; no Kafka offsets, as after an installation elsewhere."""
    restore(world.graph)
    assert all(world.cypher(_OLD, client_id=client_id) == [{"uid": "Gateway-public"}] for client_id in TENANTS)
    world.cypher("MATCH (s:Schema) DELETE s")
    return world


def test_the_first_run_brings_the_graph_over_and_a_resync_gives_the_graph_of_a_new_beginning(before: World) -> None:
    before.produce([])

    before.run_job()

    assert before.cypher(_VERSION) == [{"version": VERSION}]
    for client_id in TENANTS:
        assert before.cypher(_OLD, client_id=client_id) == []
        assert before.cypher(_NEW, client_id=client_id) == [{"uid": "Gateway-public"}]
    assert before.digests() == expected_digests(records())
    # The same records again, and later the same objects as agents repeat them.
    before.produce(records(resynced=True))
    before.run_job()
    assert before.digests() == expected_digests(records(resynced=True))


def test_a_migration_that_was_stopped_goes_on_with_the_tenants_that_are_left(
    before: World, store: Neo4jGraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought: list[object] = []

    def once(ask: object) -> int:
        if brought:
            raise KeyboardInterrupt
        brought.append(ask)
        return bring_over(ask)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(migrating, "bring_over", once)
        with pytest.raises(KeyboardInterrupt):
            store.migrate()
    assert [before.cypher(_OLD, client_id=client_id) for client_id in TENANTS] == [[], [{"uid": "Gateway-public"}]]
    assert before.cypher(_VERSION) == []

    store.migrate()

    assert before.cypher(_VERSION) == [{"version": VERSION}]
    assert before.digests() == expected_digests(records())


@pytest.mark.parametrize(
    "command",
    [
        ("pipelines.graph_build", "--kafka_reader=bounded"),
        ("pipelines.graph_build", "--follow", "--standby"),
        ("pipelines.tenants", "schema"),
        ("pipelines.tenants", "sweep"),
        ("pipelines.tenants", "reap", "--yes"),
        ("pipelines.backfill", "run", "--from=2026-01-01T00:00:00Z", "--source=kafka"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_an_older_job_refuses_a_newer_graph_with_one_sentence_and_changes_nothing(
    world: World, store: Neo4jGraphStore, command: tuple[str, ...]
) -> None:
    store.migrate()
    world.cypher("MATCH (s:Schema) SET s.version = $version", version=VERSION + 1)

    module, *arguments = command
    said = (
        world.run(module, "--log_level=ERROR", *arguments, expect=1)
        if module == "pipelines.graph_build"
        else world.run(module, *arguments, expect=1)
    )

    assert said.stderr.strip().splitlines()[-1] == (
        f"The graph has version {VERSION + 1} of the schema and this version of graph-build knows {VERSION} at most: "
        "run the newer one, or restore the backup from before the upgrade."
    )
    assert world.cypher(_VERSION) == [{"version": VERSION + 1}]
    assert world.cypher("MATCH (n) RETURN count(n) AS nodes") == [{"nodes": 1}]
