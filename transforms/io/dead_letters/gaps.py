"""Gaps as dead letters: offsets that Kafka deleted before they were taken in."""

from transforms.io.kafka.offsets import OffsetGap
from transforms.records.dead_letters.letters import Letter, encode_letter
from transforms.records.dead_letters.selection import OFFSETS_LOST


def encode_gap(gap: OffsetGap) -> bytes:
    """A gap's letter as JSON."""
    return encode_letter(gap_letter(gap))


def gap_letter(gap: OffsetGap) -> Letter:
    """The record of offsets that Kafka deleted before they were taken in, as a letter: it holds coordinates and no value."""
    return Letter(
        reason=OFFSETS_LOST,
        detail=gap.sentence,
        step="read",
        client_id=None,
        topic=gap.topic,
        partition=gap.partition,
        offset=gap.start,
        timestamp_ms=0,
        key=None,
        headers=(),
        value=None,
        withheld=False,
        redacted=False,
        truncated=False,
        value_bytes=None,
        value_sha256=None,
        gap_end=gap.end,
    )
