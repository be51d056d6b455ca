"""What is wrong with a value that could not be read, by name: how its producer wrote it, and what to set there instead.

Asked of rejected records alone, so that nobody else pays for it. A cause says more than the decoder's own words; where
nothing is known, those stand.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
import re2

from transforms.records.json_text import without_strings
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault, Reason
from transforms.records.topic_names import EVENTS, LOGS, RESOURCES

_SHOWN: Final = 80
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_ANY: Final = msgspec.json.Decoder().decode
_GLUE_BYTES: Final = 18
_BARE_WORDS: Final = re2.compile(rb"NaN|-?Infinity|undefined|None\b|True\b|False\b")

# By the first bytes: what the value is, and the remedy.
_OPENINGS: Final = (
    (b"\xef\xbb\xbf", "begins with a byte-order mark (BOM); write UTF-8 without one"),
    (b"\xff\xfe", "is UTF-16 by its byte-order mark; write UTF-8"),
    (b"\xfe\xff", "is UTF-16 by its byte-order mark; write UTF-8"),
    (b"{\x00", "is UTF-16; write UTF-8"),
    (b"\x1f\x8b", "is compressed with gzip; write JSON, and let Kafka compress (`compression.type`)"),
    (b"\x28\xb5\x2f\xfd", "is compressed with Zstandard; write JSON, and let Kafka compress (`compression.type`)"),
    (b"\x04\x22\x4d\x18", "is compressed with LZ4; write JSON, and let Kafka compress (`compression.type`)"),
    (b"\xff\x06\x00\x00sNaPpY", "is compressed with Snappy; write JSON, and let Kafka compress (`compression.type`)"),
    (b"\x82SNAPPY", "is compressed with Snappy; write JSON, and let Kafka compress (`compression.type`)"),
    (b"Obj\x01", "is a file of Avro's; write one record in the Confluent wire format"),
    (b"\xac\xed", "is serialized by Java; write JSON"),
    (b"\x80\x04", "is pickled by Python; write JSON"),
    (b"{'", "is Python's own text for a dict; write it with `json.dumps`"),
    (b"map[", "is Go's own text for a map; write it with `json.Marshal`"),
)
_APICURIO_HEADERS: Final = ("apicurio.value.globalId", "apicurio.value.contentId", "apicurio.value.encoding")
_CONFLUENT_HEADER: Final = "__value_schema_id"
_PROTOBUF_TOPICS: Final = frozenset({LOGS, EVENTS})
_PROTOBUF: Final = 0x0A
_MSGPACK: Final = frozenset((*range(0x80, 0x90), 0xDE, 0xDF))


def with_cause(fault: Fault, record: KafkaRecord, topic: str) -> Fault:
    """The fault, with the cause in the place of the decoder's words where it is known. topic: the contract's."""
    value = record.value
    if not value:
        return fault
    if fault.reason is Reason.NOT_JSON:
        said = _cause_of_bytes(value, record, topic)
        return Fault(fault.reason, f"the value {said}", parsed=fault.parsed) if said else fault
    if fault.reason in (Reason.MISSING_FIELD, Reason.WRONG_TYPE):
        for cause in _SHAPES:
            said = cause(value, topic)
            if said:
                return Fault(fault.reason, said, parsed=fault.parsed)
    return fault


def _cause_of_bytes(value: bytes, record: KafkaRecord, topic: str) -> str:
    names = {name for name, _ in record.headers}
    if not names.isdisjoint(_APICURIO_HEADERS):
        told = "has its schema's id in Apicurio's headers (`apicurio.value.…`)"
        return f"{told}; set apicurio.registry.headers.enabled=false with 4-byte ids in the payload, or write JSON"
    if _CONFLUENT_HEADER in names:
        return f"has its schema's id in the header {_CONFLUENT_HEADER}; write the id before the payload, or write JSON"
    return next((said for opening, said in _OPENINGS if value.startswith(opening)), "") or _cause_of_format(value, topic)


def _cause_of_format(value: bytes, topic: str) -> str:
    """By what is not said in so many bytes."""
    if value[0] == 3 and len(value) > _GLUE_BYTES and value[1] in (0, 5):  # noqa: PLR2004 - Glue's version and compressions
        return "begins with the header of AWS Glue's schema registry, which is not taken; write JSON, or Confluent's wire format"
    if value[0] == _PROTOBUF and topic in _PROTOBUF_TOPICS and not value.isascii():
        return "looks like Protobuf; set `encoding: otlp_json` in the collector's Kafka exporter"
    if value[0] in _MSGPACK:
        return "looks like MessagePack; set the output's format to JSON"
    word = _BARE_WORDS.search(without_strings(value))
    return f"is not JSON: it holds {word.group().decode()}, which JSON has not; write a number, true, false or null" if word else ""


def _no_object(value: bytes, _topic: str) -> str:
    first = value.lstrip()[:1]
    if first == b"[":
        return "the value is an array; write one record for each of its items"
    if first == b'"':
        return "the value is JSON within a JSON string, encoded twice; write the object itself"
    return ""


def _number_too_large(value: bytes, _topic: str) -> str:
    try:
        _ANY(value)
    except msgspec.ValidationError as error:
        return f"a number is out of range for JSON's readers ({str(error)[:_SHOWN]}); write it as text, or leave it out"
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    return ""


def _kindless(value: bytes, topic: str) -> str:
    """Kubernetes' typed clients leave `kind` and `apiVersion` out of what they read."""
    if topic != RESOURCES:
        return ""
    found = _fields(value)
    if "object" in found and "type" in found:
        found = _fields(found["object"])
    kind = bytes(found.get("kind", b'""'))
    if "op" in found or "metadata" not in found or kind not in (b'""', b"null"):
        return ""
    return "the object lacks `kind`, as those of Kubernetes' typed clients do; set `kind` and `apiVersion` before it is written"


_SHAPES: Final[tuple[Callable[[bytes, str], str], ...]] = (_no_object, _kindless, _number_too_large)


def _fields(text: Any) -> dict[str, msgspec.Raw]:
    try:
        return _OBJECT(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}


def check_is_no_list(text: bytes) -> None:
    """Fault for a list of Kubernetes objects, which is no object that a record is about."""
    found = _fields(text)
    kind = bytes(found.get("kind", b""))
    if "items" in found and kind.endswith(b'List"') and bytes(found["items"]).startswith(b"["):
        said = f"a {kind[1:-1].decode(errors='replace')[:_SHOWN]} holds many objects; write one record for each of its `items`"
        raise Fault(Reason.BAD_VALUE, said)
