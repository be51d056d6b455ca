"""What a step keeps of a bundle's times: what it gives at the bundle's end must not seem to have arrived later than it did.

On a streaming runner the watermark tells how far everything has been worked off; a chunk that carried a later time than its
earliest record would let the watermark, and with it the offsets that are told as done, run ahead of the graph.
"""

from typing import TypeVar

from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp
from apache_beam.utils.windowed_value import WindowedValue

T = TypeVar("T")


class BundleTimes:
    """The earliest and the latest time of a bundle's elements; make a new one at its start.

    In a bounded run all elements have the same time, long past.
    """

    __slots__ = ("earliest", "latest")

    def __init__(self) -> None:
        self.earliest: Timestamp = MAX_TIMESTAMP
        self.latest: Timestamp | None = None

    def note(self, timestamp: Timestamp) -> None:
        """An element of that time was taken in."""
        self.earliest = min(self.earliest, timestamp)
        if self.latest is None or timestamp > self.latest:
            self.latest = timestamp

    def at_earliest(self, value: T) -> WindowedValue:
        """The value as `finish_bundle` gives it, as old as the oldest that it was made of."""
        window = GlobalWindow()
        return WindowedValue(value, min(self.earliest, window.max_timestamp()), [window])

    def at_latest(self, value: T) -> WindowedValue:
        """The value as `finish_bundle` gives it, as young as the youngest that it was made of."""
        window = GlobalWindow()
        latest = window.max_timestamp() if self.latest is None else self.latest
        return WindowedValue(value, min(latest, window.max_timestamp()), [window])
