"""Dead letters as they lie on their topic: one declaration for who writes them and for who reads them.

What was encoded decodes to an equal letter; what is no letter of this version says so and is never half read.
"""

from enum import StrEnum
from typing import Annotated, Final, NamedTuple

import msgspec

from transforms.model.limits import DEADLETTER_KEY_BYTES, INTEGER_MAX, INTEGER_MIN
from transforms.records.dead_letters.redacted import kept_headers, kept_key
from transforms.records.dead_letters.selection import OFFSETS_LOST, REPLAYED, TOPIC_PATTERN, Coordinates
from transforms.records.outcomes import NO_TENANT
from transforms.records.record import KafkaRecord, sha256_of

DEADLETTER_VERSION: Final = 1

# What is shown and counted by is held to the form that the writer gives it, whoever wrote the message.
_Name = Annotated[str, msgspec.Meta(pattern=r"\A[a-z_]{1,64}\Z")]
_Tenant = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9][a-z0-9.-]{0,62}\Z")]
_Topic = Annotated[str, msgspec.Meta(pattern=rf"\A{TOPIC_PATTERN}\Z")]
_Partition = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Offset = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]
_Size = Annotated[int, msgspec.Meta(ge=0, le=2**40)]
_Milliseconds = Annotated[int, msgspec.Meta(ge=INTEGER_MIN, le=INTEGER_MAX)]


def coordinates_of(record: KafkaRecord) -> Coordinates:
    """Where the record lies."""
    return Coordinates(record.topic, record.partition, record.offset)


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One reject, one gap, or the mark of a replayed letter, as a message of the dead-letter topic; bytes travel as base64.

    Only `gap_end` may be missing: a letter without its value must not pass for a tombstone's.

    client_id: None where the tenant is not known.
    value: None where the record had none or where it is withheld.
    redacted: secrets were taken out of the value, the key or the headers. truncated: the value, the key or the headers are cut.
    value_bytes, value_sha256: of the original value; None where the record had none.
    gap_end: for a gap, the first offset after it; what would describe a record is empty there.
    """

    version: int = DEADLETTER_VERSION
    reason: _Name
    detail: str
    step: _Name
    client_id: _Tenant | None
    topic: _Topic
    partition: _Partition
    offset: _Offset
    timestamp_ms: _Milliseconds
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None
    withheld: bool
    redacted: bool
    truncated: bool
    value_bytes: _Size | None
    value_sha256: str | None
    gap_end: _Offset | msgspec.UnsetType = msgspec.UNSET

    @property
    def coordinates(self) -> Coordinates:
        return Coordinates(self.topic, self.partition, self.offset)

    @property
    def tenant(self) -> str:
        return self.client_id or NO_TENANT

    @property
    def is_gap(self) -> bool:
        """Whether it tells of lost offsets: there is no record to it."""
        return self.reason == OFFSETS_LOST

    @property
    def is_mark(self) -> bool:
        """Whether it only says that the letter of this record was replayed."""
        return self.reason == REPLAYED

    @property
    def lost(self) -> int:
        """How many offsets a gap tells of; 0 for a record, and where a log was cut back."""
        return max(0, self.gap_end - self.offset) if self.is_gap and self.gap_end is not msgspec.UNSET else 0

    @property
    def is_whole(self) -> bool:
        """Whether the letter holds the record as it lay in Kafka, proven by its SHA-256."""
        is_less = self.is_gap or self.is_mark or self.withheld or self.redacted or self.truncated
        return not is_less and sha256_of(self.value) == self.value_sha256

    @property
    def size_bytes(self) -> int:
        """About what the original record takes in memory."""
        headers = sum(len(name) + len(held or b"") for name, held in self.headers)
        return max(self.value_bytes or 0, len(self.value or b"")) + len(self.key or b"") + headers

    def record(self) -> KafkaRecord:
        """The record as the letter holds it; the original only where the letter is whole."""
        return KafkaRecord(self.topic, self.partition, self.offset, self.timestamp_ms, self.key, self.value, self.headers)

    def is_of(self, found: KafkaRecord) -> bool:
        """Whether what Kafka holds at the coordinates is what was rejected: a topic may have been made anew."""
        is_cut = self.truncated and self.key is not None and len(self.key) == DEADLETTER_KEY_BYTES
        key = kept_key(found.key[:DEADLETTER_KEY_BYTES] if is_cut and found.key else found.key)
        same_headers = kept_headers(found.headers) == kept_headers(self.headers) or (self.truncated and not self.headers)
        return key == kept_key(self.key) and same_headers and sha256_of(found.value) == self.value_sha256


class Unreadable(Exception):
    """A message that is no letter of this version; its text is a short name for why."""


class _Versioned(msgspec.Struct):
    version: int


_VERSION: Final = msgspec.json.Decoder(_Versioned)
_LETTER: Final = msgspec.json.Decoder(Letter)


def encode_letter(letter: Letter) -> bytes:
    """The letter as JSON."""
    return msgspec.json.encode(letter)


def decode_letter(message: bytes | None) -> Letter:
    """The letter in a message of the topic; raises nothing but Unreadable."""
    try:
        version = _VERSION.decode(message or b"").version
        if version != DEADLETTER_VERSION:
            raise Unreadable(f"version {version}")
        return _LETTER.decode(message or b"")
    except msgspec.ValidationError:
        raise Unreadable("not a dead letter") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable("not JSON") from None


class Unavailable(StrEnum):
    """Why there is no original record to a letter any more."""

    GONE = "gone"
    ANOTHER_RECORD = "another_record"
    LETTER_GONE = "letter_gone"

    @property
    def sentence(self) -> str:
        """The same for people."""
        return _WHY[self]


_WHY: Final = {
    Unavailable.GONE: "the letter does not hold the whole record, and Kafka no longer does either",
    Unavailable.ANOTHER_RECORD: "the letter does not hold the whole record, and Kafka holds another one there: the topic was made anew",
    Unavailable.LETTER_GONE: "the letter itself was deleted meanwhile",
}


class Wanted(NamedTuple):
    """A letter that is to be replayed. at: where it lies itself. size_bytes: of the original record, about.

    timestamp_ms: of the original record; with its coordinates, it names the record for good.
    """

    at: Coordinates
    original: Coordinates
    client_id: str
    size_bytes: int
    timestamp_ms: int


def replay_mark(wanted: Wanted) -> Letter:
    """The mark that this letter was replayed, as a message that no version takes for a record.

    It says that its value is withheld, so that a version that knows no marks reads the record again from Kafka or leaves it.
    """
    client_id = None if wanted.client_id == NO_TENANT else wanted.client_id
    detail = f"replayed from {wanted.at}"
    return letter_without_record(wanted.original, REPLAYED, detail, REPLAYED, client_id, wanted.timestamp_ms, withheld=True)


def letter_without_record(
    at: Coordinates,
    reason: str,
    detail: str,
    step: str,
    client_id: str | None = None,
    timestamp_ms: int = 0,
    *,
    withheld: bool = False,
    gap_end: int | msgspec.UnsetType = msgspec.UNSET,
) -> Letter:
    """A letter that names coordinates and holds nothing of what lies there: no record can be made of it."""
    return Letter(
        reason=reason,
        detail=detail,
        step=step,
        client_id=client_id,
        topic=at.topic,
        partition=at.partition,
        offset=at.offset,
        timestamp_ms=timestamp_ms,
        key=None,
        headers=(),
        value=None,
        withheld=withheld,
        redacted=False,
        truncated=False,
        value_bytes=None,
        value_sha256=None,
        gap_end=gap_end,
    )
