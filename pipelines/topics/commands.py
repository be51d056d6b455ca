"""The topics that the job reads and writes.

Exit codes: 0 done, 1 failed (one sentence says why), 2 wrong usage.

Examples:

  python -m pipelines.topics create --dry_run

  python -m pipelines.topics create --partitions 12 --replication_factor 3
"""

# Each command imports what it works with when it runs: drivers take seconds, and `--help` needs none.
# ruff: noqa: PLC0415

from typing import Annotated

import typer

from pipelines.options.default_command import OptionsComeLast
from pipelines.options.flatten import begin_logs_later, flatten_option_groups
from pipelines.options.flow import Json, LogLevel, log_level
from pipelines.options.kafka import DEFAULT_TOPICS, KafkaOptions
from pipelines.options.letter_place import DEFAULT_DEADLETTER_TOPIC, DeadletterTopic
from pipelines.options.tenants import RouteOptions
from pipelines.options.told_value import TellsValues

app = typer.Typer(
    cls=OptionsComeLast, add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False
)


@app.callback()
def main(context: typer.Context, level: LogLevel = "WARNING") -> None:
    begin_logs_later(context, log_level(level))


@app.command(cls=TellsValues)
@flatten_option_groups
def create(
    kafka: KafkaOptions,
    routes: RouteOptions,
    topics: Annotated[str, typer.Option("--topics", envvar="KAFKA_TOPICS", help="Topics to make, comma-separated.")] = DEFAULT_TOPICS,
    deadletter_topic: DeadletterTopic = DEFAULT_DEADLETTER_TOPIC,
    partitions: Annotated[int, typer.Option("--partitions", min=1, help="Partitions of each topic; dead letters have one.")] = 4,
    replication_factor: Annotated[
        int | None, typer.Option("--replication_factor", min=1, help="Replicas of each partition; left out: as the brokers are configured.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry_run", help="Ask Kafka whether it would make them, and make none.")] = False,
    json: Json = False,
) -> None:
    """Make the topics that are missing, with the settings that the job needs; those that exist stay as they are.

    State topics are compacted and get LogAppendTime, all others are kept by age. Each takes messages of up to 2 MiB, that of
    dead letters up to 16 MiB. A topic of one cluster, such as `af-10.events.normalized`, is made as the one that it stands for.
    Exit code 1 where Kafka refuses one of them.

    Examples:

      python -m pipelines.topics create

      python -m pipelines.topics create --topics af-10.state.k8s.resource,af-10.events.normalized
    """
    from pipelines.topics.create import create as run

    run(kafka, routes, topics, deadletter_topic, partitions, replication_factor, dry_run=dry_run, json=json)
