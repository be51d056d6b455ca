"""Analyze: what is wrong in the tenants that were written, behind the write and never in its way."""

from collections.abc import Iterator
from typing import Any

import apache_beam as beam

from transforms.io.analysis_pace import EVERY_S, process_pace
from transforms.io.graph_sink import GraphSink
from transforms.io.incident_analyst import Analyst, analysed
from transforms.io.neo4j.time_limits import TimeLimits
from transforms.model.metrics import ANALYSES
from transforms.steps.metrics import count


class AnalyzeIncidents(beam.PTransform):
    """Outputs nothing, ever. Takes the ids of tenants whose graph has been written; each is analysed once a bundle, all together.

    streams: in the background; else before the bundle ends. paced: what was analysed less than `EVERY_S` seconds ago in this process waits
    for a later bundle, or for the owner of the run (`process_pace`). A failure fails no bundle.
    """

    def __init__(self, graph: GraphSink, limits: TimeLimits, *, streams: bool, paced: bool = False) -> None:
        super().__init__()
        self._fn = AnalyzeIncidentsFn(graph, limits, streams=streams, paced=paced)

    def expand(self, tenants: beam.PCollection[str]) -> Any:
        return tenants | beam.ParDo(self._fn).with_output_types(bytes)


class AnalyzeIncidentsFn(beam.DoFn):
    def __init__(self, graph: GraphSink, limits: TimeLimits, *, streams: bool, paced: bool = False) -> None:
        self._paced = paced
        self._graph = graph
        self._limits = limits
        self._streams = streams
        self._analyst: Analyst | None = None
        self._tenants: set[str] = set()

    def setup(self) -> None:
        if self._streams:
            self._analyst = Analyst(self._graph.incidents(self._limits), EVERY_S)

    def teardown(self) -> None:
        if self._analyst is not None:
            self._analyst.close()

    def start_bundle(self) -> None:
        self._tenants = set()

    def process(self, client_id: str) -> Iterator[bytes]:
        self._tenants.add(client_id)
        yield from ()

    def finish_bundle(self) -> None:
        if self._analyst is not None:
            self._analyst.submit(self._tenants)
            for client_id, is_done in self._analyst.take_done():
                count(ANALYSES, 1, client_id, "ok" if is_done else "failed")
            return
        due = process_pace(self._graph).due(self._tenants) if self._paced else sorted(self._tenants)
        if due:
            for client_id, found in analysed(self._graph.incidents(self._limits), due).items():
                count(ANALYSES, 1, client_id, "failed" if found is None else "ok")
