"""Analyze: what is wrong in the tenants that were written, behind the write and never in its way."""

from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam

from transforms.io.graph_sink import GraphSink
from transforms.io.incident_analyst import Analyst, analysed
from transforms.io.neo4j.time_limits import TimeLimits
from transforms.model.metrics import ANALYSES
from transforms.steps.metrics import count

# In a stream, a tenant is analysed at most so often.
EVERY_S: Final = 10.0


class AnalyzeIncidents(beam.PTransform):
    """Outputs nothing, ever. Takes the ids of tenants whose graph has been written; each is analysed once a bundle, all together.

    streams: in the background, at most every `EVERY_S` seconds a tenant; else before the bundle ends. A failure fails no bundle.
    """

    def __init__(self, graph: GraphSink, limits: TimeLimits, *, streams: bool) -> None:
        super().__init__()
        self._fn = AnalyzeIncidentsFn(graph, limits, streams=streams)

    def expand(self, tenants: beam.PCollection[str]) -> Any:
        return tenants | beam.ParDo(self._fn).with_output_types(bytes)


class AnalyzeIncidentsFn(beam.DoFn):
    def __init__(self, graph: GraphSink, limits: TimeLimits, *, streams: bool) -> None:
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
        elif self._tenants:
            for client_id, found in analysed(self._graph.incidents(self._limits), self._tenants).items():
                count(ANALYSES, 1, client_id, "failed" if found is None else "ok")
