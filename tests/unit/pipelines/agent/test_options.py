"""The agent's options: what is wrong is said in one sentence, and no secret is among them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from pipelines.agent.options import ClusterOptions, DeliveryOptions, WorkOptions, check_prometheus
from tests.support.places import CHECKOUT
from transforms.io.faults import InfrastructureFault


def test_kinds_are_checked_and_secrets_can_be_left_out() -> None:
    assert ClusterOptions("af-10").declared_kinds() == frozenset()
    assert ClusterOptions("af-10", kinds="Pod,Secret").declared_kinds() == {"Pod", "Secret"}
    assert ClusterOptions("af-10", kinds="Pod,Secret", secrets=False).declared_kinds() == {"Pod"}
    without = ClusterOptions("af-10", secrets=False).declared_kinds()
    assert "Secret" not in without
    assert "Endpoints" not in without
    assert "Pod" in without
    for wrong in ("pod", "Podd", "Lease"):
        with pytest.raises(typer.BadParameter, match="must be one of"):
            ClusterOptions("af-10", kinds=wrong).declared_kinds()


@pytest.mark.parametrize("wrong", ["gateways", "Gateway/x.io", "*.*", "ga*.x.io", "*"])
def test_custom_kinds_are_a_plural_with_its_group(wrong: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"plural\.group"):
        ClusterOptions("af-10", custom_kinds=wrong).custom()


@pytest.mark.parametrize("wrong", ["", "AF", "node", "a_b"])
def test_a_client_id_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(typer.BadParameter):
        ClusterOptions(wrong).tenant()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_passwords_reach_librdkafka_from_a_file(tmp_path: Path, mechanism: str) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    options = DeliveryOptions(
        "k:9092",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism=mechanism,
        kafka_sasl_username="agent",
        kafka_sasl_password_file=str(secret),
        kafka_ssl_ca_file="/ca.crt",
    )
    config = options.target().client_config()
    assert config["sasl.password"] == "hunter2"
    assert config["sasl.mechanism"] == mechanism
    assert config["ssl.ca.location"] == "/ca.crt"
    assert "hunter2" not in repr(options.target())


def test_tokens_come_from_an_endpoint_and_librdkafka_takes_the_settings(tmp_path: Path) -> None:
    from confluent_kafka import Producer  # noqa: PLC0415

    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    more: dict[str, Any] = {"kafka_sasl_mechanism": "OAUTHBEARER", "kafka_security_protocol": "SASL_SSL"}
    more |= {"kafka_sasl_username": "agent", "kafka_sasl_password_file": str(secret)}
    with pytest.raises(typer.BadParameter, match="token endpoint"):
        DeliveryOptions("k:9092", **more).target()
    target = DeliveryOptions("127.0.0.1:1", kafka_oauth_token_url="http://127.0.0.1:1/token", kafka_oauth_scope="kafka", **more).target()
    config = target.client_config()
    assert config["sasl.oauthbearer.client.id"] == "agent"
    assert config["sasl.oauthbearer.scope"] == "kafka"
    assert "sasl.password" not in config
    Producer({**config, "log_level": 0, "error_cb": lambda _: None}).flush(0.1)


def test_a_login_in_the_url_of_prometheus_is_refused_and_not_shown() -> None:
    assert check_prometheus("http://prom:9090") == "http://prom:9090"
    for wrong in ("prom:9090", "http://user:hunter2@prom:9090"):
        with pytest.raises(InfrastructureFault) as fault:
            check_prometheus(wrong)
        assert "hunter2" not in str(fault.value)


def test_a_lease_needs_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    from transforms.io.cluster.target import ClusterTarget  # noqa: PLC0415

    monkeypatch.delenv("POD_NAMESPACE", raising=False)
    with pytest.raises(typer.BadParameter, match="--lease needs a namespace"):
        WorkOptions(lease="x").lease_place(ClusterTarget("http://127.0.0.1"))
    assert WorkOptions(lease="x").lease_place(ClusterTarget("http://127.0.0.1", namespace="agents")) == "agents"


def test_the_agent_loads_neither_beam_nor_neo4j() -> None:
    look = "import sys, pipelines.agent.commands, pipelines.agent.run; print({'apache_beam', 'neo4j', 'grpc'} & {*sys.modules})"
    done = subprocess.run((sys.executable, "-c", look), cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
