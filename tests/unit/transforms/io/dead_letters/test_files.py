"""Dead letters in files: the letters of the topic, each once, read and restored as if they lay there."""

from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.deadletters.walk import find_letter, index_letters
from tests.support.full_disk import full_disk
from tests.support.wire import AT_MS, EVENTS, RESOURCES
from tests.unit.transforms.io.dead_letters.test_reader import Log
from transforms.io.archive.avro_files import AvroFiles
from transforms.io.dead_letters.files import HeldLetters, LetterFileWriter
from transforms.io.dead_letters.gaps import encode_gap, gap_letter
from transforms.io.dead_letters.index import LetterIndex
from transforms.io.dead_letters.reader import DeadLetterReader, Posted
from transforms.io.dead_letters.writer import encode_deadletter, letter_of
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import OffsetGap
from transforms.records.archive_format.container import encode_file, read_blocks, read_header
from transforms.records.dead_letters.blocks import LETTERS, LetterFile
from transforms.records.dead_letters.letters import Letter, decode_letter
from transforms.records.dead_letters.selection import LetterFilter, LetterPlace
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reason, Reject, Step

WHOLE = KafkaRecord(EVENTS, 0, 7, AT_MS, b"k", b"{}", (("h", b"x"), ("none", None)))
HIDDEN = KafkaRecord(RESOURCES, 1, 8, AT_MS, b"af-10::secret:shop:s", b'{"kind":"Secret"}')
TOMBSTONE = KafkaRecord(RESOURCES, 1, 9, AT_MS, None, None)
GAP = OffsetGap(EVENTS, 0, 3, 7, 7)


def rejected(record: KafkaRecord, reason: Reason = Reason.TENANT_MISSING, client_id: str = "") -> Reject:
    return Reject(record, client_id, Step.RESOLVE_TENANT, reason, "why")


ALL = (rejected(WHOLE), rejected(HIDDEN, client_id="af-10"), rejected(TOMBSTONE))


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "letters")


def write(path: str, *rejects: Reject) -> None:
    writer = LetterFileWriter(path)
    for one in rejects:
        writer.send(one)
    writer.flush()


def read(reader: DeadLetterReader) -> list[Posted]:
    return [posted for letters in reader.letters(reader.ranges()) for posted in letters]


def letters(path: str) -> list[Letter]:
    return [posted.letter for posted in read(DeadLetterReader.open(None, LetterPlace("", path)))]


def by_place(found: list[Letter]) -> list[Letter]:
    return sorted(found, key=lambda one: (one.topic, one.offset))


def test_letters_of_files_are_those_of_the_topic(path: str) -> None:
    writer = LetterFileWriter(path)
    for one in ALL:
        writer.send(one)
    writer.send_gap(GAP)
    assert not Path(path).exists(), "what is not flushed is nowhere"
    writer.flush()

    topic = [decode_letter(encode_deadletter(one)) for one in ALL] + [decode_letter(encode_gap(GAP))]
    assert by_place(letters(path)) == by_place(topic)


def test_a_file_tells_tenant_topic_and_hour(path: str) -> None:
    write(path, *ALL)
    assert sorted(file.parent.relative_to(path).as_posix() for file in Path(path).rglob("*.avro")) == [
        "v1/client_id=-/topic=events.normalized/hour=2026-03-01T08",
        "v1/client_id=-/topic=state.k8s.resource/hour=2026-03-01T08",
        "v1/client_id=af-10/topic=state.k8s.resource/hour=2026-03-01T08",
    ]


def test_the_same_letter_is_there_once_and_another_reason_is_one_more_that_counts(path: str) -> None:
    for _ in range(2):
        write(path, *ALL)
    assert len(letters(path)) == len(ALL)
    write(path, rejected(WHOLE, Reason.BAD_TIME))

    reader = DeadLetterReader.open(None, LetterPlace("", path))
    index = LetterIndex(LetterFilter())
    reached = index_letters(reader, index)

    assert len(letters(path)) == len(ALL) + 1
    assert sorted(one.reason for one in index.latest(9)) == ["bad_time", "tenant_missing", "tenant_missing"]
    assert sum(reached.values()) == len(ALL) + 1
    again = LetterIndex(LetterFilter())
    index_letters(reader, again, reached)
    assert list(again.groups()) == [], "what was read before does not count"
    found, times, replayed_ms = find_letter(reader, letter_of(ALL[0]).coordinates)
    assert (times, replayed_ms) == (2, None)
    assert found is not None
    assert found.letter.reason == "bad_time"


def test_records_are_restored_from_letters_that_hold_them_and_else_from_kafka(path: str) -> None:
    write(path, *ALL)
    unreadable: Counter[str] = Counter()
    kafka = Log([HIDDEN])
    reader = DeadLetterReader(HeldLetters(path, unreadable), "", kafka, unreadable)
    index = LetterIndex(LetterFilter())
    index_letters(reader, index)
    wanted = list(index.wanted())

    restored = reader.restore(wanted)

    assert sorted(restored.records, key=lambda one: one.offset) == [WHOLE, HIDDEN, TOMBSTONE]
    assert kafka.asked == [{letter_of(ALL[1]).coordinates}], "Kafka is asked for nothing that a letter holds"
    for file in Path(path).rglob("*.avro"):
        file.unlink()
    assert [str(why) for _, why in reader.restore(wanted).unavailable] == ["letter_gone"] * 3


def test_files_hold_the_marks_of_replayed_letters(path: str) -> None:
    write(path, *ALL)
    reader = DeadLetterReader.open(None, LetterPlace("", path))
    index = LetterIndex(LetterFilter())
    index_letters(reader, index)
    first, *others = index.wanted()
    for _ in range(2):
        writer = LetterFileWriter(path)
        writer.send_mark(first)
        writer.flush()

    anew = LetterIndex(LetterFilter())
    index_letters(reader, anew)

    assert [one.original for one in anew.wanted()] == [one.original for one in others]
    assert sum(one.replayed for one in anew.groups()) == 1
    assert len(letters(path)) == len(ALL) + 1, "a mark is written once"
    found, times, replayed_ms = find_letter(reader, first.original)
    assert (times, found is not None and found.at, replayed_ms is not None) == (1, first.at, True)


def spoil_block(data: bytearray) -> None:
    data[-20] ^= 1


def spoil_header(data: bytearray) -> None:
    data[0] ^= 1


def cut(data: bytearray) -> None:
    del data[-40:]


@pytest.mark.parametrize("spoil", [spoil_block, spoil_header, cut])
def test_a_corrupt_file_is_counted_and_costs_no_other_its_letters(path: str, spoil: object) -> None:
    write(path, *ALL)
    victim = next(file for file in Path(path).rglob("*.avro") if "af-10" in str(file))
    data = bytearray(victim.read_bytes())
    assert callable(spoil)
    spoil(data)
    victim.write_bytes(data)
    reader = DeadLetterReader.open(None, LetterPlace("", path))

    assert by_place([posted.letter for posted in read(reader)]) == by_place([letter_of(ALL[0]), letter_of(ALL[2])])
    assert reader.unreadable == {"in corrupt files": 1}


def test_a_letter_that_says_what_no_letter_may_is_corrupt(path: str) -> None:
    """Well formed, and with a checksum that holds: only what it says is hostile."""
    write(path, ALL[0])
    (file,) = AvroFiles(path, LETTERS, "They").find(0, 2**62)
    ours = letter_of(ALL[0])
    told = {name: getattr(ours, name) for name in ours.__struct_fields__}
    hostile = encode_file(LETTERS.format, [LetterFile(1, Letter(**{**told, "reason": "[red]\x1b"}))])
    Path(path, file.path).write_bytes(hostile.data)

    reader = DeadLetterReader.open(None, LetterPlace("", path))

    assert read(reader) == []
    assert reader.unreadable == {"in corrupt files": 1}


def test_a_full_disk_is_told_in_one_sentence_and_leaves_nothing(path: str) -> None:
    with full_disk(100), pytest.raises(InfrastructureFault) as raised:
        write(path, *ALL)
    assert raised.value.sentence.startswith(
        f"The folder of dead letters at {path} cannot be written (File too large); nothing after the last"
    )
    assert not [file for file in Path(path).rglob("*") if file.is_file()]


TEXTS = st.text(max_size=20)
BYTES = st.none() | st.binary(max_size=30)


@given(TEXTS, BYTES, BYTES, st.booleans(), st.lists(st.tuples(TEXTS, BYTES), max_size=2).map(tuple), st.integers(0, 2**62))
def test_every_letter_is_the_same_again(
    detail: str, key: bytes | None, value: bytes | None, flag: bool, headers: tuple[tuple[str, bytes | None], ...], at: int
) -> None:
    record = KafkaRecord(EVENTS, 3, at, at, key, value, headers)
    one = letter_of(Reject(record, "af-10" if flag else "", Step.DECODE, Reason.NOT_JSON, detail))
    written = [LetterFile(at, letter) for letter in (one, gap_letter(OffsetGap(EVENTS, 3, at, at, at)))]
    source = BytesIO(encode_file(LETTERS.format, written).data)

    assert list(read_blocks(LETTERS.format, source, read_header(LETTERS.format, source))) == [written]
