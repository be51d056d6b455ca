"""What refuses the job: a dead-letter topic that takes nothing, and a consumer group that another run has."""

from typing import Final

from scripts.faulting.job import FOLLOW, SMALL, Job
from scripts.faulting.round import Commits, Round, Seen, await_that, must, must_be_the_graph_of
from scripts.faulting.topics import configure_topic, make_topic
from scripts.sampling.poison import poisoned, poisons
from scripts.world import DEADLETTERS, GROUP

# Settings with which a broker refuses every letter, by its size or by its age of a millisecond, and those that mend it.
_REFUSALS: Final = (
    ("max.message.bytes of 100", {"max_message_bytes": "100"}, {"max_message_bytes": "16777216"}),
    ("message.timestamp.before.max.ms of 0", {"message_timestamp_before_max_ms": "0"}, {"message_timestamp_before_max_ms": "86400000"}),
)
_SENTENCE: Final = "The dead-letter topic graph.deadletter at "


def refuse_dead_letters(round_: Round) -> Seen:
    """Poisons come first and the run is one slice, so that nothing of it may be committed."""
    world, (name, refusing, mended) = round_.world, _REFUSALS[round_.number % len(_REFUSALS)]
    valid = round_.records(clusters=2, resyncs=3, poison_classes=0)
    records = [*(poisoned(one, valid[0].timestamp_ms) for one in poisons("af-10")), *valid]
    make_topic(world.brokers, DEADLETTERS, **refusing)
    world.produce(records)
    with Commits(world) as commits:
        with Job(world, "--kafka_reader=bounded") as job:
            said = job.end().must_be(1).must_say_one_sentence(_SENTENCE)
        must("make it writable for this user, then run again" in said, f"{said!r} does not say the remedy")
        must(commits.look() == 0, f"{commits.look()} offsets were committed although no dead letter was taken")
        with Job(world, *FOLLOW) as job:
            must(not job.ends_within(4), "a run that follows ended instead of waiting for the dead-letter topic")
            configure_topic(world.brokers, DEADLETTERS, **mended)
            await_that(lambda: commits.look() == len(records) or not job.goes_on, 180, "the end of the backlog")
            job.stop().must_be(0).must_count_every_record_once()
    must(len(world.deadletters()) >= len(poisons("af-10")), "a poison is missing in the dead letters")
    must_be_the_graph_of(world, valid)
    return Seen(f"dead letters refused by a {name}")


def run_twice_at_once(round_: Round) -> Seen:
    world, records = round_.world, round_.records(resyncs=6)
    half = len(records) // 2
    world.produce(records[:half])
    second = round_.random.choice(((), FOLLOW))
    with Commits(world) as commits, Job(world, *SMALL, *FOLLOW, "--lease_s=3") as first:
        commits.await_past(1)
        with Job(world, "--kafka_reader=bounded", "--lease_s=3", *second) as refused:
            refused.end(60).must_be(1).must_say_one_sentence(f"Another run of the consumer group {GROUP} is at work (")
        world.produce(records[half:])
        commits.await_past(len(records))
        ended = first.stop().must_be(0)
    read = ended.must_count_every_record_once()
    must(read == len(records), f"the first run read {read} records of {len(records)}")
    must_be_the_graph_of(world, records)
    return Seen(f"a second run, {'following' if second else 'bounded'}, while the first was at work")
