"""The graph's schema has a version: an older job refuses a newer graph, and a migration that was stopped goes on."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from transforms.io.faults import GraphTooNew, InfrastructureFault
from transforms.io.neo4j.errors import TenantFault
from transforms.io.neo4j.schema import check_version, create_schema, ensure_schema, migrate
from transforms.io.neo4j.session import GraphSession
from transforms.io.neo4j.time_limits import DEFAULT_LIMITS
from transforms.model import renaming, schema_version


class Graph:
    """A graph with a version and tenants that are not brought over; `failing` cannot be."""

    limits = DEFAULT_LIMITS
    agent = "Neo4j/5.26.30"

    def __init__(self, version: int | None, *old: str, failing: str = "") -> None:
        self.version = version
        self.old = [*old]
        self.failing = failing
        self.made: list[str] = []
        self.agents_asked = 0
        self.asked_of: list[str] = []

    def server_agent(self) -> str:
        self.agents_asked += 1
        return self.agent

    def ask(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        if statement == schema_version.READ_VERSION:
            return [] if self.version is None else [{"version": self.version}]
        if statement == schema_version.RAISE_VERSION:
            self.version = max(self.version or 0, parameters["version"])
            return []
        assert statement == renaming.TENANTS_TO_SPELL
        return [{"client_id": client_id} for client_id in self.old]

    def ask_tenant(self, statement: str, client_id: str, _timeout_s: float, **_parameters: Any) -> list[dict[str, Any]]:
        self.asked_of.append(client_id)
        if client_id == self.failing:
            raise TenantFault("Neo.TransientError.Transaction.LockClientStopped")
        if statement == renaming.MARK_SPELT:
            self.old.remove(client_id)
        return []

    def run_alone(self, query: Any, **_parameters: Any) -> None:
        self.made.append(query.text)


def session(graph: Graph) -> GraphSession:
    return cast("GraphSession", graph)


def test_an_empty_graph_has_the_version_of_the_job_that_begins_it() -> None:
    graph = Graph(None)

    migrate(session(graph))

    assert graph.version == schema_version.VERSION


def test_the_server_is_asked_for_its_version_once() -> None:
    graph = Graph(None, "af-10")

    ensure_schema(session(graph))

    assert (graph.agents_asked, graph.version, graph.old) == (1, schema_version.VERSION, [])
    assert graph.made


@pytest.mark.parametrize("call", [check_version, create_schema, migrate])
def test_a_server_that_is_too_old_for_the_statements_is_refused_with_one_sentence(call: Callable[[GraphSession], object]) -> None:
    graph = Graph(None)
    graph.agent = "Neo4j/5.20.0"

    with pytest.raises(InfrastructureFault, match=r"Neo4j/5\.20\.0 is too old for the statements: upgrade the server to Neo4j 5\.24"):
        call(session(graph))
    assert graph.made == []
    assert graph.version is None


def test_a_graph_from_before_versions_has_one_once_every_tenant_is_brought_over() -> None:
    graph = Graph(None, "af-10", "af-11")

    migrate(session(graph))

    assert (graph.old, graph.version) == ([], schema_version.VERSION)


def test_a_tenant_that_cannot_be_brought_over_holds_up_no_other_and_the_version() -> None:
    graph = Graph(None, "af-10", "af-11", failing="af-10")

    migrate(session(graph))
    assert (graph.old, graph.version) == (["af-10"], None)

    graph.failing = ""
    graph.asked_of.clear()
    migrate(session(graph))
    assert (graph.old, graph.version) == ([], schema_version.VERSION)
    assert {*graph.asked_of} == {"af-10"}, "whoever was brought over is not touched again"


def test_tenants_of_a_job_from_before_versions_are_brought_over_at_any_version() -> None:
    graph = Graph(schema_version.VERSION, "af-12")

    migrate(session(graph))

    assert graph.old == []


@pytest.mark.parametrize("work", [create_schema, migrate, check_version])
def test_a_newer_graph_is_refused_with_one_sentence_and_left_as_it_is(work: Any) -> None:
    graph = Graph(schema_version.VERSION + 1, "af-10")

    with pytest.raises(GraphTooNew) as refused:
        work(session(graph))

    assert refused.value.sentence == (
        f"The graph has version {schema_version.VERSION + 1} of the schema and this version of graph-build knows "
        f"{schema_version.VERSION} at most: run the newer one, or restore the backup from before the upgrade."
    )
    assert (graph.made, graph.asked_of, graph.old) == ([], [], ["af-10"])
