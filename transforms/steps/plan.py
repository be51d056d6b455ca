"""Plan: a tenant's mutations as batches, each one transaction."""

from collections.abc import Iterator

import apache_beam as beam

from transforms.planning.batches import cut_batches
from transforms.steps.elements import TenantMutations


class PlanBatches(beam.PTransform):
    """Batches of one tenant, cut by rows and bytes, in the order in which they are to be written."""

    def __init__(self, rows: int, size_bytes: int) -> None:
        super().__init__()
        self._fn = PlanBatchesFn(rows, size_bytes)

    def expand(self, mutations: beam.PCollection[TenantMutations]) -> beam.PCollection[TenantMutations]:
        return mutations | beam.ParDo(self._fn).with_output_types(TenantMutations)


class PlanBatchesFn(beam.DoFn):
    def __init__(self, rows: int, size_bytes: int) -> None:
        self._rows = rows
        self._size_bytes = size_bytes

    def process(self, tenant: TenantMutations) -> Iterator[TenantMutations]:
        for batch in cut_batches(tenant.mutations, self._rows, self._size_bytes):
            yield TenantMutations(tenant.client_id, batch)
