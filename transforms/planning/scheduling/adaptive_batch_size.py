"""How many rows of a tenant one transaction takes: fewer while its graph, or the server, is slow."""

from dataclasses import dataclass
from typing import Final

# A transaction that took longer than so many times what it should halves the next; one that took less than the
# reciprocal of it doubles the next.
_TOLERATED: Final = 2.0


@dataclass(frozen=True, slots=True)
class BatchSizeLimits:
    """rows_least, rows_most: of a transaction. target_s: seconds that one should take."""

    rows_least: int
    rows_most: int
    target_s: float


@dataclass(slots=True)
class AdaptiveBatchSize:
    """One tenant's pace; begins with the most rows.

    A short transaction holds the tenant's lock and its rows' for a short time, gives other tenants their turn, and loses little when
    it is tried again; a long one costs fewer round trips. So it is as long as the server does in `target_s`, about.
    """

    limits: BatchSizeLimits
    _rows: int = 0

    @property
    def rows(self) -> int:
        """Rows of the next transaction, at most."""
        return self._rows or self.limits.rows_most

    def took(self, rows: int, seconds: float) -> None:
        """Learn from a transaction. One with few rows says that it was slow, never that more would be fast."""
        limits = self.limits
        if seconds > limits.target_s * _TOLERATED:
            self._rows = max(limits.rows_least, min(rows, self.rows) // 2)
        elif rows >= self.rows and seconds < limits.target_s / _TOLERATED:
            self._rows = min(limits.rows_most, self.rows * 2)
