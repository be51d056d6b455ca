"""One codec per topic, in one table: the next topic is one entry.

`decode_record` raises nothing but `Fault`; whatever the bytes are, the answer is a body, a fault or "not decoded".
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from transforms.model.limits import BODY_AHEAD, EARLIEST, KEY_BYTES, LATEST
from transforms.records.envelopes import Body, Command, Edge, Event, Resource, Tombstone
from transforms.records.events import parse_event
from transforms.records.json_text import check_json_text
from transforms.records.record import KafkaRecord, from_milliseconds, make_ver, microseconds
from transforms.records.rejects import Fault, Reason
from transforms.records.tenant import SplitKey, split_key

SHOWN_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Codec:
    """How a topic's records are read.

    parse: JSON text to envelope, validated.
    body_time: the time that the envelope gives itself; None where it gives none.
    state: a compacted topic; an empty value is a tombstone there, and a reject elsewhere.
    control: instructions to the job, counted as `control`, never written to the graph.
    """

    topic: str
    parse: Callable[[bytes], Body]
    body_time: Callable[[Body], datetime | None]
    state: bool = False
    control: bool = False


def _at(body: Body) -> datetime | None:
    return body.at if isinstance(body, Resource | Edge) else None


def _event_time(body: Body) -> datetime | None:
    return body.event_time if isinstance(body, Event) else None


def _no_time(_body: Body) -> datetime | None:
    return None


COMMANDS: Final = frozenset({"ENSURE_SCHEMA"})


def _parse_command(text: bytes) -> Command:
    command = _COMMAND.decode(text)
    if command.command not in COMMANDS:
        known = ", ".join(sorted(COMMANDS))
        raise Fault(Reason.UNKNOWN_COMMAND, f"the command {command.command[:64]!r} is none of {known}")
    return command


_COMMAND: Final = msgspec.json.Decoder(Command)

CODECS: Final = (
    Codec("state.k8s.resource", msgspec.json.Decoder(Resource).decode, _at, state=True),
    Codec("state.k8s.topology", msgspec.json.Decoder(Edge).decode, _at, state=True),
    Codec("events.normalized", parse_event, _event_time),
    Codec("graph.commands", _parse_command, _no_time, control=True),
)
CODEC_OF_TOPIC: Final = {codec.topic: codec for codec in CODECS}


class Decoded(msgspec.Struct, frozen=True):
    """A record read: its body, or the fault that it has; neither for a topic that is not decoded.

    key: the key taken apart. ver: the record's version, "" where there is no body.
    """

    record: KafkaRecord
    key: SplitKey
    body: Body | None = None
    ver: str = ""
    fault: Fault | None = None

    @property
    def codec(self) -> Codec | None:
        """The topic's codec; None for a topic that is not decoded."""
        return CODEC_OF_TOPIC.get(self.record.topic)


def decode_record(record: KafkaRecord, legacy_topics: frozenset[str] = frozenset(), *, only: str = "") -> Decoded:
    """Read one record; never raises for what the record holds.

    legacy_topics: topics whose keys may also be split at a pipe sign.
    only: single-tenant mode; a record whose key names another tenant is left unread. "" reads all.
    """
    codec = CODEC_OF_TOPIC.get(record.topic)
    key = _split(record, legacy_topics)
    if codec is None or (only and key.client_id not in (None, only)):
        return Decoded(record, key)
    try:
        _check_key(record.key)
        body = _decode_body(codec, record, key)
        ver = _version(record, codec.body_time(body))
    except Fault as fault:
        return Decoded(record, key, fault=fault)
    return Decoded(record, key, body, ver)


def _split(record: KafkaRecord, legacy_topics: frozenset[str]) -> SplitKey:
    """The key taken apart, as far as it can be: what else is wrong with it, its tenant is known."""
    text = (record.key or b"")[:KEY_BYTES].decode(errors="replace")
    return split_key(text, legacy=record.topic in legacy_topics)


def _check_key(key: bytes | None) -> None:
    if key is None:
        return
    if len(key) > KEY_BYTES:
        raise Fault(Reason.LIMIT_EXCEEDED, f"the key has {len(key)} bytes, at most {KEY_BYTES} are taken", parsed=False)
    try:
        key.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Fault(Reason.BAD_KEY, f"the key is not UTF-8 at byte {error.start}", parsed=False) from None


def _decode_body(codec: Codec, record: KafkaRecord, key: SplitKey) -> Body:
    if not record.value:
        return _tombstone(codec, key)
    check_json_text(record.value)
    try:
        return codec.parse(record.value)
    except msgspec.ValidationError as error:
        text = str(error)
        missing = text.startswith("Object missing required field")
        raise Fault(Reason.MISSING_FIELD if missing else Reason.WRONG_TYPE, text[:SHOWN_CHARACTERS]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Fault(Reason.NOT_JSON, f"the value is not JSON: {str(error)[:SHOWN_CHARACTERS]}", parsed=False) from None


def _tombstone(codec: Codec, key: SplitKey) -> Tombstone:
    if not codec.state:
        raise Fault(Reason.EMPTY_VALUE, f"an empty value on {codec.topic}; only state topics have tombstones")
    if not key.raw:
        raise Fault(Reason.BAD_KEY, "a tombstone whose key names nothing; produce it with the key of what is gone")
    return Tombstone(key.raw)


def _version(record: KafkaRecord, body_time: datetime | None) -> str:
    """t = min(body time, record timestamp); a tombstone's is the record timestamp (contract, "Order")."""
    try:
        arrived = from_milliseconds(record.timestamp_ms)
    except OverflowError:
        arrived = LATEST if record.timestamp_ms > 0 else EARLIEST - BODY_AHEAD
    if body_time is not None and body_time - arrived > BODY_AHEAD and arrived >= EARLIEST:
        raise Fault(
            Reason.BAD_TIME,
            f"the body's time {body_time.isoformat()} is more than a day ahead of the record's {arrived.isoformat()}; "
            "set the producer's clock",
        )
    moment = arrived if body_time is None else min(body_time, arrived)
    if not EARLIEST <= moment < LATEST:
        raise Fault(Reason.BAD_TIME, f"the time {moment.isoformat()} lies outside {EARLIEST.year} to {LATEST.year}")
    return make_ver(microseconds(moment), record.topic, record.partition, record.offset)
