"""How long a transaction may take; apart from the store, so that naming it opens nothing."""

from typing import Final, NamedTuple

WRITE_TIMEOUT_S: Final = 60.0
LOCK_TIMEOUT_S: Final = 5.0
# Several tenants in one transaction: where one of them takes so long, each is written alone, so that nobody waits for another.
GROUP_S: Final = 15.0
GROUP_LOCK_S: Final = 0.5


class TimeLimits(NamedTuple):
    """Seconds. transaction_s: after which the server ends a tenant's transaction, whatever it does.

    lock_s: after which one is ended that does nothing but wait for a lock. group_s: as transaction_s, of several tenants together.
    """

    transaction_s: float = WRITE_TIMEOUT_S
    lock_s: float = LOCK_TIMEOUT_S
    group_s: float = GROUP_S

    def of_group(self) -> "TimeLimits":
        """The limits of a transaction of several tenants."""
        return TimeLimits(min(self.transaction_s, self.group_s), min(self.lock_s, GROUP_LOCK_S))


DEFAULT_LIMITS: Final = TimeLimits()
