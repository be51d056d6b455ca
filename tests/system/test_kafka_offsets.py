"""Planned ranges, commits and gaps, against a real broker."""

import json
import time

import pytest
from confluent_kafka import Producer

from scripts.faulting.topics import delete_before, delete_topic
from scripts.sampling.record import EVENTS, RESOURCES, SampleRecord
from tests.system.world import World
from transforms.io.kafka_offsets import KafkaOffsets, OffsetGap, OffsetRange, ReadPlan

T = 1_772_352_000_000


def produce(world: World, number: int, partition_key: bytes = b"af-10::pod:shop:a") -> None:
    world.produce([SampleRecord(RESOURCES, partition_key, b"{}", T + at) for at in range(number)])


def test_only_partitions_with_lag_are_planned_up_to_what_is_there(world: World, offsets: KafkaOffsets) -> None:
    produce(world, 7)

    planned = offsets.plan([RESOURCES, EVENTS, "no.such.topic"]).ranges

    assert [(one.topic, one.start, one.end) for one in planned] == [(RESOURCES, 0, 7)]
    offsets.commit({planned[0].place: 7})
    assert offsets.plan([RESOURCES]) == ReadPlan([], [])


def test_commits_never_move_backwards(world: World, offsets: KafkaOffsets) -> None:
    produce(world, 7)
    place = offsets.plan([RESOURCES]).ranges[0].place

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

    assert offsets.plan([RESOURCES]) == ReadPlan([], [])
    producer.abort_transaction(30)
    planned = await_end(offsets, 2)

    assert planned == [OffsetRange(RESOURCES, 2, 0, 2)]
    assert offsets.next_record(planned[0]) == 2


def await_end(offsets: KafkaOffsets, end: int) -> list[OffsetRange]:
    """Brokers write a transaction's marker a moment after the producer is told that it has ended."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        planned = offsets.plan([RESOURCES]).ranges
        if planned and planned[-1].end == end:
            return planned
        time.sleep(0.1)
    raise AssertionError(f"the last stable offset did not reach {end} in 20 s")


@pytest.mark.parametrize("reader", ["beam", "bounded"])
def test_a_run_passes_gaps_and_ends(world: World, offsets: KafkaOffsets, reader: str) -> None:
    producer = Producer({"bootstrap.servers": world.brokers, "transactional.id": "tx2"})
    producer.init_transactions(30)
    for commit in (False, True, False):
        producer.begin_transaction()
        body = b'{"op":"UPSERT","at":"2026-03-01T08:00:00Z","kind":"Pod","namespace":"shop","name":"p"}'
        producer.produce(RESOURCES, body, b"af-10::pod:shop:p", partition=1, timestamp=T)
        producer.flush(10)
        producer.commit_transaction(30) if commit else producer.abort_transaction(30)

    await_end(offsets, 6)
    report = world.run_job(f"--kafka_reader={reader}")

    assert (report["read"], report["written"]) == (1, 1)
    assert world.committed() == {(RESOURCES, 1): 6}
    assert world.run_job(f"--kafka_reader={reader}")["read"] == 0


def test_offsets_that_kafka_deleted_are_a_gap_before_what_is_left(world: World, offsets: KafkaOffsets) -> None:
    world.produce([SampleRecord(EVENTS, b"af-10::x", b"{}", T) for _ in range(7)])
    (planned,) = offsets.plan([EVENTS]).ranges
    offsets.commit({planned.place: 2})
    delete_before(world.brokers, planned.place, 4)

    plan = offsets.plan([EVENTS])

    assert plan == ReadPlan([planned._replace(start=4)], [OffsetGap(*planned.place, 2, 4, 4)])
    assert plan.gaps[0].sentence.startswith(
        f"{EVENTS}[{planned.partition}] no longer holds the offsets 2 to 3, which were never taken in; "
    )
    offsets.resume(plan.gaps[0])
    assert offsets.plan([EVENTS]).gaps == []


def test_what_was_deleted_before_the_group_first_came_is_no_gap(world: World, offsets: KafkaOffsets) -> None:
    world.produce([SampleRecord(EVENTS, b"af-10::x", b"{}", T) for _ in range(7)])
    (planned,) = offsets.plan([EVENTS]).ranges
    delete_before(world.brokers, planned.place, 4)

    assert offsets.plan([EVENTS]) == ReadPlan([planned._replace(start=4)], [])


def test_a_log_that_was_cut_back_is_a_gap_and_read_from_its_beginning(world: World, offsets: KafkaOffsets) -> None:
    produce(world, 3)
    (planned,) = offsets.plan([RESOURCES]).ranges
    offsets.commit({planned.place: 9})

    plan = offsets.plan([RESOURCES])

    assert plan == ReadPlan([planned], [OffsetGap(*planned.place, 9, 9, 0)])
    assert plan.gaps[0].sentence.startswith(f"{RESOURCES}[{planned.partition}] ends before offset 9, where the group stood: ")
    offsets.resume(plan.gaps[0])
    assert offsets.committed([planned.place]) == {planned.place: 0}


def test_a_topic_made_anew_is_a_gap_although_it_holds_more_than_the_group_had_taken_in(world: World, offsets: KafkaOffsets) -> None:
    produce(world, 3)
    (planned,) = offsets.plan([RESOURCES]).ranges
    offsets.commit({planned.place: 2})
    delete_topic(world.brokers, RESOURCES)
    world.make_topics()
    produce(world, 5)

    plan = offsets.plan([RESOURCES])

    assert plan == ReadPlan([planned._replace(end=5)], [OffsetGap(*planned.place, 2, 2, 0)])
    offsets.resume(plan.gaps[0])
    assert offsets.plan([RESOURCES]) == ReadPlan([planned._replace(end=5)], [])


@pytest.mark.parametrize("reader", ["beam", "bounded"])
def test_deleted_offsets_are_told_recorded_and_passed(world: World, offsets: KafkaOffsets, reader: str) -> None:
    world.produce([SampleRecord(EVENTS, b"af-10::x", b"{}", T) for _ in range(7)])
    (planned,) = offsets.plan([EVENTS]).ranges
    offsets.commit({planned.place: 2})
    delete_before(world.brokers, planned.place, 4)

    report = world.run_job(f"--kafka_reader={reader}", "--log_level=ERROR")

    gap = {"topic": EVENTS, "partition": planned.partition, "from": 2, "to": 4}
    assert (report["gaps"], report["read"], report["rejected"]) == ([gap], 3, 3)
    (told,) = [json.loads(line) for line in report["stderr"].splitlines() if "offsets lost" in line]
    assert (told["level"], told["topic"], told["partition"], told["offset"]) == ("error", EVENTS, planned.partition, 2)
    (letter,) = [one for one in world.deadletters() if one["reason"] == "offsets_lost"]
    assert (letter["topic"], letter["partition"], letter["offset"], letter["gap_end"]) == (EVENTS, planned.partition, 2, 4)
    assert world.committed() == {planned.place: 7}
    assert world.run_job(f"--kafka_reader={reader}")["gaps"] == []
