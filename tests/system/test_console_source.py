"""What pages read of the real graph is what the test double of the unit tests answers, question by question."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.console_world import HOSTILE, INCIDENT_ID, NOW_MS, fleet, memory_source, write_fleet
from tests.system.world import World
from transforms.io.faults import InfrastructureFault
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.io.views.neo4j_source import Neo4jGraphSource
from transforms.model import reading
from transforms.model.graph import BETWEEN_RESOURCES
from transforms.model.reading import WORKLOADS
from transforms.planning.views.source import GraphSource

TYPES = [one.type for one in BETWEEN_RESOURCES]
ROOT = "deployment:shop:checkout"

Ask = Callable[[GraphSource], Any]
QUESTIONS: dict[str, Ask] = {
    "fleet": lambda one: one.fleet(None, 10),
    "fleet of two": lambda one: one.fleet({"af-10", "af-12", "none"}, 10),
    "fleet, cut": lambda one: one.fleet(None, 2),
    "tenant": lambda one: one.tenant("af-13"),
    "no tenant": lambda one: one.tenant("none"),
    "happened": lambda one: one.happened("af-10", 5),
    "census": lambda one: one.census("af-10"),
    "objects": lambda one: one.objects("af-10", None, 100),
    "objects of a namespace": lambda one: one.objects("af-10", {"monitoring", ""}, 100),
    "objects, cut": lambda one: one.objects("af-10", None, 3),
    "workloads": lambda one: one.of_kinds("af-10", WORKLOADS, 100),
    "nodes": lambda one: one.of_kinds("af-10", ("Node", "Gateway"), 100),
    "bare pods": lambda one: one.bare_pods("af-11", 100),
    "sick": lambda one: one.sick("af-10", 100),
    "object": lambda one: one.object("af-10", "pod:shop:checkout-7d9f-0"),
    "no object": lambda one: one.object("af-12", ROOT),
    "briefs": lambda one: one.briefs("af-10", [ROOT, "node::node-3", "pod:x:y"]),
    "edges at": lambda one: one.edges_at("af-10", ["node::node-1", ROOT, "service:shop:cart"], TYPES, 2),
    "edges of a type": lambda one: one.edges_at("af-10", ["node::node-1"], ["RUNS_ON"], 0),
    "edges between": lambda one: one.edges_between("af-10", ["pod:shop:checkout-7d9f-0", "node::node-1", "service:shop:checkout"], 10),
    "owners": lambda one: one.owners("af-10", "pod:shop:checkout-7d9f-0"),
    "members": lambda one: one.members_of_namespace("af-10", "monitoring", 100),
    "episodes": lambda one: one.episodes("af-10", 3),
    "episodes about": lambda one: one.episodes_about("af-10", ["pod:shop:checkout-7d9f-0"], 10),
    "targets": lambda one: one.referrers_of("af-10", "PromTarget", "pod:shop:checkout-7d9f-0", 10),
    "rules": lambda one: one.referrers_of("af-10", "Rule", "pod:shop:checkout-7d9f-0", 10),
    "incidents": lambda one: one.incidents("af-10", is_open=None, root=None, most=10),
    "open incidents": lambda one: one.incidents("af-10", is_open=True, root=None, most=10),
    "resolved incidents": lambda one: one.incidents("af-10", is_open=False, root=ROOT, most=10),
    "incident": lambda one: one.incident("af-10", INCIDENT_ID),
    "incident by alias": lambda one: one.incident("af-10", "0a0a0a0a0a"),
    "incident of another": lambda one: one.incident("af-12", INCIDENT_ID),
    "affected": lambda one: one.affected("af-10", INCIDENT_ID, 100),
    "episodes of an incident": lambda one: one.episodes_of_incident("af-10", INCIDENT_ID, 100),
    "causes of an incident": lambda one: one.causes_of_incident("af-10", INCIDENT_ID, 100),
    "incidents of an object": lambda one: one.incidents_of("af-10", ROOT, 10),
    "search by name": lambda one: one.search(None, ["cart-7d9f"], 100),
    "search in one tenant": lambda one: one.search(frozenset({"af-12"}), ["cart"], 100),
    "search by label": lambda one: one.search(None, ["tier=web", "checkout"], 100),
    "search by image": lambda one: one.search(None, ["example/shop/cart:3.0"], 100),
    "search by address": lambda one: one.search(None, ["10.4.8.1"], 100),
    "search by uid": lambda one: one.search(None, ["uid-af-10-pod-checkout"], 100),
    "search for what only Lucene obeys": lambda one: one.search(None, ["*:*"], 100),
    "search for markup": lambda one: one.search(None, [HOSTILE], 100),
    "search for a part in capitals": lambda one: one.search(None, ["CHECKOUT-7D9F-1"], 100),
}


@pytest.fixture(scope="module")
def filled(stack: Any, launch: Any) -> Iterator[World]:
    world = World(stack, launch)
    world.clear_graph()
    store = Neo4jGraphStore(world.neo4j_target)
    store.ensure_schema()
    store.close()
    with world.graph.session() as session:
        write_fleet(session, fleet())
    yield world
    world.clear_graph()
    world.close()


@pytest.fixture(scope="module")
def source(filled: World) -> Iterator[Neo4jGraphSource]:
    # A server that others keep busy may take its time to plan a statement.
    found = Neo4jGraphSource(filled.neo4j_target, within_s=60)
    yield found
    found.close()


def comparable(answer: Any) -> Any:
    """Without the tenant's own property, which the double has no need of, the clock, and the order of relevance."""
    if isinstance(answer, dict):
        return {name: comparable(value) for name, value in answer.items() if name not in ("client_id", "now_ms")}
    if hasattr(answer, "_asdict"):
        return type(answer).__name__, comparable(dict(answer._asdict()))
    if isinstance(answer, list | tuple):
        return [comparable(one) for one in answer]
    return answer


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_graph_answers_as_the_double_does(source: Neo4jGraphSource, question: str) -> None:
    real, double = (comparable(QUESTIONS[question](one)) for one in (source, memory_source()))
    if question.startswith("search"):
        real, double = sorted(real, key=str), sorted(double, key=str)
    assert real == double
    assert real or question in ("no tenant", "no object", "incident of another", "search for what only Lucene obeys")


def test_the_clock_is_the_servers(source: Neo4jGraphSource) -> None:
    found = source.tenant("af-10")
    assert found is not None
    assert found.now_ms > NOW_MS


def test_nothing_can_be_written_through_it(source: Neo4jGraphSource) -> None:
    with pytest.raises(InfrastructureFault, match=r"(?i)write|access mode"):
        source._ask("CREATE (n:Resource {client_id: 'af-10', rid: 'pod:x:y'}) RETURN n", 1)


def test_a_query_that_takes_too_long_ends(filled: World) -> None:
    impatient = Neo4jGraphSource(filled.neo4j_target, within_s=0.2)
    try:
        with pytest.raises(InfrastructureFault):
            impatient._ask("UNWIND range(1, 100000000) AS n WITH n WHERE n % 7 = 3 RETURN count(n) AS found", 1)
    finally:
        impatient.close()


def test_every_query_reads_by_an_index(filled: World) -> None:
    """No page scans a label: what a tenant's page costs depends on that tenant alone."""
    parameters = {
        **dict.fromkeys(("client_ids", "namespaces", "root", "open", "ns", "text"), None),
        **dict.fromkeys(("client_id", "rid", "iid", "ns"), "x"),
        **{name: ["x"] for name in ("rids", "types", "prefixes")},
        **dict.fromkeys(("most", "each", "scanned"), 10),
        "text": "name:x",
    }
    statements = {name: value for name, value in vars(reading).items() if name.isupper() and isinstance(value, str) and "MATCH" in value}
    assert len(statements) > 15
    with filled.neo4j_target.open() as driver, driver.session() as session:
        for name, statement in statements.items():
            plan = session.run(f"EXPLAIN {statement}", parameters).consume().plan
            scans = [one for one in _operators(plan) if "LabelScan" in one or "AllNodes" in one]
            # The clusters themselves are few.
            assert not scans or name == "FLEET", (name, scans)


def _operators(plan: Any) -> list[str]:
    return [plan["operatorType"], *(one for child in plan.get("children", ()) for one in _operators(child))]


def test_a_value_of_any_size_is_written_and_found_by_its_beginning(filled: World, source: Neo4jGraphSource) -> None:
    """A full-text index that took it as one word would fail the transaction of the job."""
    huge = "registry.example/" + "y" * 60_000
    with filled.graph.session() as session:
        session.run(
            "CREATE (n:Resource:Pod {client_id: 'af-12', rid: 'pod:shop:huge', name: 'huge', image: $image, labels: [$image]})",
            image=huge,
        ).consume()
        session.run("CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()").consume()
        try:
            assert [one.object.name for one in source.search(None, ["registry.example/yyyy"], 10)] == ["huge"]
            assert len(source.search(None, ["huge"], 10)) == 1
        finally:
            session.run("MATCH (n:Resource {client_id: 'af-12', rid: 'pod:shop:huge'}) DELETE n").consume()
