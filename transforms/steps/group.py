"""Window and group: all that one window holds of a tenant's shard, together."""

from collections.abc import Iterable

import apache_beam as beam
from apache_beam.transforms.trigger import AccumulationMode, AfterAny, AfterCount, AfterProcessingTime, Repeatedly
from apache_beam.transforms.window import GlobalWindows, TimestampCombiner

from transforms.steps.arrival import ArrivalWindow
from transforms.steps.key_by_tenant import Keyed, TenantShard

Grouped = tuple[TenantShard, Iterable[bytes]]


class WindowByArrival(beam.PTransform):
    """Windows bound the work and never show in the graph. None: a bounded run's slice is its window.

    A streaming job's window opens with a tenant's first arrival and closes by the worker's clock, so that no idle topic
    holds it open and nothing can come too late for it. What it gives is as old as its first arrival.
    """

    def __init__(self, window: ArrivalWindow | None = None) -> None:
        super().__init__()
        self._window = window

    def expand(self, keyed: beam.PCollection[Keyed]) -> beam.PCollection[Keyed]:
        if self._window is None:
            return keyed | beam.WindowInto(GlobalWindows()).with_output_types(Keyed)
        closes = AfterAny(AfterProcessingTime(self._window.window_s), AfterCount(self._window.early_parts))
        windowed = beam.WindowInto(
            GlobalWindows(),
            trigger=Repeatedly(closes),
            accumulation_mode=AccumulationMode.DISCARDING,
            timestamp_combiner=TimestampCombiner.OUTPUT_AT_EARLIEST,
        )
        return keyed | windowed.with_output_types(Keyed)
