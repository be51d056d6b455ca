"""A schema registry is what the options name, or none."""

import pytest
import typer

from pipelines.options.registry import RegistryOptions
from runners.doctor.registry import answered
from runners.doctor.verdict import Check, Status
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.registry_target import RegistryTarget
from transforms.io.kafka.schema_registry import SchemaRegistry
from transforms.io.secrets import Secret


def test_there_is_no_registry_unless_it_is_named() -> None:
    assert RegistryOptions().target() is None
    named = RegistryOptions("https://r:8081/path", "u", "/p", "/ca", 3.0).target()
    assert named == RegistryTarget("https://r:8081/path", "u", Secret("SCHEMA_REGISTRY_PASSWORD", "/p"), "/ca", 3.0)


@pytest.mark.parametrize("url", ["r:8081", "ftp://r", "http://", "https:///x", "http://u:secret@r:8081", "http://u@r"])
def test_what_cannot_be_one_is_an_error_of_use(url: str) -> None:
    with pytest.raises(typer.BadParameter) as raised:
        RegistryOptions(url).target()
    assert raised.value.message.startswith("--schema_registry_url ")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (RegistryTarget("https://127.0.0.1:1", ca_file="/nowhere/ca.pem"), "the settings cannot be used"),
        (RegistryTarget("http://127.0.0.1:1", "u", Secret(file="/nowhere/password")), "/nowhere/password cannot be read"),
    ],
)
def test_settings_that_cannot_be_used_are_told_in_one_sentence(target: RegistryTarget, said: str) -> None:
    with pytest.raises(InfrastructureFault) as raised:
        SchemaRegistry(target)
    assert said in raised.value.sentence


def test_nothing_at_the_address_is_told_in_one_sentence() -> None:
    registry = SchemaRegistry(RegistryTarget("http://127.0.0.1:1", retry_s=0))
    with pytest.raises(InfrastructureFault, match=r"The schema registry at http://127.0.0.1:1 cannot be used \("):
        registry.reader(1)
    registry.close()


def test_the_doctor_says_who_answers() -> None:
    assert answered("http://r") == Check("schema registry", Status.OK, "http://r answers")
