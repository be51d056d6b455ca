"""The book of clusters in the graph: who is known, who was heard, who registered, who has fallen silent.

Whoever holds the lock of one cluster holds up nobody else: what cannot be written in one transaction for all, within a
short time, is written cluster by cluster, and those that are locked are left for the next time.
"""

import atexit
import functools
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import neo4j
import structlog
from neo4j.exceptions import DriverError, Neo4jError

from transforms.io.faults import InfrastructureFault
from transforms.io.neo4j.server_errors import is_held_up, is_row_fault
from transforms.io.neo4j.target import Neo4jTarget
from transforms.model import incident_cypher, tenancy
from transforms.model.graph import BUS_NAME, TENANT_KEY
from transforms.planning.lifecycle.liveness import BusClock, Heard, Judged, Limits, Spans, State, advanced, joined, judge, spans_of
from transforms.records.liveness_signals import SECOND_MS, LivenessSignals, Registered
from transforms.records.outcomes import NO_TENANT
from transforms.records.tenancy.directory import ClusterEntry, Directory, directory_of

_LOG: Final = structlog.get_logger("tenants")
_BUS: Final = {TENANT_KEY: NO_TENANT, "name": BUS_NAME}
_ALL_S: Final = 5.0
_ONE_S: Final = 1.0
# A cluster that was found locked is left alone for so long.
_SHUNNED_S: Final = 60.0
_BUS_LOCKED: Final = "clock of the bus locked"

Row = dict[str, Any]
Rows = list[Row]
T = TypeVar("T")


class TenantRegistry:
    """Reads and writes what the graph knows of clusters; close it with the owner.

    Every fault of the server's is an InfrastructureFault; a cluster that is locked is none.
    """

    def __init__(self, target: Neo4jTarget) -> None:
        self._target = target
        self._driver = target.open()
        self._shunned: dict[str, float] = {}

    def close(self) -> None:
        self._driver.close()

    def directory(self) -> Directory:
        """What is known of all tenants now."""

        def work(tx: neo4j.ManagedTransaction) -> Directory:
            bus = tx.run(tenancy.READ_BUS, _BUS).data()[0]
            entries = [ClusterEntry(**row) for row in tx.run(tenancy.READ_CLUSTERS).data()]
            return directory_of(entries, bus["now_ms"], bus["judged_ms"])

        return self._read(work)

    def states(self) -> dict[State, int]:
        """How many clusters there are in each state."""
        rows = self._read(lambda tx: tx.run(tenancy.COUNT_STATES).data())
        return {State(row["state"]): row["number"] for row in rows}

    def open_incidents(self) -> dict[tuple[str, str], int]:
        """How many incidents are open, by tenant and kind."""
        rows = self._read(lambda tx: tx.run(incident_cypher.COUNT_INCIDENTS, {TENANT_KEY: ""}).data())
        return {(row[TENANT_KEY], row["kind"]): row["number"] for row in rows}

    def take_in(self, signs: LivenessSignals, limits: Limits) -> set[str]:
        """Write what was heard; the tenants that are locked, of which nothing could be written."""
        self._hear_bus(spans_of((second * SECOND_MS for second in signs.seconds), limits.silence_ms), limits)
        locked: set[str] = set()
        greeted = ({TENANT_KEY: one, "seen": signs.seen.get(one) or None} for one in sorted(signs.greeted))
        locked |= self._each(tenancy.GREET, list(greeted))
        heard = ({TENANT_KEY: one, "seen": seen or None} for one, seen in sorted(signs.seen.items()))
        locked |= self._each(tenancy.HEAR, list(heard))
        words = [_registry_row(said) for _, said in sorted(signs.registered.items())]
        return locked | self._each(tenancy.REGISTER, words, shun=False)

    def judge(
        self, limits: Limits, concerns: Callable[[str], bool], may_be_silent: Callable[[str], bool] = lambda _client_id: True
    ) -> list[Judged]:
        """Find out who has fallen silent and who is back, write it down, and tell of those whose state is another.

        concerns: whether a tenant's records are taken in by this run; of others it cannot tell.
        may_be_silent: whether all of a tenant's records could be read; of one whose could not, only that it is back is found out.
        Call it only where all that was there has been read: what is still to come is silence to nobody.
        """

        def look(tx: neo4j.ManagedTransaction) -> tuple[BusClock, BusClock, list[Heard]]:
            row = tx.run(tenancy.LOCK_BUS, _BUS).data()[0]
            before = BusClock(row["clock_ms"], row["judged_ms"], row["judged_at_ms"])
            now = advanced(before, _spans(row["spans"]), row["now_ms"], limits.silence_ms)
            tx.run(tenancy.WRITE_BUS, {**_BUS, "props": {**now._asdict(), "spans": []}}).consume()
            return before, now, [_heard(row) for row in tx.run(tenancy.READ_HEARD).data()]

        try:
            before, now, clusters = self._written(look, _ALL_S)
        except _HeldUp:
            _LOG.warning(
                _BUS_LOCKED, detail="another session holds it, or the graph is slow; nobody is judged now, and the next time all are"
            )
            return []
        heard = {one.client_id: one.heard_ms for one in clusters}
        found = [judged for one in clusters if concerns(one.client_id) and (judged := judge(one, before, now, limits))]
        found = [one for one in found if not one.silent_ms or may_be_silent(one.client_id)]
        rows = [{**one._asdict(), "heard_ms": heard[one.client_id]} for one in sorted(found)]
        locked = self._each(tenancy.SET_STATE, rows)
        told = [one for one in found if one.is_transition and one.client_id not in locked]
        self.tell(_transition(one, now.judged_at_ms) for one in told)
        return told

    def tell(self, episodes: Iterable[Row]) -> None:
        """Keep what happened to clusters: rows of `client_id`, a `key` of their own, and `props`. Safe to repeat."""
        self._each(tenancy.TELL, sorted(episodes, key=lambda row: (row[TENANT_KEY], row["key"])))

    def _hear_bus(self, spans: Spans, limits: Limits) -> None:
        if not spans:
            return

        def work(tx: neo4j.ManagedTransaction) -> None:
            held = _spans(tx.run(tenancy.LOCK_BUS, _BUS).data()[0]["spans"])
            flat = [at for span in joined([*held, *spans], limits.silence_ms) for at in span]
            tx.run(tenancy.WRITE_BUS, {**_BUS, "props": {"spans": flat}}).consume()

        try:
            self._written(work, _ALL_S)
        except _HeldUp:
            # Less is heard than there was, so that the clock of the bus stands meanwhile, and nobody ages.
            _LOG.warning(_BUS_LOCKED, detail="another session holds it, or the graph is slow; what was heard on the bus is not counted")

    def _each(self, statement: str, rows: Rows, *, shun: bool = True) -> set[str]:
        """Write the rows, all at once or else one by one; the tenants that are locked."""
        now = time.monotonic()
        self._shunned = {one: until for one, until in self._shunned.items() if until > now}
        shunned = {row[TENANT_KEY] for row in rows if shun and row[TENANT_KEY] in self._shunned}
        left = [row for row in rows if row[TENANT_KEY] not in shunned]
        if not left or self._try(statement, left, _ALL_S):
            return shunned
        locked = {row[TENANT_KEY] for row in left if not self._try(statement, [row], _ONE_S)}
        for client_id in locked:
            _LOG.warning(
                "cluster locked", client_id=client_id, detail="another session holds its lock; what was heard of it is not written"
            )
        self._shunned |= dict.fromkeys(locked, now + _SHUNNED_S)
        return shunned | locked

    def _try(self, statement: str, rows: Rows, within_s: float) -> bool:
        try:
            self._written(lambda tx: tx.run(statement, {"rows": rows}).consume(), within_s)
        except _HeldUp:
            return False
        except _Refused as refused:
            if len(rows) == 1:
                _LOG.error(
                    "cluster not written",
                    client_id=rows[0][TENANT_KEY],
                    detail=f"the graph refuses what was heard of it: {refused.sentence}",
                )
            return False
        return True

    def _read(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        try:
            with self._driver.session(database=self._target.database) as session:
                return session.execute_read(work)
        except (Neo4jError, DriverError) as error:
            raise self._target.fault(error) from error

    def _written(self, work: Callable[[neo4j.ManagedTransaction], T], within_s: float) -> T:
        try:
            with self._driver.session(database=self._target.database) as session:
                return session.execute_write(neo4j.unit_of_work(timeout=within_s)(work))
        except (Neo4jError, DriverError) as error:
            if is_held_up(error):
                raise _HeldUp(str(error)) from error
            if is_row_fault(error):
                raise _Refused(self._target.fault(error).sentence) from error
            raise self._target.fault(error) from error


class _HeldUp(Exception):
    """A transaction that waited for a lock until its time was up."""


class _Refused(InfrastructureFault):
    """The server refuses values that are written; whose they are, it does not say."""


@functools.cache
def process_tenant_registry(target: Neo4jTarget) -> TenantRegistry:
    """The book that all steps in this process share; open until the process ends."""
    book = TenantRegistry(target)
    atexit.register(book.close)
    return book


def _spans(flat: list[int]) -> Spans:
    return list(zip(flat[::2], flat[1::2], strict=True))


def _heard(row: Row) -> Heard:
    return Heard(row[TENANT_KEY], State(row["state"]), row["heard_ms"], row["silent_clock_ms"], row["dead_clock_ms"])


def _registry_row(said: Registered) -> Row:
    """What a cluster's registration leaves on it; what was taken back stays to be read, beside the time of that."""
    body = said.registration
    row = {TENANT_KEY: said.client_id, "ver": said.ver, "gone": body is None, "at": said.at_ms if said.is_broker_time else None}
    if body is None:
        return {**row, "props": {"registry_ver": said.ver, "registered": False}}
    labels = sorted(f"{key}={value}" for key, value in (body.labels or {}).items())
    told = {"registered_at": said.registered_ms, "cluster": body.cluster, "labels": labels}
    return {**row, "props": {"registry_ver": said.ver, "registered": True, **told}}


def _transition(one: Judged, at_ms: int) -> Row:
    said = f"{one.before} became {one.state}"
    quiet = f" after {one.silent_ms / 1000:.0f} s without a sign of life" if one.silent_ms else ""
    props = {"etype": "cluster.state", "reason": str(one.state), "message": said + quiet}
    return {TENANT_KEY: one.client_id, "key": f"{at_ms} {one.state}", "props": props}
