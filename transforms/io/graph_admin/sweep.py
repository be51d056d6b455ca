"""Retention: what is too old to matter goes, in bounded slices.

Of episodes the tenant's floor is raised first, so that no record that is read later can bring back what was swept. Incidents go that
were over before it. Tombstones are kept in a few bytes each (`planning/swept.py`), and go on to hold. A sweep that is stopped anywhere
is gone on with by the next. Other tenants' writes, and between two slices this tenant's too, go on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from transforms.io.neo4j.purge import Ask
from transforms.io.neo4j.rows import tombstone_of, tombstone_props
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model import cypher, retention
from transforms.model.graph import EPISODIC, TENANT_KEY, TOMBSTONE
from transforms.planning.facts.changes import Floors
from transforms.planning.merge.swept import places_of, swept_into
from transforms.records.record import t_of, time_limit

SLICE_ROWS: Final = 2000

OnProgress = Callable[[str, int], None]


@dataclass(slots=True)
class Swept:
    """What a sweep took away of a tenant, or would take."""

    episodes: int = 0
    tombstones: int = 0
    stubs: int = 0
    incidents: int = 0


def floors_at(store: Neo4jGraphStore, episode_retention_s: float, tombstone_grace_s: float) -> Floors:
    """The floors of a sweep at this moment, by the server's clock."""
    now_us = int(store.ask(retention.SERVER_TIME)[0]["ms"]) * 1000
    episodes, swept = (time_limit(now_us - int(kept_s * 1e6)) for kept_s in (episode_retention_s, tombstone_grace_s))
    return Floors(episodes=episodes, swept=swept)


def count_old(store: Neo4jGraphStore, client_id: str, floors: Floors) -> Swept:
    """What a sweep would take; stubs that only it would set free are not foreseen."""
    found = [
        store.ask(retention.COUNT_OLD[label], **{TENANT_KEY: client_id}, floor=floor)[0]["number"]
        for label, floor in ((EPISODIC.label, floors.episodes), (TOMBSTONE.label, floors.swept))
    ]
    (old,) = store.ask(retention.COUNT_OLD_INCIDENTS, **{TENANT_KEY: client_id}, before_us=_us(floors.episodes))
    return Swept(episodes=found[0], tombstones=found[1], incidents=old["number"])


def sweep(store: Neo4jGraphStore, client_id: str, floors: Floors, progress: OnProgress) -> Swept:
    """Take away a tenant's old episodes and incidents, old tombstones, and stubs that nothing refers to; what was taken away.

    progress: told what, and how many more are gone. InfrastructureFault where the server cannot be used: what is gone is gone,
    and the next sweep goes on.
    """
    tenant = {TENANT_KEY: client_id}
    raised = store.ask(retention.RAISE_FLOORS, **tenant, swept=floors.swept, episode_floor=floors.episodes)
    if not raised:
        return Swept()
    (now,) = raised
    swept = Swept()
    swept.episodes = _emptied(lambda: _without_episodes(store, client_id, now["episode_floor"]), lambda gone: progress("episodes", gone))
    before_us = _us(now["episode_floor"])
    swept.incidents = _emptied(lambda: _without_incidents(store, client_id, before_us), lambda gone: progress("incidents", gone))
    swept.tombstones = _emptied(lambda: _with_fewer(store, client_id, now["swept"]), lambda gone: progress("tombstones", gone))
    after: str | None = ""
    while after is not None:
        (page,) = store.ask(retention.SWEEP_STUBS, **tenant, after=after, most=SLICE_ROWS)
        after = page["last"]
        swept.stubs += page["gone"]
        progress("stubs", page["gone"])
    return swept


def _without_episodes(store: Neo4jGraphStore, client_id: str, floor: str) -> int:
    return int(store.ask(retention.SWEEP_EPISODES, **{TENANT_KEY: client_id}, floor=floor, most=SLICE_ROWS)[0]["gone"])


def _without_incidents(store: Neo4jGraphStore, client_id: str, before_us: int) -> int:
    return int(store.ask(retention.SWEEP_INCIDENTS, **{TENANT_KEY: client_id}, before_us=before_us, most=SLICE_ROWS)[0]["gone"])


def _us(floor: str) -> int:
    """The time of a floor, in microseconds since 1970; 0, before which nothing was, where there is none."""
    return int(t_of(floor)) if floor else 0


def _with_fewer(store: Neo4jGraphStore, client_id: str, floor: str) -> int:
    """Move a slice of tombstones to where what is swept is kept; how many."""
    tenant = {TENANT_KEY: client_id}

    def work(ask: Ask) -> int:
        gone = [tombstone_of(row) for row in ask(retention.OLD_TOMBSTONES, **tenant, floor=floor, most=SLICE_ROWS)]
        places = sorted({place for one in gone for place in places_of(one)})
        held = {one.key: one for one in map(tombstone_of, ask(cypher.READ_TOMBSTONES, rows=[tenant | {"key": place} for place in places]))}
        kept = swept_into(gone, held)
        ask(cypher.PUT_TOMBSTONE, rows=[tenant | {"key": key, "props": tenant | tombstone_props(one)} for key, one in kept.items()])
        ask(cypher.DROP_TOMBSTONE, rows=[tenant | {"key": key} for key in sorted(one.key for one in gone)])
        return len(gone)

    return store.transact(work)


def _emptied(take: Callable[[], int], progress: Callable[[int], None]) -> int:
    total = 0
    while True:
        gone = take()
        total += gone
        progress(gone)
        if gone < SLICE_ROWS:
            return total
