"""Records that a replay did not take in are told apart from those that it did, whoever of its steps saw them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.wire import AT_MS, EVENTS
from transforms.io.dead_letters.not_taken import NotTaken, RecordId, id_of_record
from transforms.records.dead_letters.letters import Wanted
from transforms.records.dead_letters.selection import Coordinates
from transforms.records.record import KafkaRecord


def wanted(offset: int, timestamp_ms: int = AT_MS) -> Wanted:
    return Wanted(Coordinates("d", 0, offset), Coordinates(EVENTS, 0, offset), "-", 9, timestamp_ms)


def test_a_letter_is_taken_unless_its_own_record_was_added(tmp_path: Path) -> None:
    path = str(tmp_path / "not_taken")
    NotTaken(path).add([id_of_record(KafkaRecord(EVENTS, 0, 2, AT_MS, b"k", b"v"))])
    NotTaken(path).add([])

    assert NotTaken(path).taken([wanted(1), wanted(2), wanted(2, AT_MS + 1)]) == [wanted(1), wanted(2, AT_MS + 1)]


def test_where_nothing_was_added_all_are_taken(tmp_path: Path) -> None:
    assert NotTaken(str(tmp_path / "none")).taken([wanted(1)]) == [wanted(1)]


def test_threads_lose_nothing_of_one_another(tmp_path: Path) -> None:
    not_taken = NotTaken(str(tmp_path / "not_taken"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda offset: not_taken.add([RecordId(EVENTS, 0, offset, AT_MS)] * 50), range(200)))

    assert not_taken.taken(map(wanted, range(202))) == [wanted(200), wanted(201)]
