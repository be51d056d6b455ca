"""The command that runs: which of its settings were given, and how."""

from contextvars import ContextVar
from typing import Final

import typer

# By the names of typer's sources: on the command line, in a variable, in the configuration file.
_GIVEN: Final = ("COMMANDLINE", "ENVIRONMENT", "DEFAULT_MAP")
COMMAND: Final[ContextVar[typer.Context | None]] = ContextVar("COMMAND", default=None)
# What the configuration file sets for every command, those that this one has no flag for among them.
DECLARED: Final[ContextVar[frozenset[str]]] = ContextVar("DECLARED", default=frozenset())


def given_as(setting: str) -> str:
    """The flag or the variable by which the command that runs was given the setting, or the key of its file; "" where it was not."""
    if setting in DECLARED.get():
        return f"{setting} in the configuration file"
    context = COMMAND.get()
    source = context.get_parameter_source(setting) if context else None
    if context is None or source is None or source.name not in _GIVEN or not context.params.get(setting):
        return ""
    return setting.upper() if source.name == "ENVIRONMENT" else f"--{setting}"
