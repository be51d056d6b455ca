"""Failure patterns of one's own come from a file; what is wrong with it is an error of use in one sentence."""

from pathlib import Path

import pytest
import typer

from pipelines.options.failures import FailureOptions
from pipelines.options.settings_file import FILE_BYTES


def _families(file: Path, content: bytes) -> object:
    file.write_bytes(content)
    return FailureOptions(str(file)).families()


def test_without_a_file_there_are_none() -> None:
    assert FailureOptions().families() == ()


def test_families_are_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = b"[families]\nLOG_B = ['card \\w+ declined']\nLOG_A = ['x', 'y']\n"
    assert _families(tmp_path / "own.toml", text) == (("LOG_B", (r"card \w+ declined",)), ("LOG_A", ("x", "y")))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[families", "it is not TOML: "),
        (b"\xff", "it is not UTF-8"),
        (b"", "it must hold the table `families`"),
        (b"families = {LOG_X = ['(']}", "'(' of LOG_X is no RE2 pattern"),
        (b"#" * (FILE_BYTES + 1), f"it has more than {FILE_BYTES} bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_of_use(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(typer.BadParameter) as raised:
        _families(tmp_path / "own.toml", content)
    assert raised.value.message.startswith(f"--failure_patterns names {str(tmp_path / 'own.toml')!r}, but ")
    assert said in raised.value.message


def test_a_file_that_is_not_there_is_an_error_of_use(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match=r"it cannot be read \(No such file or directory\)"):
        FailureOptions(str(tmp_path / "none")).families()
