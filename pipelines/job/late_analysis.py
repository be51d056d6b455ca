"""Analyses the tenants that slices left for later: once nothing is left to read, and before the run ends."""

from pipelines.settings import FlowSettings
from runners.observe.metrics import Monitor
from transforms.io.analysis_pace import process_pace
from transforms.io.graph_sink import Neo4jSink
from transforms.io.incident_analyst import analysed, restless
from transforms.model.metrics import ANALYSES
from transforms.records.counts import Counts


class LateAnalysis:
    """Brings incidents up to date that the steps left alone; does nothing where the flow keeps none."""

    def __init__(self, flow: FlowSettings, monitor: Monitor | None) -> None:
        self._flow = flow
        self._monitor = monitor
        self._graph = Neo4jSink(flow.neo4j)
        self._pace = process_pace(self._graph) if flow.writes.wants_incidents() else None

    def expect_all(self) -> None:
        """Have all tenants analysed in which something may be wrong: the run before did not end by itself, and may have owed them that."""
        if self._pace is not None:
            self._pace.wait(restless(self._graph.incidents(self._flow.writes.limits())))

    def run(self) -> Counts:
        """Analyse all that wait; what that counted."""
        counts = Counts()
        waiting = self._pace.rest() if self._pace is not None else []
        if waiting:
            for client_id, found in analysed(self._graph.incidents(self._flow.writes.limits()), waiting).items():
                counts.add(ANALYSES, (client_id, "failed" if found is None else "ok"), 1)
            if self._monitor:
                self._monitor.counted(counts)
        return counts
