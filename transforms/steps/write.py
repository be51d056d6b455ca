"""Write: one transaction per batch; a row that the graph refuses is rejected, a tenant that cannot be written is quarantined."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import apache_beam as beam
import structlog
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.timestamp import Timestamp

from transforms.io.graph_sink import GraphSink
from transforms.io.neo4j.errors import RowRefused
from transforms.io.tenant_queues import TenantQueues
from transforms.model.metrics import DRIFT, QUARANTINED, WRITTEN_ROWS
from transforms.planning.merge.fold import Interpreted
from transforms.records.outcomes import Outcome, Tally
from transforms.records.rejects import Fault, Reason, Reject, Step, reject
from transforms.steps.bundle import BundleTimes
from transforms.steps.elements import TenantMutations
from transforms.steps.lines import LINES
from transforms.steps.metrics import count, count_batches, count_outcomes, count_write_time
from transforms.steps.net import flush
from transforms.steps.quarantine import held
from transforms.steps.resolve_tenants import REJECTS
from transforms.steps.write_tenant import Settled, TenantWriter
from transforms.steps.writing import Writing

_LOG = structlog.get_logger("write")

_REMEDY: Final = "the record is in the dead letters with its coordinates; mend it at the producer"
# Batches held per writer: enough that one is planned while another is written, few enough for flat memory.
_HELD_PER_WRITER: Final = 3


class WriteGraph(beam.PTransform):
    """Outputs `main`: nothing, ever, but its watermark tells how far the graph holds what came; `rejects`: records that the
    graph refused. Outcomes are counted once their transaction has committed.

    Of a tenant that is in quarantine meanwhile, what is not written has no outcome: the whole is to be run again, and
    `RejectQuarantined` then rejects all of that tenant's records. In a stream, which is not run again, what is at hand is rejected.
    """

    def __init__(self, graph: GraphSink, writing: Writing) -> None:
        super().__init__()
        self._fn = WriteGraphFn(graph, writing)

    def expand(self, batches: beam.PCollection[TenantMutations]) -> Any:
        return batches | beam.ParDo(self._fn).with_output_types(bytes).with_outputs(REJECTS, main="main")


class WriteGraphFn(beam.DoFn):
    def __init__(self, graph: GraphSink, writing: Writing) -> None:
        self._graph = graph
        self._writing = writing
        self._queues: TenantQueues[Sequence[Interpreted], Settled] | None = None
        self._writer: TenantWriter | None = None
        self._rejects: list[Reject] = []
        self._busy_s = 0.0
        self._times = BundleTimes()

    def setup(self) -> None:
        # Slices come and go with their pipelines; connections and mirrors stay.
        how = self._writing
        store = self._graph.store(how.limits)
        self._writer = TenantWriter(store, self._graph.quarantine(how.limits), how.max_failures, pace=how.pace)
        self._queues = TenantQueues(self._writer.write, how.writers, how.writers * _HELD_PER_WRITER)

    def teardown(self) -> None:
        if self._queues is not None:
            self._queues.close()

    def start_bundle(self) -> None:
        assert self._queues is not None
        assert self._writer is not None
        self._rejects, self._busy_s, self._times = [], self._queues.busy_s, BundleTimes()
        if self._writing.streams:
            quarantine = self._graph.quarantine(self._writing.limits)
            self._writer.heed(lambda: quarantine.causes(released=False))

    def process(self, batch: TenantMutations, timestamp: Timestamp = beam.DoFn.TimestampParam) -> None:
        assert self._queues is not None
        self._times.note(timestamp)
        self._settle(self._queues.submit(batch.client_id, batch.mutations))

    def finish_bundle(self) -> Iterator[TaggedOutput]:
        assert self._queues is not None
        self._settle(self._queues.drain())
        count_write_time(self._queues.busy_s - self._busy_s)
        flush()
        for one in self._rejects:
            yield TaggedOutput(REJECTS, self._times.at_earliest(one))

    def _settle(self, done: list[Settled]) -> None:
        """Count in this thread: the runner knows of no other."""
        settled = Tally()
        for batch in done:
            client_id = batch.client_id
            if batch.set_aside:
                self._leave(batch)
                continue
            count_batches(batch.seconds)
            for what, objects in batch.drift._asdict().items():
                if objects:
                    count(DRIFT, objects, client_id, what)
            for one, outcome in batch.results:
                if one.absorbed:
                    settled[client_id, Outcome.SUPERSEDED] += len(one.absorbed)
                if one.record is None:
                    if isinstance(outcome, RowRefused) and LINES.has_room(client_id, "further"):
                        _LOG.error("a further row of a record was refused", client_id=client_id, ver=one.mutation.ver, detail=str(outcome))
                    continue
                if isinstance(outcome, RowRefused):
                    self._rejects.append(reject(one.record, client_id, Step.WRITE, _fault_of(outcome)))
                else:
                    settled[client_id, outcome] += 1
        count_outcomes(settled)
        count(WRITTEN_ROWS, sum(one.rows for one in done))

    def _leave(self, batch: Settled) -> None:
        """What becomes of a batch whose tenant is in quarantine."""
        count(QUARANTINED, 1, batch.client_id, "tenant")
        if self._writing.streams:
            records = (record for one in batch.left for record in (one.record, *one.absorbed) if record is not None)
            self._rejects += [held(record, batch.client_id, batch.set_aside) for record in records]


def _fault_of(refused: RowRefused) -> Fault:
    if refused.is_internal:
        return Fault(Reason.INTERNAL, str(refused), parsed=False)
    return Fault(Reason.GRAPH_REFUSED, f"the graph refused the row ({refused}); {_REMEDY}")
