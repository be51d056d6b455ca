"""kill -9: of the job, of Neo4j and of Kafka, at moments that chance decides."""

from typing import Final

from runners.local.service import Service
from scripts.faulting.job import FOLLOW, READERS, SMALL, Job
from scripts.faulting.round import Commits, Round, Seen, await_that, must, must_be_the_graph_of
from scripts.sampling.record import SampleRecord
from scripts.world import World

_STARTING: Final = 0.25
# Longer than the servers take to be started again, in attempts that are short.
_PATIENT: Final = ("--neo4j_retry_s=2", "--kafka_retry_s=2", "--max_faults=30")
_WRITING: Final = "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery STARTS WITH 'UNWIND' RETURN count(*) AS writing"


def kill_bounded_job(round_: Round) -> Seen:
    return _kill_job(round_, f"--kafka_reader={round_.random.choice(READERS)}")


def kill_following_job(round_: Round) -> Seen:
    return _kill_job(round_, *FOLLOW)


def _kill_job(round_: Round, *mode: str) -> Seen:
    records = round_.records()
    round_.world.produce(records)
    with Commits(round_.world) as commits:
        moments = [_kill_somewhere(round_, commits, len(records), *mode) for _ in range(1 if round_.short else 2)]
        must(commits.look() < len(records), "the last kill came after the end: the stream is too short")
        _rerun(round_, commits, records)
    return Seen(f"job {', '.join(moments)}")


def _kill_somewhere(round_: Round, commits: Commits, total: int, *mode: str) -> str:
    """Kill a run while it starts, or while it works; tells when."""
    random = round_.random
    before = commits.look()
    with Job(round_.world, *SMALL, *mode) as job:
        seconds = random.uniform(0.3, 4)
        if random.random() >= _STARTING:
            commits.await_past(before + 1 + int(random.uniform(0, 0.4) * (total - before)))
            seconds = random.uniform(0, 0.8)
        must(not job.ends_within(seconds), "the run ended before it could be killed")
        job.kill()
    now = commits.look()
    return f"at {now:,} of {total:,}" if now > before else "before its first commit"


def _rerun(round_: Round, commits: Commits, records: list[SampleRecord]) -> None:
    """A bounded run takes in what is left, and no more; the graph is that of a clean run."""
    before = commits.look()
    reader = round_.random.choice(READERS[:1] if round_.short else READERS)
    with Job(round_.world, f"--kafka_reader={reader}") as job:
        ended = job.end().must_be(0)
    # A commit that was on its way when its sender was killed may still have arrived; nothing else may be left out.
    read = ended.must_count_every_record_once()
    must(read <= len(records) - before, f"{read} records were read again although {before} of {len(records)} were done")
    must(commits.look() == len(records), "the rerun did not commit all")
    must_be_the_graph_of(round_.world, records)


def kill_server(service: Service) -> None:
    """kill -9 of a server of the stack, or of the cluster; returns once it is gone."""
    process = service.process.find()
    must(process is not None, f"{service.process.name} was not there to be killed")
    assert process is not None
    process.kill()
    process.wait(30)


def _into_a_batch(round_: Round, commits: Commits, total: int) -> int:
    """Wait until a part that chance decides is committed, and then until Neo4j is in a write; the committed offsets."""
    commits.await_past(1 + int(round_.random.uniform(0, 0.4) * total))
    await_that(lambda: round_.world.cypher(_WRITING) != [{"writing": 0}], 60, "a transaction that writes")
    return commits.look()


def _somewhere(round_: Round, commits: Commits, job: Job, total: int) -> int:
    commits.await_past(1 + int(round_.random.uniform(0, 0.4) * total))
    must(not job.ends_within(round_.random.uniform(0, 1)), "the run ended before Kafka could be killed")
    return commits.look()


def kill_neo4j_under_bounded_job(round_: Round) -> Seen:
    world, records = round_.world, round_.records()
    world.produce(records)
    with Commits(world) as commits, Job(world, *SMALL, "--neo4j_retry_s=3") as job:
        at = _into_a_batch(round_, commits, len(records))
        kill_server(world.stack.neo4j)
        said = job.end().must_be(1).must_say_one_sentence(f"Neo4j at {world.stack.neo4j.uri} cannot be used")
        must("nothing after the last committed offsets counts as done" in said, f"{said!r} does not say what counts")
        world.stack.up()
        _rerun(round_, commits, records)
    return Seen(f"Neo4j at {at:,} of {len(records):,}, in a write")


def kill_neo4j_under_following_job(round_: Round) -> Seen:
    world, records = round_.world, round_.records()
    world.produce(records)
    with Commits(world) as commits, Job(world, *SMALL, *FOLLOW, *_PATIENT) as job:
        at = _into_a_batch(round_, commits, len(records))
        kill_server(world.stack.neo4j)
        world.stack.up()
        _goes_on_to_the_end(world, commits, job, records)
    return Seen(f"Neo4j at {at:,} of {len(records):,}, in a write")


def kill_kafka_under_bounded_job(round_: Round) -> Seen:
    world, records = round_.world, round_.records()
    world.produce(records)
    reader = READERS[round_.number % len(READERS)]
    with Commits(world) as commits, Job(world, *SMALL, "--kafka_retry_s=3", f"--kafka_reader={reader}") as job:
        at = _somewhere(round_, commits, job, len(records))
        kill_server(world.stack.kafka)
        job.end().must_be(1).must_say_one_sentence(
            f"Kafka at {world.brokers} cannot be used", f"The dead-letter topic graph.deadletter at {world.brokers} cannot be written"
        )
        world.stack.up()
        _rerun(round_, commits, records)
    return Seen(f"Kafka at {at:,} of {len(records):,}, reader {reader}")


def kill_kafka_under_following_job(round_: Round) -> Seen:
    world, records = round_.world, round_.records()
    world.produce(records)
    with Commits(world) as commits, Job(world, *SMALL, *FOLLOW, *_PATIENT) as job:
        at = _somewhere(round_, commits, job, len(records))
        kill_server(world.stack.kafka)
        away = round_.random.uniform(0, 8)
        must(not job.ends_within(away), "the run ended instead of waiting for Kafka")
        world.stack.up()
        _goes_on_to_the_end(world, commits, job, records)
    return Seen(f"Kafka at {at:,} of {len(records):,}, away for {away:.0f} s and its start")


def _goes_on_to_the_end(world: World, commits: Commits, job: Job, records: list[SampleRecord]) -> None:
    """The same process takes in all of it, and ends well when told to."""
    await_that(lambda: commits.look() == len(records) or not job.goes_on, 180, "the end of the backlog")
    ended = job.stop().must_be(0)
    ended.must_count_every_record_once()
    must(commits.look() == len(records), "the run stopped before the end of the backlog")
    must_be_the_graph_of(world, records)
