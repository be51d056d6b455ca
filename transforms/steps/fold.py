"""Fold: of all that a window says about one aspect, the greatest version holds."""

from collections.abc import Generator, Iterable, Iterator
from typing import Any, Final

import apache_beam as beam
import msgspec
from apache_beam.pvalue import TaggedOutput

from transforms.model.metrics import OUTCOMES_OF_FOLD
from transforms.planning.merge.fold import Folded, Interpreted, Sealed, fold
from transforms.records.outcomes import Outcome, Tally
from transforms.records.rejects import Step
from transforms.steps.elements import TenantMutations
from transforms.steps.group import Grouped
from transforms.steps.metrics import count_outcomes
from transforms.steps.net import Failed, rejects_of
from transforms.steps.resolve_tenants import REJECTS

# Held of a tenant at once, about: whatever a window or a slice has, memory stays flat.
FOLD_MUTATIONS: Final = 50_000
_DECODE: Final = msgspec.msgpack.Decoder(list[Interpreted]).decode
_PARTS: Final = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_ONE: Final = msgspec.msgpack.Decoder(Interpreted).decode
_SEALED: Final = msgspec.msgpack.Decoder(Sealed).decode


class FoldMutations(beam.PTransform):
    """Outputs `main`: a tenant's folded mutations; `rejects`: records that could not be folded, for a defect of the job.

    The records whose word was overtaken are counted as superseded. keeps: as in `fold`.
    """

    def __init__(self, *, keeps: bool = False) -> None:
        super().__init__()
        self._fn = FoldMutationsFn(keeps=keeps)

    def expand(self, grouped: beam.PCollection[Grouped]) -> Any:
        return grouped | beam.ParDo(self._fn).with_output_types(TenantMutations).with_outputs(REJECTS, main="main")


class FoldMutationsFn(beam.DoFn):
    def __init__(self, *, keeps: bool = False) -> None:
        self._keeps = keeps

    def process(self, group: Grouped) -> Iterator[TenantMutations | TaggedOutput]:
        (client_id, _shard), chunks = group
        folded: Folded = {}
        part: list[bytes] = []
        lost = lost_of_part = 0
        for chunk in chunks:
            if len(folded) >= FOLD_MUTATIONS:
                # What two parts say of one aspect is settled when they are written, as it is between slices.
                yield TenantMutations(client_id, list(folded.values()))
                lost += lost_of_part
                folded, part, lost_of_part = {}, [], 0
            part.append(chunk)
            try:
                lost_of_part += fold(folded, _DECODE(chunk), keeps=self._keeps)
            except Exception:  # noqa: BLE001 - the net: found one by one, so that nobody else pays for it
                folded = {}
                lost_of_part, part = yield from self._one_by_one(folded, client_id, part)
        lost += lost_of_part
        if lost:
            count_outcomes(Tally({(client_id, Outcome.SUPERSEDED): lost}), OUTCOMES_OF_FOLD)
        yield TenantMutations(client_id, list(folded.values()))

    def _one_by_one(
        self, folded: Folded, client_id: str, chunks: Iterable[bytes]
    ) -> Generator[TaggedOutput, None, tuple[int, list[bytes]]]:
        """Fold what can be folded, reject the rest; the number of primary mutations that lost, and chunks without what was rejected."""
        lost = 0
        sound: list[msgspec.Raw] = []
        for chunk in chunks:
            for one in _PARTS(chunk):
                try:
                    lost += fold(folded, (_ONE(one),), keeps=self._keeps)
                    sound.append(one)
                except Exception as error:  # noqa: BLE001 - the net
                    for rejected in rejects_of(Failed(_SEALED(one), error), Step.FOLD, client_id):
                        yield TaggedOutput(REJECTS, rejected)
        return lost, [msgspec.msgpack.encode(sound)]
