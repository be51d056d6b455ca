"""Checks whether the job could run here, and well, with the job's own flags and variables; says what to do where not.

It looks at this machine, Kafka, the topics and their settings, the consumer group, the dead-letter topic, the Java side
(where the reader needs one) and Neo4j with its constraints, indexes and clock. It changes nothing: no record is produced, no
offset committed, no node kept, and no topic made unless --create_topics is given. A run takes seconds, also where nothing answers.

Each line is ok, warning (the job runs, but not well), failed (it could not run) or skipped (there was nothing to judge, or
something else failed first).

Exit codes: 0 when nothing failed, warnings or not; 1 when something did; 2 for a wrong flag.

Examples:

  python -m pipelines.doctor

  python -m pipelines.doctor --follow --kafka_group graph-build

  python -m pipelines.doctor --create_topics

  python -m pipelines.doctor --json | jq '.checks[] | select(.status == "failed")'
"""

import sys
from typing import Annotated

import typer

from pipelines.options.archive import ArchiveOptions
from pipelines.options.checks import usage_error
from pipelines.options.flatten import flatten_option_groups
from pipelines.options.flow import LogLevel, log_level
from pipelines.options.grouped_help import GroupedHelp
from pipelines.options.kafka import KafkaOptions, TopicOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.registry import RegistryOptions
from pipelines.options.run import AUTO, KafkaReader, chosen_reader
from pipelines.options.servers import origin
from pipelines.options.tenants import RouteOptions
from pipelines.output.logs import configure_logs
from transforms.steps.readers import BEAM

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(help=__doc__, cls=GroupedHelp)
@flatten_option_groups
def main(
    kafka: KafkaOptions,
    topics: TopicOptions,
    routes: RouteOptions,
    neo4j: Neo4jOptions,
    registry: RegistryOptions,
    archive: ArchiveOptions,
    kafka_reader: KafkaReader = AUTO,
    follow: Annotated[bool, typer.Option("--follow", help="Check for a job with --follow, which reads by itself.")] = False,
    create_topics: Annotated[
        bool, typer.Option("--create_topics", help="First make the topics that are missing, as `pipelines.topics create` does.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object: the overall status, and the checks.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="One line for each check, also where many found the same.")] = False,
    level: LogLevel = "ERROR",
) -> None:
    logs_from = log_level(level)
    reader = chosen_reader(kafka_reader, follow=follow, java_side=topics.java_side()).reader
    if not topics.deadletter_topic:
        raise usage_error("--deadletter_topic is empty; name the topic that rejects go to.")
    at_kafka, at_neo4j = kafka.target(), neo4j.target()
    configure_logs(logs_from)
    # Drivers and Beam take seconds to import, and `--help` and errors of use need neither.
    from pipelines.doctor.report import print_checks  # noqa: PLC0415
    from runners.doctor.doctor import Subject, examine  # noqa: PLC0415
    from runners.doctor.verdict import Status, overall  # noqa: PLC0415

    subject = Subject(
        kafka=at_kafka,
        neo4j=at_neo4j,
        registry=registry.target(),
        topics=topics.topic_names(),
        letters=topics.letters(),
        reader=reader,
        expansion_service=topics.expansion_address() if reader == BEAM else "",
        patterns=routes.patterns(),
        archive=archive.root(),
        topics_are_named=topics.are_named,
        origin=origin(),
    )
    if create_topics:
        from pipelines.doctor.make_topics import make_missing  # noqa: PLC0415

        make_missing(subject)
    checks = examine(subject)
    print_checks(checks, as_json=json, verbose=verbose)
    sys.exit(1 if overall(checks) is Status.FAILED else 0)
