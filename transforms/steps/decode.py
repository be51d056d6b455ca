"""Decode: bytes to envelopes, once."""

from collections.abc import Iterator
from typing import Final

import apache_beam as beam

from transforms.records.contents import Contents
from transforms.records.decode import decode_record
from transforms.steps.elements import DecodedChunk, RecordChunk

# One per process, so that a slice goes on with what the ones before have decoded.
_CONTENTS: Final = Contents()


class DecodeRecords(beam.PTransform):
    """Each record with its body or its fault; none is lost here, and none stops the run.

    client_id: single-tenant mode; records whose key names another tenant are not decoded in vain.
    """

    def __init__(self, client_id: str, legacy_topics: frozenset[str]) -> None:
        super().__init__()
        self._fn = DecodeRecordsFn(client_id, legacy_topics)

    def expand(self, chunks: beam.PCollection[RecordChunk]) -> beam.PCollection[DecodedChunk]:
        return chunks | beam.ParDo(self._fn).with_output_types(DecodedChunk)


class DecodeRecordsFn(beam.DoFn):
    def __init__(self, client_id: str, legacy_topics: frozenset[str]) -> None:
        self._client_id = client_id
        self._legacy_topics = legacy_topics

    def process(self, chunk: RecordChunk) -> Iterator[DecodedChunk]:
        yield DecodedChunk(decode_record(record, self._legacy_topics, only=self._client_id, contents=_CONTENTS) for record in chunk)
