"""Where the graph is and how to reach it; opening it, and telling its faults from those of a row."""

import ssl
from dataclasses import dataclass
from typing import Any, Final

import neo4j
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from transforms.io.faults import InfrastructureFault
from transforms.io.secrets import Secret
from transforms.records.redaction.text import redact_text
from transforms.records.redaction.url import redact_url

# What the server says when it is the values that it cannot take. Every other refusal concerns the server, or is a
# defect of this job (a statement that does not parse, say); neither may turn records into dead letters.
_ROW_FAULTS: Final = (
    "Neo.ClientError.Statement.ArgumentError",
    "Neo.ClientError.Statement.ArithmeticError",
    "Neo.ClientError.Statement.ConstraintVerificationFailed",
    "Neo.ClientError.Statement.TypeError",
    "Neo.ClientError.Schema.ConstraintValidationFailed",
    "Neo.DatabaseError.Statement.ExecutionFailed",
    "Neo.DatabaseError.General.UnknownError",
    "Neo.TransientError.General.MemoryPoolOutOfMemoryError",
    "Neo.TransientError.General.TransactionMemoryLimit",
)
# What ends one transaction and says nothing of the others: a lock that somebody holds, a limit of time or memory, an end
# by an administrator. Whether it is the server after all, a write of no tenant's tells (docs/adr/014).
_TRANSACTION_FAULTS: Final = (
    "Neo.ClientError.Statement.EntityNotFound",
    "Neo.ClientError.Transaction.",
    "Neo.DatabaseError.",
    "Neo.TransientError.General.OutOfMemoryError",
    "Neo.TransientError.General.StackOverFlowError",
    "Neo.TransientError.Transaction.",
)

# How a transaction ends that its own time limit has ended while it was at work.
_OUT_OF_TIME: Final = (
    "Neo.ClientError.Transaction.TransactionTimedOut",
    "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
)
# How it ends where it was waiting for a lock at that moment.
_LOCKED: Final = (
    "Neo.ClientError.Transaction.LockAcquisitionTimeout",
    "Neo.TransientError.Transaction.LockAcquisitionTimeout",
    "Neo.ClientError.Transaction.LockClientStopped",
    "Neo.TransientError.Transaction.LockClientStopped",
)

SCHEMES: Final = tuple(f"{name}{tls}" for name in ("bolt", "neo4j") for tls in ("", "+s", "+ssc"))
_OPENINGS: Final = tuple(f"{scheme}://" for scheme in SCHEMES)


@dataclass(frozen=True, slots=True)
class Neo4jTarget:
    """A database and how to reach it.

    uri: bolt:// or neo4j://, with `+s` for TLS. password: where it is, never itself.
    ca_file: certificates to trust instead of the system's; only with plain schemes, and turns TLS on.
    retry_s: for how long a transaction is tried again while the server is away or busy.
    """

    uri: str
    user: str
    password: Secret
    database: str = "neo4j"
    ca_file: str = ""
    retry_s: float = 30.0

    @property
    def address(self) -> str:
        """The URI as messages show it, without a login."""
        return redact_url(self.uri)

    def open(self, within_s: float | None = None) -> neo4j.Driver:
        """A driver with its own pool; the caller closes it. Connects on first use.

        within_s: how long it may take until the server has let the user in; None: as long as the driver finds right.
        """
        if not self.uri.startswith(_OPENINGS):
            raise InfrastructureFault(f"NEO4J_URI {self.address} cannot be used; it begins with one of {', '.join(_OPENINGS)}.")
        if "@" in self.uri:
            raise InfrastructureFault(f"NEO4J_URI {self.address} holds a login; give it with NEO4J_USER and NEO4J_PASSWORD.")
        options: dict[str, Any] = {} if within_s is None else {"connection_acquisition_timeout": within_s}
        if self.ca_file:
            # The driver would look for it on its first connection, and raise whatever comes.
            self._check_ca_file()
            options |= {"encrypted": True, "trusted_certificates": neo4j.TrustCustomCAs(self.ca_file)}
        try:
            return neo4j.GraphDatabase.driver(
                self.uri,
                auth=(self.user, self.password.read()),
                max_transaction_retry_time=self.retry_s,
                connection_timeout=within_s or 10.0,
                user_agent="graph-build",
                notifications_min_severity="OFF",
                **options,
            )
        except (ValueError, DriverError) as error:
            raise InfrastructureFault(f"NEO4J_URI {self.address} cannot be used ({redact_text(str(error))}); fix it.") from None

    def _check_ca_file(self) -> None:
        try:
            ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            said = error.strerror or error
            raise InfrastructureFault(f"NEO4J_CA_FILE {self.ca_file} cannot be used ({said}); fix its path or content.") from None

    def fault(self, error: Exception) -> InfrastructureFault:
        """The fault that stops the run, in one sentence."""
        said = redact_text(" ".join(str(error).split()))[:300] or type(error).__name__
        if isinstance(error, AuthError):
            return InfrastructureFault(
                f"Neo4j at {self.address} refused the user {self.user} ({said}); fix NEO4J_USER and NEO4J_PASSWORD or NEO4J_PASSWORD_FILE."
            )
        return InfrastructureFault(
            f"Neo4j at {self.address} cannot be used ({said}); nothing after the last committed offsets counts as done: "
            "start it or fix NEO4J_URI, then run again."
        )


def is_row_fault(error: Exception) -> bool:
    """True where the server refused what was sent, so that splitting the batch can find the row."""
    return isinstance(error, Neo4jError) and error.code in _ROW_FAULTS


def is_held_up(error: Exception) -> bool:
    """True where a transaction waited, for a lock or anything else, until its own time limit ended it."""
    return is_lock_fault(error) or is_out_of_time(error)


def is_lock_fault(error: Exception) -> bool:
    """True where a transaction ended while it waited for a lock."""
    return isinstance(error, Neo4jError) and (error.code or "") in _LOCKED


def is_out_of_time(error: Exception) -> bool:
    """True where a transaction's own time limit ended it while it was at work."""
    return isinstance(error, Neo4jError) and (error.code or "") in _OUT_OF_TIME


def is_transaction_fault(error: Exception) -> bool:
    """True where the server ended this transaction, and others may go through: it is there, and let the user in."""
    return isinstance(error, Neo4jError) and str(error.code).startswith(_TRANSACTION_FAULTS)
