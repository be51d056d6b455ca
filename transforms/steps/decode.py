"""Decode: bytes to envelopes, once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import apache_beam as beam

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.registry_target import RegistryTarget
from transforms.io.kafka.schema_registry import process_registry
from transforms.records.decode import Decoded, decode_record, unread
from transforms.records.decoded_bodies import Contents
from transforms.records.logs.failures import Families
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Step
from transforms.records.topics import TOPIC_OF_NAME, Topic, topics_with
from transforms.records.wrappers.unwrap import SchemaLookup
from transforms.steps.elements import DecodedChunk, RecordChunk
from transforms.steps.net import caught

# One per process, so that a slice goes on with what the ones before have decoded.
_CONTENTS: Final = Contents()


@dataclass(frozen=True, slots=True)
class WireSettings:
    """How records are written on this bus.

    legacy_topics: whose keys may also be split at a pipe sign. patterns: of topics that belong to one cluster each.
    failure_patterns: families of failures that lines of logs are looked at for before the declared ones.
    registry: where the schemas of records in the Confluent wire format are; None where there is none.
    """

    legacy_topics: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    failure_patterns: Families = ()
    registry: RegistryTarget | None = None


_PLAIN: Final = WireSettings()


class DecodeRecords(beam.PTransform):
    """Each record with its body or its fault; none is lost here, and none stops the run.

    client_id: single-tenant mode; records whose key or topic names another tenant are not decoded in vain.
    """

    def __init__(self, client_id: str = "", wire: WireSettings = _PLAIN) -> None:
        super().__init__()
        self._fn = DecodeRecordsFn(client_id, wire)

    def expand(self, chunks: beam.PCollection[RecordChunk]) -> beam.PCollection[DecodedChunk]:
        return chunks | beam.ParDo(self._fn).with_output_types(DecodedChunk)


class DecodeRecordsFn(beam.DoFn):
    def __init__(self, client_id: str, wire: WireSettings) -> None:
        self._client_id = client_id
        self._wire = wire
        self._topics: Mapping[str, Topic] = {}
        self._schemas: SchemaLookup | None = None

    def setup(self) -> None:
        self._topics, self._schemas = opened(self._wire)

    def process(self, chunk: RecordChunk) -> Iterator[DecodedChunk]:
        decode = decoder(self._client_id, self._wire, self._topics, self._schemas, _CONTENTS)
        try:
            decoded = DecodedChunk(map(decode, chunk))
        except InfrastructureFault:
            raise
        except Exception:  # noqa: BLE001 - the net: found record by record, so that nobody else pays for it
            decoded = DecodedChunk(self._one(decode, record) for record in chunk)
        yield decoded

    def _one(self, decode: Callable[[KafkaRecord], Decoded], record: KafkaRecord) -> Decoded:
        try:
            return decode(record)
        except Exception as error:  # noqa: BLE001 - the net
            return unread(record, caught(error, Step.DECODE, record, ""), self._wire.patterns)


def opened(wire: WireSettings) -> tuple[Mapping[str, Topic], SchemaLookup | None]:
    """What does not travel to workers: decoders and compiled patterns, of which the texts do; schemas, which outlive slices."""
    own = wire.failure_patterns
    return topics_with(own) if own else TOPIC_OF_NAME, process_registry(wire.registry).reader if wire.registry else None


def decoder(
    client_id: str, wire: WireSettings, topics: Mapping[str, Topic], schemas: SchemaLookup | None, contents: Contents | None = None
) -> Callable[[KafkaRecord], Decoded]:
    """`decode_record` as these settings want it. contents: bodies decoded before; None decodes every record."""
    return partial(
        decode_record,
        legacy_topics=wire.legacy_topics,
        patterns=wire.patterns,
        only=client_id,
        contents=contents,
        topics=topics,
        schemas=schemas,
    )
