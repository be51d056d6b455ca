"""How the graph is written; apart from the step, so that naming it does not import Beam."""

from dataclasses import dataclass

from transforms.io.neo4j.time_limits import DEFAULT_LIMITS, TimeLimits
from transforms.planning.scheduling.adaptive_batch_size import BatchSizeLimits
from transforms.planning.scheduling.grouping import GroupLimits


@dataclass(frozen=True, slots=True)
class Writing:
    """What the write step is told.

    writers: how many tenants are written at once; each tenant's batches go one after the other.
    limits: of a transaction. max_failures: in a row, that no row explains, set a tenant aside.
    streams: what is written is not run again where a tenant is in quarantine on the way; its records are rejected one by one.
    pace: how many rows a transaction takes; None: as many as a batch.
    groups: how much of several tenants a transaction takes; None: each tenant has its own.
    """

    writers: int
    limits: TimeLimits = DEFAULT_LIMITS
    max_failures: int = 3
    streams: bool = False
    pace: BatchSizeLimits | None = None
    groups: GroupLimits | None = None
