"""How many rows the slice at work holds so far, which nobody can tell from its bytes: a few of them can say a great deal."""

from typing import Final


class SliceLoad:
    """Filled by the step that knows what records mean, asked by the one that reads more of them.

    One per process: the two are fused, and a reader's next chunk is taken once the last one has been worked on. Where a runner
    keeps them apart it never fills, and slices are bounded by records, bytes and what the ones before came to.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._most = 0

    def begin(self, most: int) -> None:
        """A slice of at most so many rows begins; 0: of any number."""
        self._rows, self._most = 0, most

    def add(self, rows: int) -> None:
        self._rows += rows

    @property
    def is_full(self) -> bool:
        return 0 < self._most <= self._rows


PROCESS_LOAD: Final = SliceLoad()
