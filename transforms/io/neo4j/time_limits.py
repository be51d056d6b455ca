"""How long a transaction may take; apart from the store, so that naming it opens nothing."""

from typing import Final, NamedTuple

WRITE_TIMEOUT_S: Final = 60.0
LOCK_TIMEOUT_S: Final = 5.0


class TimeLimits(NamedTuple):
    """Seconds. transaction_s: after which the server ends a tenant's transaction, whatever it does.

    lock_s: after which one is ended that does nothing but wait for a lock.
    """

    transaction_s: float = WRITE_TIMEOUT_S
    lock_s: float = LOCK_TIMEOUT_S


DEFAULT_LIMITS: Final = TimeLimits()
