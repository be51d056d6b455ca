"""A secret is read where it is, and neither its reference nor a fault shows it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runners.setting_names import FLAGS
from transforms.io.faults import InfrastructureFault, WrongSetting
from transforms.io.secrets import Secret

_NAME = "A_SECRET_FOR_TESTS"


def _file(folder: Path, held: str | bytes) -> str:
    file = folder / "secret"
    file.write_bytes(held if isinstance(held, bytes) else held.encode())
    return str(file)


def test_a_secret_comes_from_its_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_NAME, " s3cret\n")
    assert Secret(_NAME).read() == " s3cret\n"


@pytest.mark.parametrize(
    ("held", "secret"),
    [
        ("s3cret", "s3cret"),
        ("s3cret\n", "s3cret"),
        ("s3cret\n\n", "s3cret\n"),
        ("\ns3cret", "\ns3cret"),
        (" s3 cret ", " s3 cret "),
        (" s3 cret \n", " s3 cret "),
        ("pässwörd\n", "pässwörd"),
    ],
)
def test_a_secret_comes_from_its_file_without_exactly_one_last_newline(held: str, secret: str, tmp_path: Path) -> None:
    assert Secret(file=_file(tmp_path, held)).read() == secret


@pytest.mark.parametrize("held", ["s3cret", "s3cret\n", "s3cret\n\n"])
def test_a_file_read_verbatim_keeps_its_newlines(held: str, tmp_path: Path) -> None:
    assert Secret(_NAME, _file(tmp_path, held)).read_verbatim() == held


def test_a_variable_read_verbatim_is_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_NAME, "s3cret\n")
    assert Secret(_NAME).read_verbatim() == Secret(_NAME).read() == "s3cret\n"


@pytest.mark.parametrize("value", [None, "", "from the environment"])
def test_a_file_has_precedence_over_the_environment(value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(_NAME, raising=False)
    if value is not None:
        monkeypatch.setenv(_NAME, value)
    secret = Secret(_NAME, _file(tmp_path, "from the file"))
    assert (secret.read(), secret.read_verbatim()) == ("from the file", "from the file")


@pytest.mark.parametrize("read", [Secret.read, Secret.read_verbatim])
def test_a_file_that_cannot_be_read_is_named_with_what_is_wrong(
    read: Callable[[Secret], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(_NAME, "never a stand-in")
    with pytest.raises(InfrastructureFault) as raised:
        read(Secret(_NAME, str(tmp_path / "none")))
    assert raised.value.sentence == (
        f"The secret file {tmp_path}/none cannot be read (No such file or directory); fix its path, its content or its permissions."
    )


@pytest.mark.parametrize("read", [Secret.read, Secret.read_verbatim])
def test_a_file_that_is_not_utf_8_is_named_and_not_shown(read: Callable[[Secret], str], tmp_path: Path) -> None:
    with pytest.raises(InfrastructureFault) as raised:
        read(Secret(file=_file(tmp_path, b"hunter2\xff")))
    assert raised.value.sentence == (
        f"The secret file {tmp_path}/secret cannot be read (it is not UTF-8); fix its path, its content or its permissions."
    )


def test_a_secret_that_is_nowhere_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(_NAME, raising=False)
    with pytest.raises(InfrastructureFault) as raised:
        Secret(_NAME).read()
    assert raised.value.sentence == f"{_NAME} is not set; set it, or {_NAME}_FILE, in the environment."
    assert isinstance(raised.value, WrongSetting)


@pytest.mark.parametrize("name", ["KAFKA_SASL_PASSWORD", "NEO4J_PASSWORD", "SCHEMA_REGISTRY_PASSWORD"])
def test_a_secret_whose_file_has_a_flag_names_the_flag(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name, raising=False)
    with pytest.raises(WrongSetting, match=f", or name a file with --{name.lower()}_file."):
        Secret(name).read()
    assert f"{name.lower()}_file" in FLAGS


def test_a_reference_shows_where_the_secret_is_and_not_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_NAME, "s3cret")
    secret = Secret(_NAME, _file(tmp_path, "s3cret"))
    assert secret.read() == "s3cret"
    assert repr(secret) == f"Secret(env='{_NAME}', file='{tmp_path}/secret')"
