"""Incidents: what is wrong in the clusters, what causes it, and what to do.

Exit codes: 0 done, 1 failed (one sentence says why), 2 wrong usage.
"""

# Each command imports what it works with when it runs: drivers take seconds, and `--help` needs none.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated

import typer

from pipelines.options.checks import completed
from pipelines.options.default_command import OptionsComeLast
from pipelines.options.flatten import begin_logs_later, flatten_option_groups
from pipelines.options.flow import ClientId, Json, LogLevel, log_level
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.told_value import TellsValues

app = typer.Typer(
    cls=OptionsComeLast, add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False
)


@app.callback()
def main(context: typer.Context, level: LogLevel = "WARNING") -> None:
    begin_logs_later(context, log_level(level))


@app.command("list", cls=TellsValues)
@flatten_option_groups
def list_incidents(
    neo4j: Neo4jOptions,
    client_id: ClientId = "",
    state: Annotated[
        str, typer.Option("--state", autocompletion=completed("open", "resolved", "all"), help="open | resolved | all.")
    ] = "open",
    since: Annotated[str, typer.Option("--since", help="Only those with evidence within so long: 15m, 12h, 7d.")] = "7d",
    json: Json = False,
) -> None:
    """List incidents, the open ones first, each with its likeliest cause.

    `show` explains one of them; `explain` says what is wrong with an object now.
    """
    from pipelines.incidents.list import list_incidents as run

    run(neo4j=neo4j, client_id=client_id, state=state, since=since, json=json)


@app.command(cls=TellsValues)
@flatten_option_groups
def show(
    neo4j: Neo4jOptions,
    iid: Annotated[str, typer.Argument(metavar="IID", help="The incident, by its id or by one that it had before.")],
    client_id: ClientId = "",
    json: Json = False,
) -> None:
    """Explain an incident: its causes with the records that show them, what it affects, what to do, and what was set aside.

    Exit code 1: no incident has the id.
    """
    from pipelines.incidents.show import show as run

    run(neo4j=neo4j, iid=iid, client_id=client_id, json=json)


@app.command(cls=TellsValues)
@flatten_option_groups
def explain(
    neo4j: Neo4jOptions,
    target: Annotated[str, typer.Argument(metavar="OBJECT", help="kind:namespace:name, or kind::name.")],
    client_id: Annotated[str, typer.Option("--client_id", help="The tenant that the object belongs to.")],
    json: Json = False,
) -> None:
    """Say what is wrong with an object now, what causes it and what it causes; nothing is written.

    Exit code 1: the tenant's graph has no such object.
    """
    from pipelines.incidents.explain import explain as run

    run(neo4j=neo4j, target=target, client_id=client_id, json=json)


@app.command(cls=TellsValues)
@flatten_option_groups
def notify(
    neo4j: Neo4jOptions,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            autocompletion=completed("pagerduty", "alertmanager", "slack", "webhook"),
            help="pagerduty | alertmanager | slack | webhook.",
        ),
    ],
    state_file: Annotated[Path, typer.Option("--state_file", help="File that remembers what was sent.")],
    client_id: ClientId = "",
    link: Annotated[str, typer.Option("--link", help="A link for people, with {iid}, {client_id} and {opened} put in.")] = "",
    every_s: Annotated[float, typer.Option("--every_s", min=0, help="Look again after so many seconds; 0: once, for cron.")] = 0.0,
    json: Json = False,
) -> None:
    """Tell a pager of incidents: one message a fault, at most three updates, and its end.

    The URL is in INCIDENTS_URL or the file INCIDENTS_URL_FILE. PagerDuty's routing key, and the key that signs a generic webhook, is in
    INCIDENTS_KEY or INCIDENTS_KEY_FILE. A message that is not taken ends the command with 1; the next run sends it again.
    """
    from pipelines.incidents.notify import notify as run

    run(neo4j=neo4j, client_id=client_id, to=to, link=link, state_file=state_file, every_s=every_s, json=json)
