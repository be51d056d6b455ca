"""Serves pages over the graph: the fleet, a tenant, an incident, an object, a map, a search, dead letters. It only reads.

Without --auth it listens on loopback alone, and everybody on this machine sees every tenant. Elsewhere it needs --auth token, with
bearer tokens in a file, or --auth header, with the name that a proxy in front of it has proven. --token_tenants says which tenants a
name sees; a name without an entry sees nothing.

Every page is JSON too, with `Accept: application/json`; /openapi.json describes them. Dead letters are shown where Kafka or
--deadletter_path is configured.

Exit codes: 0 stopped, 1 failed (one sentence says why), 2 wrong usage.

Examples:

  python -m pipelines.console --port 8080

  python -m pipelines.console --host 0.0.0.0 --auth token --token_file /run/tokens --token_tenants 'ops=*' --token_tenants 'shop=af-10'

  python -m pipelines.console --host 0.0.0.0 --auth header --trusted_proxy 10.0.0.0/8 --token_tenants 'platform-team=*'
"""

from typing import Annotated

import typer

from pipelines.console.options import AuthOptions
from pipelines.options.flatten import flatten_option_groups
from pipelines.options.flow import LogLevel, log_level
from pipelines.options.kafka import KafkaOptions
from pipelines.options.letter_place import DEFAULT_DEADLETTER_TOPIC, DeadletterPath, DeadletterTopic, letter_place
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.told_value import TellsValues
from pipelines.output.logs import configure_logs

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(help=__doc__, cls=TellsValues)
@flatten_option_groups
def main(
    neo4j: Neo4jOptions,
    kafka: KafkaOptions,
    auth: AuthOptions,
    host: Annotated[
        str, typer.Option("--host", envvar="CONSOLE_HOST", help="The address to listen on; other than loopback needs --auth.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", envvar="CONSOLE_PORT", min=0, max=65535, help="The port; 0 takes a free one.")] = 8080,
    rate: Annotated[
        float, typer.Option("--rate", min=0.1, help="Requests a second that one reader may make; twice as many at once.")
    ] = 50.0,
    query_s: Annotated[float, typer.Option("--query_s", min=0.1, max=120, help="Seconds after which Neo4j ends a query of a page.")] = 10.0,
    deadletter_topic: DeadletterTopic = DEFAULT_DEADLETTER_TOPIC,
    deadletter_path: DeadletterPath = "",
    no_deadletters: Annotated[bool, typer.Option("--no_deadletters", help="Show no dead letters, and do not connect to Kafka.")] = False,
    level: LogLevel = "INFO",
) -> None:
    configure_logs(log_level(level))
    authenticator = auth.authenticator(host)
    place = letter_place(deadletter_topic, deadletter_path)
    # Without Kafka there are no dead letters on a topic; that is no reason not to look at the graph.
    target = None if no_deadletters or place.path else kafka.target_or_none()
    # Drivers and the server take seconds to import, and `--help` needs neither.
    from pipelines.console.server import serve  # noqa: PLC0415

    serve(
        neo4j.target(),
        None if no_deadletters or not (target or place.path) else (target, place),
        authenticator,
        hosts=auth.hosts(host),
        host=host,
        port=port,
        rate=rate,
        query_s=query_s,
    )
