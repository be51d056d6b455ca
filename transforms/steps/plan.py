"""Plan: a tenant's mutations as batches, each one transaction."""

from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from transforms.planning.merge.batches import CutBatch, cut_batches
from transforms.planning.merge.fold import Interpreted
from transforms.records.rejects import Step
from transforms.steps.elements import TenantMutations
from transforms.steps.net import Failed, bisected, rejects_of
from transforms.steps.resolve_tenants import REJECTS


class PlanBatches(beam.PTransform):
    """Outputs `main`: batches of one tenant, cut by rows and bytes, in the order in which they are to be written; `rejects`:
    records that could not be planned for, for a defect of the job.
    """

    def __init__(self, rows: int, size_bytes: int) -> None:
        super().__init__()
        self._fn = PlanBatchesFn(rows, size_bytes)

    def expand(self, mutations: beam.PCollection[TenantMutations]) -> Any:
        return mutations | beam.ParDo(self._fn).with_output_types(TenantMutations).with_outputs(REJECTS, main="main")


class PlanBatchesFn(beam.DoFn):
    def __init__(self, rows: int, size_bytes: int) -> None:
        self._rows = rows
        self._size_bytes = size_bytes

    def process(self, tenant: TenantMutations) -> Iterator[TenantMutations | TaggedOutput]:
        client_id = tenant.client_id
        for cut in bisected(tenant.mutations, self._cut) if tenant.mutations else ():
            if isinstance(cut, Failed):
                yield from (TaggedOutput(REJECTS, rejected) for rejected in rejects_of(cut, Step.PLAN, client_id))
            else:
                yield from (TenantMutations(client_id, *batch) for batch in cut)

    def _cut(self, mutations: Sequence[Interpreted]) -> list[CutBatch]:
        return list(cut_batches(mutations, self._rows, self._size_bytes))
