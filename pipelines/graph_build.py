"""The main job: Kubernetes state and events of many clusters, from Kafka into one graph per cluster.

`python -m pipelines.graph_build --runner=DirectRunner` takes in what is there and exits: 0 when all of it was
taken in, 1 when the run had to stop (one sentence says why), 2 for a wrong flag or setting.
"""

import sys
import time

import apache_beam as beam
import typer

from pipelines import options
from pipelines.logs import configure_logs
from pipelines.options import Settings
from pipelines.report import ProgressBar, print_summary, run_summary
from runners.bounded import BoundedRun, RunTotals
from runners.direct import check_java_side, run_pipeline
from transforms.io.deadletters import DeadLetterWriter
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka_offsets import KafkaOffsets, OffsetRange
from transforms.io.neo4j_graph import Neo4jGraphStore
from transforms.planning.slices import SliceSize
from transforms.records.tenant import TenantRules
from transforms.steps.decode import DecodeRecords
from transforms.steps.fold import FoldMutations
from transforms.steps.group import WindowByArrival
from transforms.steps.key_by_tenant import KeyByTenant
from transforms.steps.plan import PlanBatches
from transforms.steps.read import ReadRecords
from transforms.steps.reject import WriteDeadLetters
from transforms.steps.resolve_tenants import ResolveTenants
from transforms.steps.write import WriteGraph


def build(pipeline: beam.Pipeline, ranges: list[OffsetRange], size: SliceSize, settings: Settings) -> None:
    """The flow, one step a line."""
    read = ReadRecords(settings.kafka, ranges, size.max_records, size.max_read_s, settings.expansion_service)
    records = pipeline | "ReadRecords" >> read
    decoded = records | "DecodeRecords" >> DecodeRecords(settings.client_id, settings.legacy_topics)
    owned = decoded | "ResolveTenants" >> ResolveTenants(TenantRules(settings.client_id))
    keyed = owned.main | "KeyByTenant" >> KeyByTenant(settings.shards)
    grouped = keyed.main | "WindowByArrival" >> WindowByArrival() | "GroupByTenant" >> beam.GroupByKey()
    folded = grouped | "FoldMutations" >> FoldMutations()
    batches = folded | "PlanBatches" >> PlanBatches(settings.batch_rows, settings.batch_bytes)
    written = batches | "WriteGraph" >> WriteGraph(settings.neo4j)
    rejects = (owned.rejects, keyed.rejects, written.rejects) | "Rejects" >> beam.Flatten()
    rejects | "WriteDeadLetters" >> WriteDeadLetters(settings.kafka, settings.deadletter_topic)


def run(settings: Settings) -> RunTotals:
    """Take in what the topics hold now, in slices, with a commit after each."""
    store = Neo4jGraphStore(settings.neo4j)
    try:
        store.ensure_schema()
        offsets = KafkaOffsets(settings.kafka)
        try:
            return _run_slices(settings, store, offsets)
        finally:
            offsets.close()
    finally:
        store.close()


def _run_slices(settings: Settings, store: Neo4jGraphStore, offsets: KafkaOffsets) -> RunTotals:
    ready = False

    def run_slice(ranges: list[OffsetRange], size: SliceSize) -> object:
        nonlocal ready
        if not ready:
            check_java_side(settings.expansion_service)
            DeadLetterWriter(settings.kafka, settings.deadletter_topic).ensure_topic()
            ready = True
        return run_pipeline(lambda pipeline: build(pipeline, ranges, size, settings))

    with ProgressBar() as progress:
        bounded = BoundedRun(offsets, run_slice, settings.slice_bytes, progress, on_command=lambda _command: store.ensure_schema())
        return bounded.run(list(settings.topics))


app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    runner: options.Runner = "DirectRunner",
    kafka_reader: options.KafkaReader = "auto",
    kafka_brokers: options.KafkaBrokers = "",
    kafka_group: options.KafkaGroup = "graph-build",
    topics: options.Topics = options.DEFAULT_TOPICS,
    deadletter_topic: options.DeadletterTopic = "graph.deadletter",
    expansion_service: options.ExpansionService = "",
    kafka_security_protocol: options.SecurityProtocol = "PLAINTEXT",
    kafka_sasl_mechanism: options.SaslMechanism = "PLAIN",
    kafka_sasl_username: options.SaslUsername = "",
    kafka_sasl_password_file: options.SaslPasswordFile = "",
    kafka_ssl_ca_file: options.KafkaCaFile = "",
    kafka_ssl_keypair_file: options.KafkaKeypairFile = "",
    kafka_retry_s: options.KafkaRetryS = 30.0,
    neo4j_uri: options.Neo4jUri = "",
    neo4j_user: options.Neo4jUser = "neo4j",
    neo4j_password_file: options.Neo4jPasswordFile = "",
    neo4j_database: options.Neo4jDatabase = "neo4j",
    neo4j_ca_file: options.Neo4jCaFile = "",
    neo4j_retry_s: options.Neo4jRetryS = 30.0,
    client_id: options.ClientId = "",
    legacy_separator_topics: options.LegacyTopics = "",
    slice_bytes: options.SliceBytes = 64 * 1024 * 1024,
    batch_rows: options.BatchRows = 2000,
    batch_bytes: options.BatchBytes = 4 * 1024 * 1024,
    shards: options.Shards = 1,
    json: options.Json = False,
    log_level: options.LogLevel = "INFO",
) -> None:
    options.one_of("--runner", runner, ("DirectRunner",))
    options.one_of("--kafka_reader", kafka_reader, ("auto", "beam"))
    configure_logs(options.one_of("--log_level", log_level.upper(), options.LOG_LEVELS))
    settings = Settings(
        kafka=options.kafka_target(
            kafka_brokers,
            kafka_group,
            kafka_security_protocol,
            kafka_sasl_mechanism,
            kafka_sasl_username,
            kafka_sasl_password_file,
            kafka_ssl_ca_file,
            kafka_ssl_keypair_file,
            kafka_retry_s,
        ),
        neo4j=options.neo4j_target(neo4j_uri, neo4j_user, neo4j_password_file, neo4j_database, neo4j_ca_file, neo4j_retry_s),
        topics=options.names(topics),
        deadletter_topic=deadletter_topic,
        legacy_topics=frozenset(options.names(legacy_separator_topics)),
        client_id=options.tenant_id(client_id),
        expansion_service=options.expansion_address(expansion_service),
        slice_bytes=slice_bytes,
        batch_rows=batch_rows,
        batch_bytes=batch_bytes,
        shards=shards,
    )
    started = time.monotonic()
    try:
        totals = run(settings)
    except InfrastructureFault as fault:
        typer.echo(fault.sentence, err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("Interrupted; nothing after the last committed offsets counts as done: run again to go on.", err=True)
        sys.exit(1)
    print_summary(run_summary(totals, time.monotonic() - started), as_json=json)


if __name__ == "__main__":
    app()
