"""What befalls one tenant, one topic or one partition, judged by all others: by their graphs, and by how long those take."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import Producer, TopicCollection
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from scripts.faulting.job import Ended, Job
from scripts.faulting.round import Round, Seen, await_that, must, must_be_the_graph_of
from scripts.faulting.second_broker import await_leaderless, lead_by_second, second_broker
from scripts.faulting.topics import admin, delete_topic, forget_offsets
from scripts.sampling.in_memory import expected_digests
from scripts.sampling.produce import PARTITIONS
from scripts.sampling.record import EVENTS, TARGETS, SampleRecord
from scripts.world import DEADLETTERS, GROUP, World
from transforms.io.kafka.offsets import KafkaOffsets

_BOUNDED: Final = "--kafka_reader=bounded"
_LEFT_OUT: Final = 3
_LOCK: Final = "MATCH (n:Resource {client_id: $id, kind: 'Node'}) WITH n LIMIT 1 SET n.held = true RETURN n.rid AS rid"
_POLL_S: Final = 0.1
# A broker that lets everybody do everything, until somebody is denied something.
AUTHORIZING: Final = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}


@dataclass(frozen=True, slots=True)
class Timed:
    """A run that ended. graphs_s: from its start until the others' graphs were whole; all_s: until its end."""

    ended: Ended
    graphs_s: float
    all_s: float


def _timed(world: World, wanted: dict[str, str], *flags: str, code: int = 0) -> Timed:
    """Run the job to its end, and watch the graphs that are wanted meanwhile."""
    began = time.monotonic()
    graphs_s = 0.0
    with Job(world, _BOUNDED, *flags) as job:
        while job.goes_on and not graphs_s:
            if _has(world, wanted):
                graphs_s = time.monotonic() - began
            time.sleep(_POLL_S)
        ended = job.end().must_be(code)
        all_s = time.monotonic() - began
    must(_has(world, wanted), f"the graphs of {', '.join(wanted)} are not those of a clean run")
    return Timed(ended, graphs_s or all_s, all_s)


def _has(world: World, wanted: dict[str, str]) -> bool:
    found = world.digests()
    return all(found.get(client_id) == digest for client_id, digest in wanted.items())


def _must_be_in_time(round_: Round, without: Timed, under: Timed) -> str:
    """The others' graphs are there within twice the time; in the long form, where there is work for longer, so are the commits."""
    pairs = [("graphs", without.graphs_s, under.graphs_s)]
    pairs += [] if round_.short else [("commits", without.all_s, under.all_s)]
    for what, plain, slow in pairs:
        round_.must_be_in_time(what, plain, slow)
    graphs, commits = f"{under.graphs_s:.1f} s ({without.graphs_s:.1f} s without)", f"{under.all_s:.1f} s ({without.all_s:.1f} s)"
    return f"others' graphs after {graphs}, commits after {commits}"


def _half_taken_in(world: World, records: list[SampleRecord]) -> None:
    """An empty world with half of the records in its graphs, and the other half waiting."""
    world.clear()
    half = len(records) // 2
    world.produce(records[:half])
    with Job(world, _BOUNDED) as job:
        job.end().must_be(0)
    world.produce(records[half:])


def lock_node(round_: Round) -> Seen:
    """Somebody's transaction holds one node of one tenant, and does not end."""
    # A lock holds the others up once, for three tries of five seconds and the pauses between them. The stream takes longer than that.
    world, records = round_.world, round_.records(clusters=4, resyncs=260, poison_classes=0)
    expected = expected_digests(records)
    locked = round_.random.choice(sorted(expected))
    others = {client_id: digest for client_id, digest in expected.items() if client_id != locked}
    patience = ("--lock_timeout_s=1", "--tenant_max_failures=2") if round_.short else ()
    _half_taken_in(world, records)
    without = _timed(world, others)
    _half_taken_in(world, records)
    with world.graph.session() as session, session.begin_transaction() as held:
        row = held.run(_LOCK, id=locked).single()
        assert row is not None
        under = _timed(world, others, *patience)
        held.rollback()
    counted = under.ended.must_count_every_record_once()
    rejected = under.ended.report["tenants"][locked]["rejected"]
    must(rejected == under.ended.report["rejected"] > 0, f"{rejected} of {under.ended.report['rejected']} rejected records are {locked}'s")
    reasons = {one["reason"] for one in world.deadletters()}
    must(reasons == {"tenant_quarantined"}, f"the dead letters have the reasons {sorted(reasons)}: no row is at fault")
    world.run("pipelines.tenants", "release", locked)
    must_be_the_graph_of(world, records)
    told = _must_be_in_time(round_, without, under)
    return Seen(f"{row['rid']} of {locked} locked, {rejected:,} of {counted:,} records held and released; {told}")


def deny_reading(round_: Round) -> Seen:
    """A topic may be described and not read any more."""
    topic = round_.random.choice((TARGETS, EVENTS))
    return _left_out(round_, topic, lambda world: denied(world, topic))


def leave_leaderless(round_: Round) -> Seen:
    """The only broker that holds one partition of a topic dies; the run may go on without that partition."""
    world, records = round_.world, round_.records(resyncs=20, poison_classes=0)
    client, led = admin(world.brokers), round_.random.randrange(PARTITIONS)
    world.produce(records)
    without = _timed(world, expected_digests(records))
    world.clear()
    with second_broker(world.stack.kafka) as broker:
        delete_topic(world.brokers, TARGETS)
        lead_by_second(client, TARGETS, PARTITIONS, led)
        world.produce(records)
        lost = held_in(world, TARGETS, led)
        process = broker.process.find()
        assert process is not None
        process.kill()
        process.wait(30)
        await_leaderless(client, TARGETS, led)
        under = _timed(world, {}, code=_LEFT_OUT)
        _must_leave_out(under.ended, {(TARGETS, led)})
        must(under.ended.must_count_every_record_once() == len(records) - len(lost), "not just the others were read")
        delete_topic(world.brokers, TARGETS)
    told = _must_be_in_time(round_, without, under)
    return Seen(f"{TARGETS}[{led}] without a leader, {len(lost)} of {len(records):,} records left out; {told}")


def held_in(world: World, topic: str, partition: int) -> range:
    """The offsets that a partition holds."""
    offsets = KafkaOffsets(world.kafka_target)
    try:
        return next((range(one.start, one.end) for one in offsets.held([topic]) if one.partition == partition), range(0))
    finally:
        offsets.close()


def _left_out(round_: Round, topic: str, fault: Callable[[World], Any]) -> Seen:
    world, records = round_.world, round_.records(resyncs=20, poison_classes=0)
    rest = [one for one in records if one.topic != topic]
    wanted = expected_digests(rest)
    world.produce(rest)
    without = _timed(world, wanted)
    world.clear()
    world.produce(records)
    with fault(world):
        under = _timed(world, wanted, code=_LEFT_OUT)
        _must_leave_out(under.ended, {(topic, partition) for partition in range(PARTITIONS)})
        must(under.ended.must_count_every_record_once() == len(rest), "not just the other topics were read")
        checks = json.loads(world.run("pipelines.doctor", "--json", _BOUNDED, expect=1).stdout)["checks"]
        must(any(one["name"] == f"topic {topic}" and one["status"] == "failed" for one in checks), "the doctor does not name the topic")
    with Job(world, _BOUNDED) as job:
        read = job.end().must_be(0).must_count_every_record_once()
    must(read == len(records) - len(rest), f"{read} records were read of {len(records) - len(rest)} that were left out")
    must_be_the_graph_of(world, records)
    told = _must_be_in_time(round_, without, under)
    return Seen(f"{topic} unreadable, {read:,} of {len(records):,} records left out and read later; {told}")


def _must_leave_out(ended: Ended, places: set[tuple[str, int]]) -> None:
    told = {(one["topic"], one["partition"]) for one in ended.report["left_out"]}
    must(told == places, f"the summary tells of {sorted(told)} instead of {sorted(places)}")
    alarms = [line for line in ended.said.splitlines() if '"partition left out"' in line]
    must(len(alarms) == len(places), f"the log has {len(alarms)} alarms for {len(places)} partitions")


@contextmanager
def denied(world: World, topic: str) -> Iterator[None]:
    """Everybody may do anything with the topic but read it."""

    def rule(operation: AclOperation, permission: AclPermissionType) -> AclBinding:
        return AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", operation, permission)

    rules = [rule(AclOperation.ALL, AclPermissionType.ALLOW), rule(AclOperation.READ, AclPermissionType.DENY)]
    client = admin(world.brokers)
    for made in client.create_acls(rules).values():
        made.result(30)
    _await_rights(client, topic, may_read=False)
    try:
        yield
    finally:
        every = AclBindingFilter(
            ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, None, None, AclOperation.ANY, AclPermissionType.ANY
        )
        for gone in client.delete_acls([every]).values():
            gone.result(30)
        _await_rights(client, topic, may_read=True)


def _await_rights(client: AdminClient, topic: str, *, may_read: bool) -> None:
    """Return once the broker goes by the rules: the controller answers before it has heard of them."""

    def is_so() -> bool:
        asked = client.describe_topics(TopicCollection([topic]), include_authorized_operations=True, request_timeout=10)
        return (AclOperation.READ in (asked[topic].result(30).authorized_operations or ())) is may_read

    await_that(is_so, 30, f"the broker goes by the rights of {topic}")


def hold_back(round_: Round) -> Seen:
    """A producer begins a transaction and does not end it: what others produce behind it is given to nobody."""
    world, records = round_.world, round_.records(resyncs=6, poison_classes=0)
    wanted = expected_digests([one for one in records if one.topic != EVENTS])
    producer = Producer({"bootstrap.servers": world.brokers, "transactional.id": "stuck", "transaction.timeout.ms": 600_000})
    producer.init_transactions(30)
    producer.begin_transaction()
    for partition in range(PARTITIONS):
        producer.produce(EVENTS, b"{}", b"af-10::stuck", partition=partition)
    must(producer.flush(30) == 0, "the transaction's records were not taken")
    world.produce(records)
    under = _timed(world, {})
    hidden = sum(one.topic == EVENTS for one in records)
    read = under.ended.must_count_every_record_once()
    must(read == len(records) - hidden, f"{read} records were read, and {hidden} of {len(records)} are behind the transaction")
    held = sum(one["offsets"] for one in under.ended.report["held_back"])
    must(held == hidden + PARTITIONS, f"{held} offsets are told to be held back, and {hidden + PARTITIONS} are")
    must(under.ended.report["transitions"] == [], "a tenant's state changed although not all of it could be read")
    checks = {one["name"]: one for one in json.loads(world.run("pipelines.doctor", "--json", _BOUNDED).stdout)["checks"]}
    must(checks["held back"]["status"] == "warning", f"the doctor says {checks['held back']}")
    must(_has(world, wanted), "the graphs are not those of what could be read")
    producer.abort_transaction(30)
    with Job(world, _BOUNDED) as job:
        later = job.end().must_be(0).must_count_every_record_once()
    must(read + later == len(records), f"{read} and {later} records were read of {len(records)}")
    must_be_the_graph_of(world, records)
    return Seen(f"{held:,} offsets held back and told, {later:,} records read once the transaction had ended")


def forget_quiet_offsets(round_: Round) -> Seen:
    """Kafka forgets what the group had committed in one partition, as it does where nothing is committed for a week."""
    world, records = round_.world, round_.records(resyncs=3)
    world.produce(records)
    with Job(world, _BOUNDED) as job:
        job.end().must_be(0)
    letters, done = len(world.read_topic(DEADLETTERS)), world.committed()
    quiet = round_.random.choice(sorted(place for place, offset in done.items() if offset > 0))
    forget_offsets(world.brokers, GROUP)
    offsets = KafkaOffsets(world.kafka_target)
    try:
        offsets.commit({place: offset for place, offset in done.items() if place != quiet})
    finally:
        offsets.close()
    must(world.committed() == {place: offset for place, offset in done.items() if place != quiet}, "the offsets were not forgotten")
    checks = {one["name"]: one for one in json.loads(world.run("pipelines.doctor", "--json", _BOUNDED).stdout)["checks"]}
    must("has forgotten" in checks["lag"]["said"], f"the doctor says {checks['lag']}")
    with Job(world, _BOUNDED) as job:
        read = job.end().must_be(0).must_count_every_record_once()
    must(read == 0, f"{read} records were read again")
    must(len(world.read_topic(DEADLETTERS)) == letters, "dead letters were written again")
    must(world.committed() == done, "what Kafka had forgotten is not committed again")
    must_be_the_graph_of(world, records)
    return Seen(f"{quiet[0]}[{quiet[1]}] forgotten at {done[quiet]:,}, committed again; nothing read or rejected twice")
