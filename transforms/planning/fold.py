"""The order-free fold: of all that is said about one aspect, the greatest version holds; what counts adds up.

`fold` is associative, commutative and idempotent, so chunks may be folded before and after they are grouped, in
any order and as often as one likes. Losers lose nothing but the write: their outcome is `superseded`.
"""

from collections.abc import Iterable

import msgspec

from transforms.planning.mutations import AspectKey, Mutation, with_seen_of
from transforms.records.record import KafkaRecord


class Interpreted(msgspec.Struct, frozen=True, array_like=True):
    """A mutation with the record that it comes from; `primary` marks the one that gives the record's outcome.

    record: the original, so that a row which the graph refuses can be rejected whole. None on secondary ones.
    """

    mutation: Mutation
    record: KafkaRecord | None

    @property
    def primary(self) -> bool:
        return self.record is not None


Folded = dict[AspectKey, Interpreted]


def fold(into: Folded, more: Iterable[Interpreted]) -> int:
    """Fold into `into`; the number of primary mutations that lost, here and now.

    A primary mutation wins over a secondary one of the same version: both come from the same record.
    """
    lost = 0
    for one in more:
        aspect = one.mutation.aspect
        held = into.get(aspect)
        if held is None:
            into[aspect] = one
            continue
        winner, loser = (one, held) if _rank(one) > _rank(held) else (held, one)
        mutation = with_seen_of(winner.mutation, loser.mutation)
        into[aspect] = winner if mutation is winner.mutation else Interpreted(mutation, winner.record)
        lost += loser.primary
    return lost


def _rank(one: Interpreted) -> tuple[str, bool]:
    return (one.mutation.ver, one.primary)
