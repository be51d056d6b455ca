"""Settings name what to reach: by flag or variable, else the local stack's, else a sentence that says what to do."""

from pathlib import Path

import msgspec
import pytest
import typer
from structlog.testing import capture_logs

from pipelines.agent.options import DeliveryOptions
from pipelines.options.checks import names, one_of
from pipelines.options.flow import tenant_id
from pipelines.options.kafka import DEFAULT_TOPICS, KafkaOptions, TopicOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.tenants import AdmissionOptions
from runners.local.endpoints import Endpoints
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret
from transforms.records.topics import TOPICS

_PASSWORD = Secret("KAFKA_SASL_PASSWORD")


@pytest.fixture
def no_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPH_STACK_DIR", str(tmp_path))


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPH_STACK_DIR", str(tmp_path))
    local = {
        "kafka_brokers": "localhost:1",
        "neo4j_uri": "bolt://localhost:2",
        "neo4j_user": "local",
        "neo4j_password_file": "/stack/password",
        "expansion_service": "localhost:3",
    }
    assert set(Endpoints.__struct_fields__) >= set(local)
    (tmp_path / "endpoints.json").write_bytes(msgspec.json.encode(local))


def _kafka(brokers: str = "", protocol: str = "PLAINTEXT", mechanism: str = "PLAIN") -> KafkaTarget:
    return KafkaOptions(brokers, "g", protocol, mechanism, "u", "", "/ca", "/pair", 7.0).target()


def _neo4j(uri: str = "") -> Neo4jTarget:
    return Neo4jOptions(uri, "neo4j", "/p", "db", "", 5.0).target()


def expansion_address(address: str) -> str:
    return TopicOptions(expansion_service=address).expansion_address()


def test_the_default_topics_are_those_that_are_decoded() -> None:
    assert set(names(DEFAULT_TOPICS)) >= {
        "state.k8s.resource",
        "state.k8s.topology",
        "events.normalized",
        "logs.normalized",
        "state.prom.targets",
        "state.prom.rules",
        "graph.commands",
        "cluster.registry",
        "cluster.heartbeat",
    }
    assert names(DEFAULT_TOPICS) == tuple(topic.name for topic in TOPICS)


@pytest.mark.parametrize(
    ("text", "listed"),
    [("", ()), (" , ,", ()), ("a", ("a",)), ("b,a", ("b", "a")), (" b , a ,b,, a", ("b", "a"))],
)
def test_a_list_keeps_its_order_without_blanks_and_doubles(text: str, listed: tuple[str, ...]) -> None:
    assert names(text) == listed


@pytest.mark.parametrize("client_id", ["", "af-10", "a.b-c"])
def test_a_valid_tenant_or_none_is_taken(client_id: str) -> None:
    assert tenant_id(client_id) == client_id


@pytest.mark.parametrize("client_id", ["AF-10", "node", "a b", "-a", "a" * 64, "af-10\n"])
def test_a_tenant_that_no_key_could_name_is_an_error_of_use(client_id: str) -> None:
    with pytest.raises(typer.BadParameter) as raised:
        tenant_id(client_id)
    assert raised.value.message.startswith(f"--client_id is {client_id!r}; ")


def test_a_value_outside_a_closed_set_is_an_error_of_use_that_lists_the_set() -> None:
    assert one_of("--x", "a", ("a", "b")) == "a"
    with pytest.raises(typer.BadParameter) as raised:
        one_of("--x", "c", ("a", "b"))
    assert raised.value.message == "--x is 'c'; it must be one of a, b."


@pytest.mark.usefixtures("stack")
def test_what_is_named_wins_over_the_local_stack() -> None:
    assert _kafka("k:9092") == KafkaTarget("k:9092", "g", "PLAINTEXT", "PLAIN", "u", _PASSWORD, "/ca", "/pair", 7.0)
    assert _neo4j("bolt://n:7687") == Neo4jTarget("bolt://n:7687", "neo4j", Secret("NEO4J_PASSWORD", "/p"), "db", "", 5.0)
    assert expansion_address("e:8097") == "e:8097"


@pytest.mark.usefixtures("stack")
def test_what_is_not_named_is_the_local_stacks() -> None:
    assert _kafka() == KafkaTarget("localhost:1", "g", "PLAINTEXT", "PLAIN", "u", _PASSWORD, "/ca", "/pair", 7.0)
    assert _neo4j() == Neo4jTarget("bolt://localhost:2", "local", Secret(file="/stack/password"), "db", "", 5.0)
    assert expansion_address("") == "localhost:3"


@pytest.mark.usefixtures("no_stack")
def test_what_is_nowhere_is_an_error_of_use_that_says_what_to_do() -> None:
    for call, flag, variable in (
        (_kafka, "--kafka_brokers", "KAFKA_BROKERS"),
        (_neo4j, "--neo4j_uri", "NEO4J_URI"),
        (lambda: expansion_address(""), "--expansion_service", "KAFKA_EXPANSION_SERVICE"),
    ):
        with pytest.raises(typer.BadParameter) as raised:
            call()
        assert raised.value.message.endswith(
            f" is configured: start the local one with `scripts/stack up`, or name one with {flag} or {variable}."
        )


@pytest.mark.parametrize(("protocol", "mechanism"), [("SASL", "PLAIN"), ("plaintext", "PLAIN"), ("SASL_SSL", "GSSAPI"), ("SASL_SSL", "")])
def test_a_login_that_is_not_supported_is_an_error_of_use(protocol: str, mechanism: str) -> None:
    with pytest.raises(typer.BadParameter):
        _kafka("k:9092", protocol, mechanism)


@pytest.mark.parametrize("brokers", ["k:9092", "k-1.example:9092,10.0.0.1:9093", "k:1, [::1]:2", "SASL_SSL://k:9092"])
def test_brokers_have_hosts_and_ports(brokers: str) -> None:
    assert _kafka(brokers).brokers == brokers
    assert DeliveryOptions(kafka_brokers=brokers).target().brokers == brokers


@pytest.mark.parametrize(
    ("brokers", "wrong"), [("127.0.0.1", "127.0.0.1"), ("k:1,kafka-1", "kafka-1"), ("k:", "k:"), ("::1", "::1"), ("k:1;j:2", "k:1;j:2")]
)
def test_a_broker_without_a_port_is_wrong_usage(brokers: str, wrong: str) -> None:
    for ask in (_kafka, lambda given: DeliveryOptions(kafka_brokers=given).target()):
        with pytest.raises(typer.BadParameter, match=f"^--kafka_brokers names '{wrong}', which is no host:port"):
            ask(brokers)


@pytest.mark.parametrize(("pattern", "warns"), [("af-*", False), ("af-1[0-4]", False), ("?.x", False), ("AF", True), ("a_b*", True)])
def test_a_pattern_that_no_tenant_can_match_is_warned_of(pattern: str, warns: bool) -> None:
    with capture_logs() as logs:
        rules = AdmissionOptions(allow_tenants=f"{pattern},af-10").rules("")

    assert rules.allow == (pattern, "af-10")
    assert [one["pattern"] for one in logs if one["event"] == "pattern matches no tenant"] == [pattern] * warns


def test_patterns_that_let_nobody_in_are_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter, match="--allow_tenants is 'AF-\\*,B_1', which lets no tenant in"):
        AdmissionOptions(allow_tenants="AF-*,B_1").rules("")
