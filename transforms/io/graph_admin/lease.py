"""One run per consumer group: a lease in the graph, renewed while the run goes on, judged by the server's clock.

The graph is right without it, since each tenant has one writer at a time; the lease spares two runs from reading the
same records and from committing past each other.
"""

import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import structlog

from transforms.io.faults import InfrastructureFault, LeaseHeldElsewhere
from transforms.io.graph_admin.lease_holder import Holder, is_dead_here, readable_holder
from transforms.io.neo4j.errors import RowRefused
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model import cypher
from transforms.model.graph import TENANT_KEY
from transforms.records.outcomes import NO_TENANT

_LOG = structlog.get_logger("lease")
_RENEWALS: Final = 3
_LOOK_S: Final = 1.0
# For so long the end of a run waits for its lease to be given back; one that is not runs out by itself.
_GIVE_BACK_S: Final = 5.0
_SHORTEST_S: Final = 0.05

Wait = Callable[[float], bool]


def is_held(store: Neo4jGraphStore, group: str) -> bool:
    """Whether a run of the group is at work, as far as the graph knows."""
    found = store.ask(cypher.LOOK_AT_LEASE, **{TENANT_KEY: NO_TENANT}, name=group)
    return any(row["left_ms"] > 0 for row in found)


def is_at_work(store: Neo4jGraphStore, group: str) -> bool:
    """As `is_held`, less a holder that is known to have died on this machine."""
    found = store.ask(cypher.LOOK_AT_LEASE, **{TENANT_KEY: NO_TENANT}, name=group)
    return any(row["left_ms"] > 0 and not is_dead_here(row["holder"]) for row in found)


class HeldElsewhere(NamedTuple):
    """A lease that another run holds. left_s: seconds until it ends unless it is renewed. expires: when, by the graph server's clock."""

    holder: str
    left_s: float
    expires: int

    @property
    def host(self) -> str:
        """The name of the holder's machine; in Kubernetes that of its pod."""
        return self.holder.partition("/")[0].partition(" ")[0]


class Leased(NamedTuple):
    """What a lease is the right to, as its sentences say it. remedy: what to do where another run has it."""

    what: str
    remedy: str

    @classmethod
    def group(cls, name: str) -> "Leased":
        return cls(f"the consumer group {name}", "stop it, wait for its end, or give this run another --kafka_group")


class Lease:
    """The right to be the run of `group`, from `acquire` to `release`, renewed in between.

    A holder that died is followed at once on the same machine, elsewhere when its lease has run out.
    left_by: once acquired, the holder before that did not give it back: it was killed, or its machine went. "": there was none.
    ttl_s: how long the lease lasts unrenewed. leased: what else than a consumer group's run it is the right to.
    """

    def __init__(self, store: Neo4jGraphStore, group: str, ttl_s: float, leased: Leased | None = None) -> None:
        self._store = store
        self._group = group
        self._leased = leased or Leased.group(group)
        self._ttl_s = ttl_s
        self._holder = str(Holder.of_this_process())
        self._taken_by = ""
        self.left_by = ""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    @property
    def holder(self) -> str:
        """This process, as the lease names it."""
        return self._holder

    def acquire(self, wait: Wait) -> bool:
        """Take the lease, or wait until whoever holds it lets it run out; False where the wait was cut short.

        wait: waits for so many seconds, True to cut it short. Raises LeaseHeldElsewhere once the holder has renewed its lease.
        """
        held = self.attempt()
        seen = held.expires if held else 0
        is_told = False
        while held is not None:
            if held.expires != seen:
                raise LeaseHeldElsewhere(
                    f"Another run of {self._leased.what} is at work ({readable_holder(held.holder)}); {self._leased.remedy}."
                )
            if not is_told:
                is_told = True
                detail = "another run has it; this one waits until it runs out, and ends if that run renews it"
                holder = readable_holder(held.holder)
                _LOG.info("waiting for the lease", group=self._group, holder=holder, seconds=held.left_s, detail=detail)
            if wait(min(_LOOK_S, max(held.left_s, _SHORTEST_S))):
                return False
            held = self.attempt()
        return True

    def attempt(self) -> HeldElsewhere | None:
        """Take the lease where it is free, or where its holder is known to have died on this machine; None once it is this run's.

        Otherwise who holds it, and for how long unless it is renewed.
        """
        found = self._take()
        if not found["free"] and is_dead_here(found["holder"]):
            found = self._take(replaces=found["holder"])
        if not found["free"]:
            return HeldElsewhere(found["holder"], max(found["left_ms"], 0) / 1000, found["expires"])
        # Whoever ends gives the lease back, and it is gone from the graph.
        self.left_by = found["before"] if found["before"] not in (None, self._holder) else ""
        self._thread.start()
        return None

    def check(self) -> None:
        """Return while the lease is held, as the graph has it now, and renew it; LeaseHeldElsewhere once another run has it."""
        if not self._taken_by:
            found = self._take()
            self._taken_by = "" if found["free"] else found["holder"]
        if self._taken_by:
            raise LeaseHeldElsewhere(
                f"The lease of {self._leased.what} went to another run ({readable_holder(self._taken_by)}) while this one was held up; "
                "nothing of this slice was committed: let one of them go on."
            )

    def release(self) -> None:
        """Give the lease back; where Neo4j does not answer, it is left to run out."""
        self._done.set()
        self._thread.join(_GIVE_BACK_S)
        if self._thread.is_alive():
            _LOG.warning("lease left to run out", group=self._group, seconds=self._ttl_s)

    def _key(self) -> dict[str, str]:
        return {TENANT_KEY: NO_TENANT, "name": self._group}

    def _take(self, replaces: str = "") -> dict[str, Any]:
        ttl_ms = int(self._ttl_s * 1000)
        try:
            (found,) = self._store.ask(
                cypher.TAKE_LEASE, **self._key(), holder=self._holder, replaces=replaces or self._holder, ttl_ms=ttl_ms
            )
        except RowRefused as refused:
            raise InfrastructureFault(
                f"Neo4j refused to keep the lease of {self._leased.what} ({refused}); see its log, then run again."
            ) from refused
        return found

    def _keep(self) -> None:
        """Renew until released, then give back. A server that is away may be back for the next renewal."""
        while not self._done.wait(self._ttl_s / _RENEWALS):
            try:
                found = self._take()
            except InfrastructureFault:
                continue
            if not found["free"]:
                self._taken_by = found["holder"]
                return
        try:
            self._store.ask(cypher.DROP_LEASE, **self._key(), holder=self._holder)
        except (InfrastructureFault, RowRefused):
            _LOG.warning("lease left to run out", group=self._group, seconds=self._ttl_s)
