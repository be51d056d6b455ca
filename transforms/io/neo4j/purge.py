"""Purging: all of a tenant's graph goes, in bounded slices, after the tenant's floors were raised above all of it.

The floors come first, so that no record of what is purged brings any of it back. All that a purge knows of itself stands on
the tenant's `:Cluster`, counts included, written by the transaction that it tells of: a purge that is killed anywhere is
gone on with by whoever comes next, a command or a writer that has a new life to write, also both at once. Other tenants'
writes go on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from transforms.io.faults import InfrastructureFault
from transforms.model import purge as statements
from transforms.model.graph import BUS_NAME, TENANT_KEY
from transforms.model.limits import AHEAD_US, PURGE_ROWS
from transforms.planning.lifecycle.reaping import TenantStatus, Verdict, standing_of
from transforms.records.outcomes import NO_TENANT
from transforms.records.record import from_microseconds, t_of, time_limit

T = TypeVar("T")
Rows = list[dict[str, Any]]
Ask = Callable[..., Rows]
OnProgress = Callable[[int], None]


class Store(Protocol):
    """What a purge needs of a store: statements of the model's run in one transaction, which may be run again."""

    def transact(self, work: Callable[[Ask], T]) -> T: ...


@dataclass(frozen=True, slots=True)
class Found:
    """A tenant as its `:Cluster` tells of it; now_ms: by the server's clock."""

    standing: TenantStatus
    props: dict[str, Any]
    now_ms: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much a tenant has. nodes: of what people query; bookkeeping: tombstones."""

    nodes: int = 0
    bookkeeping: int = 0
    relationships: int = 0


@dataclass(frozen=True, slots=True)
class Purged:
    """A purge that has ended, as its episode tells of it; times in milliseconds since 1970, by the server's clock."""

    why: str
    by: str
    began_ms: int
    ended_ms: int
    nodes: int
    relationships: int


@dataclass(frozen=True, slots=True)
class Begun:
    """Whether a tenant's purge is under way. verdict: what its standing came to, under its lock; started: None where it is not."""

    verdict: Verdict
    started: int | None


def tenants_found(store: Store, client_id: str = "") -> list[Found]:
    """The tenants, in order; with a client_id that one, none where it does not exist."""

    def work(ask: Ask) -> Rows:
        return ask(statements.TENANT_STANDING, **{TENANT_KEY: client_id}) if client_id else ask(statements.TENANTS_STANDING)

    return [_found(row) for row in store.transact(work)]


def _found(row: dict[str, Any]) -> Found:
    props = row["props"]
    return Found(standing_of(props[TENANT_KEY], props), props, row["now_ms"])


def bus_clock(store: Store) -> int | None:
    """The bus's clock in milliseconds; None where nobody was heard yet."""
    return store.transact(_bus_clock)


def _bus_clock(ask: Ask) -> int | None:
    rows = ask(statements.BUS_CLOCK, **{TENANT_KEY: NO_TENANT, "name": BUS_NAME})
    return rows[0]["clock_ms"] if rows else None


def episodes(store: Store, client_id: str, most: int) -> Rows:
    """What happened to the cluster itself, the newest first."""
    rows = store.transact(lambda ask: ask(statements.CLUSTER_EPISODES, **{TENANT_KEY: client_id}, most=most))
    return [row["props"] for row in rows]


def sizes(store: Store, client_id: str) -> Sizes:
    """How much the tenant has, counted."""

    def work(ask: Ask) -> Sizes:
        nodes = {node: _number(ask, statements.COUNT_NODES[node.label], client_id) for node in statements.PURGED}
        between = sum(_number(ask, statement, client_id) for statement in statements.COUNT_RELATIONSHIPS.values())
        queried = sum(number for node, number in nodes.items() if node.digest)
        return Sizes(queried, sum(nodes.values()) - queried, between)

    return store.transact(work)


def _number(ask: Ask, statement: str, client_id: str) -> int:
    return int(ask(statement, **{TENANT_KEY: client_id})[0]["number"])


def begin(store: Store, client_id: str, by: str, judge: Callable[[TenantStatus, int | None], Verdict]) -> Begun | None:
    """Begin the tenant's purge where `judge` still wants it under the tenant's lock; None where there is no such tenant.

    Both floors come to at least the server's time and the greatest version that is stored, since a tenant's clock may run ahead, by
    a day at most: a later one would keep the tenant out until then.
    A purge that is under way already is left as it is, to be gone on with.
    """
    tenant = {TENANT_KEY: client_id}

    def work(ask: Ask) -> Begun | None:
        rows = ask(statements.LOCK_STANDING, **tenant)
        if not rows:
            return None
        found = _found(rows[0])
        verdict = judge(found.standing, _bus_clock(ask))
        if found.standing.purging:
            return Begun(verdict, found.props["purge_started"])
        if verdict.why is None:
            return Begun(verdict, None)
        latest = time_limit(found.now_ms * 1000 + AHEAD_US)
        floor = _floor(ask, client_id, found.now_ms, latest)
        ask(statements.BEGIN_PURGE, **tenant, floor=floor, latest=latest, by=by, reason=verdict.why, now_ms=found.now_ms)
        return Begun(verdict, found.now_ms)

    return store.transact(work)


def _floor(ask: Ask, client_id: str, now_ms: int, latest: str) -> str:
    asked = (*statements.GREATEST_OF_NODES.values(), *statements.GREATEST_OF_RELATIONSHIPS.values())
    greatest = max(ask(statement, **{TENANT_KEY: client_id}, latest=latest)[0]["ver"] or "" for statement in asked)
    return max(time_limit(now_ms * 1000), time_limit(int(t_of(greatest))) if greatest else "")


def restore(store: Store, client_id: str, by: str) -> str | None:
    """Take the tenant's floors away, so that records from before its purge are taken in where they are read again.

    The floor that a purge had raised; None where there is no such tenant, no such floor, or the purge is under way. by: who asks.
    """
    rows = store.transact(lambda ask: ask(statements.RESTORE, **{TENANT_KEY: client_id}, by=by))
    return str(rows[0]["floor"]) if rows else None


def floor_time(floor: str) -> datetime:
    """The time up to which records are below the floor, in UTC."""
    return from_microseconds(int(t_of(floor)))


def go_on(
    store: Store, client_id: str, started: int, by: str, slice_rows: int = PURGE_ROWS, progress: OnProgress = lambda _gone: None
) -> Purged:
    """Take away what is left of the tenant, relationships first, and end the purge; what all of it came to, whoever did it.

    started: names the purge, as `begin` told. by: who ends it. slice_rows: relationships or nodes a transaction, at least 2.
    progress: told how many more are gone. InfrastructureFault where the server cannot be used: what is gone is gone, and the
    next one goes on.
    """
    tenant = {TENANT_KEY: client_id, "started": started}
    at_work = all(_without_relationships(store, label, tenant, slice_rows, progress) for label in statements.PURGE_RELATIONSHIPS)
    if at_work and all(_without_nodes(store, label, tenant, slice_rows, progress) for label in statements.PURGE_NODES):
        store.transact(lambda ask: ask(statements.END_PURGE, **tenant, by=by))
    told = store.transact(lambda ask: ask(statements.PURGE_TOLD, **tenant))
    if not told:
        raise InfrastructureFault(
            f"The purge of {client_id} that began at {started} ms is gone from the graph, and no episode tells of its end: "
            "somebody else changed the :Cluster; see `tenants show`, then begin again."
        )
    return _purged(told[0]["purged"])


def end_under_way(store: Store, client_id: str, by: str) -> None:
    """End the tenant's purge where one is under way."""
    for found in tenants_found(store, client_id):
        if found.standing.purging:
            go_on(store, client_id, found.props["purge_started"], by)


def _purged(episode: dict[str, Any]) -> Purged:
    return Purged(episode["reason"], episode["by"], episode["began_ms"], episode["at_ms"], episode["nodes"], episode["relationships"])


def _without_relationships(store: Store, label: str, tenant: dict[str, Any], most: int, progress: OnProgress) -> bool:
    """Take away what begins at the nodes of a label; False where somebody else has ended the purge meanwhile."""
    at = ""
    while True:
        rows = _slice(store, statements.PURGE_RELATIONSHIPS[label], {**tenant, "at": at, "most": most})
        if not rows:
            return False
        progress(rows[0]["gone"])
        if rows[0]["rows"] < most:
            return True
        at = rows[0]["last"]


def _without_nodes(store: Store, label: str, tenant: dict[str, Any], most: int, progress: OnProgress) -> bool:
    """Take away the nodes of a label; False where somebody else has ended the purge meanwhile."""
    while True:
        rows = _slice(store, statements.PURGE_NODES[label], {**tenant, "most": most})
        if not rows:
            return False
        progress(rows[0]["gone"])
        if rows[0]["gone"] < most:
            return True


def _slice(store: Store, statement: str, parameters: dict[str, Any]) -> Rows:
    return store.transact(lambda ask: ask(statement, **parameters))
