"""What is known of all tenants at a moment, for telling whose a record is and whether it may come in."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from transforms.model.limits import AHEAD_US
from transforms.records.record import time_limit

_NO_LIMIT: Final = "~"


class ClusterEntry(NamedTuple):
    """What the directory needs to know of one cluster. cluster: what it calls itself, "" where it is not registered.

    created_ms: when its first record was taken in.
    """

    client_id: str
    is_registered: bool = False
    cluster: str = ""
    created_ms: int = 0


class Directory(NamedTuple):
    """All tenants, as the graph knew them at `now_ms`, in milliseconds since 1970 by the graph server's clock.

    known: have a cluster in the graph. registered: a registration that was not taken back.
    clusters: tenants by the names that their clusters call themselves; a name that two share names nobody.
    new_within_hour: how many appeared, unregistered, in the last hour.
    judged_ms: up to when the bus is known to have been heard (`planning/liveness.py`).
    """

    now_ms: int = 0
    known: frozenset[str] = frozenset()
    registered: frozenset[str] = frozenset()
    clusters: Mapping[str, str] = {}
    new_within_hour: int = 0
    judged_ms: int = 0

    @property
    def latest(self) -> str:
        """The greatest version that a record may have now: a day ahead of the graph server's clock; above all where that is unknown."""
        return time_limit(self.now_ms * 1000 + AHEAD_US) if self.now_ms else _NO_LIMIT

    def called(self, cluster: str | None) -> str | None:
        """The registered tenant whose cluster alone calls itself so."""
        return self.clusters.get(cluster) if cluster else None


EMPTY: Final = Directory()
HOUR_MS: Final = 3_600_000


def directory_of(entries: Iterable[ClusterEntry], now_ms: int, judged_ms: int = 0) -> Directory:
    """The directory of the clusters."""
    entries = list(entries)
    registered = [one for one in entries if one.is_registered]
    names: dict[str, set[str]] = {}
    for one in registered:
        if one.cluster:
            names.setdefault(one.cluster, set()).add(one.client_id)
    return Directory(
        now_ms=now_ms,
        known=frozenset(one.client_id for one in entries),
        registered=frozenset(one.client_id for one in registered),
        clusters={name: tenants.pop() for name, tenants in names.items() if len(tenants) == 1},
        new_within_hour=sum(not one.is_registered and one.created_ms > now_ms - HOUR_MS for one in entries),
        judged_ms=judged_ms,
    )
