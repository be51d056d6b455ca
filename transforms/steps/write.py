"""Write: batches of one tenant or several, a transaction each; a row that the graph refuses is rejected, a tenant that cannot be
written is quarantined."""

from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam
import structlog
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.timestamp import Timestamp

from transforms.io.graph_sink import GraphSink
from transforms.io.neo4j.errors import RowRefused
from transforms.io.tenant_queues import TenantQueues
from transforms.model.metrics import DRIFT, FRESH, FRESHNESS, QUARANTINED, WRITTEN_ROWS
from transforms.records.outcomes import Outcome, Tally
from transforms.records.rejects import Fault, Reason, Reject, Step, reject
from transforms.steps.bundle import BundleTimes
from transforms.steps.elements import TenantMutations
from transforms.steps.lines import LINES
from transforms.steps.metrics import count, count_batches, count_outcomes, count_write_time
from transforms.steps.net import flush
from transforms.steps.quarantine import held
from transforms.steps.resolve_tenants import REJECTS
from transforms.steps.write_group import Batch, GroupWriter
from transforms.steps.write_tenant import Settled, TenantWriter
from transforms.steps.writing import Writing

_LOG = structlog.get_logger("write")

_REMEDY: Final = "the record is in the dead letters with its coordinates; mend it at the producer"
# The ids of tenants whose graph a bundle has written, and in which something is or may be wrong.
TOUCHED: Final = "touched"
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
        return batches | beam.ParDo(self._fn).with_output_types(bytes).with_outputs(REJECTS, TOUCHED, main="main")


class WriteGraphFn(beam.DoFn):
    def __init__(self, graph: GraphSink, writing: Writing) -> None:
        self._graph = graph
        self._writing = writing
        self._queues: TenantQueues[Batch, Settled] | None = None
        self._writer: TenantWriter | None = None
        self._rejects: list[Reject] = []
        self._touched: set[str] = set()
        self._busy_s = 0.0
        self._times = BundleTimes()

    def setup(self) -> None:
        # Slices come and go with their pipelines; connections and mirrors stay.
        how = self._writing
        store = self._graph.store(how.limits)
        self._writer = TenantWriter(store, self._graph.quarantine(how.limits), how.max_failures, pace=how.pace)
        groups = GroupWriter(store, self._writer, how.groups, how.pace)
        self._queues = TenantQueues(groups.write, how.writers, how.writers * _HELD_PER_WRITER, groups.share)

    def teardown(self) -> None:
        if self._queues is not None:
            self._queues.close()

    def start_bundle(self) -> None:
        assert self._queues is not None
        assert self._writer is not None
        self._rejects, self._busy_s, self._times = [], self._queues.busy_s, BundleTimes()
        self._touched = set()
        if self._writing.streams:
            quarantine = self._graph.quarantine(self._writing.limits)
            self._writer.heed(lambda: quarantine.causes(released=False))

    def process(self, batch: TenantMutations, timestamp: Timestamp = beam.DoFn.TimestampParam) -> None:
        assert self._queues is not None
        self._times.note(timestamp)
        self._settle(self._queues.submit(batch.client_id, Batch(*batch[1:])))

    def finish_bundle(self) -> Iterator[TaggedOutput]:
        assert self._queues is not None
        self._settle(self._queues.drain())
        count_write_time(self._queues.busy_s - self._busy_s)
        flush()
        for one in self._rejects:
            yield TaggedOutput(REJECTS, self._times.at_earliest(one))
        for client_id in sorted(self._touched):
            yield TaggedOutput(TOUCHED, self._times.at_earliest(client_id))

    def _settle(self, done: list[Settled]) -> None:
        """Count in this thread: the runner knows of no other."""
        settled = Tally()
        for batch in done:
            client_id = batch.client_id
            if batch.set_aside:
                self._leave(batch)
                continue
            if not batch.is_quiet:
                self._touched.add(client_id)
            count_batches(batch.seconds)
            _count_drift(batch)
            oldest_ms = batch.ended_ms
            for one, outcome in batch.results:
                if one.absorbed:
                    settled[client_id, Outcome.SUPERSEDED] += len(one.absorbed)
                if one.record is None:
                    if isinstance(outcome, RowRefused) and LINES.has_room(client_id, "further"):
                        _LOG.error("a further row of a record was refused", client_id=client_id, ver=one.mutation.ver, detail=str(outcome))
                    continue
                # A record without a time has 0 or less.
                if 0 < one.record.timestamp_ms < oldest_ms:
                    oldest_ms = one.record.timestamp_ms
                if isinstance(outcome, RowRefused):
                    self._rejects.append(reject(one.record, client_id, Step.WRITE, _fault_of(outcome)))
                else:
                    settled[client_id, outcome] += 1
            count(FRESHNESS, batch.ended_ms - oldest_ms, client_id)
            count(FRESH, 1, client_id)
        count_outcomes(settled)
        count(WRITTEN_ROWS, sum(one.rows for one in done))

    def _leave(self, batch: Settled) -> None:
        """What becomes of a batch whose tenant is in quarantine."""
        count(QUARANTINED, 1, batch.client_id, "tenant")
        if self._writing.streams:
            records = (record for one in batch.left for record in (one.record, *one.absorbed) if record is not None)
            self._rejects += [held(record, batch.client_id, batch.set_aside) for record in records]


def _count_drift(batch: Settled) -> None:
    for what, objects in batch.drift._asdict().items():
        if objects:
            count(DRIFT, objects, batch.client_id, what)


def _fault_of(refused: RowRefused) -> Fault:
    if refused.is_internal:
        return Fault(Reason.INTERNAL, str(refused), parsed=False)
    return Fault(Reason.GRAPH_REFUSED, f"the graph refused the row ({refused}); {_REMEDY}")
