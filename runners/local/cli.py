"""The local stack: real Kafka, Neo4j and the Java side of Beam's Kafka connector, on loopback only.

Everything it keeps lies in one folder (GRAPH_STACK_DIR, by default `.stack` in the checkout). `up` is safe to
repeat and mends what is half-started. Exit codes: 0 done, 1 failed, 2 wrong usage.
"""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from runners.local.endpoints import read_endpoints, stack_dir
from runners.local.faults import StackFault
from runners.local.java import JAVA_PARTS, fetch_jars
from runners.local.service import status_table
from runners.local.stack import LocalStack, Ports, known_ports

_DEFAULTS = Ports()

app = typer.Typer(add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


def _port(name: str, what: str) -> Any:
    default = getattr(_DEFAULTS, name)
    said = f"{what}; left out: the one that the stack was last started with, else {default}."
    return typer.Option(f"--{name}_port", envvar=f"STACK_{name.upper()}_PORT", min=1, max=65535, help=said)


KafkaPort = Annotated[int | None, _port("kafka", "Kafka's port")]
ControllerPort = Annotated[int | None, _port("kafka_controller", "Kafka's controller port")]
Neo4jPort = Annotated[int | None, _port("neo4j", "Neo4j's Bolt port")]
ConnectorPort = Annotated[int | None, _port("connector", "The Kafka connector's port")]


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    try:
        yield
    except StackFault as fault:
        typer.echo(str(fault), err=True)
        sys.exit(1)


@app.callback()
def main(
    context: typer.Context,
    kafka_port: KafkaPort = None,
    kafka_controller_port: ControllerPort = None,
    neo4j_port: Neo4jPort = None,
    connector_port: ConnectorPort = None,
) -> None:
    folder = stack_dir()
    given = {"kafka": kafka_port, "kafka_controller": kafka_controller_port, "neo4j": neo4j_port, "connector": connector_port}
    named = {name: port for name, port in given.items() if port is not None}
    context.obj = LocalStack(folder, replace(known_ports(folder) or _DEFAULTS, **named))


@app.command()
def up(context: typer.Context) -> None:
    """Start what is not running, and return when all of it answers."""
    with _in_one_sentence():
        context.obj.up(lambda said: typer.echo(said, err=True))
        _print_status(context.obj)


@app.command()
def down(context: typer.Context) -> None:
    """Stop everything; data stays."""
    with _in_one_sentence():
        stopped = context.obj.down()
        typer.echo(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


@app.command()
def status(context: typer.Context) -> None:
    """Ask every server; exit code 0 only when all answer."""
    with _in_one_sentence():
        sys.exit(0 if _print_status(context.obj) else 1)


@app.command()
def reset(context: typer.Context, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stop everything and delete its data, logs and password; asks first."""
    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("What a reset deletes is gone, and there is no terminal to ask at; give --yes.")
    if not yes:
        typer.confirm(f"Delete the data in {stack_dir()}? It cannot be undone.", abort=True, err=True)
    with _in_one_sentence():
        context.obj.reset()
        typer.echo(f"deleted the data in {stack_dir()}")


@app.command()
def fetch() -> None:
    """Fetch the Java archives of the stack and of Flink, where they are not there yet; the other commands do so too when they need them."""
    with _in_one_sentence():
        for name in JAVA_PARTS:
            fetch_jars(name, stack_dir() / "java")


@app.command()
def env() -> None:
    """Print `export` lines for other tools: eval "$(scripts/stack env)". The password is among them."""
    endpoints = read_endpoints()
    if endpoints is None:
        typer.echo("The local stack is down; start it with `scripts/stack up`.", err=True)
        sys.exit(1)
    values = {
        "KAFKA_BROKERS": endpoints.kafka_brokers,
        "KAFKA_EXPANSION_SERVICE": endpoints.expansion_service,
        "NEO4J_URI": endpoints.neo4j_uri,
        "NEO4J_USER": endpoints.neo4j_user,
        "NEO4J_PASSWORD": Path(endpoints.neo4j_password_file).read_text(),
    }
    for name, value in values.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _print_status(stack: LocalStack) -> bool:
    found = stack.status()
    Console(width=None if sys.stdout.isatty() else 160).print(status_table("server", found))
    return all(one.ready for one in found)


if __name__ == "__main__":
    app(prog_name="scripts/stack")
