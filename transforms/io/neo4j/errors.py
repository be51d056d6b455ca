"""How a transaction of one tenant fails: for its rows, or for the tenant. What fails for all is an InfrastructureFault."""


class RowRefused(Exception):
    """The batch cannot be written for what is in it; the message is the server's or the driver's, without values.

    is_internal: nobody refused it; this job failed at it.
    """

    def __init__(self, said: str, *, is_internal: bool = False) -> None:
        super().__init__(said)
        self.is_internal = is_internal


class TenantFault(Exception):
    """A transaction of one tenant failed, for its rows or for none of them; the server may serve the others.

    The message is the cause in a few words, without values. is_internal: the server had no part in it.
    """

    def __init__(self, said: str, *, is_internal: bool = False) -> None:
        super().__init__(said)
        self.is_internal = is_internal


class TenantLocked(TenantFault):
    """The transaction did nothing but wait for a lock that somebody else holds: no row is at fault."""


class TenantOutOfTime(TenantFault):
    """The transaction reached its time limit while it was at work."""


class NotTogether(Exception):
    """Of several tenants in one transaction some cannot be written so; nothing was written. client_ids: these, to be written alone."""

    def __init__(self, client_ids: frozenset[str]) -> None:
        super().__init__(f"{len(client_ids)} tenants are to be written alone")
        self.client_ids = client_ids
