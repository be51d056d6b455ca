"""Transactions on the graph, each within a time limit, and what their failures mean."""

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import neo4j
from neo4j.exceptions import DriverError, Neo4jError, ResultFailedError

from transforms.io.faults import InfrastructureFault
from transforms.io.neo4j.errors import NotTogether, RowRefused, TenantFault, TenantLocked, TenantOutOfTime
from transforms.io.neo4j.lock_watch import LockWatch
from transforms.io.neo4j.purge import Ask
from transforms.io.neo4j.server_errors import is_lock_fault, is_out_of_time, is_row_fault, is_transaction_fault
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.neo4j.tenant_transaction import Unsendable
from transforms.io.neo4j.time_limits import DEFAULT_LIMITS, TimeLimits
from transforms.io.unforeseen import unforeseen
from transforms.model import inspection
from transforms.model.graph import TENANT_KEY
from transforms.planning.facts.changes import TooMany
from transforms.records.rejects import Step

# Statements of the job's own: a lease, a mark, a page of a sweep or a purge.
ASK_TIMEOUT_S: Final = 60.0
_AGAIN_S: Final = 1.0
T = TypeVar("T")


class LeftUndone(Exception):
    """Ends a transaction that is to leave nothing behind; its kinds are for who raised them to catch."""


_FORESEEN: Final = (InfrastructureFault, RowRefused, TenantFault, TooMany, NotTogether, LeftUndone)


class GraphSession:
    """Runs transactions. One driver for its life; open and close it with the owner.

    The driver's managed transactions are the only retry layer: what they give up on is a tenant's fault or the
    infrastructure's. Different tenants may be written from several threads at once.

    limits: of a tenant's transaction. Every other transaction has a limit of its own.
    """

    def __init__(self, target: Neo4jTarget, limits: TimeLimits = DEFAULT_LIMITS) -> None:
        self._target = target
        self._limits = limits
        self._driver = target.open()
        self._locks = LockWatch(self._driver, target.database)

    def close(self) -> None:
        self._locks.close()
        self._driver.close()

    def _session(self) -> neo4j.Session:
        return self._driver.session(database=self._target.database)

    def server_agent(self) -> str:
        """What the server calls itself, such as `Neo4j/5.26.0`."""
        return self._guarded(lambda: self._driver.get_server_info().agent)

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (Neo4jError, DriverError) as error:
            if is_row_fault(error):
                raise RowRefused(f"{getattr(error, 'code', '')}") from error
            raise self._target.fault(error) from error

    def _of_tenant(self, work: Callable[[neo4j.ManagedTransaction], T], timeout_s: float, lock_s: float | None = None) -> T:
        """A transaction on one tenant, or several: what ends it alone is a TenantFault, a defect of this job a row's until it is found.

        lock_s: in place of `limits.lock_s`.
        """

        def run() -> T:
            with self._locks.watching(self._limits.lock_s if lock_s is None else lock_s) as mark:
                limited = neo4j.unit_of_work({inspection.TRANSACTION_MARK: mark}, timeout_s)(work)
                try:
                    return self._execute(limited)
                except Neo4jError as error:
                    if is_row_fault(error) or not is_transaction_fault(error):
                        raise
                    raise _tenant_fault(error, self._locks.blocker(mark)) from error
                except Unsendable as error:
                    raise RowRefused(str(error)) from error
                except (*_FORESEEN, DriverError):
                    raise
                except Exception as error:
                    raise RowRefused(unforeseen(error, Step.WRITE).detail, is_internal=True) from error

        return self._guarded(run)

    def ask(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run one statement of the model's in a transaction of its own, within `ASK_TIMEOUT_S`; its rows."""

        return self._guarded(lambda: self._in_transaction(lambda ask: ask(statement, **parameters)))

    def transact(self, work: Callable[[Ask], T]) -> T:
        """Run statements that bind nothing of a record's in one transaction, within `ASK_TIMEOUT_S`; what `work` makes of their rows.

        work: is given what runs a statement; may be run again. Whatever the server refuses is an InfrastructureFault.
        """

        try:
            return self._guarded(lambda: self._in_transaction(work))
        except RowRefused as refused:
            raise InfrastructureFault(
                f"Neo4j at {self._target.address} refused a statement of the job's own ({refused}); see its log, then run again."
            ) from refused

    def _in_transaction(self, work: Callable[[Ask], T]) -> T:
        return self._execute(neo4j.unit_of_work(timeout=ASK_TIMEOUT_S)(asking(work)))

    def _execute(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        """Run a managed transaction; what it fails with is what the server said.

        A connection whose transaction failed goes back to the pool at once. Where another thread takes it before the driver closes the
        transaction, the driver (6.4) raises ResultFailedError in place of the failure, and does not try again what it would have.
        """
        until = time.monotonic() + self._target.retry_s
        while True:
            try:
                with self._session() as session:
                    return session.execute_write(work)
            except ResultFailedError as error:
                if not isinstance(error.__cause__, Neo4jError):
                    raise
                if not error.__cause__.is_retryable() or time.monotonic() > until:
                    raise error.__cause__ from error
                time.sleep(_AGAIN_S)

    def run_alone(self, query: neo4j.Query, **parameters: Any) -> None:
        """Run a statement that opens a transaction of its own, as those of the schema do."""

        def work() -> None:
            with self._session() as session:
                session.run(query, parameters).consume()

        self._guarded(work)

    @property
    def limits(self) -> TimeLimits:
        return self._limits

    def ask_tenant(self, statement: str, client_id: str, timeout_s: float, **parameters: Any) -> list[dict[str, Any]]:
        """As `ask`, of one tenant; TenantFault where the server ends the transaction, as after `timeout_s` in front of a lock."""
        return self._of_tenant(_rows_of(statement, {TENANT_KEY: client_id, **parameters}), timeout_s)

    def transact_tenants(self, work: Callable[[neo4j.ManagedTransaction], T], limits: TimeLimits) -> T:
        """Run `work` in one transaction on several tenants; faults as those of `ask_tenant`, of any of them."""
        return self._of_tenant(work, limits.transaction_s, limits.lock_s)


def _tenant_fault(error: Neo4jError, blocker: str) -> TenantFault:
    """blocker: what the server said the transaction was blocked by; "" where nobody asked."""
    if blocker or is_lock_fault(error):
        said = f", {blocker[0].lower()}{blocker[1:]}" if blocker else ""
        return TenantLocked(f"another session holds a lock of the tenant's{said} ({error.code})")
    return TenantOutOfTime(str(error.code)) if is_out_of_time(error) else TenantFault(str(error.code))


def asking(work: Callable[[Ask], T]) -> Callable[[neo4j.ManagedTransaction], T]:
    return lambda tx: work(lambda statement, **parameters: [row.data() for row in tx.run(statement, parameters)])


def _rows_of(statement: str, parameters: dict[str, Any]) -> Callable[[neo4j.ManagedTransaction], list[dict[str, Any]]]:
    return lambda tx: [row.data() for row in tx.run(statement, parameters)]
