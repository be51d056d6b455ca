"""The backfill's own flow: a span of time in front of the job's, a count instead of dead letters behind."""

from typing import Any

import apache_beam as beam

from pipelines.flow import into_graph
from pipelines.settings import FlowSettings
from runners.direct import RunPipeline
from runners.settled import run_settled
from transforms.io.archive.avro_files import AvroFile
from transforms.io.graph_sink import Neo4jSink
from transforms.io.kafka.offsets import OffsetRange
from transforms.planning.scheduling.backfill_plan import Scope
from transforms.planning.scheduling.slices import SliceSize
from transforms.steps.backfill import ReadArchive, ReadHeld
from transforms.steps.replay import CountRejects


def flow_behind(records: beam.PCollection[Any], flow: FlowSettings) -> None:
    """The steps from Decode on, whichever source was read."""
    taken = into_graph(records, flow, Neo4jSink(flow.neo4j))
    taken.rejects | "CountRejects" >> CountRejects()


def run_held(run_one: RunPipeline, flow: FlowSettings, scope: Scope, ranges: list[OffsetRange], size: SliceSize) -> Any:
    """One pipeline over a prefix of the ranges; its result. run_one: runs it."""

    def build(pipeline: beam.Pipeline) -> None:
        flow_behind(pipeline | "ReadHeld" >> ReadHeld(flow.kafka, ranges, (scope.from_ms, scope.to_ms), size), flow)

    return run_settled(lambda: run_one(build, None))


def run_files(run_one: RunPipeline, flow: FlowSettings, scope: Scope, files: list[AvroFile], *, skip_corrupt: bool) -> Any:
    """One pipeline over the files; its result. run_one: runs it."""

    def build(pipeline: beam.Pipeline) -> None:
        read = ReadArchive(scope.archive, files, (scope.from_ms, scope.to_ms), skip_corrupt=skip_corrupt)
        flow_behind(pipeline | "ReadArchive" >> read, flow)

    return run_settled(lambda: run_one(build, None))
