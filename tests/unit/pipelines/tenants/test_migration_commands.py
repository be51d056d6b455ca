"""The commands of docs/migration.md exist as they stand there: module, command and every flag."""

import importlib
import re
import shlex
from typing import Any

import pytest
import typer

from tests.support.places import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "migration.md"
FENCED = re.compile(r"```sh\n(.*?)```", re.DOTALL)
COMMANDS = sorted(
    {line for block in FENCED.findall(DOCUMENT.read_text()) for line in block.replace("\\\n", " ").splitlines() if "python -m" in line}
)


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_has_the_flags_that_the_document_gives_it(line: str) -> None:
    words = shlex.split(line, comments=True)
    module, *arguments = words[words.index("-m") + 1 :]
    found: Any = typer.main.get_command(importlib.import_module(module if module == "pipelines.graph_build" else f"{module}.commands").app)
    if hasattr(found, "commands"):
        found = found.commands[arguments.pop(0)]
    known = {name for parameter in found.params for name in parameter.opts}

    flags = [word for word in arguments if word.startswith("--")]

    assert flags
    assert set(flags) <= known
