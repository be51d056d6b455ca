"""Letters become original records again where that can be proven, and unavailable with a reason where it cannot."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.support.wire import AT_MS, EVENTS, RESOURCES
from transforms.io.dead_letters.gaps import encode_gap
from transforms.io.dead_letters.reader import DeadLetterReader, Posted, Restored
from transforms.io.dead_letters.writer import encode_deadletter
from transforms.io.kafka.offsets import OffsetGap, OffsetRange
from transforms.records.dead_letters.letters import Unavailable, Wanted, coordinates_of
from transforms.records.dead_letters.selection import Coordinates
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reason, Reject, Step

LETTERS = "graph.deadletter"
WHOLE = KafkaRecord(EVENTS, 0, 7, AT_MS, b"k", b"{}", (("h", b"x"),))
HIDDEN = KafkaRecord(RESOURCES, 1, 8, AT_MS, b"secret:shop:s", b'{"kind":"Secret"}')


@dataclass
class Log:
    """What Kafka holds; asked for single records, it keeps which."""

    held: list[KafkaRecord]
    asked: list[set[Coordinates]] = field(default_factory=list)

    def close(self) -> None:
        self.held.clear()

    def ranges(self, topics: Iterable[str]) -> list[OffsetRange]:
        places = sorted({(one.topic, one.partition) for one in self.held if one.topic in set(topics)})
        return [OffsetRange(*place, 0, 1 + max(one.offset for one in self.held if (one.topic, one.partition) == place)) for place in places]

    def read(self, ranges: list[OffsetRange]) -> Iterator[list[KafkaRecord]]:
        for one in ranges:
            yield [record for record in self.held if (record.topic, record.partition) == one.place and one.start <= record.offset < one.end]

    def find(self, wanted: Iterable[Coordinates]) -> dict[Coordinates, KafkaRecord]:
        self.asked.append(set(wanted))
        return {coordinates_of(one): one for one in self.held if coordinates_of(one) in self.asked[-1]}


def letter(record: KafkaRecord, offset: int) -> KafkaRecord:
    value = encode_deadletter(Reject(record, "", Step.RESOLVE_TENANT, Reason.TENANT_MISSING, "why"))
    return KafkaRecord(LETTERS, 0, offset, AT_MS + 1, record.key, value)


def wanted(record: KafkaRecord, offset: int) -> Wanted:
    return Wanted(Coordinates(LETTERS, 0, offset), coordinates_of(record), "-", 10, AT_MS)


def restored(held: list[KafkaRecord], *asked: Wanted) -> tuple[Restored, Log]:
    log = Log(held)
    return DeadLetterReader(log, LETTERS).restore([*asked]), log


def test_a_whole_letter_is_its_record_and_kafka_is_not_asked_for_it() -> None:
    found, log = restored([letter(WHOLE, 0)], wanted(WHOLE, 0))

    assert found == Restored([WHOLE], [])
    assert log.asked == [{Coordinates(LETTERS, 0, 0)}, set()]


def test_a_withheld_value_is_what_kafka_holds_at_the_timestamp_of_the_letter() -> None:
    found, _ = restored([letter(HIDDEN, 0), HIDDEN], wanted(HIDDEN, 0))

    assert found == Restored([HIDDEN], [])


def test_what_kafka_no_longer_holds_is_gone() -> None:
    one = wanted(HIDDEN, 0)
    assert restored([letter(HIDDEN, 0)], one)[0] == Restored([], [(one, Unavailable.GONE)])


def test_another_record_at_the_same_coordinates_is_never_taken_for_it() -> None:
    one = wanted(HIDDEN, 0)
    another = KafkaRecord(RESOURCES, 1, 8, AT_MS, HIDDEN.key, b'{"kind":"Secret","x":1}')

    assert restored([letter(HIDDEN, 0), another], one)[0] == Restored([], [(one, Unavailable.ANOTHER_RECORD)])


def test_the_same_record_produced_again_into_a_topic_made_anew_keeps_the_time_that_it_was_rejected_with() -> None:
    again = KafkaRecord(RESOURCES, 1, 8, AT_MS + 99, HIDDEN.key, HIDDEN.value)

    assert restored([letter(HIDDEN, 0), again], wanted(HIDDEN, 0))[0] == Restored([HIDDEN], [])


def test_a_letter_that_was_deleted_meanwhile_or_replaced_is_gone_itself() -> None:
    gap = KafkaRecord(LETTERS, 0, 2, AT_MS, None, encode_gap(OffsetGap(EVENTS, 0, 7, 9, 9)))
    garbage = KafkaRecord(LETTERS, 0, 3, AT_MS, None, b"x")
    asked = [wanted(WHOLE, 0), wanted(WHOLE, 1), wanted(WHOLE, 2), wanted(WHOLE, 3)]

    found, _ = restored([letter(HIDDEN, 1), gap, garbage], *asked)

    assert found == Restored([], [(one, Unavailable.LETTER_GONE) for one in asked])


def test_letters_are_read_with_where_they_lie_and_what_is_none_is_counted_by_why() -> None:
    junk = [KafkaRecord(LETTERS, 0, offset, AT_MS, None, value) for offset, value in ((1, b"x"), (2, None), (3, b'{"version":2}'))]
    reader = DeadLetterReader(Log([letter(WHOLE, 0), *junk, letter(HIDDEN, 4), WHOLE]), LETTERS)

    ((first, last),) = reader.letters(reader.ranges())

    assert isinstance(first, Posted)
    assert (first.at, first.written_ms, first.letter.coordinates) == (Coordinates(LETTERS, 0, 0), AT_MS + 1, coordinates_of(WHOLE))
    assert (last.at, last.letter.withheld, last.letter.value) == (Coordinates(LETTERS, 0, 4), True, None)
    assert reader.unreadable == {"not JSON": 2, "version 2": 1}
