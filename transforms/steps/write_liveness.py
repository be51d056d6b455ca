"""Write signs of life: who was heard and who registered, on the clusters themselves."""

from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam

from transforms.io.faults import InfrastructureFault
from transforms.io.graph_sink import GraphSink
from transforms.model.metrics import OUTCOMES_OF_SIGNS
from transforms.planning.lifecycle.liveness import Limits
from transforms.records.liveness_signals import LivenessSignals
from transforms.records.outcomes import Outcome, Tally
from transforms.records.rejects import Fault, Reason, Reject, Step, reject
from transforms.steps.metrics import count_outcomes
from transforms.steps.net import caught

_LOCKED: Final = (
    "the tenant's cluster cannot be written in the graph: another session holds its lock, or the graph refuses what is registered "
    "(see the log); end that and replay the dead letters"
)


class WriteLiveness(beam.PTransform):
    """Each bundle's signs in a few transactions; gives the registrations that could not be written, as rejects.

    Registrations are counted here, once they are written. limits: how long a silence is one.
    live: the records are those of now; those of a replay tell of registrations, but are no signs of life.
    """

    def __init__(self, graph: GraphSink, limits: Limits, *, live: bool = True) -> None:
        super().__init__()
        self._fn = WriteLivenessFn(graph, limits, live=live)

    def expand(self, signs: beam.PCollection[LivenessSignals]) -> beam.PCollection[Reject]:
        return signs | beam.ParDo(self._fn).with_output_types(Reject)


class WriteLivenessFn(beam.DoFn):
    def __init__(self, graph: GraphSink, limits: Limits, *, live: bool) -> None:
        self._graph = graph
        self._limits = limits
        self._live = live

    def process(self, signs: LivenessSignals) -> Iterator[Any]:
        told = signs if self._live else signs.without_life()
        settled = Tally()
        broken: dict[str, Exception] = {}
        try:
            locked = self._graph.tenants().take_in(told, self._limits)
        except InfrastructureFault:
            raise
        except Exception:  # noqa: BLE001 - the net: found tenant by tenant
            locked = self._one_by_one(told, broken)
        for client_id, record in signs.registry:
            if client_id in broken:
                yield reject(record, client_id, Step.WRITE, caught(broken[client_id], Step.WRITE, record, client_id))
            elif client_id in locked:
                yield reject(record, client_id, Step.WRITE, Fault(Reason.GRAPH_REFUSED, _LOCKED))
            else:
                settled[client_id, Outcome.CONTROL] += 1
        count_outcomes(settled, OUTCOMES_OF_SIGNS)

    def _one_by_one(self, told: LivenessSignals, broken: dict[str, Exception]) -> set[str]:
        """Write what was heard of each tenant apart, and note those of which that fails; the tenants that are locked."""
        locked: set[str] = set()
        for client_id, one in told.apart():
            try:
                locked |= self._graph.tenants().take_in(one, self._limits)
            except InfrastructureFault:
                raise
            except Exception as error:  # noqa: BLE001 - the net
                caught(error, Step.WRITE, None, client_id)
                broken[client_id] = error
        return locked
