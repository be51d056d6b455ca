"""Gaps as dead letters: offsets that Kafka deleted before they were taken in."""

from transforms.io.kafka.offsets import OffsetGap
from transforms.records.dead_letters.letters import Letter, encode_letter, letter_without_record
from transforms.records.dead_letters.selection import OFFSETS_LOST, Coordinates


def encode_gap(gap: OffsetGap) -> bytes:
    """A gap's letter as JSON."""
    return encode_letter(gap_letter(gap))


def gap_letter(gap: OffsetGap) -> Letter:
    """The record of offsets that Kafka deleted before they were taken in, as a letter: it holds coordinates and no value."""
    at = Coordinates(gap.topic, gap.partition, gap.start)
    return letter_without_record(at, OFFSETS_LOST, gap.sentence, "read", gap_end=gap.end)
