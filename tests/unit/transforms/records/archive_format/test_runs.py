"""Records gathered into runs: the same files as of the same records one by one, whatever they are and come in."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.archive_samples import HOUR_MS, all_sorts
from tests.support.patience import examples
from tests.support.wire import AT_MS, EVENTS, RESOURCES
from transforms.io.archive.files import Archive
from transforms.records.archive_format.archived import Archived, Withheld, grouped
from transforms.records.archive_format.paths import Group
from transforms.records.archive_format.record_blocks import ARCHIVE, encode_blocks, sizes_of
from transforms.records.archive_format.runs import Gathered, Gathering, Run, RunView, groups_of
from transforms.records.record import KafkaRecord

_BYTES = st.none() | st.binary(max_size=40)
_RECORDS = st.builds(
    KafkaRecord,
    st.sampled_from([RESOURCES, EVENTS]),
    st.integers(0, 2),
    st.integers(0, 300) | st.integers(0, 2**62),
    st.integers(AT_MS, AT_MS + 3 * HOUR_MS) | st.integers(-(2**62), 2**62),
    _BYTES,
    _BYTES,
    st.sampled_from([(), (), (), (("h", b"1"),)]),
    st.booleans(),
)
_WITHHELD = st.sampled_from([None, None, None, Withheld(5, b"h" * 32)])
ARCHIVED = st.lists(st.builds(Archived, _RECORDS, st.sampled_from(["", "af-10", "af-11"]), st.booleans(), _WITHHELD), max_size=60)


def portions(records: list[Archived], size: int) -> list[Gathered]:
    """The records as they go to the writer, so many at once."""
    found, gathering = [], Gathering()
    for at, one in enumerate(records, 1):
        gathering.add(one)
        if at % size == 0:
            found.append(gathering.taken())
    return [*found, gathering.taken()]


def sent(gathered: Gathered) -> Gathered:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(gathered), type=Gathered)


def files(groups: Mapping[Group, Sequence[Archived]]) -> dict[Group, list[tuple[int, bytes]]]:
    return {group: list(encode_blocks(ARCHIVE.in_order(held))) for group, held in groups.items()}


def by_place(records: list[Archived]) -> list[Archived]:
    """One record of each place: of those at the same one it is open which comes first to whom."""
    found = {}
    for one in records:
        found[one.client_id, one.record.topic, one.record.partition, one.record.offset, one.record.timestamp_ms] = one
    return list(found.values())


@given(ARCHIVED.map(by_place), st.integers(1, 20))
@settings(max_examples=examples(300))
def test_runs_give_the_bytes_that_single_records_give(records: list[Archived], size: int) -> None:
    gathered = [sent(one) for one in portions(records, size)]

    assert sum(map(len, gathered)) == len(records)
    assert files(groups_of(gathered)) == files(grouped(records))


@given(ARCHIVED)
@settings(max_examples=examples(100))
def test_no_record_is_lost_or_made_up(records: list[Archived]) -> None:
    groups = groups_of(portions(records, 7))
    assert sorted(repr(one) for held in groups.values() for one in held) == sorted(map(repr, records))
    assert all(one.record.topic == group.topic and one.client_id == group.client_id for group, held in groups.items() for one in held)


def test_a_view_is_the_records_and_so_is_a_slice_of_it() -> None:
    run = Run("af-10", EVENTS, 3, True, [1, 2, 3], [AT_MS, AT_MS, AT_MS + 1], [b"k", None, b""], [None, b"v", b"w"])
    records = [
        Archived(KafkaRecord(EVENTS, 3, 1, AT_MS, b"k", None, (), True), "af-10"),
        Archived(KafkaRecord(EVENTS, 3, 2, AT_MS, None, b"v", (), True), "af-10"),
        Archived(KafkaRecord(EVENTS, 3, 3, AT_MS + 1, b"", b"w", (), True), "af-10"),
    ]
    view = RunView(run)
    assert list(view) == records
    assert list(view[1:]) == records[1:]
    assert (view[0], view[-1], len(view), len(view[:2])) == (records[0], records[2], 3, 2)
    assert sizes_of(view) == sizes_of(records)


def test_records_without_a_value_take_room_too() -> None:
    gathering = Gathering()
    assert gathering.size_bytes == 0
    for one in (*all_sorts(), Archived(KafkaRecord(EVENTS, 0, 0, AT_MS, None, None), "")):
        before = gathering.size_bytes
        gathering.add(one)
        assert gathering.size_bytes - before == sizes_of([one])[0]
    gathering.taken()
    assert gathering.size_bytes == 0


def test_only_records_that_are_alike_are_in_runs() -> None:
    (one,) = portions(all_sorts(), 100)
    assert [(len(run.offsets), run.is_broker_time) for run in one.runs] == [(1, False), (1, True)]
    assert one.others == all_sorts()[2:]


@pytest.mark.parametrize("order", [range(20), reversed(range(20)), [*range(10, 20), *range(15)]])
def test_files_hold_each_record_once_in_whatever_order_they_come(tmp_path: Path, order: Sequence[int]) -> None:
    archive = Archive(str(tmp_path))
    records = [Archived(KafkaRecord(EVENTS, 0, at, AT_MS, b"k", b"%d" % at), "af-10", redacted=at == 3) for at in order]

    (path,) = archive.write_groups(groups_of(portions(records, 6)))

    (file,) = archive.find(0, 2**62)
    assert file.path == path
    assert [one.record.offset for block in archive.blocks(file, skip_corrupt=False) for one in block] == list(range(20))
