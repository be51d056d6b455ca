"""How far a stream has come, against a real broker."""

from confluent_kafka import Producer

from runners.observe.stream_bus import KafkaBus
from scripts.faulting.round import await_that
from scripts.faulting.topics import make_topic
from scripts.sampling.record import EVENTS, RESOURCES, SampleRecord
from tests.system.world import DEADLETTERS, World
from transforms.io.kafka.offsets import KafkaOffsets

T = 1_772_352_000_000


def bus(offsets: KafkaOffsets, *patterns: str) -> KafkaBus:
    return KafkaBus(offsets, (RESOURCES, EVENTS, "no.such.topic"), patterns, DEADLETTERS)


def test_all_partitions_of_the_topics_that_exist_are_to_be_read(world: World, offsets: KafkaOffsets) -> None:
    own = "af-77.events.normalized"
    pattern = r"(?P<client_id>af-[0-9]+)\.events\.normalized"
    before = bus(offsets, pattern).places()
    assert {topic for topic, _ in before} == {RESOURCES, EVENTS}

    make_topic(world.brokers, own)
    # A broker tells of a topic a moment after it has made it.
    await_that(lambda: own in offsets.topics(), 20, "the new topic is told of")

    assert set(bus(offsets, pattern).places()) - set(before) == {(own, 0)}
    assert bus(offsets).places() == before


def test_it_has_come_as_far_as_is_committed_and_past_what_holds_no_record(world: World, offsets: KafkaOffsets) -> None:
    producer = Producer({"bootstrap.servers": world.brokers, "transactional.id": "bus"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(RESOURCES, b"{}", b"k", partition=2, timestamp=T)
    producer.commit_transaction(30)
    world.produce([SampleRecord(EVENTS, b"k", b"{}", T)])
    found, place = bus(offsets), (RESOURCES, 2)
    places = found.places()
    (events,) = [one for one, end in found.stands(places).ends.items() if one[0] == EVENTS and end]

    assert found.stands(places).ends[place] == 2, "the record and the marker that ends its transaction"
    assert found.stands(places).done[place] == 0
    offsets.commit({place: 1})
    assert found.stands(places).done[place] == 1, "what has just been committed may go on"
    assert found.stands(places).done[place] == 2, "nothing is left there but the marker"
    assert found.stands(places).done[events] == 0, "a record is left there, however often one looks"
