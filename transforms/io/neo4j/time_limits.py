"""How long a transaction may take; apart from the store, so that naming it opens nothing."""

from typing import Final, NamedTuple

WRITE_TIMEOUT_S: Final = 60.0
LOCK_TIMEOUT_S: Final = 5.0
# Several tenants in one transaction: where one of them takes so long, each is written alone, so that nobody waits for another.
GROUP_S: Final = 15.0
GROUP_LOCK_S: Final = 0.5
# A group of so many tenants has all of `group_s`, a smaller one less: where one of its tenants is slow, the others wait less for it.
_FULL_GROUP: Final = 32
_LEAST_PART: Final = 0.25


class TimeLimits(NamedTuple):
    """Seconds. transaction_s: after which the server ends a tenant's transaction, whatever it does.

    lock_s: after which one is ended that does nothing but wait for a lock. group_s: as transaction_s, of several tenants together.
    """

    transaction_s: float = WRITE_TIMEOUT_S
    lock_s: float = LOCK_TIMEOUT_S
    group_s: float = GROUP_S

    def of_group(self, tenants: int = _FULL_GROUP) -> "TimeLimits":
        """The limits of a transaction of so many tenants."""
        part = min(1.0, max(_LEAST_PART, tenants / _FULL_GROUP))
        return TimeLimits(min(self.transaction_s, self.group_s * part), min(self.lock_s, GROUP_LOCK_S))


DEFAULT_LIMITS: Final = TimeLimits()
