"""Decode: bytes to envelopes, once."""

from collections.abc import Iterator

import apache_beam as beam

from transforms.records.codecs import Decoded, decode_record
from transforms.records.record import KafkaRecord


class DecodeRecords(beam.PTransform):
    """Each record with its body or its fault; none is lost here, and none stops the run.

    client_id: single-tenant mode; records whose key names another tenant are not decoded in vain.
    """

    def __init__(self, client_id: str, legacy_topics: frozenset[str]) -> None:
        super().__init__()
        self._fn = DecodeRecordsFn(client_id, legacy_topics)

    def expand(self, chunks: beam.PCollection[list[KafkaRecord]]) -> beam.PCollection[list[Decoded]]:
        return chunks | beam.ParDo(self._fn)


class DecodeRecordsFn(beam.DoFn):
    def __init__(self, client_id: str, legacy_topics: frozenset[str]) -> None:
        self._client_id = client_id
        self._legacy_topics = legacy_topics

    def process(self, chunk: list[KafkaRecord]) -> Iterator[list[Decoded]]:
        yield [decode_record(record, self._legacy_topics, only=self._client_id) for record in chunk]
