"""Tools for Kafka Connect's dead-letter queues find coordinates, stage and cause in the headers."""

from msgspec import structs

from tests.support.wire import RESOURCES, kafka_record
from transforms.io.dead_letters.gaps import gap_letter
from transforms.io.dead_letters.writer import letter_of
from transforms.io.kafka.offsets import OffsetGap
from transforms.records.dead_letters.connect_headers import connect_headers
from transforms.records.rejects import Reason, Reject, Step

LETTER = letter_of(Reject(kafka_record(RESOURCES, b"x", offset=7), "af-10", Step.DECODE, Reason.WRONG_TYPE, "kind must be a text"))


def test_they_name_coordinates_stage_and_cause_as_kafka_connect_does() -> None:
    assert connect_headers(LETTER) == [
        ("__connect.errors.topic", RESOURCES.encode()),
        ("__connect.errors.partition", b"0"),
        ("__connect.errors.offset", b"7"),
        ("__connect.errors.connector.name", b"graph-build"),
        ("__connect.errors.task.id", b"0"),
        ("__connect.errors.stage", b"DECODE"),
        ("__connect.errors.class.name", b"graph-build.decode"),
        ("__connect.errors.exception.class.name", b"wrong_type"),
        ("__connect.errors.exception.message", b"kind must be a text"),
    ]


def test_a_long_detail_is_cut_between_characters() -> None:
    (said,) = [value for name, value in connect_headers(structs.replace(LETTER, detail="a" + "é" * 5000)) if name.endswith("message")]

    assert said.decode() == "a" + "é" * 255


def test_a_lone_surrogate_does_not_end_the_run() -> None:
    (said,) = [value for name, value in connect_headers(structs.replace(LETTER, detail="a\ud800")) if name.endswith("message")]

    assert said == b"a?"


def test_a_gap_has_its_coordinates_too() -> None:
    found = dict(connect_headers(gap_letter(OffsetGap(RESOURCES, 3, 5, 9, 9))))

    assert (found["__connect.errors.partition"], found["__connect.errors.offset"]) == (b"3", b"5")
    assert found["__connect.errors.exception.class.name"] == b"offsets_lost"
