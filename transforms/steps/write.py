"""Write: one transaction per batch; a batch that the graph refuses is split until the row is found."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from transforms.io.neo4j_graph import Neo4jGraphStore, RowRefused, process_store
from transforms.io.neo4j_target import Neo4jTarget
from transforms.planning.fold import Interpreted
from transforms.planning.mutations import Mutation
from transforms.records.outcomes import Outcome, Tally
from transforms.records.rejects import Fault, Reason, Step, reject
from transforms.steps.elements import TenantMutations
from transforms.steps.metrics import count_outcomes, count_written
from transforms.steps.resolve_tenants import REJECTS


class BatchStore(Protocol):
    """What writing needs of a store; `write_batch` raises RowRefused where the rows are at fault."""

    def write_batch(self, client_id: str, mutations: Sequence[Mutation], first_seen: int, last_seen: int) -> list[Outcome]: ...


Result = tuple[Interpreted, Outcome | RowRefused]

_REMEDY: Final = "the record is in the dead letters with its coordinates; mend it at the producer"


class WriteGraph(beam.PTransform):
    """Output `rejects`: records that the graph refused. Outcomes are counted once their transaction has committed."""

    def __init__(self, target: Neo4jTarget) -> None:
        super().__init__()
        self._fn = WriteGraphFn(target)

    def expand(self, batches: beam.PCollection[TenantMutations]) -> Any:
        return batches | beam.ParDo(self._fn).with_outputs(REJECTS, main="main")


class WriteGraphFn(beam.DoFn):
    def __init__(self, target: Neo4jTarget) -> None:
        self._target = target
        self._store: Neo4jGraphStore | None = None

    def setup(self) -> None:
        # Slices come and go with their pipelines; connections and mirrors stay.
        self._store = process_store(self._target)

    def process(self, batch: TenantMutations) -> Iterator[TaggedOutput]:
        assert self._store is not None
        settled = Tally()
        before = self._store.written.rows, self._store.written.seconds
        for one, outcome in write_splitting(self._store, batch.client_id, batch.mutations):
            if one.record is None:
                continue
            if isinstance(outcome, RowRefused):
                fault = Fault(Reason.GRAPH_REFUSED, f"Neo4j refused the row ({outcome}); {_REMEDY}")
                yield TaggedOutput(REJECTS, reject(one.record, batch.client_id, Step.WRITE, fault))
            else:
                settled[batch.client_id, outcome] += 1
        count_outcomes(settled)
        after = self._store.written
        count_written(after.rows - before[0], after.seconds - before[1])


def write_splitting(store: BatchStore, client_id: str, batch: Sequence[Interpreted]) -> Iterator[Result]:
    """Write the batch; where it is refused, its halves, down to the row that is at fault."""
    stamps = [one.record.timestamp_ms for one in batch if one.record is not None] or [0]
    try:
        outcomes = store.write_batch(client_id, [one.mutation for one in batch], min(stamps), max(stamps))
    except RowRefused as refused:
        if len(batch) == 1:
            yield batch[0], refused
            return
        middle = len(batch) // 2
        yield from write_splitting(store, client_id, batch[:middle])
        yield from write_splitting(store, client_id, batch[middle:])
        return
    yield from zip(batch, outcomes, strict=True)
