"""Which tenants' batches go into one transaction: how much of a full one each is."""

from dataclasses import dataclass
from typing import Final

# A batch of more than this part of a full transaction is written alone: to share the rest saves next to nothing.
MOST_SHARE: Final = 0.5
# Neo4j's lock, and a map of rows, for each tenant: where each has a single row, so many tenants are a full transaction.
MOST_TENANTS: Final = 128


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """What the batches of one transaction may come to: rows as in `weight.py`, bytes of values, tenants."""

    rows: int
    size_bytes: int
    tenants: int = MOST_TENANTS

    def share(self, rows: int, size_bytes: int) -> float:
        """The part of a full transaction that one tenant's batch is, by the limit that it is nearest to.

        Batches whose shares add up to at most 1 keep all limits together.
        """
        return min(1.0, max(rows / self.rows, size_bytes / self.size_bytes, 1 / self.tenants))
