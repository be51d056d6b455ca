"""What travels between the steps, and how it is encoded where it has to be.

Chunks mostly pass from step to step in one process, unencoded. Yet runners ask for the size of an element now and then,
and answering that by pickling a chunk costs more than the work on it: a third of a run, measured. Hence classes of their
own, whose coders know a size without encoding.
"""

import pickle
from typing import Any, Final, NamedTuple

import msgspec
from apache_beam.coders import Coder, registry

from transforms.planning.merge.fold import Interpreted
from transforms.records.decode import Decoded
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reject

_PER_RECORD_BYTES: Final = 512


class RecordChunk(list[KafkaRecord]):
    """Records as they were read."""


class DecodedChunk(list[Decoded]):
    """Records with their bodies or faults."""


class Resolved(NamedTuple):
    """A decoded record with its tenant."""

    client_id: str
    decoded: Decoded


class ResolvedChunk(list[Resolved]):
    """Records that concern the graph, with their tenants."""


class AcceptedChunk(list[Resolved]):
    """Records that were taken in, with their tenants ("-" for none), whether they concern the graph or not."""


class TenantMutations(NamedTuple):
    """One tenant's folded mutations, at most one per aspect. rows, size_bytes: what a batch of them comes to; 0: nobody has counted."""

    client_id: str
    mutations: list[Interpreted]
    rows: int = 0
    size_bytes: int = 0


class _ChunkCoder(Coder):
    """Sizes a chunk by its length."""

    def encode(self, value: Any) -> bytes:
        return pickle.dumps(value, protocol=5)

    def decode(self, encoded: bytes) -> Any:
        return pickle.loads(encoded)  # noqa: S301 - between the workers of one pipeline, as Beam's own default

    def estimate_size(self, value: Any) -> int:
        return len(value) * _PER_RECORD_BYTES

    def is_deterministic(self) -> bool:
        return False


class _MutationsCoder(_ChunkCoder):
    def estimate_size(self, value: TenantMutations) -> int:
        return len(value.mutations) * _PER_RECORD_BYTES


class _RejectCoder(Coder):
    """Rejects as MessagePack."""

    def encode(self, value: Reject) -> bytes:
        return msgspec.msgpack.encode(value)

    def decode(self, encoded: bytes) -> Reject:
        return msgspec.msgpack.decode(encoded, type=Reject)

    def is_deterministic(self) -> bool:
        return True


for _chunk in (RecordChunk, DecodedChunk, ResolvedChunk, AcceptedChunk):
    registry.register_coder(_chunk, _ChunkCoder)
registry.register_coder(TenantMutations, _MutationsCoder)
registry.register_coder(Reject, _RejectCoder)
