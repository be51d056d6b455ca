"""Wrappings on the wire, taken off before a codec reads the value: CloudEvents, and the Confluent wire format.

A value that begins with a brace in a record without headers is plain JSON, and is never brought here. The record itself
stays as it is: its bytes and coordinates are what versions and dead letters are made of.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from transforms.model.limits import RECORD_BYTES
from transforms.records.record import Headers
from transforms.records.rejects import Fault, Reason
from transforms.records.topic_names import EVENTS, RESOURCES
from transforms.records.wrappers.cloudevents import (
    Attributes,
    attributes_of,
    check_binary,
    fill_event,
    is_structured,
    mark_gone,
    open_structured,
)
from transforms.records.wrappers.kubernetes import envelope_of
from transforms.records.wrappers.unreadable import check_is_no_list

# (schema id, who asks) to what makes JSON of a payload; raises Fault where the schema is unknown or cannot be used.
# Who asks is what the record's key calls its tenant, "" for none: what one asks in vain is not to be at the cost of others.
PayloadReader = Callable[[bytes], bytes]
SchemaLookup = Callable[[int, str], PayloadReader]

OPENING: Final = ord("{")
MAGIC: Final = 0
_PREFIX_BYTES: Final = 5
_UTF_16: Final = '{"'.encode("utf-16-be")
# Registries have 32-bit integers with a sign for ids, from 1 on.
_MOST_ID: Final = 2**31 - 1
_SPECVERSION: Final = b'"specversion"'
_METADATA: Final = b'"metadata"'
_PAYLOAD: Final = b'"payload"'
_CONNECT: Final = frozenset({"schema", "payload"})
_BLANKS: Final = b" \t\r\n"
_NULL: Final = b"null"
# With the blanks that may stand around it.
_NULL_BYTES: Final = 64
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def open_wire(topic: str, value: bytes, headers: Headers, schemas: SchemaLookup | None, asker: str = "") -> bytes:
    """The JSON text in a value, or what was none to begin with, for the codec to tell; raises Fault.

    schemas: how schema ids are looked up; None where no registry is configured. asker: on whose behalf.
    """
    told = attributes_of(headers) if headers else None
    if value[0] == MAGIC:
        value = unframe(value, schemas, asker)
    if told is None:
        return value
    if told.is_structured:
        return _open_structured(topic, value)
    check_binary(told)
    return _filled(topic, value, told)


def open_foreign(topic: str, text: bytes, timestamp_ms: int) -> bytes | None:
    """The text of the envelope in one that is none itself; None where no foreign shape is known either.

    Asked only of what the topic's codec refused, so that envelopes do not pay for it.
    """
    if text.lstrip(_BLANKS).startswith(b'"'):
        said = "the value is JSON written as text, a string that holds it; write the object itself, encoded once"
        raise Fault(Reason.BAD_WRAPPER, said, parsed=False)
    if _SPECVERSION in text and is_structured(text):
        return _open_structured(topic, text)
    if _PAYLOAD in text and (payload := _open_connect(text)) is not None:
        return payload
    if topic == RESOURCES and _METADATA in text:
        check_is_no_list(text)
        return envelope_of(text, timestamp_ms)
    return None


def is_null(text: bytes) -> bool:
    """Whether JSON text says null, and nothing else: what serialisers that know no tombstones write for one."""
    return len(text) <= _NULL_BYTES and text.strip(_BLANKS) == _NULL


def _open_structured(topic: str, text: bytes) -> bytes:
    data, told = open_structured(text)
    return _filled(topic, data, told)


def _filled(topic: str, data: bytes, told: Attributes) -> bytes:
    if topic == RESOURCES:
        return mark_gone(data, told)
    return fill_event(data, told) if topic == EVENTS else data


def _open_connect(text: bytes) -> bytes | None:
    """The payload beside its schema, as Kafka Connect's converter writes them; None where the text is something else.

    Older converters write a tombstone so, too: its payload is null.
    """
    try:
        fields = _FIELDS(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return bytes(fields["payload"]) if fields.keys() == _CONNECT else None


def _check_id(schema_id: int, value: bytes) -> None:
    """Fault for what cannot be the id of a schema, which no registry need be asked for."""
    if value.startswith(_UTF_16):
        raise Fault(Reason.BAD_WRAPPER, "the value is UTF-16; write UTF-8", parsed=False)
    if schema_id > _MOST_ID:
        said = f"the value is written with schema {schema_id}, and ids are at most {_MOST_ID}; write JSON, or a registered schema"
        raise Fault(Reason.SCHEMA_UNKNOWN, said, parsed=False)
    if schema_id:
        return
    if value[_PREFIX_BYTES:].startswith(b"{"):
        raise Fault(Reason.BAD_WRAPPER, "the value is JSON behind five bytes of 0; write the JSON alone", parsed=False)
    said = (
        "the value begins with the schema id 0, which no registry has; Apicurio's 8-byte ids begin so, and 4 bytes are read: "
        "set the producer's id handler to 4 bytes (apicurio.registry.id-handler)"
    )
    raise Fault(Reason.SCHEMA_UNKNOWN, said, parsed=False)


def unframe(value: bytes, schemas: SchemaLookup | None, asker: str = "") -> bytes:
    """The payload behind the magic byte 0 and the four bytes of a schema's id, as JSON; raises Fault."""
    if len(value) > RECORD_BYTES:
        said = f"the value has {len(value)} bytes, at most {RECORD_BYTES} are taken; split or trim it at the producer"
        raise Fault(Reason.LIMIT_EXCEEDED, said, parsed=False)
    if len(value) <= _PREFIX_BYTES:
        said = f"the value begins as the Confluent wire format does, and ends after {len(value)} bytes, without a payload"
        raise Fault(Reason.BAD_WRAPPER, said, parsed=False)
    schema_id = int.from_bytes(value[1:_PREFIX_BYTES], "big")
    _check_id(schema_id, value)
    if schemas is None:
        said = f"the value is written with schema {schema_id} of a schema registry, and none is configured; set --schema_registry_url"
        raise Fault(Reason.SCHEMA_UNKNOWN, said, parsed=False)
    return schemas(schema_id, asker)(value[_PREFIX_BYTES:])
