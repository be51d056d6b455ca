"""The benchmark's traffic is what it says it is: seeded, in the shares of the mix, every record sound."""

import statistics
from collections import Counter
from itertools import islice, pairwise

import msgspec
import pytest

from scripts.benching.purging import large_tenant
from scripts.benching.raw import transactions_of
from scripts.benching.traffic import MIXES, Fleet
from scripts.sampling.record import RESOURCES, TOPOLOGY, SampleRecord
from tests.golden.test_statements import statements
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Filtered
from transforms.records.record import KafkaRecord


def decoded(record: SampleRecord, offset: int = 0) -> object:
    found = decode_record(KafkaRecord(record.topic, 0, offset, record.timestamp_ms, record.key, record.value, record.headers))
    assert found.fault is None, found.fault
    return found.body


def test_once_is_every_object_and_edge_once_of_every_cluster() -> None:
    fleet = Fleet(clusters=3, objects=60, seed=1)
    records = list(fleet.once())

    assert len(records) == sum(fleet.facts.values())
    assert len({(record.topic, record.key) for record in records}) == len(records)
    assert {(record.key or b"")[:5] for record in records} == {b"af-10", b"af-11", b"af-12"}
    assert {record.topic for record in records} == {RESOURCES, TOPOLOGY}


@pytest.mark.parametrize("mix", MIXES)
def test_traffic_has_the_shares_of_its_mix_and_says_again_what_is_known(mix: str) -> None:
    records = list(Fleet(2, 60, seed=1).traffic(mix, 20_000))
    known = {(record.topic, record.key) for record in Fleet(2, 60, seed=1).once()}
    counts, whole = Counter(record.topic for record in records), sum(MIXES[mix].values())

    assert counts.keys() == MIXES[mix].keys()
    for topic, share in MIXES[mix].items():
        assert abs(counts[topic] / len(records) - share / whole) < 0.02
    assert all((record.topic, record.key) in known for record in records if record.topic in (RESOURCES, TOPOLOGY))
    assert [record.timestamp_ms for record in records] == sorted(record.timestamp_ms for record in records)


def test_no_two_records_are_alike_and_what_is_read_together_says_little_twice() -> None:
    fleet = Fleet(10, 288, seed=1)
    records = list(fleet.traffic("upstream", 10_000))

    assert len({(one.topic, one.value) for one in records}) == len(records)
    objects = [one for one in records if one.topic == RESOURCES]
    assert len({one.key for one in objects}) > 0.95 * len(objects)
    assert len({one.key.partition(b"::")[0] for one in objects[:200] if one.key}) == 10, "of all clusters, in no order"


def test_of_the_objects_about_one_report_in_ten_tells_something_new() -> None:
    def said(record: SampleRecord) -> dict[str, object]:
        return {name: value for name, value in msgspec.json.decode(record.value or b"").items() if name != "at"}

    before: dict[bytes | None, dict[str, object]] = {}
    news: list[bool] = []
    for one in Fleet(2, 60, seed=1).traffic("state", 6000):
        if one.topic == RESOURCES:
            if one.key in before:
                news.append(before[one.key] != said(one))
            before[one.key] = said(one)
    assert 0.07 < sum(news) / len(news) < 0.13


def test_an_object_is_reported_once_in_thirty_seconds_of_its_own_time() -> None:
    times: dict[bytes | None, list[int]] = {}
    for one in Fleet(3, 60, seed=2).traffic("upstream", 20_000):
        if one.topic == RESOURCES:
            times.setdefault(one.key, []).append(one.timestamp_ms)
    gaps = [after - before for found in times.values() for before, after in pairwise(found)]
    assert abs(statistics.mean(gaps) - 30_000) < 1500


def test_every_record_is_sound_and_most_lines_of_logs_are_filtered() -> None:
    bodies = [decoded(record, at) for at, record in enumerate(islice(Fleet(2, 60, seed=1).traffic("upstream", 3000), 3000))]

    assert 0.5 < sum(isinstance(body, Filtered) for body in bodies) / len(bodies) < 0.65


def test_the_same_seed_gives_the_same_traffic() -> None:
    one, same, other = (list(Fleet(2, 30, seed).traffic("upstream", 500)) for seed in (1, 1, 2))

    assert one == same != other


def test_the_raw_driver_is_given_the_very_statements_of_the_job() -> None:
    records = list(Fleet(2, 60, seed=1).once())
    transactions = transactions_of(records, batch_rows=50, batch_bytes=1 << 20)

    known = set(statements().values())
    assert {client_id for client_id, _ in transactions} == {"af-10", "af-11"}
    assert all(write.statement in known for _, writes in transactions for write in writes)
    assert all(len(write.rows) <= 200 for _, writes in transactions for write in writes)
    assert sum(len(write.rows) for _, writes in transactions for write in writes) >= len(records)


def test_the_tenant_that_is_purged_is_made_by_the_very_statements_of_the_job() -> None:
    known = set(statements().values())
    batches = [write for _, batch in large_tenant(12_000) for write in batch]

    assert all(write.statement in known for write in batches)
    assert len({row["rid"] for write in batches for row in write.rows if "rid" in row}) == 12_000
    assert len({row["source"] for write in batches for row in write.rows if "source" in row}) == 12_000 - 120
