"""A Kafka record as every reader delivers it, and the version that orders it."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_T_DIGITS: Final = 18


Headers = tuple[tuple[str, bytes | None], ...]
# What stands in a header's name for bytes that are not UTF-8: Kafka's Java client writes it, so every reader does.
UNREADABLE: Final = "\N{REPLACEMENT CHARACTER}"
# What librdkafka tells of headers where one has such a name: nothing else.
UNREADABLE_HEADERS: Final[Headers] = ((UNREADABLE, None),)
_END_OF_NAME: Final = "\0"


def header_name(name: str) -> str:
    """A header's name as every reader tells it: librdkafka's ends before a zero byte."""
    return name.partition(_END_OF_NAME)[0]


class Original(msgspec.Struct, frozen=True, array_like=True):
    """What a record's value was before something was taken out of the record.

    size_bytes, sha256: of the value as it lies in Kafka, the hash in hexadecimal digits; None where it has none.
    withheld: the value is left out. redacted: secrets were taken out of the record.
    """

    size_bytes: int | None
    sha256: str | None
    withheld: bool
    redacted: bool

    @classmethod
    def of(cls, value: bytes | None, *, withheld: bool, redacted: bool) -> "Original":
        """That of a record with this value."""
        return cls(None if value is None else len(value), sha256_of(value), withheld, redacted)


def sha256_of(value: bytes | None) -> str | None:
    """The SHA-256 of a value in hexadecimal digits; None for no value."""
    return None if value is None else sha256(value).hexdigest()


class KafkaRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One record, exactly as it lies in Kafka but where `original` says otherwise.

    timestamp_ms: the record timestamp in milliseconds since 1970, by the topic's own timestamp type.
    key, value: None where the record has none; an empty value counts as none (contract: "empty = tombstone").
    headers: in their order; a header's value may be None.
    is_broker_time: the broker stamped the record when it was appended, so that no producer's clock shows in it.
    original: of a record that is no longer as it lies in Kafka, what it was; None for every other.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    is_broker_time: bool = False
    original: Original | None = None

    @property
    def coordinates(self) -> str:
        """`topic[partition]@offset`, the form used in logs and messages."""
        return f"{self.topic}[{self.partition}]@{self.offset}"

    @property
    def size_bytes(self) -> int:
        return len(self.key or b"") + len(self.value or b"")


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970; exact, since it never passes through a float."""
    return (moment - _EPOCH) // _MICROSECOND


def is_unset(moment: datetime) -> bool:
    """Whether a moment is the zero of what wrote it, Go's year 1 or the beginning of 1970, and so says that there is none."""
    return moment.year <= 1 or moment == _EPOCH


def moment_of(ver: str) -> datetime:
    """The time of a version, in UTC."""
    return _EPOCH + int(t_of(ver)) * _MICROSECOND


def from_microseconds(t_us: int) -> datetime:
    """The moment so many microseconds after 1970; OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=t_us)


def make_ver(t_us: int, topic: str, partition: int, offset: int) -> str:
    """The record's version: (t, topic, partition, offset) as text whose order is the order of the tuples.

    The total order depends on the record alone (contract, section "Order"). Numbers are padded; the blank that
    separates the parts sorts before every character a topic name may have. Ordering by text lets the graph
    store one property and compare it without taking it apart.
    """
    return f"{t_us:0{_T_DIGITS}d} {topic} {partition:010d} {offset:019d}"


def at_time(ver: str, t_us: int) -> str:
    """The version of the same record at another time."""
    return f"{t_us:0{_T_DIGITS}d}{ver[_T_DIGITS:]}"


def time_limit(t_us: int) -> str:
    """At least every version of that microsecond, less than every version of the next."""
    return f"{max(t_us, 0):0{_T_DIGITS}d}~"


def t_of(ver: str) -> str:
    """The time part of a version, comparable as text with other time parts; "" for no version."""
    return ver[:_T_DIGITS]
