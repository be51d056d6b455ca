"""Incidents in Neo4j are those of the graph in memory, cost round trips by the group and not by the tenant, and go with retention."""

from typing import Any

import neo4j
import pytest

from tests.support.broken_cluster import Bus, killed, mutations_of, node, pod, workload
from tests.system.world import World
from transforms.io.graph_admin.sweep import sweep
from transforms.io.neo4j.incident_reader import AnalysisTransaction
from transforms.io.neo4j.incident_store import IncidentStore
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.planning.facts.changes import Floors
from transforms.records.record import time_limit
from transforms.testing.memory_graph import MemoryGraphStore
from transforms.testing.memory_incidents import MemoryIncidents

TENANTS = [f"af-{at}" for at in range(10, 22)]


def well() -> Bus:
    return Bus().say(0, node("n1"), node("n2"), *workload("cart"), pod("cart"))


def broken() -> Bus:
    return well().say(11, *workload("cart", ready=0)[:2], pod("cart", ready=False, since=10, state=killed(10)))


def written(store: Neo4jGraphStore, client_id: str, bus: Bus) -> None:
    store.write_batch(client_id, mutations_of(bus.records, client_id))


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that analyses run."""
    found: list[str] = []
    run = AnalysisTransaction.run

    def noted(self: AnalysisTransaction, statement: str, rows: Any, **parameters: Any) -> list[neo4j.Record]:
        found.extend([statement] if rows else [])
        return run(self, statement, rows, **parameters)

    monkeypatch.setattr(AnalysisTransaction, "run", noted)
    return found


def test_incidents_are_those_of_the_graph_in_memory_and_are_written_once(store: Neo4jGraphStore, trips: list[str]) -> None:
    memory = MemoryGraphStore()
    for client_id in TENANTS:
        bus = well() if client_id.endswith("1") else broken()
        written(store, client_id, bus)
        memory.write_batch(client_id, mutations_of(bus.records, client_id))
    analyst = IncidentStore(store)
    assert analyst.analyse([*TENANTS, "nobody"]) == MemoryIncidents(memory).analyse([*TENANTS, "nobody"])
    assert [store.digest(one).hexdigest() for one in TENANTS] == [memory.digest(one).hexdigest() for one in TENANTS]
    of_all = len(trips)
    assert sum(one.rows for one in analyst.analyse(TENANTS).values() if not isinstance(one, Exception)) == 0
    trips.clear()
    analyst.analyse(TENANTS[:1])
    assert of_all <= 2 * len(trips) + 8, "as many for twelve tenants as for one, and what is written"


def test_a_quiet_tenant_wakes_with_what_may_be_wrong(store: Neo4jGraphStore) -> None:
    written(store, "af-10", well())
    IncidentStore(store).analyse(["af-10"])
    assert store.write_batch("af-10", mutations_of(Bus().say(5, node("n3")).records, "af-10")).is_quiet
    assert not store.write_batch("af-10", mutations_of(broken().records, "af-10")).is_quiet
    assert not store.write_batch("af-10", mutations_of(Bus().say(20, node("n3")).records, "af-10")).is_quiet
    written(store, "af-11", well())
    IncidentStore(store).analyse(["af-11"])
    assert IncidentStore(store).restless() == ["af-10"]
    (found,) = IncidentStore(store).analyse(["af-10"]).values()
    assert not isinstance(found, Exception)
    assert (found.open, found.kinds) == (1, {"OOM_KILLED": 1})


def test_a_tenant_that_is_written_while_it_is_analysed_is_analysed_as_it_is_then(
    store: Neo4jGraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for client_id in ("af-10", "af-11"):
        written(store, client_id, broken())
    read = AnalysisTransaction.read
    healed = well().say(13, *workload("cart"), pod("cart", since=13)).say(400, node("n2"))

    def meanwhile(self: AnalysisTransaction, heads: Any, work: Any) -> Any:
        found = read(self, heads, work)
        monkeypatch.setattr(AnalysisTransaction, "read", read)
        written(store, "af-10", healed)
        return found

    monkeypatch.setattr(AnalysisTransaction, "read", meanwhile)
    found = IncidentStore(store).analyse(["af-10", "af-11"])
    assert {client_id: one.open for client_id, one in found.items() if not isinstance(one, Exception)} == {"af-10": 0, "af-11": 1}
    memory = MemoryGraphStore()
    for bus in (broken(), healed):
        memory.write_batch("af-10", mutations_of(bus.records, "af-10"))
    MemoryIncidents(memory).analyse(["af-10"])
    assert store.digest("af-10").hexdigest() == memory.digest("af-10").hexdigest()


def test_incidents_that_were_over_before_go_with_the_episodes(world: World, store: Neo4jGraphStore) -> None:
    written(store, "af-10", broken())
    written(store, "af-10", Bus().say(13, *workload("cart"), pod("cart", since=13)).say(90, node("n2")))
    written(store, "af-11", broken())
    IncidentStore(store).analyse(["af-10", "af-11"])
    assert sorted(one["state"] for one in world.cypher("MATCH (i:Incident) RETURN i.state AS state")) == ["open", "resolved"]
    floors = Floors(episodes=time_limit(4_000_000_000_000_000))
    assert sweep(store, "af-10", floors, lambda _what, _gone: None).incidents == 1
    assert sweep(store, "af-11", floors, lambda _what, _gone: None).incidents == 0, "what still holds stays"
