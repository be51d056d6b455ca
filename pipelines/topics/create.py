"""`topics create`: make what is missing, and tell of each topic."""

import sys
from difflib import get_close_matches
from typing import Any

import typer
from rich.table import Table

from pipelines.options.checks import names, usage_error
from pipelines.options.kafka import KafkaOptions
from pipelines.options.tenants import PER_CLUSTER, RouteOptions
from pipelines.output.command import WIDE, console, exit_on_fault, print_json
from pipelines.output.readable import spoken_number
from transforms.io.kafka.make_topics import BROKERS_CHOICE, Made, TopicOutcome, make_topics, topics_wanted
from transforms.records.tenancy.routes import route_of
from transforms.records.topic_names import TOPIC_NAMES


def create(
    kafka: KafkaOptions,
    routes: RouteOptions,
    topics: str,
    deadletter_topic: str,
    partitions: int,
    replication_factor: int | None,
    *,
    dry_run: bool,
    json: bool,
) -> None:
    """Make the topics that are missing; exits with 1 where Kafka refuses one."""
    target, named = kafka.target(), names(topics)
    if not named:
        raise usage_error("--topics names no topic; leave it out for all of the contract.")
    wanted = topics_wanted(decoded(named, routes), deadletter_topic, partitions, replication_factor or BROKERS_CHOICE, all_patterns(routes))
    with exit_on_fault():
        found = make_topics(target, wanted, dry_run=dry_run)
    if json:
        print_json(outcomes_object(found))
    else:
        console(WIDE).print(outcomes_table(found))
        typer.echo(outcomes_sentence(found))
    sys.exit(1 if any(one.made is Made.REFUSED for one in found) else 0)


def all_patterns(routes: RouteOptions) -> tuple[str, ...]:
    """Those that were given, and that of `<client_id>.<topic>`: a name of that form means nothing else."""
    return (*routes.patterns(), PER_CLUSTER)


def decoded(topics: tuple[str, ...], routes: RouteOptions) -> tuple[str, ...]:
    """The topics, if the job decodes each; an error of use otherwise, since nobody knows how another is to be kept."""
    for name in topics:
        if route_of(name, all_patterns(routes), TOPIC_NAMES).topic not in TOPIC_NAMES:
            near = get_close_matches(name, TOPIC_NAMES, 1)
            hint = f"did you mean {near[0]}?" if near else f"it decodes {', '.join(sorted(TOPIC_NAMES))}, and `<client_id>.` before each."
            raise usage_error(f"--topics names {name!r}, which this version does not decode; {hint}")
    return topics


def outcomes_object(found: list[TopicOutcome]) -> dict[str, Any]:
    """The object of `--json`: each topic with what became of it, and with what settings it was, or would have been, made."""
    return {"topics": [{**one._asdict(), "made": one.made.value} for one in found]}


def outcomes_table(found: list[TopicOutcome]) -> Table:
    """A line each."""
    table = Table("topic", "outcome", "partitions", "settings")
    for one in found:
        settings = ", ".join(f"{name}={value}" for name, value in one.settings.items())
        cells = ("", "as it is") if one.made is Made.EXISTS else (str(one.partitions), one.said or settings)
        table.add_row(one.name, one.made.value, *cells)
    return table


def _remedy(found: list[TopicOutcome]) -> str:
    if any(one.too_many_replicas for one in found):
        return "Kafka has fewer brokers than that: leave --replication_factor out, or give one that it can have."
    return "Grant CREATE on them, or make them with these settings yourself."


def _verb(made: Made, number: int) -> str:
    return "exist" if made is Made.EXISTS and number > 1 else made.value


def outcomes_sentence(found: list[TopicOutcome]) -> str:
    """How many were made, exist or were refused."""
    numbers = {made: sum(one.made is made for one in found) for made in Made}
    told = ", ".join(f"{number} {_verb(made, number)}" for made, number in numbers.items() if number)
    refused = f" {_remedy(found)}" if numbers[Made.REFUSED] else ""
    checked = " `python -m pipelines.doctor` checks the settings of those that exist." if numbers[Made.EXISTS] else ""
    return f"{spoken_number(len(found), 'topic')}: {told}.{refused}{checked}"
