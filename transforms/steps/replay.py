"""Replay: records that were read already, through the same flow; what is rejected again is counted, its old letter stands."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam
import msgspec

from transforms.io.kafka_reader import CHUNK_RECORDS
from transforms.records.outcomes import NO_TENANT, Outcome, Tally
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reject
from transforms.steps.metrics import count_outcomes, count_reason

_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(list[KafkaRecord]).decode


class ReplayRecords(beam.PTransform):
    """The records, exactly as they are, in chunks of at most `CHUNK_RECORDS`, as a reader would deliver them."""

    def __init__(self, records: list[KafkaRecord]) -> None:
        super().__init__()
        # Bytes, so that Beam's own coder serves and nothing is pickled.
        self._chunks = [_ENCODE(records[at : at + CHUNK_RECORDS]) for at in range(0, len(records), CHUNK_RECORDS)]

    def expand(self, begin: Any) -> beam.PCollection[list[KafkaRecord]]:
        return begin | "Chunks" >> beam.Create(self._chunks, reshuffle=False) | "Records" >> beam.ParDo(TakeRecordsFn())


class TakeRecordsFn(beam.DoFn):
    def process(self, chunk: bytes) -> Iterator[list[KafkaRecord]]:
        yield _DECODE(chunk)


class CountRejects(beam.PTransform):
    """Every reject counted, by tenant and reason; none is written anywhere."""

    def expand(self, rejects: beam.PCollection[Reject]) -> beam.PCollection[None]:
        return rejects | beam.ParDo(CountRejectsFn())


class CountRejectsFn(beam.DoFn):
    def __init__(self) -> None:
        self._reasons: Counter[tuple[str, str]] = Counter()

    def start_bundle(self) -> None:
        self._reasons = Counter()

    def process(self, rejected: Reject) -> Iterator[None]:
        self._reasons[rejected.client_id or NO_TENANT, str(rejected.reason)] += 1
        yield from ()

    def finish_bundle(self) -> None:
        settled = Tally()
        for (client_id, reason), number in self._reasons.items():
            count_reason(client_id, reason, number)
            settled[client_id, Outcome.REJECTED] += number
        count_outcomes(settled)
