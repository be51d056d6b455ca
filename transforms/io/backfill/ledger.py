"""The ledger of backfills, in the graph that they write: what was planned, what is done, what failed.

It lies with what it tells of: a graph that is emptied or restored takes its ledger along, and so is filled anew.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final, NamedTuple

import msgspec

from transforms.io.archive.avro_files import AvroFile
from transforms.io.kafka.offsets import OffsetRange
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model import backfill
from transforms.model.graph import BACKFILL, TENANT_KEY
from transforms.planning.scheduling.backfill_plan import Scope, packed
from transforms.records.outcomes import NO_TENANT

PLANNING: Final = "planning"
PLANNED: Final = "planned"
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
STOPPED: Final = "stopped"
# What was done is told for so long.
_KEPT_MS: Final = 90 * 24 * 3_600_000
_SAID_CHARACTERS: Final = 1000
_PAGE_BYTES: Final = 2 * 1024 * 1024
_SCOPE: Final = frozenset(Scope.__dataclass_fields__)
_NO_TENANTS: Final = {TENANT_KEY: NO_TENANT}


class Slice(msgspec.Struct, frozen=True):
    """What is read between two entries of the ledger: ranges of offsets of different partitions, or files of the archive."""

    number: int
    ranges: list[OffsetRange] = []
    files: list[AvroFile] = []

    @property
    def units(self) -> int:
        """Its size: offsets, or bytes of files."""
        return sum(one.lag for one in self.ranges) + sum(one.size_bytes for one in self.files)


class BackfillState(NamedTuple):
    """A slice as the ledger has it, without what it reads."""

    number: int
    units: int
    state: str


class Entry(NamedTuple):
    """A run as the ledger has it. slices, units: by state. now_ms: when that was asked, by the graph server's clock."""

    scope: Scope
    props: dict[str, Any]
    slices: dict[str, int]
    units: dict[str, int]
    read: int
    rejected: int
    lost: int
    now_ms: int


class BackfillLedger:
    """Reads and writes the entries; every call is one transaction. Raises InfrastructureFault where the graph cannot be used."""

    def __init__(self, store: Neo4jGraphStore) -> None:
        self._store = store

    def _ask(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        return self._store.transact(lambda ask: ask(statement, **parameters))

    def is_planned(self, scope: Scope) -> bool:
        """Whether there is a plan; one that was not finished is none."""
        found = self._ask(backfill.READ_BACKFILL, name=scope.name, **_NO_TENANTS)
        return any(row["props"]["state"] != PLANNING for row in found)

    def plan(self, scope: Scope, slices: Iterable[Slice]) -> None:
        """Write the plan in place of an older one of the same scope; it holds once all of it is there."""
        rows: list[dict[str, Any]] = [{"key": _key(scope, one.number), "props": _slice_props(scope, one)} for one in slices]
        props = {**_scope_props(scope), "state": PLANNING, "said": "", "slices": len(rows)}

        def begin(ask: Any) -> None:
            ask(backfill.DROP_SLICES, name=scope.name, **_NO_TENANTS)
            ask(backfill.PUT_BACKFILL, name=scope.name, props=props, **_NO_TENANTS)

        self._store.transact(begin)
        for page in packed(((row, len(row["props"]["plan"])) for row in rows), _PAGE_BYTES):
            self._ask(backfill.PUT_SLICES, rows=page, **_NO_TENANTS)
        self.turn(scope, PLANNED)

    def slices(self, scope: Scope) -> list[BackfillState]:
        """The slices of a plan in their order."""
        rows = self._ask(backfill.READ_SLICES, name=scope.name, **_NO_TENANTS)
        return [BackfillState(row["number"], row["units"], row["state"]) for row in rows]

    def slice(self, scope: Scope, number: int) -> Slice:
        """What a slice reads."""
        (row,) = self._ask(backfill.READ_SLICE, key=_key(scope, number), **_NO_TENANTS)
        return msgspec.json.decode(row["plan"], type=Slice)

    def turn(self, scope: Scope, state: str, said: str = "") -> None:
        """Note how a run is."""
        props = {"state": state, "said": said[:_SAID_CHARACTERS], **_schedule(scope)}
        self._ask(backfill.SET_BACKFILL, name=scope.name, props=props, **_NO_TENANTS)

    def turn_slice(self, scope: Scope, number: int, state: str, **told: Any) -> None:
        """Note how a slice is, and what is told of it."""
        self._ask(backfill.SET_SLICE, key=_key(scope, number), props={"state": state, **told}, **_NO_TENANTS)

    def entries(self) -> list[Entry]:
        """All runs, the oldest plan first."""
        counted: dict[str, list[dict[str, Any]]] = {}
        for row in self._ask(backfill.COUNT_SLICES, **_NO_TENANTS):
            counted.setdefault(row["name"], []).append(row)
        rows = self._ask(backfill.READ_BACKFILLS, **_NO_TENANTS)
        return [_entry(row["props"], counted.get(row["props"][BACKFILL.key], []), row["now_ms"]) for row in rows]

    def forget_old(self) -> None:
        """Take away what was done three months ago and before."""
        for row in self._ask(backfill.OLD_BACKFILLS, age_ms=_KEPT_MS, **_NO_TENANTS):
            for statement in (backfill.DROP_SLICES, backfill.DROP_BACKFILL):
                self._ask(statement, name=row["name"], **_NO_TENANTS)


def _key(scope: Scope, number: int) -> str:
    return f"{scope.name} {number:06d}"


def _scope_props(scope: Scope) -> dict[str, Any]:
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(scope).items() if name != "every_ms"}
    return told | _schedule(scope)


def _schedule(scope: Scope) -> dict[str, int]:
    """An interval that was run by hand, too, stays one of its schedule."""
    return {"every_ms": scope.every_ms} if scope.every_ms else {}


def _slice_props(scope: Scope, one: Slice) -> dict[str, Any]:
    plan = msgspec.json.encode(one).decode()
    return {"name": scope.name, "number": one.number, "state": PLANNED, "units": one.units, "plan": plan}


def _entry(props: dict[str, Any], counted: list[dict[str, Any]], now_ms: int) -> Entry:
    told: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in props.items() if name in _SCOPE}
    slices, units = ({row["state"]: row[what] for row in counted} for what in ("slices", "units"))
    read, rejected, lost = (sum(row[what] for row in counted) for what in ("read", "rejected", "lost"))
    return Entry(Scope(**told), props, slices, units, read, rejected, lost, now_ms)
