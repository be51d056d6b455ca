"""Planned ranges, commits and gaps, against a real broker."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer, TopicPartition

from scripts.sampling.record import EVENTS, RESOURCES, SampleRecord
from tests.system.world import World
from transforms.io.kafka_offsets import KafkaOffsets, OffsetRange

T = 1_772_352_000_000


@pytest.fixture
def offsets(world: World) -> Iterator[KafkaOffsets]:
    offsets = KafkaOffsets(world.kafka_target)
    yield offsets
    offsets.close()


def produce(world: World, number: int, partition_key: bytes = b"af-10::pod:shop:a") -> None:
    world.produce([SampleRecord(RESOURCES, partition_key, b"{}", T + at) for at in range(number)])


def test_only_partitions_with_lag_are_planned_up_to_what_is_there(world: World, offsets: KafkaOffsets) -> None:
    produce(world, 7)

    planned = offsets.plan([RESOURCES, EVENTS, "no.such.topic"])

    assert [(one.topic, one.start, one.end) for one in planned] == [(RESOURCES, 0, 7)]
    offsets.commit({planned[0].place: 7})
    assert offsets.plan([RESOURCES]) == []


def test_commits_never_move_backwards(world: World, offsets: KafkaOffsets) -> None:
    produce(world, 7)
    place = offsets.plan([RESOURCES])[0].place

    offsets.commit({place: 5})
    offsets.commit({place: 3})

    assert offsets.committed([place]) == {place: 5}
    assert world.committed() == {place: 5}


def test_an_open_transaction_waits_and_an_aborted_one_is_a_gap(world: World, offsets: KafkaOffsets) -> None:
    producer = Producer({"bootstrap.servers": world.brokers, "transactional.id": "tx"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(RESOURCES, b"{}", b"k", partition=2)
    producer.flush(10)

    assert offsets.plan([RESOURCES]) == []
    producer.abort_transaction(30)
    planned = await_end(offsets, 2)

    assert planned == [OffsetRange(RESOURCES, 2, 0, 2)]
    assert offsets.next_record(planned[0]) == 2


def await_end(offsets: KafkaOffsets, end: int) -> list[OffsetRange]:
    """Brokers write a transaction's marker a moment after the producer is told that it has ended."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        planned = offsets.plan([RESOURCES])
        if planned and planned[-1].end == end:
            return planned
        time.sleep(0.1)
    raise AssertionError(f"the last stable offset did not reach {end} in 20 s")


def test_a_run_passes_gaps_and_ends(world: World, offsets: KafkaOffsets) -> None:
    producer = Producer({"bootstrap.servers": world.brokers, "transactional.id": "tx2"})
    producer.init_transactions(30)
    for commit in (False, True, False):
        producer.begin_transaction()
        body = b'{"op":"UPSERT","at":"2026-03-01T08:00:00Z","kind":"Pod","namespace":"shop","name":"p"}'
        producer.produce(RESOURCES, body, b"af-10::pod:shop:p", partition=1, timestamp=T)
        producer.flush(10)
        producer.commit_transaction(30) if commit else producer.abort_transaction(30)

    await_end(offsets, 6)
    report = world.run_job()

    assert (report["read"], report["written"]) == (1, 1)
    assert world.committed() == {(RESOURCES, 1): 6}
    assert world.run_job()["read"] == 0


def test_offsets_that_kafka_deleted_begin_at_what_is_left(world: World, offsets: KafkaOffsets) -> None:
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415

    world.produce([SampleRecord(EVENTS, b"af-10::x", b"{}", T) for _ in range(7)])
    (planned,) = offsets.plan([EVENTS])
    offsets.commit({planned.place: 2})
    admin = AdminClient({"bootstrap.servers": world.brokers})
    for done in admin.delete_records([TopicPartition(*planned.place, 4)]).values():
        done.result()

    assert offsets.plan([EVENTS]) == [planned._replace(start=4)]
