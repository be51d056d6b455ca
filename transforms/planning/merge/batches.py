"""Cut a tenant's mutations into batches: what goes before what stays, nodes before relationships, in key order."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from transforms.planning.facts.mutations import (
    DeleteEdge,
    DeleteNode,
    DeleteReferrer,
    DeleteUid,
    DeleteUnnamed,
    EndAbsent,
    EndSnapshot,
    UpsertEdge,
    UpsertNode,
    UpsertReferrer,
)
from transforms.planning.facts.weight import rows_of
from transforms.planning.merge.fold import Interpreted

# The order saves stubs that the next batch would fill; the graph is right in any.
_ORDER: Final[dict[type, int]] = {
    DeleteEdge: 0,
    DeleteReferrer: 0,
    DeleteUid: 1,
    DeleteUnnamed: 1,
    DeleteNode: 1,
    UpsertNode: 2,
    UpsertEdge: 3,
    UpsertReferrer: 4,
    # What the snapshot or the manifest tells of comes first, or it would die and live again.
    EndSnapshot: 5,
    EndAbsent: 5,
}
_ROW_BYTES: Final = 200


class CutBatch(NamedTuple):
    """A batch, the rows that it comes to (`weight.py`), and about how many bytes."""

    mutations: list[Interpreted]
    rows: int
    size_bytes: int


def cut_batches(mutations: Sequence[Interpreted], rows: int, size_bytes: int) -> Iterator[CutBatch]:
    """Batches of at most `rows` and about `size_bytes`, a single larger mutation being a batch of its own."""
    batch: list[Interpreted] = []
    held = held_rows = 0
    for one in sorted(mutations, key=lambda one: (_ORDER[type(one.mutation)], one.mutation.aspect)):
        size, own_rows = _size(one), rows_of(one.mutation)
        if batch and (held_rows + own_rows > rows or held + size > size_bytes):
            yield CutBatch(batch, held_rows, held)
            batch, held, held_rows = [], 0, 0
        batch.append(one)
        held += size
        held_rows += own_rows
    if batch:
        yield CutBatch(batch, held_rows, held)


def part_of(batch: Sequence[Interpreted], at: int, rows: int) -> tuple[Sequence[Interpreted], int]:
    """What follows in a batch from `at`, of at most so many rows but one mutation at least, and the rows that it has."""
    end, held = at, 0
    while end < len(batch):
        own_rows = rows_of(batch[end].mutation)
        if end > at and held + own_rows > rows:
            break
        held += own_rows
        end += 1
    return batch[at:end], held


def _size(one: Interpreted) -> int:
    props: dict[str, Any] = getattr(one.mutation, "props", {})
    return _ROW_BYTES + sum(map(_value_size, props.values()))


def _value_size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return sum(map(_value_size, value)) if isinstance(value, list) else 0
