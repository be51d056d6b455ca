"""What the server refused, by its error: rows, a lock, time, or the transaction; all else concerns the server as a whole."""

from typing import Final

from neo4j.exceptions import Neo4jError

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
