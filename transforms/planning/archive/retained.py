"""What the archive keeps of a record: all of it, less its secrets, so that reading it again means the same to the graph."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import structs

from transforms.planning.facts.mutations import Mutation
from transforms.planning.interpret.dispatch import interpret
from transforms.records.archive_format.archived import KEY_BYTES, VALUE_BYTES, Archived, Withheld
from transforms.records.dead_letters.redacted import is_text, kept_headers, kept_key
from transforms.records.decode import Decoded
from transforms.records.envelopes.types import Body, Edge, Filtered, Registration, Resource, Rule
from transforms.records.liveness_signals import cleaned
from transforms.records.memo import GenerationalCache
from transforms.records.record import Headers, KafkaRecord
from transforms.records.redaction.tree import TooSuspicious, has_repeated_names, is_suspicious, redact_tree
from transforms.records.rejects import Fault, Reason
from transforms.records.wrappers.unwrap import MAGIC, OPENING, SchemaLookup, unframe

Decode = Callable[[KafkaRecord], Decoded]
_AT: Final = b'"at":"'
_SECRETS: Final = "secret"
_TENANT_HEADER: Final = "client_id"
# Bodies that come again and again with another time; what the flow decodes anew each time is looked at anew.
_REPEATED: Final = frozenset({Resource, Edge, Rule})
_SHORT_KEY_BYTES: Final = 1024


class Archiving:
    """Redacts records for the archive; remembers what it found of a text that comes again at another time.

    decode: as the flow decodes, without its memory of bodies: what was redacted is held to mean the same.
    schemas: how values in the Confluent wire format are opened; None where no registry is configured.
    """

    def __init__(self, decode: Decode, schemas: SchemaLookup | None = None) -> None:
        self._decode = decode
        self._schemas = schemas
        # By the body: decoding gives the same one for texts that differ in their time alone. None: nothing is to be taken out.
        self._found: GenerationalCache[int, tuple[Body, tuple[bytes, bytes] | None]] = GenerationalCache()

    def is_plain(self, decoded: Decoded) -> bool:
        """Whether it is known that the record is archived as it is, and that it has no headers."""
        record, body = decoded.record, decoded.body
        value = record.value
        if record.headers or kept_key(record.key) is not record.key:
            return False
        if not value:
            return True
        if value[0] != OPENING or type(body) not in _REPEATED:
            return False
        held = self._found.get(id(body))
        return held is not None and held[0] is body and held[1] is None

    def archived(self, client_id: str, decoded: Decoded) -> Archived:
        """The record as the archive holds it; raises nothing for what the record holds."""
        record, body = decoded.record, decoded.body
        value = record.value
        is_named_plainly = not record.headers and kept_key(record.key) is record.key
        if not value and is_named_plainly:
            return Archived(record, client_id)
        is_bare = is_named_plainly and bool(value) and value is not None and value[0] == OPENING
        is_known = is_bare and type(body) in _REPEATED
        if is_known:
            held = self._found.get(id(body))
            if held is not None and held[0] is body:
                return _at_its_time(record, client_id, held[1])
        is_plain = is_bare and value is not None and _is_small(record) and not is_suspicious(value)
        one = Archived(record, client_id) if is_plain else self._redacted(client_id, decoded)
        if is_known and body is not None and one.withheld is None:
            self._remember(body, one)
        return one

    def _remember(self, body: Body, one: Archived) -> None:
        if not one.redacted:
            self._found.put(id(body), (body, None))
            return
        before, at, rest = (one.record.value or b"").partition(_AT)
        if at:
            self._found.put(id(body), (body, (before + at, rest[rest.index(b'"') :])))

    def _redacted(self, client_id: str, decoded: Decoded) -> Archived:
        record = decoded.record
        if len(record.value or b"") > VALUE_BYTES or _named_bytes(record) > KEY_BYTES:
            return withheld_whole(record, client_id)
        text = record.value
        if text and text[0] == MAGIC:
            text = self._opened(decoded)
            if text is None:
                return _withheld(record, client_id)
        is_opened = text is not record.value
        if text and text[0] != OPENING and not is_text(text):
            return _withheld(record, client_id)
        if not (text and is_suspicious(text)) and not record.headers and kept_key(record.key) is record.key:
            return Archived(structs.replace(record, value=text) if is_opened else record, client_id, is_opened)
        try:
            parsed = msgspec.json.decode(text) if text and is_suspicious(text) else None
            return self._clean(client_id, decoded, text, parsed)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TooSuspicious):
            return _withheld(record, client_id)

    def _clean(self, client_id: str, decoded: Decoded, text: bytes | None, parsed: Any) -> Archived:
        """The record without secrets; where it would then mean something else, what the graph holds of it anyway is left."""
        record, meant = decoded.record, _Meant(decoded, client_id)
        key = kept_key(record.key)
        for is_first in (True, False):
            kept = frozenset[str]() if is_first else meant.strings()
            told = text if parsed is None else _encoded(parsed, kept, text, in_secret=_names_secret(decoded))
            headers = _headers(record.headers, is_first=is_first)
            again = structs.replace(record, key=key, value=told, headers=headers)
            is_same = told == record.value and headers == record.headers and key == record.key
            if is_same or meant.is_that_of(self._decode(again)):
                return Archived(record if is_same else again, client_id, not is_same)
        return _withheld(record, client_id)

    def _opened(self, decoded: Decoded) -> bytes | None:
        """The JSON text of a value in the Confluent wire format; None where nobody can open it."""
        if decoded.topic is None or not decoded.record.value:
            return None
        try:
            return unframe(decoded.record.value, self._schemas, decoded.key.client_id or "")
        except Fault:
            return None


class _Meant:
    """What a record says to the graph."""

    def __init__(self, decoded: Decoded, client_id: str) -> None:
        self._decoded = decoded
        self._client_id = client_id
        self._meaning = self._of(decoded)

    def _of(self, decoded: Decoded) -> Any:
        body, topic = decoded.body, decoded.topic
        if body is None or topic is None or topic.control or topic.tenancy or isinstance(body, Filtered):
            return cleaned(body) if isinstance(body, Registration) else body, decoded.fault
        told = getattr(body, "client_id", None), getattr(body, "cluster", None)
        return told, decoded.ver, _mutations(decoded, self._client_id)

    def is_that_of(self, again: Decoded) -> bool:
        return bool(self._of(again) == self._meaning)

    def strings(self) -> frozenset[str]:
        """What the graph holds of it, as texts."""
        return frozenset(_strings(msgspec.to_builtins(self._meaning)))


def _mutations(decoded: Decoded, client_id: str) -> tuple[Mutation, ...] | Reason:
    assert decoded.body is not None
    try:
        return interpret(decoded.route.topic, decoded.body, client_id, decoded.ver, raw_key=decoded.key.raw)
    except Fault as fault:
        return fault.reason


def _strings(value: Any) -> Iterator[str]:
    """The texts in a value, those within pairs, identities and JSON too."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _strings(name)
            yield from _strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, str):
        yield value
        for sign in "=#":
            yield from value.partition(sign)[::2]
        if value.startswith("{"):
            try:
                yield from _strings(msgspec.json.decode(value))
            except (msgspec.DecodeError, RecursionError):
                return


def _encoded(parsed: Any, kept: frozenset[str], text: bytes | None, *, in_secret: bool) -> bytes | None:
    redacted = redact_tree(parsed, kept, in_secret=in_secret)
    # Of what is named twice only the last was looked at; that is also all that decoding takes.
    is_whole = redacted == parsed and text is not None and not has_repeated_names(text, parsed)
    return text if is_whole else msgspec.json.encode(redacted)


def _names_secret(decoded: Decoded) -> bool:
    """Whether the key says that the object is a Secret, whatever the body says."""
    return decoded.route.topic.startswith("state.") and decoded.key.raw.partition(":")[0].lower() == _SECRETS


def _headers(headers: Headers, *, is_first: bool) -> Headers:
    """is_first: nothing in them is known to be needed yet; else words that no secret must hold are left."""
    if not headers:
        return headers
    kept = kept_headers(headers, strict=not is_first)
    return tuple(before if before[0] == _TENANT_HEADER else after for before, after in zip(headers, kept, strict=True))


def _at_its_time(record: KafkaRecord, client_id: str, around: tuple[bytes, bytes] | None) -> Archived:
    """A record whose text was redacted before, less its time."""
    if around is None:
        return Archived(record, client_id)
    _, _, rest = (record.value or b"").partition(_AT)
    before, after = around
    return Archived(structs.replace(record, value=before + rest[: rest.index(b'"')] + after), client_id, redacted=True)


def _is_small(record: KafkaRecord) -> bool:
    return len(record.value or b"") <= VALUE_BYTES and len(record.key or b"") <= KEY_BYTES


def _named_bytes(record: KafkaRecord) -> int:
    return len(record.key or b"") + sum(len(name) + len(value or b"") for name, value in record.headers)


def _withheld(record: KafkaRecord, client_id: str, *, truncated: bool = False) -> Archived:
    value = record.value or b""
    headers: Headers = () if truncated else _headers(record.headers, is_first=True)
    bare = structs.replace(record, key=kept_key(record.key), value=None, headers=headers)
    return Archived(bare, client_id, withheld=Withheld(len(value), sha256(value).digest(), truncated))


def withheld_whole(record: KafkaRecord, client_id: str) -> Archived:
    """The record without its value and headers, and with what is left of a long key; nothing looks into it."""
    key = record.key and record.key[:_SHORT_KEY_BYTES]
    return _withheld(structs.replace(record, key=key), client_id, truncated=True)
