"""What Kafka loses: offsets that retention deleted before they were read, and a topic that is deleted and made anew."""

import json
import sys
from collections import Counter
from typing import Any, Final

from scripts.faulting.job import FOLLOW, SMALL, Ended, Job
from scripts.faulting.round import Commits, Round, Seen, await_that, must, must_be_the_graph_of
from scripts.faulting.topics import configure_topic, delete_before, delete_topic, held_records, sample_of
from scripts.sampling.record import EVENTS, RESOURCES, TOPOLOGY, SampleRecord
from scripts.world import World
from transforms.io.kafka.offsets import Place
from transforms.records.dead_letters.selection import OFFSETS_LOST
from transforms.records.record import KafkaRecord

_LOSABLE: Final = (RESOURCES, TOPOLOGY, EVENTS)


def _alarms(ended: Ended) -> list[dict[str, Any]]:
    told = (json.loads(line) for line in ended.said.splitlines() if line.startswith("{"))
    return [line for line in told if line.get("event") == "offsets lost"]


def _gap_letters(world: World) -> list[tuple[str, int, int, int]]:
    letters = (one for one in world.deadletters() if one["reason"] == OFFSETS_LOST)
    return [(one["topic"], one["partition"], one["offset"], one["gap_end"]) for one in letters]


def lose_offsets(round_: Round) -> Seen:
    """Records are deleted that the group has not read; a run that follows tells it, and goes on with what is left and
    with what comes."""
    world, records = round_.world, round_.records(resyncs=6)
    first, third = len(records) // 3, 2 * len(records) // 3
    for topic in _LOSABLE:
        configure_topic(world.brokers, topic, cleanup_policy="compact,delete")
    world.produce(records[:first])
    with Commits(world) as commits:
        with Job(world, "--kafka_reader=bounded") as job:
            job.end().must_be(0)
        done = world.committed()
        world.produce(records[first:third])
        lost = _delete_unread(round_, done)
        with Job(world, *SMALL, *FOLLOW) as job:
            commits.await_past(third)
            world.produce(records[third:])
            commits.await_past(len(records))
            ended = job.stop().must_be(0)
    must(ended.must_count_every_record_once() == len(records) - first - len(lost), "not just what was left was read")
    place, start = (lost[0].topic, lost[0].partition), lost[0].offset
    alarms = [(one["topic"], one["partition"], one["offset"]) for one in _alarms(ended)]
    must(alarms == [(*place, start)], f"the log tells of {alarms} instead of {place} from {start}")
    letters, gap = _gap_letters(world), (*place, start, start + len(lost))
    must(letters == [gap], f"the dead letters tell of {letters} instead of {gap}")
    left = Counter(records) - Counter(map(sample_of, lost))
    must_be_the_graph_of(world, [record for record in records if _taken(left, record)])
    return Seen(f"offsets {start} to {start + len(lost) - 1} of {place[0]}[{place[1]}] deleted unread")


def _delete_unread(round_: Round, done: dict[Place, int]) -> list[KafkaRecord]:
    """Delete some of what a partition holds unread; the records."""
    world = round_.world
    unread: dict[Place, list[KafkaRecord]] = {}
    for record in held_records(world.kafka_target, _LOSABLE):
        place = (record.topic, record.partition)
        if record.offset >= done.get(place, sys.maxsize):
            unread.setdefault(place, []).append(record)
    place = round_.random.choice(sorted(place for place, held in unread.items() if len(held) > 1))
    lost = unread[place][: round_.random.randint(1, len(unread[place]) - 1)]
    delete_before(world.brokers, place, lost[-1].offset + 1)
    return lost


def _taken(left: Counter[SampleRecord], record: SampleRecord) -> bool:
    """Whether the record is among those left, which has it once less then."""
    left[record] -= 1
    return left[record] >= 0


def make_topic_anew(round_: Round) -> Seen:
    """A topic goes while a run follows, and comes back with other records; the run tells it and takes them in."""
    world, records = round_.world, round_.records(resyncs=8, poison_classes=0)
    topic = round_.random.choice(_LOSABLE)
    first = 3 * len(records) // 4
    world.produce(records[:first])
    with Commits(world) as commits, Job(world, *SMALL, *FOLLOW) as job:
        commits.await_past(first)
        delete_topic(world.brokers, topic)
        # Some cycles without the topic, or none.
        must(not job.ends_within(round_.random.choice((0.0, 3.0))), "the run ended when the topic went")
        world.make_topics()
        world.produce(records[first:])
        await_that(lambda: _is_taken_in(world, records, topic, first) or not job.goes_on, 120, "the new topic's records")
        ended = job.stop().must_be(0)
    must(ended.must_count_every_record_once() == len(records), "a record was left out, or read twice")
    alarms = _alarms(ended)
    must(bool(alarms) and all(one["topic"] == topic for one in alarms), f"the log tells of {alarms} instead of {topic}")
    must(len(_gap_letters(world)) == len(alarms), "the dead letters do not tell what the log tells")
    must_be_the_graph_of(world, records)
    return Seen(f"{topic} deleted and made anew after {first:,} records")


def _is_taken_in(world: World, records: list[SampleRecord], topic: str, first: int) -> bool:
    """All of the new topic and all of the others are committed."""
    before = sum(record.topic == topic for record in records[:first])
    return sum(world.committed().values()) == len(records) - before
