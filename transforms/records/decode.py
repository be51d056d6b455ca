"""From a record's bytes to its body.

Whatever the bytes are, the answer of `decode_record` is a body, a fault or "not decoded"; it raises nothing but what the look-up
of a schema raises where the registry cannot be asked.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from transforms.model.identity import kind_token
from transforms.model.limits import AHEAD_US, EARLIEST, KEY_BYTES, LATEST
from transforms.records.decoded_bodies import Contents, take_time
from transforms.records.envelopes.types import Body, Filtered, Resource, Tombstone
from transforms.records.json_text import check_json_text, mended_json, with_whole_numbers
from transforms.records.record import UNREADABLE, Headers, KafkaRecord, from_microseconds, is_unset, make_ver, microseconds
from transforms.records.redaction.text import redact_text
from transforms.records.rejects import Fault, Reason
from transforms.records.tenancy.routes import TopicRoute, header_tenant, route_of
from transforms.records.tenancy.tenant import BARE, LEGACY, PLAIN, KeyForm, SplitKey, may_name_kind, split_key, whole_key
from transforms.records.topic_names import RESOURCES, TOPIC_NAMES
from transforms.records.topics import TOPIC_OF_NAME, Topic
from transforms.records.wrappers.unreadable import with_cause
from transforms.records.wrappers.unwrap import OPENING, SchemaLookup, is_null, open_foreign, open_wire

SHOWN_CHARACTERS: Final = 200
# A CloudEvent around a watch record is two. Each is read several times until it is off, with all that it wraps.
WRAPPINGS: Final = 3
_GOT_FLOAT: Final = "got `float`"


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
    def topic(self) -> Topic | None:
        """The declared topic; None for one that is not decoded."""
        return TOPIC_OF_NAME.get(self.route.topic)


def decode_record(
    record: KafkaRecord,
    legacy_topics: frozenset[str] = frozenset(),
    *,
    patterns: tuple[str, ...] = (),
    only: str = "",
    contents: Contents | None = None,
    topics: Mapping[str, Topic] = TOPIC_OF_NAME,
    schemas: SchemaLookup | None = None,
) -> Decoded:
    """Read one record; never raises for what the record holds.

    legacy_topics: topics whose keys may also be split at a pipe sign.
    patterns: of topics that belong to one cluster each (`routes.py`).
    only: single-tenant mode; a record whose key or topic names another tenant is left unread. "" reads all.
    contents: bodies decoded before; None decodes every record.
    topics: by topic, where they are not the declared ones (`topics_with`).
    schemas: how ids of a schema registry are looked up; None where none is configured.
    """
    route = route_of(record.topic, patterns, TOPIC_NAMES)
    topic = topics.get(route.topic)
    form = (
        BARE
        if topic is not None and topic.tenancy
        else LEGACY
        if legacy_topics and not legacy_topics.isdisjoint((record.topic, route.topic))
        else PLAIN
    )
    is_long = record.key is not None and len(record.key) > KEY_BYTES
    key, key_fault, kind_like = _take_key(record.key, form) if is_long else _read_key(record.key, form)
    kind_like = kind_like and route.topic == RESOURCES
    if topic is None or (only and ((key.client_id not in (None, only) and not kind_like) or route.client_id not in (None, only))):
        return Decoded(record, key, route)
    if key_fault is not None:
        return Decoded(record, key, route, fault=key_fault)
    try:
        if record.headers:
            _check_headers(record.headers)
        value = record.value
        key = _key_of_gone(key, route, record) if kind_like else key
        if value and (value[0] != OPENING or record.headers):
            value = open_wire(route.topic, value, record.headers, schemas, key.client_id or "")
        timed = take_time(value) if contents is not None and topic.state and not topic.volatile_encoding and value else None
        body = contents.find(route.topic, timed) if contents is not None and timed is not None else None
        if body is None:
            body, is_own = _decode_body(topic, value, record.timestamp_ms, key)
            if isinstance(body, Filtered):
                return Decoded(record, key, route, body)
            at = topic.body_time(body)
            at_us = None if at is None else microseconds(at)
            # The time that was taken out must be the body's own, not another field's of the same name.
            if contents is not None and timed is not None and at_us is not None and is_own:
                contents.keep(route.topic, timed, body)
        else:
            assert timed is not None
            at_us = timed.at_us
        key = _key_by_kind(key, body) if kind_like else key
        if only and key.client_id not in (None, only):
            return Decoded(record, key, route)
        ver = _version(record, at_us)
    except Fault as fault:
        return Decoded(record, key, route, fault=with_cause(fault, record, route.topic).alone())
    return Decoded(record, key, route, body, ver)


def unread(record: KafkaRecord, fault: Fault, patterns: tuple[str, ...] = ()) -> Decoded:
    """The record with a fault that kept it from being read: of its tenant, what topic and key say."""
    key, *_ = _take_key(record.key, PLAIN)
    return Decoded(record, key, route_of(record.topic, patterns, TOPIC_NAMES), fault=fault)


def _take_key(key: bytes | None, form: KeyForm) -> tuple[SplitKey, Fault | None, bool]:
    """The key taken apart as far as it can be, what is wrong with it, and whether what it has for a tenant may be a kind."""
    split = split_key((key or b"")[:KEY_BYTES].decode(errors="replace"), form)
    try:
        _check_key(key)
    except Fault as fault:
        return split, fault.alone(), False
    return split, None, may_name_kind(split)


def _key_by_kind(key: SplitKey, body: Body) -> SplitKey:
    """The key; one without a tenant where what it has for one is the body's own kind."""
    if not isinstance(body, Resource) or key.client_id not in (body.kind.lower(), kind_token(body.kind, body.api_version or "")):
        return key
    return whole_key(key)


def _key_of_gone(key: SplitKey, route: TopicRoute, record: KafkaRecord) -> SplitKey:
    """The key; of a tombstone, which has no body to tell its kind, one without a tenant where topic or header name another."""
    if record.value:
        return key
    outside = route.client_id or (header_tenant(record.headers) if record.headers else None)
    return key if outside in (None, key.client_id) else whole_key(key)


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


def _check_headers(headers: Headers) -> None:
    """Headers may say whose a record is and how it is wrapped; where not all can be read, nothing of them counts."""
    if any(UNREADABLE in name for name, _ in headers):
        raise Fault(Reason.BAD_HEADER, "the name of a header is not UTF-8; rename the header at the producer", parsed=False)


def _decode_body(topic: Topic, value: bytes | None, timestamp_ms: int, key: SplitKey) -> tuple[Body, bool]:
    """The body, and whether the value is its own envelope and not another shape around it."""
    if not value or (topic.state and is_null(value)):
        return _tombstone(topic, key), False
    try:
        check_json_text(value, any_integer=topic.is_lenient)
    except Fault as fault:
        return _decode_mended(topic, value, timestamp_ms, key, fault)
    try:
        try:
            return topic.parse(value) if topic.parse_at is None else topic.parse_at(value, timestamp_ms), True
        except (msgspec.ValidationError, Fault) as error:
            # Other shapes are rare: nobody else pays for them.
            body = _parse_whole(topic, value, timestamp_ms, error) or _parse_foreign(topic, value, timestamp_ms, key)
            if body is None:
                raise
            return body, False
    except msgspec.ValidationError as error:
        text = str(error)
        missing = text.startswith("Object missing required field")
        raise Fault(Reason.MISSING_FIELD if missing else Reason.WRONG_TYPE, redact_text(text)[:SHOWN_CHARACTERS]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        broken = Fault(Reason.NOT_JSON, f"the value is not JSON: {redact_text(str(error))[:SHOWN_CHARACTERS]}", parsed=False)
        return _decode_mended(topic, value, timestamp_ms, key, broken)


def _parse_whole(topic: Topic, value: bytes, timestamp_ms: int, error: Exception) -> Body | None:
    """The body where nothing is wrong but that whole numbers are written as 3.0; else None."""
    if _GOT_FLOAT not in str(error):
        return None
    whole = with_whole_numbers(value)
    try:
        return topic.parse(whole) if topic.parse_at is None else topic.parse_at(whole, timestamp_ms)
    except (msgspec.ValidationError, Fault):
        return None


def _decode_mended(topic: Topic, value: bytes, timestamp_ms: int, key: SplitKey, fault: Fault) -> tuple[Body, bool]:
    """The body where a few bytes alone were no text, and the topic's records may have such; else raises the fault."""
    mended = mended_json(value) if topic.is_lenient and fault.reason is Reason.NOT_JSON else value
    if mended == value:
        raise fault from None
    return _decode_body(topic, mended, timestamp_ms, key)


def _parse_foreign(topic: Topic, text: bytes, timestamp_ms: int, key: SplitKey, wrappings: int = 1) -> Body | None:
    """The body in another shape; None where the text is in no shape that is known. Each shape taken off leaves less, or an envelope.

    wrappings: which one it is, counted from outside.
    """
    inner = open_foreign(topic.name, text, timestamp_ms)
    if inner is None:
        return None
    if wrappings > WRAPPINGS:
        said = f"the value is wrapped more than {WRAPPINGS} times; write the envelope, or one CloudEvent around it"
        raise Fault(Reason.BAD_WRAPPER, said, parsed=False)
    if topic.state and is_null(inner):
        return _tombstone(topic, key)
    check_json_text(inner)
    try:
        return topic.parse(inner) if topic.parse_at is None else topic.parse_at(inner, timestamp_ms)
    except (msgspec.ValidationError, Fault) as error:
        foreign = _parse_whole(topic, inner, timestamp_ms, error)
        body = foreign or _parse_foreign(topic, inner, timestamp_ms, key, wrappings + 1)
        if body is None:
            raise
        return body


def _tombstone(topic: Topic, key: SplitKey) -> Tombstone:
    if not topic.state:
        raise Fault(Reason.EMPTY_VALUE, f"an empty value on {topic.name}; only state topics have tombstones")
    if not key.raw and not (topic.tenancy and key.client_id):
        raise Fault(Reason.BAD_KEY, "a tombstone whose key names nothing; produce it with the key of what is gone")
    return Tombstone(key.raw)


_EARLIEST_US: Final = microseconds(EARLIEST)
_LATEST_US: Final = microseconds(LATEST)
_NO_TIMESTAMPS: Final = (-1, 0)
_UNTIMED: Final = "let the producer set timestamps, or set the topic's message.timestamp.type to LogAppendTime"


def _version(record: KafkaRecord, at_us: int | None) -> str:
    """t = min(body time, record timestamp); a tombstone's is the record timestamp (contract, "Order").

    A record without a timestamp, which is Kafka's -1 and some producers' 0, has the body's time alone.
    """
    arrived_us = record.timestamp_ms * 1000
    if record.timestamp_ms in _NO_TIMESTAMPS:
        if at_us is None or at_us == arrived_us:
            raise Fault(Reason.BAD_TIME, f"neither the record (timestamp {record.timestamp_ms}) nor its body has a time; {_UNTIMED}")
        arrived_us = at_us
    if at_us is not None and at_us - arrived_us > AHEAD_US and arrived_us >= _EARLIEST_US:
        raise Fault(
            Reason.BAD_TIME,
            f"the body's time {_shown(at_us)} is more than a day ahead of the record's {_shown(arrived_us)}; set the producer's clock",
        )
    t_us = arrived_us if at_us is None else min(at_us, arrived_us)
    if not _EARLIEST_US <= t_us < _LATEST_US:
        unset = "; it is the zero of what wrote it: write the time, or leave the field out" if t_us == at_us and _is_zero(t_us) else ""
        raise Fault(Reason.BAD_TIME, f"the time {_shown(t_us)} lies outside {EARLIEST.year} to {LATEST.year}{unset}")
    return make_ver(t_us, record.topic, record.partition, record.offset)


def _is_zero(t_us: int) -> bool:
    try:
        return is_unset(from_microseconds(t_us))
    except OverflowError:
        return False


def _shown(t_us: int) -> str:
    try:
        return from_microseconds(t_us).isoformat()
    except OverflowError:
        return f"{t_us} µs"
