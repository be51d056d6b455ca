"""The faults, declared: what is done, and what must hold afterwards."""

from collections.abc import Callable
from typing import Final, NamedTuple

from scripts.faulting import amplification, archives, costly, hostile, kills, losses, neighbours, refusals, secrets, traffic
from scripts.faulting.round import Round, Seen


class Fault(NamedTuple):
    """A fault, how often the long form does it, and what must hold; `run` does one round on an empty world.

    in_short: it has a form of a few seconds.
    """

    name: str
    done: str
    holds: str
    rounds: int
    run: Callable[[Round], Seen]
    in_short: bool = True


_CLEAN: Final = "the graphs are those of a clean run"
_CONVERGES: Final = f"a rerun reads no more than what is left, and {_CLEAN}; commits never move backwards"
_IN_TIME: Final = "the others' graphs and commits take at most twice the time that they take without the fault"
_UNHARMED: Final = f"others' records are committed within twice the time without them, and {_CLEAN}"
_ONE_SENTENCE: Final = "the run ends with 1 and one sentence;"

FAULTS: Final = (
    Fault("job-killed", "kill -9 of a bounded run, twice", _CONVERGES, 10, kills.kill_bounded_job),
    Fault("job-killed-following", "kill -9 of a run that follows, twice", _CONVERGES, 10, kills.kill_following_job),
    Fault(
        "archiving-killed",
        "kill -9 of a bounded run with --archive",
        f"no file is torn, a rerun leaves every record there once, and {_CLEAN}; a replay of the archive alone gives them, too",
        20,
        archives.kill_archiving_job,
    ),
    Fault(
        "backfill-killed",
        "kill -9 of a backfill, from the archive and from Kafka in turns",
        f"the same command goes on after the slices that are done, each record is read in one of them, and {_CLEAN}",
        20,
        archives.kill_backfill,
    ),
    Fault(
        "neo4j-killed",
        "kill -9 of Neo4j in a write, under a bounded run",
        f"{_ONE_SENTENCE} {_CONVERGES}",
        5,
        kills.kill_neo4j_under_bounded_job,
    ),
    Fault(
        "neo4j-killed-following",
        "kill -9 of Neo4j in a write, under a run that follows; started again",
        f"the run waits and goes on by itself; {_CLEAN}",
        5,
        kills.kill_neo4j_under_following_job,
    ),
    Fault("kafka-killed", "kill -9 of Kafka under a bounded run", f"{_ONE_SENTENCE} {_CONVERGES}", 5, kills.kill_kafka_under_bounded_job),
    Fault(
        "kafka-killed-following",
        "kill -9 of Kafka under a run that follows; started again",
        f"the run waits and goes on by itself; {_CLEAN}",
        5,
        kills.kill_kafka_under_following_job,
    ),
    Fault(
        "deadletters-refused",
        "the broker refuses what is written to the dead-letter topic",
        f"{_ONE_SENTENCE} nothing is committed; one that follows waits until the topic is mended, and {_CLEAN}",
        2,
        refusals.refuse_dead_letters,
    ),
    Fault("tripled", "every record three times, in any order, read by either reader", _CLEAN, 3, traffic.triple_and_shuffle),
    Fault(
        "stopped-under-load",
        "SIGTERM of a run that follows, in a backlog that grows",
        f"it ends with 0 within 30 s; what it read is committed and counted once; a rerun reads the rest, and {_CLEAN}",
        5,
        traffic.stop_under_load,
    ),
    Fault(
        "offsets-lost",
        "records are deleted before the group has read them",
        "an alarm in the log, a record of the gap in the dead letters; the run goes on",
        3,
        losses.lose_offsets,
    ),
    Fault(
        "poisoned",
        "a hundredth of the traffic is poison, of every class",
        f"each is a dead letter with its reason, and nothing else is; {_CLEAN} (and what it costs in time, measured)",
        1,
        traffic.poison,
    ),
    Fault(
        "amplification",
        "responses of Prometheus that list as much as their bytes can, and as much as a record may, before the others' records",
        "those beyond the limit are dead letters; the others' records are committed within twice the time without them, in 500 MiB; "
        f"{_CLEAN}",
        4,
        amplification.amplify,
    ),
    Fault(
        "two-runs",
        "a second run of the consumer group begins",
        f"the second is refused: {_ONE_SENTENCE} the first goes on, and {_CLEAN}",
        3,
        refusals.run_twice_at_once,
    ),
    Fault(
        "topic-anew",
        "a topic is deleted and made anew under a run that follows",
        f"it is told in the log and the dead letters, the same process goes on, and {_CLEAN}",
        3,
        losses.make_topic_anew,
    ),
    Fault(
        "locked-node",
        "somebody's transaction holds one node of one tenant and does not end",
        f"no record is rejected for its own sake; that tenant is in quarantine, and after its release {_CLEAN}; {_IN_TIME}",
        3,
        neighbours.lock_node,
    ),
    Fault(
        "unreadable-topic",
        "a topic may be described and not read",
        f"it is left out with an alarm, in the summary and by the doctor, exit code 3; {_IN_TIME}; granted again, {_CLEAN}",
        2,
        neighbours.deny_reading,
    ),
    Fault(
        "leaderless-partition",
        "the only broker that holds one partition dies",
        f"that partition is left out with an alarm and in the summary, exit code 3; {_IN_TIME}",
        2,
        neighbours.leave_leaderless,
        in_short=False,
    ),
    Fault(
        "open-transaction",
        "a producer begins a transaction in a topic of all and does not end it",
        f"what is held back is told in the summary and by the doctor, and nobody falls silent; once it has ended, {_CLEAN}",
        2,
        neighbours.hold_back,
    ),
    Fault(
        "quiet-offsets",
        "Kafka forgets what the group had committed in one partition",
        f"it is told from what was never read; nothing is read or rejected twice, it is committed again, and {_CLEAN}",
        3,
        neighbours.forget_quiet_offsets,
    ),
    Fault(
        "poisoned-integers",
        "a tenant sends numbers that come to more than 64 bits",
        f"each is a dead letter, limit_exceeded; {_UNHARMED}",
        3,
        hostile.poison_integers,
    ),
    Fault(
        "poisoned-headers",
        "a tenant sends header names that are not UTF-8",
        f"each is a dead letter, bad_header, that can be listed; {_UNHARMED}",
        3,
        hostile.poison_headers,
    ),
    Fault(
        "schema-ids",
        "a tenant sends schema ids that no registry can have, and a flood of random ones",
        f"each is a dead letter, schema_unknown, the registry is asked some hundred times; {_UNHARMED}",
        3,
        hostile.flood_schema_ids,
    ),
    Fault(
        "invented-prefixes",
        "faulty records, each of another tenant that nobody knows",
        f"no series, no memory and few lines of the log for them; {_UNHARMED}",
        2,
        hostile.invent_prefixes,
    ),
    Fault(
        "slow-patterns",
        "a tenant sends texts of 900 kB that repeat what the patterns of secrets and failures begin with",
        f"each is an episode; {_UNHARMED}",
        3,
        costly.send_slow_texts,
    ),
    Fault(
        "products",
        "a tenant has policies that all select every Pod, and rules that all raise every episode of one alert",
        f"none is rejected, and the first 32 by name are joined; {_UNHARMED}",
        2,
        costly.send_products,
    ),
    Fault(
        "defects",
        "a defect of the job, planted in each step, that one tenant's records meet",
        f"each record is a dead letter, internal, that names the step; {_UNHARMED}",
        3,
        hostile.meet_defects,
    ),
    Fault(
        "canaries",
        "made-up secrets of every kind, in every place where one was seen to leak, in valid records and in rejected ones",
        f"none is in the graph, the dead letters, the archive, the log, the summary or the metrics; what is no secret is; {_CLEAN}",
        1,
        secrets.let_canaries_through,
    ),
)
