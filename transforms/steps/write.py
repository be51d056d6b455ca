"""Write: one transaction per batch; a batch that the graph refuses is split until the row is found."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

import apache_beam as beam
import structlog
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.io.neo4j_graph import RowRefused, process_store
from transforms.io.neo4j_target import Neo4jTarget
from transforms.io.tenant_queues import TenantQueues
from transforms.planning.changes import Written
from transforms.planning.fold import Interpreted
from transforms.planning.mutations import Mutation
from transforms.records.outcomes import Outcome, Tally
from transforms.records.rejects import Fault, Reason, Reject, Step, reject
from transforms.steps.elements import TenantMutations
from transforms.steps.metrics import count_outcomes, count_rows, count_write_time
from transforms.steps.resolve_tenants import REJECTS

_LOG = structlog.get_logger("write")


class BatchStore(Protocol):
    """What writing needs of a store; `write_batch` raises RowRefused where the rows are at fault."""

    def write_batch(self, client_id: str, mutations: Sequence[Mutation], first_seen: int | None = None) -> Written: ...


Result = tuple[Interpreted, Outcome | RowRefused]


class Settled(NamedTuple):
    """A batch whose transactions have ended: what became of each mutation, and the rows that were committed."""

    client_id: str
    results: list[Result]
    rows: int


_REMEDY: Final = "the record is in the dead letters with its coordinates; mend it at the producer"
# Batches held per writer: enough that one is planned while another is written, few enough for flat memory.
_HELD_PER_WRITER: Final = 3


class WriteGraph(beam.PTransform):
    """Output `rejects`: records that the graph refused. Outcomes are counted once their transaction has committed.

    writers: how many tenants are written at once; each tenant's batches go one after the other.
    """

    def __init__(self, target: Neo4jTarget, writers: int) -> None:
        super().__init__()
        self._fn = WriteGraphFn(target, writers)

    def expand(self, batches: beam.PCollection[TenantMutations]) -> Any:
        return batches | beam.ParDo(self._fn).with_outputs(REJECTS, main="main")


class WriteGraphFn(beam.DoFn):
    def __init__(self, target: Neo4jTarget, writers: int) -> None:
        self._target = target
        self._writers = writers
        self._queues: TenantQueues[Sequence[Interpreted], Settled] | None = None
        self._rejects: list[Reject] = []
        self._busy_s = 0.0

    def setup(self) -> None:
        # Slices come and go with their pipelines; connections and mirrors stay.
        write = functools.partial(write_splitting, process_store(self._target))
        self._queues = TenantQueues(write, self._writers, self._writers * _HELD_PER_WRITER)

    def teardown(self) -> None:
        if self._queues is not None:
            self._queues.close()

    def start_bundle(self) -> None:
        self._rejects, self._busy_s = [], self._queues.busy_s if self._queues else 0.0

    def process(self, batch: TenantMutations) -> None:
        assert self._queues is not None
        self._settle(self._queues.submit(batch.client_id, batch.mutations))

    def finish_bundle(self) -> Iterator[TaggedOutput]:
        assert self._queues is not None
        self._settle(self._queues.drain())
        count_write_time(self._queues.busy_s - self._busy_s)
        window = GlobalWindow()
        for one in self._rejects:
            yield TaggedOutput(REJECTS, WindowedValue(one, window.max_timestamp(), [window]))

    def _settle(self, done: list[Settled]) -> None:
        """Count in this thread: the runner knows of no other."""
        settled = Tally()
        for client_id, results, _ in done:
            for one, outcome in results:
                if one.record is None:
                    if isinstance(outcome, RowRefused):
                        _LOG.error("a further row of a record was refused", client_id=client_id, ver=one.mutation.ver, detail=str(outcome))
                    continue
                if isinstance(outcome, RowRefused):
                    fault = Fault(Reason.GRAPH_REFUSED, f"Neo4j refused the row ({outcome}); {_REMEDY}")
                    self._rejects.append(reject(one.record, client_id, Step.WRITE, fault))
                else:
                    settled[client_id, outcome] += 1
        count_outcomes(settled)
        count_rows(sum(one.rows for one in done))


def _first_seen(batch: Sequence[Interpreted]) -> int | None:
    """When the broker got the first of the batch's records; None where it does not say."""
    return min((one.record.timestamp_ms for one in batch if one.record is not None and one.record.is_broker_time), default=None)


def write_splitting(store: BatchStore, client_id: str, batch: Sequence[Interpreted]) -> Settled:
    """Write the batch; where it is refused, its halves, down to the row that is at fault."""
    try:
        outcomes, rows = store.write_batch(client_id, [one.mutation for one in batch], _first_seen(batch))
    except RowRefused as refused:
        if len(batch) == 1:
            return Settled(client_id, [(batch[0], refused)], 0)
        middle = len(batch) // 2
        left, right = (write_splitting(store, client_id, half) for half in (batch[:middle], batch[middle:]))
        return Settled(client_id, left.results + right.results, left.rows + right.rows)
    return Settled(client_id, list(zip(batch, outcomes, strict=True)), rows)
