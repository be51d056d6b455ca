"""The flow of the job: from records to the graph, one step a line.

Readers and sinks are given: a run, a stream, a backfill and a replay differ in what stands before and behind `into_graph`.
"""

from typing import Any, NamedTuple

import apache_beam as beam

from pipelines.settings import FlowSettings, RunSettings
from transforms.io.graph_sink import GraphSink, Neo4jSink
from transforms.io.kafka.offsets import OffsetRange
from transforms.planning.scheduling.slices import SliceSize
from transforms.steps.analyze_incidents import AnalyzeIncidents
from transforms.steps.archive import ArchiveRecords, AwaitArchived
from transforms.steps.commit_offsets import COMMIT_EVERY_S, CommitOffsets
from transforms.steps.decode import DecodeRecords, WireSettings
from transforms.steps.execute_commands import ExecuteCommands
from transforms.steps.fold import FoldMutations
from transforms.steps.group import WindowByArrival
from transforms.steps.key_by_tenant import KeyByTenant
from transforms.steps.plan import PlanBatches
from transforms.steps.quarantine import RejectQuarantined
from transforms.steps.read import ReadRecords
from transforms.steps.read_stream import ReadStream
from transforms.steps.reject import WriteDeadLetters
from transforms.steps.resolve_tenants import ResolveTenants
from transforms.steps.tell_gaps import TellGaps
from transforms.steps.write import WriteGraph
from transforms.steps.write_liveness import WriteLiveness


class FlowOutputs(NamedTuple):
    """What the flow comes to.

    rejects: of all steps. done: empty collections; where their watermarks are, everything is done.
    """

    rejects: beam.PCollection[Any]
    done: tuple[beam.PCollection[Any], ...]


def build(pipeline: beam.Pipeline, ranges: list[OffsetRange], size: SliceSize, settings: RunSettings) -> None:
    """The flow, one step a line."""
    flow = settings.flow
    records = pipeline | "ReadRecords" >> ReadRecords(settings.reader, flow.kafka, ranges, size, settings.expansion_service)
    taken = into_graph(records, flow, Neo4jSink(flow.neo4j))
    taken.rejects | "WriteDeadLetters" >> WriteDeadLetters(flow.kafka, flow.letters)


def build_stream(pipeline: beam.Pipeline, topics: list[str], settings: RunSettings) -> None:
    """The same flow without an end; offsets are committed behind it, for whoever watches the lag."""
    flow = settings.flow
    records = pipeline | "ReadRecords" >> ReadStream(flow.kafka, topics, settings.expansion_service)
    taken = into_graph(records.main, flow, Neo4jSink(flow.neo4j))
    letters = taken.rejects | "WriteDeadLetters" >> WriteDeadLetters(flow.kafka, flow.letters)
    gaps = records.gaps | "TellGaps" >> TellGaps(flow.kafka, flow.letters)
    (records.positions, *taken.done, letters, gaps) | "CommitOffsets" >> CommitOffsets(flow.kafka, COMMIT_EVERY_S)


def into_graph(records: beam.PCollection[Any], flow: FlowSettings, graph: GraphSink) -> FlowOutputs:
    """The flow from Decode on, whoever read the records, into that graph."""
    streams = flow.window is not None
    wire = WireSettings(flow.legacy_topics, flow.patterns, flow.failure_patterns, flow.registry)
    decoded = records | "DecodeRecords" >> DecodeRecords(flow.tenants.client_id, wire)
    owned = decoded | "ResolveTenants" >> ResolveTenants(flow.tenants, graph, keeps=bool(flow.archive))
    carried = owned.commands | "ExecuteCommands" >> ExecuteCommands(graph, flow.writes.limits())
    unheard = owned.signs | "WriteLiveness" >> WriteLiveness(graph, flow.limits, live=flow.live)
    heeded = owned.main | "RejectQuarantined" >> RejectQuarantined(graph, flow.writes.limits(), released=flow.released)
    keyed = heeded.main | "KeyByTenant" >> KeyByTenant(flow.writes.shards, keeps=streams, calls=flow.writes.wants_calls())
    grouped = keyed.main | "WindowByArrival" >> WindowByArrival(flow.window) | "GroupByTenant" >> beam.GroupByKey()
    folded = grouped | "FoldMutations" >> FoldMutations(keeps=streams)
    batches = folded.main | "PlanBatches" >> PlanBatches(flow.writes.batch_rows, flow.writes.batch_bytes)
    written = batches.main | "WriteGraph" >> WriteGraph(graph, flow.writes.writing(streams=streams))
    if flow.writes.wants_incidents():
        written.touched | "AnalyzeIncidents" >> AnalyzeIncidents(graph, flow.writes.limits(), streams=streams, paced=flow.paced)
    faulty = (owned.rejects, unheard, heeded.rejects, keyed.rejects, folded.rejects, batches.rejects, written.rejects)
    rejects = faulty | "Rejects" >> beam.Flatten()
    archived = (_archive(owned.taken, written.main, flow, wire),) if flow.archive else ()
    return FlowOutputs(rejects, (written.main, carried, *archived))


def _archive(taken: beam.PCollection[Any], written: beam.PCollection[Any], flow: FlowSettings, wire: WireSettings) -> beam.PCollection[Any]:
    archived = taken | "ArchiveRecords" >> ArchiveRecords(flow.archive, flow.tenants.client_id, wire, waits=not flow.in_one_process)
    return (archived, written) | "AwaitArchived" >> AwaitArchived(flow.archive) if flow.in_one_process else archived
