"""Completed snapshots: what an agent's full report of a kind left out is gone since the report began.

The end of a snapshot says it all, so that a compacted topic keeps what is needed and no order of arrival matters: an
object of the kind that no record at or after the beginning speaks for is dead, up to the moment before the beginning.
One that is reported later, or late, is alive again.
"""

from collections.abc import Iterable

from transforms.planning.facts.changes import Changes
from transforms.planning.facts.mutations import EndSnapshot
from transforms.planning.facts.stored import GraphReader, StoredTombstone
from transforms.records.record import t_of, time_limit


def kind_key(kind: str) -> str:
    return f"kind:{kind}"


def kind_of(rid: str) -> str:
    return rid.partition(":")[0]


def end_before(ver: str) -> str:
    """The greatest version before the time of `ver`, in microseconds: what a snapshot that began then ends."""
    return time_limit(int(t_of(ver)) - 1)


class Snapshots:
    """Up to when the kinds of a tenant are known by completed snapshots, as far as a batch concerns them."""

    def __init__(self, reader: GraphReader) -> None:
        self._reader = reader
        self._stored: dict[str, StoredTombstone | None] = {}
        self._ends: dict[str, str] = {}

    def load(self, rids: Iterable[str]) -> None:
        """Make the kinds of the rids known."""
        self._load_kinds({kind_of(rid) for rid in rids})

    def _load_kinds(self, kinds: set[str]) -> None:
        wanted = kinds - self._stored.keys()
        if not wanted:
            return
        found = self._reader.tombstones([kind_key(kind) for kind in wanted])
        for kind in wanted:
            stored = self._stored[kind] = found.get(kind_key(kind))
            if stored:
                self._ends[kind] = max(self._ends.get(kind, ""), stored.ver)

    def end_of(self, rid: str) -> str:
        """Versions of the rid up to this one are ended by a snapshot; "" for none. Load first."""
        return self._ends.get(kind_of(rid), "")

    def rids_concerned(self, ends: list[EndSnapshot]) -> set[str]:
        """The rids whose fate the batch may change."""
        self._load_kinds({one.kind for one in ends})
        newer = {one.kind for one in ends if end_before(one.ver) > self._ends.get(one.kind, "")}
        return set().union(*(self._reader.rids_of_kind(kind) for kind in newer))

    def apply(self, ends: list[EndSnapshot]) -> None:
        """Take in the batch."""
        for one in ends:
            self._ends[one.kind] = max(self._ends.get(one.kind, ""), end_before(one.ver))

    def write(self, changes: Changes) -> None:
        """Add what follows for tombstones."""
        for kind, stored in self._stored.items():
            if kind in self._ends:
                changes.hide(StoredTombstone(kind_key(kind), self._ends[kind]), stored)
