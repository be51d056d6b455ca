"""Retention: what is too old to matter goes, in bounded slices, after the tenant's floors were raised above it.

The floors come first, so that no record that is read later can bring back what was swept; a sweep that is stopped
anywhere is gone on with by the next. Other tenants' writes, and between two slices this tenant's too, go on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from transforms.io.neo4j_graph import Neo4jGraphStore
from transforms.model import retention
from transforms.model.graph import EPISODIC, TENANT_KEY, TOMBSTONE
from transforms.planning.changes import Floors
from transforms.records.record import time_limit

SLICE_ROWS: Final = 2000

Progress = Callable[[str, int], None]


@dataclass(slots=True)
class Swept:
    """What a sweep took away of a tenant, or would take."""

    episodes: int = 0
    tombstones: int = 0
    stubs: int = 0


def floors_at(store: Neo4jGraphStore, episode_retention_s: float, tombstone_grace_s: float) -> Floors:
    """The floors of a sweep at this moment, by the server's clock."""
    now_us = int(store.ask(retention.SERVER_TIME)[0]["ms"]) * 1000
    return Floors(time_limit(now_us - int(tombstone_grace_s * 1e6)), time_limit(now_us - int(episode_retention_s * 1e6)))


def count_old(store: Neo4jGraphStore, client_id: str, floors: Floors) -> Swept:
    """What a sweep would take; stubs that only it would set free are not foreseen."""
    found = [
        store.ask(retention.COUNT_OLD[label], **{TENANT_KEY: client_id}, floor=floor)[0]["number"]
        for label, floor in ((EPISODIC.label, floors.episodes), (TOMBSTONE.label, floors.state))
    ]
    return Swept(*found)


def sweep(store: Neo4jGraphStore, client_id: str, floors: Floors, progress: Progress) -> Swept:
    """Take away a tenant's old episodes, old tombstones, and stubs that nothing refers to; what was taken away.

    progress: told what, and how many more are gone. InfrastructureFault where the server cannot be used: what is gone is gone,
    and the next sweep goes on.
    """
    tenant = {TENANT_KEY: client_id}
    raised = store.ask(retention.RAISE_FLOORS, **tenant, floor=floors.state, episode_floor=floors.episodes)
    if not raised:
        return Swept()
    (now,) = raised
    swept = Swept()
    swept.episodes = _emptied(store, retention.SWEEP_EPISODES, client_id, now["episode_floor"], lambda gone: progress("episodes", gone))
    swept.tombstones = _emptied(store, retention.SWEEP_TOMBSTONES, client_id, now["floor"], lambda gone: progress("tombstones", gone))
    after: str | None = ""
    while after is not None:
        (page,) = store.ask(retention.SWEEP_STUBS, **tenant, after=after, most=SLICE_ROWS)
        after = page["last"]
        swept.stubs += page["gone"]
        progress("stubs", page["gone"])
    return swept


def _emptied(store: Neo4jGraphStore, statement: str, client_id: str, floor: str, progress: Callable[[int], None]) -> int:
    total = 0
    while True:
        (slice_,) = store.ask(statement, **{TENANT_KEY: client_id}, floor=floor, most=SLICE_ROWS)
        gone = int(slice_["gone"])
        total += gone
        progress(gone)
        if gone < SLICE_ROWS:
            return total
