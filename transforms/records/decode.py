"""From a record's bytes to its body.

Whatever the bytes are, the answer of `decode_record` is a body, a fault or "not decoded"; it raises nothing but what the look-up
of a schema raises where the registry cannot be asked.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from transforms.model.limits import AHEAD_US, EARLIEST, KEY_BYTES, LATEST
from transforms.records.codecs import CODEC_OF_TOPIC, TOPICS, Codec
from transforms.records.contents import Contents, take_time
from transforms.records.envelopes import Body, Filtered, Tombstone
from transforms.records.json_text import check_json_text
from transforms.records.record import KafkaRecord, from_microseconds, make_ver, microseconds
from transforms.records.rejects import Fault, Reason
from transforms.records.routes import TopicRoute, route_of
from transforms.records.tenant import BARE, LEGACY, PLAIN, KeyForm, SplitKey, split_key
from transforms.records.wire import OPENING, SchemaLookup, open_foreign, open_wire

SHOWN_CHARACTERS: Final = 200


class Decoded(msgspec.Struct, frozen=True):
    """A record read: its body, or the fault that it has; neither for a topic that is not decoded.

    key: the key taken apart. route: what the topic's name says.
    ver: the record's version, "" where there is no body and where it is filtered; the record's time is in it, and not in the
    body, which may be that of an earlier record that said the same at another time.
    """

    record: KafkaRecord
    key: SplitKey
    route: TopicRoute
    body: Body | None = None
    ver: str = ""
    fault: Fault | None = None

    @property
    def codec(self) -> Codec | None:
        """The topic's codec; None for a topic that is not decoded."""
        return CODEC_OF_TOPIC.get(self.route.topic)


def decode_record(
    record: KafkaRecord,
    legacy_topics: frozenset[str] = frozenset(),
    *,
    patterns: tuple[str, ...] = (),
    only: str = "",
    contents: Contents | None = None,
    codecs: Mapping[str, Codec] = CODEC_OF_TOPIC,
    schemas: SchemaLookup | None = None,
) -> Decoded:
    """Read one record; never raises for what the record holds.

    legacy_topics: topics whose keys may also be split at a pipe sign.
    patterns: of topics that belong to one cluster each (`routes.py`).
    only: single-tenant mode; a record whose key or topic names another tenant is left unread. "" reads all.
    contents: bodies decoded before; None decodes every record.
    codecs: by topic, where they are not the declared ones (`codecs_with`).
    schemas: how ids of a schema registry are looked up; None where none is configured.
    """
    route = route_of(record.topic, patterns, TOPICS)
    codec = codecs.get(route.topic)
    form = (
        BARE
        if codec is not None and codec.tenancy
        else LEGACY
        if legacy_topics and not legacy_topics.isdisjoint((record.topic, route.topic))
        else PLAIN
    )
    is_long = record.key is not None and len(record.key) > KEY_BYTES
    key, key_fault = _take_key(record.key, form) if is_long else _read_key(record.key, form)
    if codec is None or (only and (key.client_id not in (None, only) or route.client_id not in (None, only))):
        return Decoded(record, key, route)
    if key_fault is not None:
        return Decoded(record, key, route, fault=key_fault)
    try:
        value = record.value
        if value and (value[0] != OPENING or record.headers):
            value = open_wire(route.topic, value, record.headers, schemas)
        timed = take_time(value) if contents is not None and codec.state and not codec.restless and value else None
        body = contents.find(route.topic, timed) if contents is not None and timed is not None else None
        if body is None:
            body, is_own = _decode_body(codec, value, record.timestamp_ms, key)
            if isinstance(body, Filtered):
                return Decoded(record, key, route, body)
            at = codec.body_time(body)
            at_us = None if at is None else microseconds(at)
            # The time that was taken out must be the body's own, not another field's of the same name.
            if contents is not None and timed is not None and at_us is not None and is_own:
                contents.keep(route.topic, timed, body)
        else:
            assert timed is not None
            at_us = timed.at_us
        ver = _version(record, at_us)
    except Fault as fault:
        return Decoded(record, key, route, fault=fault)
    return Decoded(record, key, route, body, ver)


def _take_key(key: bytes | None, form: KeyForm) -> tuple[SplitKey, Fault | None]:
    """The key taken apart as far as it can be, and what is wrong with it: its tenant is known even so."""
    text = (key or b"")[:KEY_BYTES].decode(errors="replace")
    try:
        _check_key(key)
    except Fault as fault:
        return split_key(text, form), fault
    return split_key(text, form), None


# Keys come again as objects do; those beyond the limit are not worth their memory.
_read_key: Final = lru_cache(maxsize=32 * 1024)(_take_key)


def _check_key(key: bytes | None) -> None:
    if key is None:
        return
    if len(key) > KEY_BYTES:
        raise Fault(Reason.LIMIT_EXCEEDED, f"the key has {len(key)} bytes, at most {KEY_BYTES} are taken", parsed=False)
    try:
        key.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Fault(Reason.BAD_KEY, f"the key is not UTF-8 at byte {error.start}", parsed=False) from None


def _decode_body(codec: Codec, value: bytes | None, timestamp_ms: int, key: SplitKey) -> tuple[Body, bool]:
    """The body, and whether the value is its own envelope and not another shape around it."""
    if not value:
        return _tombstone(codec, key), False
    check_json_text(value)
    try:
        try:
            return codec.parse(value), True
        except (msgspec.ValidationError, Fault):
            # Other shapes are rare: nobody else pays for them.
            body = _parse_foreign(codec, value, timestamp_ms)
            if body is None:
                raise
            return body, False
    except msgspec.ValidationError as error:
        text = str(error)
        missing = text.startswith("Object missing required field")
        raise Fault(Reason.MISSING_FIELD if missing else Reason.WRONG_TYPE, text[:SHOWN_CHARACTERS]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Fault(Reason.NOT_JSON, f"the value is not JSON: {str(error)[:SHOWN_CHARACTERS]}", parsed=False) from None


def _parse_foreign(codec: Codec, text: bytes, timestamp_ms: int) -> Body | None:
    """The body in another shape; None where the text is in no shape that is known. Each shape taken off leaves less, or an envelope."""
    inner = open_foreign(codec.topic, text, timestamp_ms)
    if inner is None:
        return None
    check_json_text(inner)
    try:
        return codec.parse(inner)
    except (msgspec.ValidationError, Fault):
        body = _parse_foreign(codec, inner, timestamp_ms)
        if body is None:
            raise
        return body


def _tombstone(codec: Codec, key: SplitKey) -> Tombstone:
    if not codec.state:
        raise Fault(Reason.EMPTY_VALUE, f"an empty value on {codec.topic}; only state topics have tombstones")
    if not key.raw and not (codec.tenancy and key.client_id):
        raise Fault(Reason.BAD_KEY, "a tombstone whose key names nothing; produce it with the key of what is gone")
    return Tombstone(key.raw)


_EARLIEST_US: Final = microseconds(EARLIEST)
_LATEST_US: Final = microseconds(LATEST)


def _version(record: KafkaRecord, at_us: int | None) -> str:
    """t = min(body time, record timestamp); a tombstone's is the record timestamp (contract, "Order")."""
    arrived_us = record.timestamp_ms * 1000
    if at_us is not None and at_us - arrived_us > AHEAD_US and arrived_us >= _EARLIEST_US:
        raise Fault(
            Reason.BAD_TIME,
            f"the body's time {_shown(at_us)} is more than a day ahead of the record's {_shown(arrived_us)}; set the producer's clock",
        )
    t_us = arrived_us if at_us is None else min(at_us, arrived_us)
    if not _EARLIEST_US <= t_us < _LATEST_US:
        raise Fault(Reason.BAD_TIME, f"the time {_shown(t_us)} lies outside {EARLIEST.year} to {LATEST.year}")
    return make_ver(t_us, record.topic, record.partition, record.offset)


def _shown(t_us: int) -> str:
    try:
        return from_microseconds(t_us).isoformat()
    except OverflowError:
        return f"{t_us} µs"
