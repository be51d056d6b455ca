"""Both Kafka clients are told how to log in; only librdkafka's configuration ever holds the password."""

from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from transforms.io.faults import InfrastructureFault, fault_sentence
from transforms.io.kafka.target import SASL_MECHANISMS, SECURITY_PROTOCOLS, KafkaTarget
from transforms.io.secrets import Secret

_PASSWORD = "hunter2-hunter2"
_ENV = Secret("KAFKA_SASL_PASSWORD")
_PROVIDER = "org.apache.kafka.common.config.provider"


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(_PASSWORD, encoding="utf-8")
    return file


def _sasl(secret: Secret, mechanism: str = "PLAIN", protocol: str = "SASL_SSL", username: str = "builder") -> KafkaTarget:
    return KafkaTarget("k:9092", "g", protocol, mechanism, username, secret)


def test_a_plain_target_needs_no_login() -> None:
    target = KafkaTarget("k1:9092,k2:9092", "graph-build")
    assert target.client_config() == {"bootstrap.servers": "k1:9092,k2:9092", "security.protocol": "PLAINTEXT"}
    assert target.java_config() == {
        "bootstrap.servers": "k1:9092,k2:9092",
        "group.id": "graph-build",
        "enable.auto.commit": "false",
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        "security.protocol": "PLAINTEXT",
    }


def test_certificates_reach_both_clients_under_their_own_names() -> None:
    target = KafkaTarget("k:9092", "g", "SSL", ca_file="/tls/ca.pem", keypair_file="/tls/pair.pem")
    client, java = target.client_config(), target.java_config()
    assert {name: value for name, value in client.items() if name.startswith("ssl.")} == {
        "ssl.ca.location": "/tls/ca.pem",
        "ssl.key.location": "/tls/pair.pem",
        "ssl.certificate.location": "/tls/pair.pem",
    }
    assert {name: value for name, value in java.items() if name.startswith("ssl.")} == {
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "/tls/ca.pem",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": "/tls/pair.pem",
    }
    assert not [name for name in client | java if name.startswith("sasl.")]


def test_a_password_in_the_environment_is_read_by_librdkafka_and_referred_to_in_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", _PASSWORD)
    target = _sasl(_ENV)
    assert target.client_config() == {
        "bootstrap.servers": "k:9092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "builder",
        "sasl.password": _PASSWORD,
    }
    java = target.java_config()
    assert java["config.providers"] == "env"
    assert java["config.providers.env.class"] == f"{_PROVIDER}.EnvVarConfigProvider"
    assert java["sasl.mechanism"] == "PLAIN"
    assert java["sasl.jaas.config"] == (
        'org.apache.kafka.common.security.plain.PlainLoginModule required username="builder" password="${env:KAFKA_SASL_PASSWORD}";'
    )


def test_a_password_in_a_file_is_read_by_librdkafka_and_referred_to_in_java(password_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_SASL_PASSWORD", raising=False)
    target = _sasl(Secret("KAFKA_SASL_PASSWORD", str(password_file)), "SCRAM-SHA-512")
    assert target.client_config()["sasl.password"] == _PASSWORD
    java = target.java_config()
    assert java["config.providers"] == "dir"
    assert java["config.providers.dir.class"] == f"{_PROVIDER}.DirectoryConfigProvider"
    assert java["sasl.jaas.config"] == (
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        f'username="builder" password="${{dir:{password_file.parent}:password}}";'
    )


def test_a_relative_password_file_is_referred_to_from_the_root(password_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(password_file.parent)
    assert f"${{dir:{password_file.parent}:password}}" in _sasl(Secret(file="password")).java_config()["sasl.jaas.config"]


@pytest.mark.parametrize("from_file", [False, True])
@pytest.mark.parametrize("mechanism", SASL_MECHANISMS)
@pytest.mark.parametrize("protocol", SECURITY_PROTOCOLS)
def test_no_password_is_in_the_java_configuration_or_in_a_repr(
    protocol: str, mechanism: str, from_file: bool, password_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", _PASSWORD)
    target = _sasl(Secret("KAFKA_SASL_PASSWORD", str(password_file) if from_file else ""), mechanism, protocol)
    shown = f"{target.java_config()} {target!r} {target} {target.sasl_password!r}"
    assert _PASSWORD not in shown
    assert (target.client_config().get("sasl.password") == _PASSWORD) is protocol.startswith("SASL")
    assert ("sasl.jaas.config" in target.java_config()) is target.uses_sasl is protocol.startswith("SASL")


@pytest.mark.parametrize("username", ['a"b', "a\\", '" password="x', "a\nb", "a\r"])
def test_a_username_that_a_jaas_entry_cannot_hold_stops_the_run(username: str) -> None:
    with pytest.raises(InfrastructureFault, match="KAFKA_SASL_USERNAME"):
        _sasl(_ENV, username=username).java_config()


@pytest.mark.parametrize("password", ['hunter"2', "hunter\\2", "hunter\n2", "hunter2\n", '"', "hunter2\n\n"])
@pytest.mark.parametrize("from_file", [False, True])
def test_a_password_that_a_jaas_entry_cannot_hold_stops_the_run_unseen(
    from_file: bool, password: str, password_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password_file.write_text(password if from_file else _PASSWORD, encoding="utf-8")
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", _PASSWORD if from_file else password)
    target = _sasl(Secret("KAFKA_SASL_PASSWORD", str(password_file) if from_file else ""))
    with pytest.raises(InfrastructureFault) as raised:
        target.java_config()
    assert fault_sentence(raised.value) == (
        "The Kafka password holds a quote, a backslash or a newline (a file's last one counts), which a JAAS entry cannot; "
        "write the file without a newline, or choose another password."
    )
    assert target.client_config()["sasl.password"] == (password.removesuffix("\n") if from_file else password)


def test_a_password_file_in_vain_is_no_matter_where_nobody_logs_in(tmp_path: Path) -> None:
    config = _sasl(Secret(file=str(tmp_path / "none")), protocol="SSL").java_config()
    assert not [name for name in config if name.startswith(("sasl.", "config."))]


@pytest.mark.parametrize("configure", [KafkaTarget.client_config, KafkaTarget.java_config])
def test_a_login_without_a_password_stops_the_run_with_the_remedy(
    configure: Callable[[KafkaTarget], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAFKA_SASL_PASSWORD", raising=False)
    with pytest.raises(InfrastructureFault) as raised:
        configure(_sasl(_ENV))
    assert fault_sentence(raised.value) == (
        "KAFKA_SASL_PASSWORD is not set; set it, or KAFKA_SASL_PASSWORD_FILE, in the environment, "
        "or name a file with --kafka_sasl_password_file."
    )


def test_a_client_that_cannot_be_made_is_told_in_one_sentence(tmp_path: Path) -> None:
    target = KafkaTarget("k:9092", "g", "SSL", ca_file=str(tmp_path / "no-such.pem"))

    with pytest.raises(InfrastructureFault) as caught:
        target.open(AdminClient, {})

    assert caught.value.sentence.startswith("No client for Kafka at k:9092 can be made (")
    assert caught.value.sentence.endswith("; fix the KAFKA_SASL and KAFKA_SSL settings.")
