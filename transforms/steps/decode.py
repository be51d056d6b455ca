"""Decode: bytes to envelopes, once."""

from collections.abc import Iterator
from typing import Final

import apache_beam as beam

from transforms.io.registry_target import RegistryTarget
from transforms.io.schema_registry import process_registry
from transforms.records.codecs import CODEC_OF_TOPIC, Codec, codecs_with
from transforms.records.contents import Contents
from transforms.records.decode import decode_record
from transforms.records.failures import Families
from transforms.records.wire import SchemaLookup
from transforms.steps.elements import DecodedChunk, RecordChunk

# One per process, so that a slice goes on with what the ones before have decoded.
_CONTENTS: Final = Contents()


class DecodeRecords(beam.PTransform):
    """Each record with its body or its fault; none is lost here, and none stops the run.

    client_id: single-tenant mode; records whose key names another tenant are not decoded in vain.
    failure_patterns: families of failures that lines of logs are looked at for before the declared ones.
    registry: where the schemas of records in the Confluent wire format are; None where there is none.
    """

    def __init__(
        self,
        client_id: str,
        legacy_topics: frozenset[str],
        failure_patterns: Families = (),
        registry: RegistryTarget | None = None,
    ) -> None:
        super().__init__()
        self._fn = DecodeRecordsFn(client_id, legacy_topics, failure_patterns, registry)

    def expand(self, chunks: beam.PCollection[RecordChunk]) -> beam.PCollection[DecodedChunk]:
        return chunks | beam.ParDo(self._fn).with_output_types(DecodedChunk)


class DecodeRecordsFn(beam.DoFn):
    def __init__(self, client_id: str, legacy_topics: frozenset[str], failure_patterns: Families, registry: RegistryTarget | None) -> None:
        self._client_id = client_id
        self._legacy_topics = legacy_topics
        self._failure_patterns = failure_patterns
        self._registry = registry
        self._codecs: dict[str, Codec] = {}
        self._schemas: SchemaLookup | None = None

    def setup(self) -> None:
        # Decoders and compiled patterns do not travel to workers; the texts of the patterns do.
        self._codecs = codecs_with(self._failure_patterns) if self._failure_patterns else CODEC_OF_TOPIC
        # Slices come and go with their pipelines; schemas stay.
        self._schemas = process_registry(self._registry).reader if self._registry else None

    def process(self, chunk: RecordChunk) -> Iterator[DecodedChunk]:
        legacy, only, codecs, schemas = self._legacy_topics, self._client_id, self._codecs, self._schemas
        yield DecodedChunk(decode_record(record, legacy, only=only, contents=_CONTENTS, codecs=codecs, schemas=schemas) for record in chunk)
