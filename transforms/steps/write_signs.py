"""Write signs of life: who was heard and who registered, on the clusters themselves."""

from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam

from transforms.io.cluster_book import process_book
from transforms.io.neo4j_target import Neo4jTarget
from transforms.planning.liveness import Limits
from transforms.records.outcomes import Outcome, Tally
from transforms.records.rejects import Fault, Reason, Reject, Step, reject
from transforms.records.signs import Signs
from transforms.steps.metrics import OUTCOME_OF_SIGNS, count_outcomes

_LOCKED: Final = "another session holds the lock of the tenant's cluster in the graph; end it and replay the dead letters"


class WriteSigns(beam.PTransform):
    """Each bundle's signs in a few transactions; gives the registrations that could not be written, as rejects.

    Registrations are counted here, once they are written. limits: how long a silence is one.
    live: the records are those of now; those of a replay tell of registrations, but are no signs of life.
    """

    def __init__(self, target: Neo4jTarget, limits: Limits, *, live: bool = True) -> None:
        super().__init__()
        self._fn = WriteSignsFn(target, limits, live=live)

    def expand(self, signs: beam.PCollection[Signs]) -> beam.PCollection[Reject]:
        return signs | beam.ParDo(self._fn).with_output_types(Reject)


class WriteSignsFn(beam.DoFn):
    def __init__(self, target: Neo4jTarget, limits: Limits, *, live: bool) -> None:
        self._target = target
        self._limits = limits
        self._live = live

    def process(self, signs: Signs) -> Iterator[Any]:
        told = signs if self._live else signs.without_life()
        locked = process_book(self._target).take_in(told, self._limits)
        settled = Tally()
        for client_id, record in signs.registry:
            if client_id in locked:
                yield reject(record, client_id, Step.WRITE, Fault(Reason.GRAPH_REFUSED, _LOCKED))
            else:
                settled[client_id, Outcome.CONTROL] += 1
        count_outcomes(settled, OUTCOME_OF_SIGNS)
