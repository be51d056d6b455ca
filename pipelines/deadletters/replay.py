"""The replay's own flow: letters instead of Kafka's ranges in front of it, a count instead of dead letters behind."""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Final

import apache_beam as beam
import typer

from pipelines.deadletters.report import entry_object, print_entries
from pipelines.deadletters.walk import index_letters
from pipelines.flow import into_graph
from pipelines.options.failures import FailureOptions
from pipelines.options.flow import WriteOptions
from pipelines.options.kafka import KafkaOptions
from pipelines.options.letters import LetterOptions, ReplayOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.registry import RegistryOptions
from pipelines.options.tenants import AdmissionOptions, RouteOptions
from pipelines.output.command import INTERRUPTED_REPLAY, exit_on_fault
from pipelines.output.progress import Count
from pipelines.output.run_report import print_replay, replay_summary
from pipelines.settings import FlowSettings, flow_settings
from runners.direct import run_pipeline
from runners.loops.replay import ReplaySlice, ReplayTotals, replay, slice_of, tried_slice
from runners.loops.stop import StopSignals
from runners.settled import run_settled
from transforms.io.dead_letters.index import LetterEntry, LetterIndex
from transforms.io.dead_letters.reader import DeadLetterReader
from transforms.io.graph_sink import Neo4jSink
from transforms.io.kafka.offsets import Place
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.records.dead_letters.letters import Wanted
from transforms.records.dead_letters.selection import LetterFilter, LetterPlace
from transforms.steps.replay import CountRejects, ReplayLetters

# Letters that a dry run lists one by one.
SHOWN: Final = 20
STILL_LISTED: Final = (
    "Letters stay listed after a replay, until retention deletes them; what was rejected again is told above by reason, "
    "and `deadletters show` says why for each record."
)


def replay_command(
    kafka: KafkaOptions,
    neo4j: Neo4jOptions,
    registry: RegistryOptions,
    where: LetterOptions,
    how: ReplayOptions,
    routes: RouteOptions,
    admission: AdmissionOptions,
    writes: WriteOptions,
    failures: FailureOptions,
    yes: bool,
    json: bool,
) -> None:
    """Replay, and print what became of the records; exits with 1 where it was stopped before the end."""
    kafka_target, filter_ = kafka.target(), where.wanted()
    flow = None
    if not how.dry_run:
        rules = admission.rules(how.tenant())
        flow = flow_settings(kafka_target, neo4j.target(), where.place(), rules, routes, writes, failures, registry)
        flow = replace(flow, live=False, released=True)
        if filter_.means_all:
            ask_for_all(where.place(), yes=yes)
    started = time.monotonic()
    listed: list[LetterEntry] = []
    with exit_on_fault(INTERRUPTED_REPLAY):
        totals = replay_letters(kafka_target, where.place(), filter_, flow, how.slice_bytes, listed=listed)
    summary = replay_summary(totals, time.monotonic() - started, dry_run=how.dry_run)
    if how.dry_run:
        summary["latest"] = [entry_object(entry) for entry in listed]
        if listed and not json:
            print_entries(listed)
    print_replay(summary, as_json=json)
    if not (json or how.dry_run) and totals.letters.total():
        typer.echo(STILL_LISTED)
    if totals.stopped:
        typer.echo("Stopped as asked, before all was replayed; what is told above is done: run again for all of it.", err=True)
        sys.exit(1)


def ask_for_all(place: LetterPlace, *, yes: bool) -> None:
    """Return where all letters are meant; where nobody can be asked they are, since a replay harms nothing and may be repeated."""
    if not yes and sys.stdin.isatty():
        typer.confirm(f"No filter is given: replay all letters of {place}?", abort=True, err=True)


def build(pipeline: beam.Pipeline, wanted: list[Wanted], flow: FlowSettings) -> None:
    """The flow of a replay, one step a line."""
    records = pipeline | "ReplayLetters" >> ReplayLetters(flow.kafka, flow.letters, wanted)
    taken = into_graph(records, flow, Neo4jSink(flow.neo4j))
    taken.rejects | "CountRejects" >> CountRejects()


def replay_letters(
    kafka: KafkaTarget,
    place: LetterPlace,
    filter_: LetterFilter,
    flow: FlowSettings | None,
    slice_bytes: int,
    beyond: Mapping[Place, int] | None = None,
    listed: list[LetterEntry] | None = None,
) -> ReplayTotals:
    """Replay the letters that match, of those that there are now; SIGTERM ends it after the slice it is in.

    flow: None reads and proves what would be replayed, and writes nothing. beyond: letters before these offsets of the
    dead-letter topic, or of its files, do not count. listed: takes the last written of them, up to `SHOWN`.
    """
    totals = ReplayTotals()
    with ExitStack() as held:
        stop = held.enter_context(StopSignals())
        reader = held.enter_context(closing(DeadLetterReader.open(kafka, place)))
        index = held.enter_context(closing(LetterIndex(filter_)))
        totals.read_to = index_letters(reader, index, beyond or {})
        totals.unreadable.update(reader.unreadable)
        for group in index.groups():
            totals.letters[group.client_id] += group.letters
            if group.is_gap:
                totals.gaps[group.client_id] += group.letters
        if listed is not None:
            listed.extend(index.latest(SHOWN))
        run_slice = _trying(reader) if flow is None else _replaying(flow)
        count = held.enter_context(Count("letters replayed", totals.letters.total() - totals.gaps.total()))
        replay(index.wanted(), run_slice, slice_bytes, totals, should_stop=stop.asked, advance=count.advance)
    return totals


def _trying(reader: DeadLetterReader) -> Callable[[list[Wanted]], ReplaySlice]:
    return lambda portion: tried_slice(reader, portion)


def _replaying(flow: FlowSettings) -> Callable[[list[Wanted]], ReplaySlice]:
    """A command among the letters asks for no more than the schema, which is made here."""
    with closing(Neo4jGraphStore(flow.neo4j)) as store:
        store.ensure_schema()
    return lambda portion: slice_of(run_settled(lambda: run_pipeline(lambda pipeline: build(pipeline, portion, flow))), len(portion))
