"""One command for all: `graph-build run`, `graph-build tenants list`, `graph-build doctor`.

Each sub-command is also a module, `python -m pipelines.graph_build`, `python -m pipelines.tenants list`, and takes the same flags.
"""

import importlib
import os
from difflib import get_close_matches
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperGroup


class _SubCommand(NamedTuple):
    """module: where its `app` is, imported when the sub-command is needed. said: one line for `--help`."""

    module: str
    said: str


COMMANDS: Final = {
    "run": _SubCommand("pipelines.graph_build", "Build the graphs: take in what Kafka holds, once, with --follow, or on Flink."),
    "doctor": _SubCommand("pipelines.doctor.commands", "Check whether the job can run here; say what to do where not."),
    "topics": _SubCommand("pipelines.topics.commands", "Make the topics that the job reads and writes."),
    "tenants": _SubCommand("pipelines.tenants.commands", "List, compare, sweep, purge, restore and release tenants."),
    "deadletters": _SubCommand("pipelines.deadletters.commands", "List, show and replay rejected records."),
    "backfill": _SubCommand("pipelines.backfill.commands", "Process a time range again, or rebuild a graph."),
    "incidents": _SubCommand("pipelines.incidents.commands", "List and explain what broke and what caused it; tell pagers."),
    "console": _SubCommand("pipelines.console.commands", "Serve read-only pages over the graph."),
    "agent": _SubCommand("pipelines.agent.commands", "Write what a cluster holds into the topics."),
}


class _Lazy(TyperGroup):
    """Imports a sub-command when it is called, and not to list it."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found = COMMANDS.get(cmd_name)
        return typer.main.get_command(importlib.import_module(found.module).app) if found else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and (near := get_close_matches(args[0], COMMANDS, 1)):
            ctx.fail(f"No such command '{args[0]}'. Did you mean {near[0]}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.said) for name, one in COMMANDS.items()])


app = typer.Typer(cls=_Lazy, name="graph-build", help=__doc__, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - takes as long as the rest

        typer.echo(f"graph-build {version('graph-build')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Print the version, and exit.")] = False,
    config: Annotated[str, typer.Option("--config", help="TOML file of flags, as each command takes it too.")] = "",
) -> None:
    """Hand the file on as the variable that every command reads; its own --config goes before that."""
    if config:
        from pipelines.options.config_file import VARIABLE  # noqa: PLC0415 - help and version wait for no options

        os.environ[VARIABLE] = config
