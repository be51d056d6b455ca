"""The local stack: real Kafka, Neo4j and the Java side of Beam's Kafka connector, on loopback only.

Everything it keeps lies in one folder (GRAPH_STACK_DIR, by default `.stack` in the checkout). `up` is safe to
repeat and mends what is half-started. Exit codes: 0 done, 1 failed, 2 wrong usage.
"""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from runners.local.endpoints import read_endpoints, stack_dir
from runners.local.faults import StackFault
from runners.local.java import JAVA_PARTS, fetch_jars
from runners.local.service import status_table
from runners.local.stack import LocalStack, Ports

_DEFAULTS = Ports()

app = typer.Typer(add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)

KafkaPort = Annotated[int, typer.Option("--kafka_port", envvar="STACK_KAFKA_PORT", help="Kafka's port.")]
ControllerPort = Annotated[
    int, typer.Option("--kafka_controller_port", envvar="STACK_KAFKA_CONTROLLER_PORT", help="Kafka's controller port.")
]
Neo4jPort = Annotated[int, typer.Option("--neo4j_port", envvar="STACK_NEO4J_PORT", help="Neo4j's Bolt port.")]
ConnectorPort = Annotated[int, typer.Option("--connector_port", envvar="STACK_CONNECTOR_PORT", help="The Kafka connector's port.")]


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
    kafka_port: KafkaPort = _DEFAULTS.kafka,
    kafka_controller_port: ControllerPort = _DEFAULTS.kafka_controller,
    neo4j_port: Neo4jPort = _DEFAULTS.neo4j,
    connector_port: ConnectorPort = _DEFAULTS.connector,
) -> None:
    context.obj = LocalStack(stack_dir(), Ports(kafka_port, kafka_controller_port, neo4j_port, connector_port))


@app.command()
def up(context: typer.Context) -> None:
    """Start what is not running, and return when all of it answers."""
    with _in_one_sentence():
        context.obj.up()
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
def reset(context: typer.Context) -> None:
    """Stop everything and delete its data, logs and password."""
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
    app()
