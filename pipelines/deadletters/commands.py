"""Dead letters: which records were rejected and why, one of them whole, and all of them again once the cause is gone.

They are read from their topic, or with --deadletter_path from the files that a job with that flag writes instead.

`list` groups them, `show` prints one, `replay` feeds the original records through the job's own flow, with their
original coordinates and times, and marks those that were taken in. No source topic is written and no committed offset
is touched. A replay may run beside the job and be repeated: what the graph holds already stays as it is.

Exit codes: 0 done, 1 failed (one sentence says why), 2 wrong usage.

Examples:

  python -m pipelines.deadletters list --letters 20

  python -m pipelines.deadletters show 'state.k8s.resource[2]@1047'

  python -m pipelines.deadletters replay --reason tenant_missing --single_tenant af-10 --dry_run
"""

# Each command imports what it works with when it runs: drivers and Beam take seconds, and `--help` needs neither.
# ruff: noqa: PLC0415

from typing import Annotated

import typer

from pipelines.options.default_command import OptionsComeLast
from pipelines.options.failures import FailureOptions
from pipelines.options.flatten import flatten_option_groups
from pipelines.options.flow import Json, LogLevel, WriteOptions, log_level
from pipelines.options.grouped_help import GroupedHelp
from pipelines.options.kafka import KafkaOptions
from pipelines.options.letter_place import DEFAULT_DEADLETTER_TOPIC, DeadletterPath, DeadletterTopic
from pipelines.options.letters import CoordinatesArgument, LetterOptions, ReplayOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.registry import RegistryOptions
from pipelines.options.tenants import AdmissionOptions, RouteOptions
from pipelines.options.told_value import TellsValues
from pipelines.output.logs import configure_logs

app = typer.Typer(
    cls=OptionsComeLast, add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False
)


@app.command("list", cls=TellsValues)
@flatten_option_groups
def list_letters(
    kafka: KafkaOptions,
    where: LetterOptions,
    letters: Annotated[int, typer.Option("--letters", min=0, help="Tell also of so many single letters, the last written first.")] = 0,
    json: Json = False,
    level: LogLevel = "INFO",
) -> None:
    """The letters by tenant, reason and source topic; lost offsets apart.

    Of a record that was rejected more than once, the last letter counts. `replayed` is how many of the letters a replay
    took in; the others are open. All stay listed until the topic's retention deletes them. Tenant `-`: the record
    names none.

    Examples:

      python -m pipelines.deadletters list

      python -m pipelines.deadletters list --client_id af-10,af-11 --reason bad_time --letters 5

      python -m pipelines.deadletters list --json | jq '.groups[] | select(.letters > 100)'
    """
    configure_logs(log_level(level))
    from pipelines.deadletters.look import list_letters as run

    run(kafka=kafka, where=where, letters=letters, json=json)


@app.command(cls=TellsValues)
@flatten_option_groups
def show(
    original: CoordinatesArgument,
    kafka: KafkaOptions,
    deadletter_topic: DeadletterTopic = DEFAULT_DEADLETTER_TOPIC,
    deadletter_path: DeadletterPath = "",
    json: Json = False,
    level: LogLevel = "INFO",
) -> None:
    """One letter whole: why it was rejected, and the record as far as it may leave Kafka.

    A value is printed as JSON text where it is, else in base64. What was withheld or redacted is not in the letter and
    is never fetched for it. Exit code 1 where there is no letter of this record.

    Examples:

      python -m pipelines.deadletters show 'state.k8s.resource[2]@1047'

      python -m pipelines.deadletters show 'events.normalized[0]@7' --json | jq .value
    """
    configure_logs(log_level(level))
    from pipelines.deadletters.look import show as run

    run(original=original, kafka=kafka, deadletter_topic=deadletter_topic, deadletter_path=deadletter_path, json=json)


@app.command(cls=GroupedHelp)
@flatten_option_groups
def replay(
    kafka: KafkaOptions,
    neo4j: Neo4jOptions,
    registry: RegistryOptions,
    where: LetterOptions,
    how: ReplayOptions,
    routes: RouteOptions,
    admission: AdmissionOptions,
    writes: WriteOptions,
    failures: FailureOptions,
    yes: Annotated[bool, typer.Option("--yes", help="Replay all letters, where no filter narrows them down, without asking.")] = False,
    json: Json = False,
    level: LogLevel = "INFO",
) -> None:
    """The original records once more, from Decode on, as the job would take them in now.

    What a letter does not hold whole is read again from Kafka by its coordinates and proven by its SHA-256; where Kafka
    does not hold it any more, it counts as unavailable. What is rejected again counts as rejected; no second letter is
    written. Newer data in the graph stays. What was taken in is marked as replayed on the dead-letter topic and
    left out by the next replay, unless --again is given. Without a filter all open letters are replayed; at a terminal it
    asks first.

    Examples:

      python -m pipelines.deadletters replay --dry_run

      python -m pipelines.deadletters replay --reason tenant_missing --single_tenant af-10

      python -m pipelines.deadletters replay --record 'state.k8s.resource[2]@1047'

      python -m pipelines.deadletters replay --client_id af-11 --topic events.normalized --json
    """
    configure_logs(log_level(level))
    from pipelines.deadletters.replay import replay_command

    replay_command(kafka, neo4j, registry, where, how, routes, admission, writes, failures, yes, json)
