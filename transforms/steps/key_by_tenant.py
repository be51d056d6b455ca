"""Key by tenant: mutations folded and grouped per (tenant, shard) before they are sent, as compact bytes."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from zlib import crc32

import apache_beam as beam
import msgspec
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.timestamp import Timestamp

from transforms.model.metrics import PLANNED_ROWS
from transforms.planning.facts.mutations import AspectKey
from transforms.planning.facts.weight import rows_of
from transforms.planning.interpret.dispatch import InterpretationCache, interpret
from transforms.planning.merge.fold import Folded, Interpreted, fold
from transforms.records.dead_letters.redacted import sealed
from transforms.records.decode import Decoded
from transforms.records.outcomes import Outcome, Tally
from transforms.records.rejects import Fault, Step, reject
from transforms.steps.bundle import BundleTimes
from transforms.steps.elements import ResolvedChunk
from transforms.steps.metrics import count, count_outcomes
from transforms.steps.net import Failed, bisected, caught, rejects_of
from transforms.steps.resolve_tenants import REJECTS
from transforms.steps.slice_load import PROCESS_LOAD

# Standard types, so that Beam's own deterministic coders serve and nothing is pickled.
TenantShard = tuple[str, int]
Keyed = tuple[TenantShard, bytes]

HELD_BYTES: Final = 24 * 1024 * 1024
# What a mutation takes besides its record, about; of a record that means many, each takes what it says for itself.
_HELD_OVERHEAD_BYTES: Final = 512
_FURTHER_BYTES: Final = 2048
# One per process, as what decoding found before is; by whether addresses make CALLS.
_MEANINGS: Final = {calls: InterpretationCache(calls=calls) for calls in (True, False)}
_ENCODE: Final = msgspec.msgpack.Encoder().encode


def shard_of(aspect: AspectKey, shards: int) -> int:
    """The same aspect always gives the same shard, on every worker and in every run."""
    return crc32(aspect[1].encode()) % shards if shards > 1 else 0


class KeyByTenant(beam.PTransform):
    """Outputs `main`: ((tenant, shard), folded mutations as bytes); `rejects`: records whose values mean nothing.

    keeps: as in `fold`. calls: as in `resource_meaning`.
    """

    def __init__(self, shards: int, *, keeps: bool = False, calls: bool = True) -> None:
        super().__init__()
        self._fn = KeyByTenantFn(shards, keeps=keeps, calls=calls)

    def expand(self, chunks: beam.PCollection[ResolvedChunk]) -> Any:
        return chunks | beam.ParDo(self._fn).with_output_types(Keyed).with_outputs(REJECTS, main="main")


class KeyByTenantFn(beam.DoFn):
    """Folds across the chunks of a bundle and sends when records of `HELD_BYTES` are held, so that memory stays flat.

    What is folded away is not held: a fleet that says the same again and again is sent once a bundle.
    """

    def __init__(self, shards: int, *, keeps: bool = False, calls: bool = True) -> None:
        self._shards = shards
        self._keeps = keeps
        self._calls = calls
        self._held: dict[TenantShard, Folded] = {}
        self._held_bytes = 0
        self._held_rows = 0
        self._settled = Tally()
        self._times = BundleTimes()

    def start_bundle(self) -> None:
        self._held, self._held_bytes, self._held_rows, self._settled = {}, 0, 0, Tally()
        self._times = BundleTimes()

    def process(self, chunk: ResolvedChunk, timestamp: Timestamp = beam.DoFn.TimestampParam) -> Iterator[Any]:
        self._times.note(timestamp)
        for client_id, decoded in chunk:
            try:
                self._take_in(client_id, decoded)
            except Fault as fault:
                yield TaggedOutput(REJECTS, reject(decoded.record, client_id, Step.INTERPRET, fault))
            except Exception as error:  # noqa: BLE001 - the net
                internal = caught(error, Step.INTERPRET, decoded.record, client_id)
                yield TaggedOutput(REJECTS, reject(decoded.record, client_id, Step.INTERPRET, internal))
            if self._held_bytes >= HELD_BYTES:
                yield from self._take()
                self._times.note(timestamp)

    def _take_in(self, client_id: str, decoded: Decoded) -> None:
        """Fold what the record means; nothing of it is held where this raises."""
        assert decoded.body is not None
        topic, text = decoded.route.topic, decoded.record.value
        meanings = _MEANINGS[self._calls]
        mutations = interpret(topic, decoded.body, client_id, decoded.ver, meanings, raw_key=decoded.key.raw, text=text)
        if not mutations:
            # A response that lists nothing says nothing that the graph does not hold.
            self._settled[client_id, Outcome.UNCHANGED] += 1
        for position, mutation in enumerate(mutations):
            try:
                self._hold(client_id, Interpreted(mutation, decoded.record if position == 0 else None))
            except Exception as error:
                if position == 0:
                    raise
                # The record has its outcome by its first mutation.
                caught(error, Step.INTERPRET, decoded.record, client_id)

    def _hold(self, client_id: str, one: Interpreted) -> None:
        shard = shard_of(one.mutation.aspect, self._shards) if self._shards > 1 else 0
        held = self._held.get((client_id, shard))
        if held is None:
            held = self._held[client_id, shard] = {}
        before = len(held)
        lost = fold(held, (one,), keeps=self._keeps)
        if len(held) > before or (self._keeps and not lost):
            self._held_bytes += _HELD_OVERHEAD_BYTES + one.record.size_bytes if one.record else _FURTHER_BYTES
            rows = rows_of(one.mutation)
            self._held_rows += rows
            PROCESS_LOAD.add(rows)
        if lost:
            self._settled[client_id, Outcome.SUPERSEDED] += lost

    def _take(self) -> Iterator[Any]:
        """What is held, encoded; it is as old as the oldest of the bundle, and so are the rejects."""
        held, settled, times = self._held, self._settled, self._times
        count(PLANNED_ROWS, self._held_rows)
        self.start_bundle()
        count_outcomes(settled)
        # What is sent becomes a stream's state, which checkpoints keep on disk.
        encode = _encode_sealed if self._keeps else _ENCODE
        for key, folded in held.items():
            for encoded in bisected(list(folded.values()), encode):
                if isinstance(encoded, Failed):
                    for rejected in rejects_of(encoded, Step.INTERPRET, key[0]):
                        yield TaggedOutput(REJECTS, times.at_earliest(rejected))
                else:
                    yield times.at_earliest((key, encoded))

    def finish_bundle(self) -> Iterator[Any]:
        yield from self._take()


def _encode_sealed(folded: Sequence[Interpreted]) -> bytes:
    """With records that hold no secret; mutations never do."""
    return _ENCODE([Interpreted(one.mutation, one.record and sealed(one.record), tuple(map(sealed, one.absorbed))) for one in folded])
