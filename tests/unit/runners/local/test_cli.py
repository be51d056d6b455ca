"""A reset deletes only what it was told to delete."""

import pytest
from typer.testing import CliRunner

from runners.local.cli import app
from runners.local.stack import LocalStack


@pytest.mark.parametrize(("flags", "code", "deleted"), [([], 2, []), (["--yes"], 0, ["data"])])
def test_a_reset_without_a_terminal_needs_yes(flags: list[str], code: int, deleted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[str] = []
    monkeypatch.setattr(LocalStack, "reset", lambda _stack: gone.append("data"))

    assert CliRunner().invoke(app, ["reset", *flags]).exit_code == code
    assert gone == deleted
