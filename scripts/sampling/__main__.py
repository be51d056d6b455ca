"""Produce a seeded sample of several clusters to Kafka, or print it as JSON lines with --print.

The clusters bear the same namespaces and names and differ in uids; each lives through a lost scrape target, a
rollout, a crash loop, a lost node and a finished job, with every object reported again at each resync, a few records doubled or late, and
one record of every poison class. The same seed gives the same bytes.
"""

import os
import sys
from base64 import b64encode
from typing import Annotated

import typer
from confluent_kafka import KafkaException

from runners.local.endpoints import read_endpoints
from scripts.sampling.poison import poisons
from scripts.sampling.produce import TopicTooSmall, check_sizes, ensure_topics, produce
from scripts.sampling.record import SampleRecord, json_bytes
from scripts.sampling.stream import sample_stream

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
_CLASSES = len(poisons("any"))


@app.command(help=__doc__)
def main(
    clusters: Annotated[int, typer.Option("--clusters", min=1, help="How many clusters, af-10 and on.")] = 5,
    resyncs: Annotated[int, typer.Option("--resyncs", min=1, help="How often each object is reported again.")] = 6,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 7,
    poison_classes: Annotated[int, typer.Option("--poison_classes", min=0, max=_CLASSES, help="Classes of bad records.")] = _CLASSES,
    kafka_brokers: Annotated[str, typer.Option("--kafka_brokers", envvar="KAFKA_BROKERS", help="Default: the local stack's.")] = "",
    show: Annotated[bool, typer.Option("--print", help="Print JSON lines instead of producing.")] = False,
) -> None:
    stream = sample_stream(clusters, resyncs, seed, poison_classes)
    if show:
        sys.stdout.writelines(_line(record) for record in stream.records)
        return
    local = read_endpoints()
    brokers = kafka_brokers or (local.kafka_brokers if local else "")
    if not brokers:
        raise typer.BadParameter("No Kafka is configured: start the local one with `scripts/stack up`, or name one with --kafka_brokers.")
    try:
        ensure_topics(brokers)
        check_sizes(brokers, stream.records)
        number = produce(brokers, stream.records)
    except (KafkaException, TopicTooSmall, RuntimeError) as error:
        cause = error.args[0].str() if isinstance(error, KafkaException) else str(error)
        typer.echo(cause if isinstance(error, TopicTooSmall) else f"The sample was not produced to Kafka at {brokers}: {cause}", err=True)
        sys.exit(1)
    typer.echo(f"produced {number:,} records of {clusters} clusters to {brokers}, {len(stream.poisons)} of them poisons")


def _line(record: SampleRecord) -> str:
    shown = {
        "topic": record.topic,
        "key": None if record.key is None else record.key.decode(errors="replace"),
        "timestamp_ms": record.timestamp_ms,
        "value": None if record.value is None else b64encode(record.value).decode(),
    }
    return json_bytes(shown).decode() + os.linesep


if __name__ == "__main__":
    app()
