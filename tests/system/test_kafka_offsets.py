"""Planned ranges, commits and gaps, against a real broker."""

import json
import time
from contextlib import closing

import pytest
from confluent_kafka import Producer

from scripts.faulting.neighbours import denied
from scripts.faulting.topics import delete_before, delete_topic, forget_offsets
from scripts.sampling.record import EVENTS, RESOURCES, SampleRecord
from tests.system.world import GROUP, World
from transforms.io.faults import InfrastructureFault, LeaseHeldElsewhere
from transforms.io.graph_admin.group_progress import GroupProgressStore
from transforms.io.graph_admin.lease import Lease
from transforms.io.kafka.offsets import CommittedPosition, HeldBack, KafkaOffsets, OffsetGap, OffsetRange, PartitionFault, ReadPlan
from transforms.io.kafka.range_reader import RangeReader
from transforms.io.neo4j.store import Neo4jGraphStore

T = 1_772_352_000_000


def produce(world: World, number: int, partition_key: bytes = b"af-10::pod:shop:a") -> None:
    world.produce([SampleRecord(RESOURCES, partition_key, b"{}", T + at) for at in range(number)])


def test_only_partitions_with_lag_are_planned_up_to_what_is_there(world: World, offsets: KafkaOffsets) -> None:
    produce(world, 7)

    planned = offsets.plan([RESOURCES, EVENTS, "no.such.topic"]).ranges

    assert [(one.topic, one.start, one.end) for one in planned] == [(RESOURCES, 0, 7)]
    offsets.commit({planned[0].place: 7})
    assert offsets.plan([RESOURCES]) == ReadPlan([], [])


def test_what_ended_in_one_read_is_read_on_in_the_next(world: World, offsets: KafkaOffsets) -> None:
    """A reader reads several ranges of a partition one after the other, as a replay does, whichever of them ended first."""
    world.produce([SampleRecord(RESOURCES, f"af-10::pod:shop:{at}".encode(), b"{}", T + at) for at in range(400)])
    whole = offsets.plan([RESOURCES]).ranges
    assert len(whole) > 1
    with closing(RangeReader(world.kafka_target)) as reader:
        for begin, end in ((0, 3), (3, 9), (9, 12)):
            asked = [one._replace(start=begin, end=min(end, one.end)) for one in whole if one.end > begin]
            found = [record for chunk in reader.read(asked, 1000, 1 << 20) for record in chunk.records]
            assert sorted((one.partition, one.offset) for one in found) == [
                (one.partition, at) for one in asked for at in range(one.start, one.end)
            ]


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

    world.produce([SampleRecord(EVENTS, b"af-10::x", b"{}", T)])
    plan = offsets.plan([RESOURCES])
    assert plan == ReadPlan([], [], held_back=(HeldBack(RESOURCES, 2, 0, 1),)), "nobody is given it, and the lag does not tell"
    (held,) = offsets.plan([RESOURCES]).held_back
    assert held.for_s is not None
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


def fenced(world: World) -> KafkaOffsets:
    return KafkaOffsets(world.kafka_target, fenced=True)


def test_a_run_that_was_stopped_before_its_commit_cannot_commit_after_its_successor(world: World) -> None:
    produce(world, 9)
    with closing(fenced(world)) as stopped, closing(fenced(world)) as successor:
        place = stopped.plan([RESOURCES]).ranges[0].place
        stopped.commit({place: 2})
        assert successor.plan([RESOURCES]).ranges[0].start == 2
        # The one was stopped behind its look at the lease and at what is committed; the other took over meanwhile.
        successor.commit({place: 7})

        with pytest.raises(LeaseHeldElsewhere, match="Another run of the consumer group graph-build has committed"):
            stopped.resume(OffsetGap(*place, 5, 5, 5))
        with pytest.raises(LeaseHeldElsewhere):
            stopped.commit({place: 8})

        assert world.committed() == {place: 7}
        successor.commit({place: 9})
        assert world.committed() == {place: 9}


def test_a_commit_is_seen_by_whoever_asks_once_it_returns(world: World) -> None:
    produce(world, 9)
    with closing(fenced(world)) as offsets:
        place = offsets.plan([RESOURCES]).ranges[0].place
        for end in range(1, 10):
            offsets.commit({place: end})
            assert world.committed() == {place: end}


def test_what_kafka_forgot_is_read_on_where_the_group_stood_and_committed_again(world: World, store: Neo4jGraphStore) -> None:
    produce(world, 7)
    world.run_job("--kafka_reader=bounded")
    (place,) = world.committed()
    forget_offsets(world.brokers, GROUP)
    world.produce([SampleRecord(EVENTS, b"af-10::x", b"{}", T)])
    with closing(KafkaOffsets(world.kafka_target)) as other:
        other.commit({(EVENTS, 0): 0, (EVENTS, 1): 0})
    stands, age_s = GroupProgressStore(store, GROUP).read()
    assert (stands[place].offset, 0 <= age_s < 300) == (7, True)

    report = world.run_job("--kafka_reader=bounded", "--topics", RESOURCES)

    assert (report["read"], report["stderr"].count("committed offsets forgotten")) == (0, 1)
    assert world.committed()[place] == 7


def test_a_group_that_was_deleted_is_read_anew(world: World) -> None:
    produce(world, 7)
    first = world.run_job("--kafka_reader=bounded")["read"]
    forget_offsets(world.brokers, GROUP)

    assert world.run_job("--kafka_reader=bounded")["read"] == first == 7


def test_only_the_holder_of_the_lease_says_where_the_group_stands(store: Neo4jGraphStore) -> None:
    lease = Lease(store, GROUP, 30)
    assert lease.acquire(lambda _seconds: False)
    mine, others = GroupProgressStore(store, GROUP, lease.holder), GroupProgressStore(store, GROUP, "elsewhere pid 1 ticks 1 started 1")
    mine.keep({(RESOURCES, 0): CommittedPosition("id", 9)})
    others.keep({(RESOURCES, 0): CommittedPosition("id", 3)})
    assert mine.read()[0] == {(RESOURCES, 0): CommittedPosition("id", 9)}
    lease.release()


def test_quiet_partitions_are_committed_again(world: World, offsets: KafkaOffsets) -> None:
    produce(world, 7)
    assert not offsets.needs_refresh, "nothing is known yet"
    place = offsets.plan([RESOURCES]).ranges[0].place
    offsets.commit({place: 7})
    offsets.plan([RESOURCES])
    assert offsets.needs_refresh
    offsets.refresh()
    assert not offsets.needs_refresh
    assert world.committed() == {place: 7}


def test_a_topic_that_may_not_be_read_is_set_aside_and_one_that_alone_is_there_stops_the_run(world: World, offsets: KafkaOffsets) -> None:
    world.produce([SampleRecord(topic, b"af-10::x", b"{}", T) for topic in (RESOURCES, EVENTS)])
    with denied(world, EVENTS):
        plan = offsets.plan([RESOURCES, EVENTS])
        assert plan.aside == tuple(PartitionFault(EVENTS, number, "not_readable") for number in range(4))
        assert [one.topic for one in plan.ranges] == [RESOURCES]
        with pytest.raises(InfrastructureFault, match="none of 4 partitions can be read"):
            offsets.plan([EVENTS])
        for reader in ("bounded", "beam"):
            report = world.run_job(f"--kafka_reader={reader}", expect=3)
            assert {one["topic"] for one in report["left_out"]} == {EVENTS}
    assert len(offsets.plan([RESOURCES, EVENTS]).aside) == 0


def test_a_reader_that_is_refused_in_the_middle_ends_there_and_goes_on_with_the_others(world: World, offsets: KafkaOffsets) -> None:
    world.produce([SampleRecord(topic, b"af-10::x", b"{}", T) for topic in (RESOURCES, EVENTS) for _ in range(20)])
    ranges = offsets.plan([RESOURCES, EVENTS]).ranges
    aside: list[PartitionFault] = []
    with denied(world, EVENTS), closing(RangeReader(world.kafka_target)) as reader:
        read = [record for chunk in reader.read(ranges, 1000, 1 << 20, aside.append) for record in chunk.records]
        assert {record.topic for record in read} == {RESOURCES}
        assert {(one.topic, one.cause) for one in aside} == {(EVENTS, "not_readable")}
        with pytest.raises(InfrastructureFault):
            list(reader.read(ranges, 1000, 1 << 20))
