"""CloudEvents 1.0 over Kafka, binary and structured: the data of one is the value that counts."""

import base64
import binascii
from typing import Final, NamedTuple

import msgspec

from transforms.records.json_text import check_json_text
from transforms.records.record import Headers
from transforms.records.redaction.text import redact_text, shown
from transforms.records.rejects import Fault, Reason

SHOWN_CHARACTERS: Final = 80
_VERSION: Final = "1."
_CONTENT_TYPE: Final = "content-type"
_STRUCTURED: Final = "application/cloudevents+json"
_ANY: Final = "application/cloudevents"
_WANTED: Final = frozenset({"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", _CONTENT_TYPE})
_JSON_TYPES: Final = ("/json", "+json")
_AVRO_TYPES: Final = ("avro",)
# What an event of another shape than ours is told by; those have identities and times of their own.
_OTHER_SHAPES: Final = frozenset({"involvedObject", "regarding", "object", "event", "resourceLogs"})
# Knative's ApiServerSource: its data is the object, of which the type says that it is gone, or in another mode only its name.
_REFERENCE: Final = "dev.knative.apiserver.ref."
_OBJECT_GONE: Final = ".resource.delete"


class Attributes(NamedTuple):
    """What a CloudEvent says of itself; "" where it does not. content_type: of its data."""

    specversion: str = ""
    id: str = ""
    source: str = ""
    time: str = ""
    content_type: str = ""
    is_structured: bool = False
    type: str = ""


class _Structured(msgspec.Struct, frozen=True):
    specversion: str
    id: str = ""
    source: str = ""
    type: str = ""
    time: str | None = None
    datacontenttype: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    data_base64: str | None = None


_STRUCTURED_EVENT: Final = msgspec.json.Decoder(_Structured).decode
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def attributes_of(headers: Headers) -> Attributes | None:
    """The CloudEvent that the headers tell of, None for none; Fault for a batch, another format or another version."""
    held = {lower: value for name, value in headers if (lower := name.lower()) in _WANTED}
    if not held:
        return None
    content_type = _text(_CONTENT_TYPE, held).partition(";")[0].strip().lower()
    if content_type == _STRUCTURED:
        return Attributes(is_structured=True)
    if content_type.startswith(_ANY):
        said = f"the content type {shown(content_type, SHOWN_CHARACTERS)} is not taken; write one CloudEvent a record, as {_STRUCTURED}"
        raise Fault(Reason.BAD_WRAPPER, said, parsed=False)
    if "ce_specversion" not in held:
        return None
    specversion, id_, source, time, type_ = (_text(f"ce_{name}", held) for name in ("specversion", "id", "source", "time", "type"))
    return _checked(Attributes(specversion, id_, source, time, content_type, type=type_))


def check_binary(told: Attributes) -> None:
    """Fault where the content type says that the value is neither JSON nor Avro."""
    _check_content(told.content_type, (*_JSON_TYPES, *_AVRO_TYPES))


def is_structured(text: bytes) -> bool:
    """Whether JSON text is a CloudEvent, and not one that has such a field somewhere."""
    try:
        return "specversion" in _FIELDS(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def open_structured(text: bytes) -> tuple[bytes, Attributes]:
    """The data of a CloudEvent in JSON, and what it says of itself; raises Fault."""
    check_json_text(text)
    try:
        event = _STRUCTURED_EVENT(text)
    except msgspec.ValidationError as error:
        raise _refused(f"the CloudEvent is not well formed: {redact_text(str(error))[:SHOWN_CHARACTERS]}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        said = f"the CloudEvent is not JSON: {redact_text(str(error))[:SHOWN_CHARACTERS]}"
        raise Fault(Reason.NOT_JSON, said, parsed=False) from None
    content_type = (event.datacontenttype or "").lower()
    told = _checked(Attributes(event.specversion, event.id, event.source, event.time or "", content_type, type=event.type))
    _check_content(told.content_type.partition(";")[0].strip(), _JSON_TYPES)
    if event.data_base64 is not None:
        return _decoded(event.data_base64), told
    data = bytes(event.data)
    if not data.startswith((b"{", b"[")):
        raise _refused("the CloudEvent's `data` is no JSON object; write the envelope as it is, not as text")
    return data, told


def fill_event(data: bytes, told: Attributes) -> bytes:
    """An event envelope with `event_id` and `event_time` from the CloudEvent where it lacks them.

    A CloudEvent is known by source and id together, and so is the event: `source#id`. What the body says stands.
    """
    if not told.id or not told.source:
        return data
    try:
        fields = _FIELDS(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return data  # The codec tells what is wrong with it.
    if "subject" not in fields or not _OTHER_SHAPES.isdisjoint(fields):
        return data
    offered = {"event_id": f"{told.source}#{told.id}", "event_time": told.time}
    missing = {name: text for name, text in offered.items() if text and bytes(fields.get(name, b"null")) == b"null"}
    if not missing:
        return data
    return msgspec.json.encode(fields | {name: msgspec.Raw(msgspec.json.encode(text)) for name, text in missing.items()})


def mark_gone(data: bytes, told: Attributes) -> bytes:
    """An object that the CloudEvent says is gone, as the watch record that says so; an envelope, which says itself, as it is."""
    if not told.type.endswith(_OBJECT_GONE):
        return data
    try:
        fields = _FIELDS(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return data  # The codec tells what is wrong with it.
    if "metadata" not in fields or "op" in fields:
        return data
    return msgspec.json.encode({"type": "DELETED", "object": msgspec.Raw(data)})


def _checked(told: Attributes) -> Attributes:
    if not told.specversion.startswith(_VERSION):
        raise _refused(f"CloudEvents {shown(told.specversion, SHOWN_CHARACTERS)} are not taken; write version 1.0")
    if told.type.startswith(_REFERENCE):
        said = (
            f"the CloudEvent {shown(told.type, SHOWN_CHARACTERS)} holds a reference and not the object; set the source's mode to Resource"
        )
        raise _refused(said)
    return told


def _check_content(content_type: str, taken: tuple[str, ...]) -> None:
    if content_type and not content_type.endswith(taken):
        raise _refused(f"the CloudEvent's data is {shown(content_type, SHOWN_CHARACTERS)}, not JSON; write JSON")


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _refused(f"the CloudEvent's `data_base64` is no base64 ({error}); encode it anew") from None
    if not data:
        raise _refused("the CloudEvent's `data_base64` is empty; for a tombstone write a record without a value")
    return data


def _text(name: str, held: dict[str, bytes | None]) -> str:
    try:
        return (held.get(name) or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise _refused(f"the header {name} is not UTF-8") from None


def _refused(said: str) -> Fault:
    """What is wrapped was not read, so nobody could look for secrets in it."""
    return Fault(Reason.BAD_WRAPPER, said, parsed=False)
