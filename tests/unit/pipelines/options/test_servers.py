"""All servers are named or all are the local stack's; what looks like a misspelt variable is told."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from pipelines.deadletters.commands import app as deadletters
from pipelines.options.kafka import KafkaOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.servers import NEO4J, hint, origin, stack_or_none, warn_of_near_misses
from pipelines.tenants.commands import app as tenants
from runners.local.endpoints import Endpoints

STACK = Endpoints("localhost:1", "bolt://localhost:2", "neo4j", "/password", "localhost:3")


@pytest.fixture(autouse=True)
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack that runs, and no variable that names anything else."""
    for name in ("KAFKA_BROKERS", "NEO4J_URI", "NEO4J_USER", "NEO4J_PASSWORD", "NEO4J_PASSWORD_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GRAPH_STACK_DIR", str(tmp_path))
    (tmp_path / "endpoints.json").write_bytes(msgspec.json.encode(STACK))


def test_with_nothing_named_all_servers_are_the_local_stacks(tmp_path: Path) -> None:
    assert KafkaOptions().target().brokers == "localhost:1"
    assert Neo4jOptions().target().uri == "bolt://localhost:2"
    assert origin() == f"the local stack in {tmp_path}"


def test_with_all_named_none_is_the_local_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", "k:9092")
    monkeypatch.setenv("NEO4J_URI", "bolt://n:7687")

    assert KafkaOptions(kafka_brokers="k:9092").target().brokers == "k:9092"
    assert Neo4jOptions(neo4j_uri="bolt://n:7687").target().uri == "bolt://n:7687"
    assert origin() == "named"


@pytest.mark.parametrize("variable", ["KAFKA_BROKERS", "NEO4J_PASSWORD", "NEO4J_PASSWORD_FILE", "NEO4J_USER", "NEO4J_CA_FILE"])
def test_neo4j_is_not_the_local_stacks_where_a_variable_speaks_of_another(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "mine")

    with pytest.raises(typer.BadParameter) as raised:
        Neo4jOptions().target()

    assert raised.value.message.startswith(f"{variable} is set, but NEO4J_URI is not: name your own Kafka and Neo4j both")
    assert "mine" not in raised.value.message


@pytest.mark.parametrize("variable", ["NEO4J_URI", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD", "KAFKA_SSL_CA_FILE"])
def test_kafka_is_not_the_local_stacks_where_a_variable_speaks_of_another(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "mine")

    with pytest.raises(typer.BadParameter, match=f"^{variable} is set, but KAFKA_BROKERS is not"):
        KafkaOptions().target()


@pytest.mark.parametrize(
    ("app", "arguments", "said"),
    [
        (deadletters, ["replay", "--kafka_brokers=127.0.0.1:1"], "--kafka_brokers is set, but NEO4J_URI is not"),
        (tenants, ["discover", "--neo4j_uri=bolt://127.0.0.1:1"], "--neo4j_uri is set, but KAFKA_BROKERS is not"),
        (tenants, ["list", "--neo4j_user=me"], "--neo4j_user is set, but NEO4J_URI is not"),
    ],
)
def test_a_flag_that_names_one_server_needs_the_other(app: Any, arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "400"})

    assert done.exit_code == 2
    assert said in done.stderr


def test_a_command_that_needs_one_server_asks_for_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")
    monkeypatch.setenv("NEO4J_PASSWORD", "secret")

    done = CliRunner().invoke(tenants, ["list", "--neo4j_retry_s=0"], env={"COLUMNS": "400"})

    assert done.exit_code == 1
    assert "KAFKA_BROKERS" not in done.stderr


@pytest.mark.parametrize("variable", ["KAFKA_BROKER", "NEO4J_URL", "NEO4J_PASS", "KAFKA_USERNAME"])
def test_the_local_stack_is_not_used_where_a_misspelt_variable_seems_to_name_a_server(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "mine")

    done = CliRunner().invoke(tenants, ["list"], env={"COLUMNS": "400"})

    assert done.exit_code == 2
    assert f"{variable} is set, but nothing reads it; did you mean " in done.stderr
    assert "mine" not in done.stderr


def test_a_command_that_needs_one_server_asks_for_that_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKER", "mine")

    of_one = CliRunner().invoke(tenants, ["list"], env={"COLUMNS": "400"})
    of_both = CliRunner().invoke(tenants, ["discover"], env={"COLUMNS": "400"})

    assert "Name your own Neo4j, or unset KAFKA_BROKER" in of_one.stderr
    assert "Name your own Kafka and Neo4j both, or unset KAFKA_BROKER" in of_both.stderr


def test_a_misspelt_variable_that_names_no_server_does_not_keep_the_local_stack_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPH_FOLOW", "true")
    monkeypatch.setenv("KAFKA_TOPIC", "mine")

    assert KafkaOptions().target().brokers == "localhost:1"


@pytest.mark.parametrize("options", [KafkaOptions(kafka_brokers="k:1"), Neo4jOptions(neo4j_uri="bolt://n:1")])
def test_misspelt_variables_are_warned_of_where_the_server_is_named_too(
    options: KafkaOptions | Neo4jOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("pipelines.options.servers._WARNED", set())
    monkeypatch.setattr("pipelines.options.servers.warn", lambda _event, **more: told.append(more["variable"]))
    monkeypatch.setenv("GRAPH_FOLOW", "true")

    options.target()

    assert told == ["GRAPH_FOLOW"]


def test_an_error_of_use_hints_at_the_variable_that_was_misspelt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", "k:1")
    monkeypatch.setenv("NEO4J_URL", "bolt://mine")
    monkeypatch.setattr("pipelines.options.servers.warn_of_near_misses", lambda: None)

    with pytest.raises(typer.BadParameter) as raised:
        stack_or_none(NEO4J)

    assert raised.value.message.endswith(" NEO4J_URL is set; did you mean NEO4J_URI?")
    assert "bolt://mine" not in hint()


def test_each_misspelt_variable_is_warned_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, str]] = []
    monkeypatch.setattr("pipelines.options.servers._WARNED", set())
    monkeypatch.setattr("pipelines.options.servers.warn", lambda event, **more: told.append({"event": event, **more}))
    monkeypatch.setenv("NEO4J_PASS", "hunter2")

    warn_of_near_misses()
    warn_of_near_misses()

    assert told == [
        {"event": "variable is not read", "variable": "NEO4J_PASS", "did_you_mean": "NEO4J_PASSWORD", "remedy": "Set NEO4J_PASSWORD."}
    ]
