"""The replay's own flow: letters instead of Kafka's ranges in front of it, a count instead of dead letters behind."""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Final

import apache_beam as beam
import structlog
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
from transforms.io.dead_letters.not_taken import NotTaken
from transforms.io.dead_letters.reader import DeadLetterReader
from transforms.io.dead_letters.sinks import process_sink
from transforms.io.faults import InfrastructureFault
from transforms.io.graph_sink import Neo4jSink
from transforms.io.kafka.offsets import Place
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.records.dead_letters.letters import Wanted
from transforms.records.dead_letters.selection import LetterFilter, LetterPlace
from transforms.steps.replay import CountRejects, ReplayLetters

_LOG = structlog.get_logger("replay")
# Letters that a dry run lists one by one.
SHOWN: Final = 20
UNMARKED: Final = "replayed letters cannot be marked as such; they stay listed as open, and a later replay repeats them"


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
        totals = replay_letters(kafka_target, where.place(), filter_, flow, how.slice_bytes, listed=listed, again=how.again)
    summary = replay_summary(totals, time.monotonic() - started, dry_run=how.dry_run)
    if how.dry_run:
        summary["latest"] = [entry_object(entry) for entry in listed]
        if listed and not json:
            print_entries(listed)
    print_replay(summary, as_json=json)
    if totals.stopped:
        typer.echo("Stopped as asked, before all was replayed; what is told above is done: run again for all of it.", err=True)
        sys.exit(1)


def ask_for_all(place: LetterPlace, *, yes: bool) -> None:
    """Return where all letters are meant; where nobody can be asked they are, since a replay harms nothing and may be repeated."""
    if not yes and sys.stdin.isatty():
        typer.confirm(f"No filter is given: replay all letters of {place}?", abort=True, err=True)


def build(pipeline: beam.Pipeline, wanted: list[Wanted], flow: FlowSettings, not_taken: NotTaken) -> None:
    """The flow of a replay, one step a line."""
    records = pipeline | "ReplayLetters" >> ReplayLetters(flow.kafka, flow.letters, wanted, not_taken)
    taken = into_graph(records, flow, Neo4jSink(flow.neo4j))
    taken.rejects | "CountRejects" >> CountRejects(not_taken)


def replay_letters(
    kafka: KafkaTarget,
    place: LetterPlace,
    filter_: LetterFilter,
    flow: FlowSettings | None,
    slice_bytes: int,
    beyond: Mapping[Place, int] | None = None,
    listed: list[LetterEntry] | None = None,
    *,
    again: bool = False,
) -> ReplayTotals:
    """Replay the letters that match, of those that there are now; SIGTERM ends it after the slice it is in.

    flow: None reads and proves what would be replayed, and writes nothing. beyond: letters before these offsets of the
    dead-letter topic, or of its files, do not count. listed: takes the last written of them, up to `SHOWN`. again: also those
    that were replayed before.
    """
    totals = ReplayTotals()
    with ExitStack() as held:
        stop = held.enter_context(StopSignals())
        reader = held.enter_context(closing(DeadLetterReader.open(kafka, place)))
        index = held.enter_context(closing(LetterIndex(filter_)))
        totals.read_to = index_letters(reader, index, beyond or {})
        totals.unreadable.update(reader.unreadable)
        for group in index.groups():
            totals.letters[group.client_id] += group.letters if again else group.letters - group.replayed
            totals.before += 0 if again else group.replayed
            if group.is_gap:
                totals.gaps[group.client_id] += group.letters
        if listed is not None:
            listed.extend(index.latest(SHOWN, only_open=not again))
        run_slice = _trying(reader) if flow is None else _replaying(flow)
        count = held.enter_context(Count("letters replayed", totals.letters.total() - totals.gaps.total()))
        replay(index.wanted(again=again), run_slice, slice_bytes, totals, should_stop=stop.asked, advance=count.advance)
    return totals


def _trying(reader: DeadLetterReader) -> Callable[[list[Wanted]], ReplaySlice]:
    return lambda portion: tried_slice(reader, portion)


def _replaying(flow: FlowSettings) -> Callable[[list[Wanted]], ReplaySlice]:
    """A command among the letters asks for no more than the schema, which is made here."""
    with closing(Neo4jGraphStore(flow.neo4j)) as store:
        store.ensure_schema()
    marker = Marker(flow.kafka, flow.letters)

    def run_slice(portion: list[Wanted]) -> ReplaySlice:
        with TemporaryDirectory(prefix="graph-replay-") as folder:
            not_taken = NotTaken(f"{folder}/not_taken")
            result = run_settled(lambda: run_pipeline(lambda pipeline: build(pipeline, portion, flow, not_taken)))
            done = slice_of(result, len(portion))
            marker.mark(not_taken.taken(portion))
        return done

    return run_slice


class Marker:
    """Marks letters as replayed where they lie; a user without the right to write there may replay all the same."""

    def __init__(self, kafka: KafkaTarget, place: LetterPlace) -> None:
        self._kafka, self._place = kafka, place
        self._refused = False

    def mark(self, letters: list[Wanted]) -> None:
        """Mark the letters; says once where that cannot be, and does not try again."""
        if self._refused or not letters:
            return
        try:
            sink = process_sink(self._kafka, self._place)
            for one in letters:
                sink.send_mark(one)
            sink.flush()
        except InfrastructureFault as fault:
            self._refused = True
            _LOG.warning(UNMARKED, cause=fault.sentence)
