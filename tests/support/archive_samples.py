"""Records as the archive holds them, for the tests to write, cut and spoil."""

from typing import Final

from tests.support.wire import AT_MS, EVENTS, RESOURCES
from transforms.records.archive_format.archived import Archived, Withheld
from transforms.records.record import KafkaRecord

HOUR_MS: Final = 3_600_000


def archived(
    offset: int = 0,
    *,
    client_id: str = "af-10",
    topic: str = RESOURCES,
    partition: int = 0,
    at_ms: int = AT_MS,
    value: bytes | None = b"{}",
) -> Archived:
    return Archived(KafkaRecord(topic, partition, offset, at_ms, b"af-10::k", value), client_id)


def all_sorts() -> list[Archived]:
    """Records of one group with everything that a record may have or lack."""
    bare = KafkaRecord(EVENTS, 3, 7, AT_MS, None, None)
    return [
        Archived(bare, "af-10"),
        Archived(KafkaRecord(EVENTS, 3, 8, AT_MS + 1, b"", b"", (), True), "af-10"),
        Archived(
            KafkaRecord(EVENTS, 3, 9, AT_MS + 5, b"k" * 300, b'{"a":1}' * 999, (("a", None), ("b", b""), ("ä", b"\xff"))), "af-10", True
        ),
        Archived(KafkaRecord(EVENTS, 3, 2**62, AT_MS, b"k", None), "af-10", withheld=Withheld(5, b"h" * 32, truncated=True)),
    ]
