"""Fold: of all that a window says about one aspect, the greatest version holds."""

from collections.abc import Iterator
from typing import Final

import apache_beam as beam
import msgspec

from transforms.planning.fold import Folded, Interpreted, fold
from transforms.records.outcomes import Outcome, Tally
from transforms.steps.elements import TenantMutations
from transforms.steps.group import Grouped
from transforms.steps.metrics import OUTCOME_OF_FOLD, count_outcomes

# Held of a tenant at once, about: whatever a window or a slice has, memory stays flat.
FOLD_MUTATIONS: Final = 50_000
_DECODE: Final = msgspec.msgpack.Decoder(list[Interpreted]).decode


class FoldMutations(beam.PTransform):
    """A tenant's folded mutations; the records whose word was overtaken are counted as superseded. keeps: as in `fold`."""

    def __init__(self, *, keeps: bool = False) -> None:
        super().__init__()
        self._fn = FoldMutationsFn(keeps=keeps)

    def expand(self, grouped: beam.PCollection[Grouped]) -> beam.PCollection[TenantMutations]:
        return grouped | beam.ParDo(self._fn).with_output_types(TenantMutations)


class FoldMutationsFn(beam.DoFn):
    def __init__(self, *, keeps: bool = False) -> None:
        self._keeps = keeps

    def process(self, group: Grouped) -> Iterator[TenantMutations]:
        (client_id, _shard), chunks = group
        folded: Folded = {}
        lost = 0
        for chunk in chunks:
            if len(folded) >= FOLD_MUTATIONS:
                # What two parts say of one aspect is settled when they are written, as it is between slices.
                yield TenantMutations(client_id, list(folded.values()))
                folded = {}
            lost += fold(folded, _DECODE(chunk), keeps=self._keeps)
        if lost:
            count_outcomes(Tally({(client_id, Outcome.SUPERSEDED): lost}), OUTCOME_OF_FOLD)
        yield TenantMutations(client_id, list(folded.values()))
