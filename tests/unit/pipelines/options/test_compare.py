"""Which graphs and tenants a comparison means; passwords come from the environment or files, and never from a URI."""

from pathlib import Path

import pytest
import typer

from pipelines.options.compare import CompareOptions, split_side
from pipelines.options.neo4j import Neo4jOptions
from transforms.io.graph_admin.compare import Pair
from transforms.io.secrets import Secret
from transforms.model.graph_mapping import parse_mapping

CONFIGURED = Neo4jOptions("bolt://now:7687", "builder", "/now/password", "graph", "/now/ca.pem", 5)
NODES = {"Resource": {"label": "Resource", "key": "{rid}"}}
WITH_TENANTS = parse_mapping({"tenant": "client_id", "nodes": NODES})
OF_ONE_TENANT = parse_mapping({"nodes": NODES})


def options(left: str = "/neo4j", right: str = "/neo4j", **more: str) -> CompareOptions:
    return CompareOptions(left, right, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("bolt://old:7687", ("bolt://old:7687", "")),
        ("bolt://old:7687/", ("bolt://old:7687", "")),
        ("neo4j+s://old.example", ("neo4j+s://old.example", "")),
        ("bolt+ssc://[::1]:7687/af-10.2026", ("bolt+ssc://[::1]:7687", "af-10.2026")),
        ("/af-10", ("", "af-10")),
    ],
)
def test_a_side_is_a_uri_with_a_database_or_a_database(text: str, parts: tuple[str, str]) -> None:
    assert split_side("--left", text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "old:7687",
        "http://old:7687",
        "bolt://",
        "bolt:///neo4j",
        "bolt://old:x",
        "bolt://old:7687/a/b",
        "bolt://old?x=1",
        "/a b",
        "bolt://[::",
    ],
)
def test_another_form_is_an_error_of_use_that_says_which_are_taken(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write bolt://host:port, bolt://host:port/database, or /database"):
        split_side("--left", text)


@pytest.mark.parametrize(
    "text", ["bolt://neo4j:geheim@old:7687", "bolt://geheim@old", "bolt://neo4j:geheim@old:7687/neo4j", "x:geheim@old"]
)
def test_a_password_in_a_uri_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(typer.BadParameter) as raised:
        split_side("--right", text)

    assert "set NEO4J_RIGHT_USER and NEO4J_RIGHT_PASSWORD or NEO4J_RIGHT_PASSWORD_FILE" in raised.value.message
    assert "geheim" not in raised.value.message


def test_a_database_alone_is_one_of_the_server_that_is_configured() -> None:
    left, _ = options(left="/af-10").targets(CONFIGURED)

    assert (left.uri, left.database, left.user, left.password, left.ca_file, left.retry_s) == (
        "bolt://now:7687",
        "af-10",
        "builder",
        Secret("NEO4J_PASSWORD", "/now/password"),
        "/now/ca.pem",
        5,
    )


def test_what_a_side_does_not_say_is_as_it_is_for_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_LEFT_PASSWORD", "x")
    left, right = options("bolt://old:1", "bolt://new:2/other", right_user="reader", right_password_file="/r", right_ca_file="/c").targets(
        CONFIGURED
    )

    assert (left.uri, left.database, left.user, left.password) == ("bolt://old:1", "graph", "builder", Secret("NEO4J_LEFT_PASSWORD"))
    assert (right.uri, right.database, right.user, right.password) == (
        "bolt://new:2",
        "other",
        "reader",
        Secret("NEO4J_RIGHT_PASSWORD", "/r"),
    )
    assert (left.ca_file, right.ca_file) == ("/now/ca.pem", "/c")


def test_the_stacks_own_password_goes_to_no_other_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRAPH_STACK_DIR", str(tmp_path))
    endpoints = (
        '{"kafka_brokers":"k","neo4j_uri":"bolt://stack:1","neo4j_user":"neo4j","neo4j_password_file":"/stack","expansion_service":"e"}'
    )
    (tmp_path / "endpoints.json").write_text(endpoints)

    left, right = options("bolt://old:1", "/neo4j").targets(Neo4jOptions())

    assert left.password == Secret("NEO4J_PASSWORD", "")
    assert right.password == Secret(file="/stack")


def test_which_tenants_are_meant() -> None:
    assert options().pair(None) is None
    assert options().pair(WITH_TENANTS) is None
    assert options(client_id="af-10").pair(None) == Pair("af-10", "af-10")
    assert options(left_client_id="af-10", right_client_id="eu-1").pair(None) == Pair("af-10", "eu-1")
    assert options(client_id="af-10").pair(OF_ONE_TENANT) == options(right_client_id="af-10").pair(OF_ONE_TENANT) == Pair("", "af-10")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"client_id": "Node"}, "--client_id is 'Node'"),
        ({"left_client_id": "Node", "right_client_id": "a"}, "--left_client_id is 'Node'"),
        ({"left_client_id": "a"}, "--left_client_id and --right_client_id go together"),
        ({"right_client_id": "a"}, "--left_client_id and --right_client_id go together"),
        ({"client_id": "a", "right_client_id": "b"}, "--client_id names the tenant on both sides"),
    ],
)
def test_tenants_that_cannot_be_meant_are_errors_of_use(given: dict[str, str], said: str) -> None:
    with pytest.raises(typer.BadParameter) as raised:
        options(**given).pair(None)
    assert raised.value.message.startswith(said)


@pytest.mark.parametrize("given", [{}, {"left_client_id": "a", "right_client_id": "b"}])
def test_a_database_of_one_tenant_needs_to_be_told_whose_it_is(given: dict[str, str]) -> None:
    with pytest.raises(typer.BadParameter, match="names no `tenant`"):
        options(**given).pair(OF_ONE_TENANT)


def test_a_mapping_that_cannot_be_used_is_an_error_of_use(tmp_path: Path) -> None:
    file = tmp_path / "old.toml"
    file.write_text("[nodes.Thing]\n")

    with pytest.raises(typer.BadParameter, match=r"--left_mapping names .*old\.toml', but nodes\.Thing is none of our labels"):
        options(left_mapping=str(file)).mapping()
    assert options().mapping() is None
