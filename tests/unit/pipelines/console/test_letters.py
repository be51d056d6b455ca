"""Dead letters on pages: grouped, one whole with its fault marked, secrets withheld, nobody else's."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.console.auth import Tokens, read_tokens
from pipelines.console.fault_mark import marked_json, marked_text
from pipelines.console.letters import LetterBook
from pipelines.console.principal import parse_tenants
from tests.support.console_client import PROGRAM, client, page, twin
from transforms.io.dead_letters.reader import DeadLetterReader
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.ranges import OffsetRange
from transforms.records.dead_letters.letters import Letter, encode_letter
from transforms.records.dead_letters.selection import Coordinates
from transforms.records.record import KafkaRecord, sha256_of

TOPIC = "graph.deadletter"
SHOP = "shop-token-0123456789abcdef"


def letter(offset: int, client_id: str | None, reason: str, value: bytes | None, detail: str = "", *, withheld: bool = False) -> Letter:
    return Letter(
        reason=reason,
        detail=detail,
        step="decode",
        client_id=client_id,
        topic="state.k8s.resource",
        partition=0,
        offset=offset,
        timestamp_ms=1_767_225_600_000,
        key=b"af-10::pod:shop:x",
        headers=(),
        value=None if withheld else value,
        withheld=withheld,
        redacted=False,
        truncated=False,
        value_bytes=len(value or b""),
        value_sha256=sha256_of(value),
    )


LETTERS = [
    letter(1, "af-10", "wrong_type", b'{"kind":"Pod","replicas":"three"}', "Expected `int`, got `str` - at `$.replicas`"),
    letter(2, "af-12", "missing_field", b'{"kind":"Pod"}', "the envelope lacks field `at`"),
    letter(3, "af-10", "not_json", b'{"kind":\nSecret', "not JSON at byte 12", withheld=False),
    letter(4, "af-10", "wrong_type", b'{"kind":"Secret","data":"hunter2"}', withheld=True),
    letter(5, None, "tenant_missing", b'{"password":"hunter2"}'),
]


class HeldInMemory:
    """A dead-letter topic in this process."""

    def __init__(self, letters: list[Letter]) -> None:
        self.letters = letters

    def close(self) -> None:
        pass

    def ranges(self, topics: object) -> list[OffsetRange]:
        return [OffsetRange(TOPIC, 0, 0, len(self.letters))]

    def _record(self, at: int) -> KafkaRecord:
        return KafkaRecord(TOPIC, 0, at, 1_767_225_600_000 + at, None, encode_letter(self.letters[at]), ())

    def read(self, ranges: list[OffsetRange]) -> Iterator[list[KafkaRecord]]:
        for one in ranges:
            yield [self._record(at) for at in range(one.start, one.end)]

    def find(self, wanted: object) -> dict[Coordinates, KafkaRecord]:
        return {one: self._record(one.offset) for one in wanted if one.offset < len(self.letters)}  # type: ignore[attr-defined]


@contextmanager
def read_book(held: HeldInMemory) -> Iterator[LetterBook]:
    """A book that has read what there is."""
    book = LetterBook(lambda: DeadLetterReader(held, TOPIC), 0.02)
    book.start()
    try:
        await_(lambda: book.now.at is not None)
        yield book
    finally:
        book.close()


def await_(holds: object) -> None:
    limit = time.monotonic() + 30
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < limit
        time.sleep(0.01)


class Started(LetterBook):
    """One that the application need not start."""

    def start(self) -> None:
        if not self._thread.is_alive():
            super().start()


@pytest.fixture
def book() -> Iterator[LetterBook]:
    with read_book(HeldInMemory(LETTERS)) as found:
        found.__class__ = Started
        yield found


def test_letters_are_grouped_by_tenant_and_reason_and_counted_on_the_fleet(book: LetterBook) -> None:
    with client(letters=book) as asked:
        found = twin(asked, "/deadletters")
        rows = {row["client_id"]: row for row in twin(asked, "/")["tenants"]}
        filtered = twin(asked, "/deadletters?tenant=af-10&reason=wrong_type")
        html = page(asked, "/deadletters")

    assert found["number"] == 5
    assert {(one["client_id"], one["reason"]): one["letters"] for one in found["groups"]} == {
        ("-", "tenant_missing"): 1,
        ("af-10", "not_json"): 1,
        ("af-10", "wrong_type"): 2,
        ("af-12", "missing_field"): 1,
    }
    assert rows["af-10"]["rejects"] == {"not_json": 1, "wrong_type": 2}
    assert {one["at"] for one in filtered["letters"]} == {"state.k8s.resource[0]@1", "state.k8s.resource[0]@4"}
    assert "state.k8s.resource[0]@5" in html


def test_one_letter_is_shown_with_its_fault_and_the_command_to_replay_it(book: LetterBook) -> None:
    with client(letters=book) as asked:
        html = page(asked, "/deadletters/one?at=state.k8s.resource[0]@1")
        found = twin(asked, "/deadletters/one?at=state.k8s.resource[0]@1")
        assert asked.get("/deadletters/one?at=state.k8s.resource[0]@99", headers=PROGRAM).status_code == 404

    assert [one["text"].strip() for one in found["lines"] if one["marked"]] == ['"replicas": "three"']
    assert html.count("fault here") == 1
    assert "python -m pipelines.deadletters replay --reason wrong_type --client_id af-10 --topic state.k8s.resource --dry_run" in html


def test_secrets_stay_withheld(book: LetterBook) -> None:
    with client(letters=book) as asked:
        for at in (4, 5):
            address = f"/deadletters/one?at=state.k8s.resource[0]@{at}"
            assert "hunter2" not in page(asked, address)
            assert "hunter2" not in str(twin(asked, address))


def test_a_reader_of_one_tenant_sees_its_letters_alone(book: LetterBook, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"shop {SHOP}")
    tokens = Tokens(read_tokens(str(file)), parse_tenants(["shop=af-12"]))
    mine = {"authorization": f"Bearer {SHOP}"}
    with client(letters=book, authenticator=tokens) as asked:
        found = twin(asked, "/deadletters", **mine)
        fleet = twin(asked, "/", **mine)
        assert asked.get("/deadletters/one?at=state.k8s.resource[0]@2", headers=PROGRAM | mine).status_code == 200
        refused = [asked.get(f"/deadletters/one?at=state.k8s.resource[0]@{at}", headers=PROGRAM | mine) for at in (1, 3, 4, 5, 99)]

    assert {one["client_id"] for one in found["groups"]} == {one["client_id"] for one in found["letters"]} == {"af-12"}
    assert fleet["rejects_of_no_tenant"] == {}
    assert {(one.status_code, one.text) for one in refused} == {(404, refused[-1].text)}


def test_letters_that_come_later_are_seen_and_a_topic_made_anew_is_read_from_its_beginning() -> None:
    held = HeldInMemory(LETTERS[:3])
    with read_book(held) as book:
        assert sum(one.letters for one in book.now.groups) == 3
        held.letters = LETTERS
        await_(lambda: sum(one.letters for one in book.now.groups) == 5)
        held.letters = LETTERS[:1]
        await_(lambda: sum(one.letters for one in book.now.groups) == 1)


def test_a_kafka_that_is_away_is_said_and_tried_again() -> None:
    held = HeldInMemory(LETTERS)
    tries: list[int] = []

    def reader() -> DeadLetterReader:
        tries.append(1)
        if len(tries) < 3:
            raise InfrastructureFault("Kafka at k:9092 with password hunter2 does not answer.")
        return DeadLetterReader(held, TOPIC)

    book = Started(reader, 0.02)
    book.start()
    try:
        await_(lambda: book.now.problem or len(tries) >= 3)
        await_(lambda: book.now.at is not None)
        assert book.now.problem == ""
    finally:
        book.close()
    assert len(tries) >= 3


@pytest.mark.parametrize(
    ("held", "detail", "marked"),
    [
        (b'{"a":{"b":[1,{"c":2}]}}', "at `$.a.b[1].c`", '"c": 2'),
        (b'{"a":{"b":1}}', "Object missing required field `z` - at `$.a`", '"a": {'),
        (b'{"a":1}', "the envelope lacks field `at`", "{"),
        (b'{"at":1}', "no field `at`", '"at": 1'),
    ],
)
def test_the_line_of_the_fault_is_marked(held: bytes, detail: str, marked: str) -> None:
    assert [one.text.strip() for one in marked_json(held, detail) if one.marked] == [marked]


def test_text_that_is_no_json_is_marked_by_its_byte() -> None:
    assert [one.text for one in marked_text("ab\ncd\nef", "byte 4") if one.marked] == ["cd"]
    assert not any(one.marked for one in marked_text("ab", "nothing"))
    assert not any(one.marked for one in marked_json(b"[1]", "nothing"))
