"""Window and group: all that one window holds of a tenant's shard, together."""

from collections.abc import Iterable

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

from transforms.steps.key_by_tenant import Keyed, TenantShard

Grouped = tuple[TenantShard, Iterable[bytes]]


class WindowByArrival(beam.PTransform):
    """One window a slice: a bounded run's slice is its window. Windows bound the work and never show in the graph."""

    def expand(self, keyed: beam.PCollection[Keyed]) -> beam.PCollection[Keyed]:
        return keyed | beam.WindowInto(GlobalWindows()).with_output_types(Keyed)
