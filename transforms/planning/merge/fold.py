"""The order-free fold: of all that is said about one aspect, the greatest version holds; what counts adds up.

`fold` is associative, commutative and idempotent, so chunks may be folded before and after they are grouped, in
any order and as often as one likes. Losers lose nothing but the write: their outcome is `superseded`.
"""

from collections.abc import Iterable

import msgspec

from transforms.planning.facts.mutations import AspectKey, Mutation, with_seen_of
from transforms.records.record import KafkaRecord


class Interpreted(msgspec.Struct, frozen=True, array_like=True):
    """A mutation with the record that it comes from; `primary` marks the one that gives the record's outcome.

    record: the original, so that a row which the graph refuses can be rejected whole. None on secondary ones.
    absorbed: the originals of others that count in this mutation and had no outcome yet; only where they are kept.
    """

    mutation: Mutation
    record: KafkaRecord | None
    absorbed: tuple[KafkaRecord, ...] = ()

    @property
    def primary(self) -> bool:
        return self.record is not None


class Sealed(msgspec.Struct, frozen=True, array_like=True):
    """What was encoded as Interpreted, its mutation left as it is: the records that are behind one that cannot be worked on."""

    mutation: msgspec.Raw
    record: KafkaRecord | None
    absorbed: tuple[KafkaRecord, ...] = ()


Folded = dict[AspectKey, Interpreted]


def fold(into: Folded, more: Iterable[Interpreted], *, keeps: bool = False) -> int:
    """Fold into `into`; the number of primary mutations that lost, here and now.

    A primary mutation wins over a secondary one of the same version: both come from the same record.
    keeps: the originals of losers that count in the winner are kept with it, and have not lost yet: what the winner's record
    alone gives, replayed, would lack what they saw.
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
        if mutation is winner.mutation:
            into[aspect] = winner
            lost += loser.primary + len(loser.absorbed)
        elif keeps:
            more_records = loser.absorbed if loser.record is None else (*loser.absorbed, loser.record)
            into[aspect] = Interpreted(mutation, winner.record, winner.absorbed + more_records)
        else:
            into[aspect] = Interpreted(mutation, winner.record)
            lost += loser.primary
    return lost


def _rank(one: Interpreted) -> tuple[str, bool]:
    return (one.mutation.ver, one.primary)
