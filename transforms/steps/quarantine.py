"""Reject the records of tenants that are in quarantine, before anything is folded: each is a dead letter of its own, whole."""

from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from transforms.io.graph_admin.quarantine import Quarantine
from transforms.io.graph_sink import GraphSink
from transforms.io.neo4j.time_limits import TimeLimits
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault, Reason, Reject, Step, reject
from transforms.steps.elements import ResolvedChunk
from transforms.steps.resolve_tenants import REJECTS

_REMEDY: Final = "mend the cause, then `python -m pipelines.tenants release {}` takes in what is held"


class RejectQuarantined(beam.PTransform):
    """Outputs `main`: records of tenants that may be written; `rejects`: those of tenants that are in quarantine.

    released: a replay, which takes in what is held, whatever the graph says of the tenant.
    """

    def __init__(self, graph: GraphSink, limits: TimeLimits, *, released: bool = False) -> None:
        super().__init__()
        self._fn = RejectQuarantinedFn(graph, limits, released)

    def expand(self, chunks: beam.PCollection[ResolvedChunk]) -> Any:
        return chunks | beam.ParDo(self._fn).with_output_types(ResolvedChunk).with_outputs(REJECTS, main="main")


class RejectQuarantinedFn(beam.DoFn):
    def __init__(self, graph: GraphSink, limits: TimeLimits, released: bool) -> None:
        self._graph = graph
        self._limits = limits
        self._released = released
        self._causes: dict[str, str] | None = None

    def start_bundle(self) -> None:
        self._causes = None

    def process(self, chunk: ResolvedChunk) -> Iterator[ResolvedChunk | TaggedOutput]:
        if self._causes is None:
            self._causes = _causes_now(self._graph.quarantine(self._limits), self._released)
        causes = self._causes
        if not causes:
            yield chunk
            return
        kept = ResolvedChunk(one for one in chunk if one.client_id not in causes)
        if kept:
            yield kept
        for one in chunk:
            if one.client_id in causes:
                yield TaggedOutput(REJECTS, held(one.decoded.record, one.client_id, causes[one.client_id]))


def _causes_now(quarantine: Quarantine, released: bool) -> dict[str, str]:
    # Whoever could not be marked before may be by now; those that only this process knows of would be lost with it.
    quarantine.mark()
    return quarantine.causes(released=released)


def held(record: KafkaRecord, client_id: str, cause: str) -> Reject:
    """The record of a tenant that is in quarantine, as a reject of the step that could not write it."""
    detail = f"the tenant is in quarantine ({cause}); {_REMEDY.format(client_id)}"
    return reject(record, client_id, Step.WRITE, Fault(Reason.TENANT_QUARANTINED, detail))
