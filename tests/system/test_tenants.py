"""Tenants by every route, kept apart, known by what is heard of them; on the real stack."""

import json
import time
from collections.abc import Iterable
from typing import Any

import pytest
from confluent_kafka import Consumer

from scripts.faulting.round import await_that
from scripts.faulting.topics import configure_topic
from scripts.sampling.produce import TOPICS, ensure_topics
from scripts.sampling.record import HEARTBEATS, REGISTRY, SampleRecord, json_bytes
from scripts.sampling.stream import sample_stream
from tests.support.in_memory import expected_digests
from tests.system.test_graph_build import CROSSING
from tests.system.world import World, locked
from transforms.model import tenancy
from transforms.model.graph import BUS_NAME
from transforms.records.outcomes import NO_TENANT

EAST, WEST = "af-10", "af-11"
PATTERN = (
    r"--topic_pattern=(?P<client_id>[a-z0-9.-]+)\.(?P<topic>state\.k8s\.resource|state\.k8s\.topology|events\.normalized|logs\.normalized)"
)
STATES = "MATCH (c:Cluster) RETURN c.client_id AS id, c.state AS state"


def now_ms() -> int:
    return int(time.time() * 1000)


def registration(client_id: str, cluster: str = "", **more: Any) -> SampleRecord:
    body = {"client_id": client_id, "cluster": cluster or client_id, "registered_at": "2026-03-01T00:00:00Z", **more}
    return SampleRecord(REGISTRY, client_id.encode(), json_bytes(body), now_ms())


def heartbeat(client_id: str, skew_ms: int = 0) -> SampleRecord:
    return SampleRecord(HEARTBEATS, client_id.encode(), json_bytes({"client_id": client_id}), now_ms() + skew_ms)


def keyed(records: Iterable[SampleRecord]) -> list[SampleRecord]:
    return [one for one in records if (one.key or b"").startswith((b"af-10::", b"af-11::"))]


def tenant_of(record: SampleRecord) -> str:
    return (record.key or b"").decode().partition("::")[0]


def keyless(record: SampleRecord) -> SampleRecord:
    return record._replace(key=(record.key or b"").partition(b"::")[2])


def by_topic(record: SampleRecord) -> SampleRecord:
    return keyless(record)._replace(topic=f"{tenant_of(record)}.{record.topic}")


def by_header(record: SampleRecord) -> SampleRecord:
    return keyless(record)._replace(headers=(("client_id", tenant_of(record).encode()),))


def by_body(field: str, names: dict[str, str], record: SampleRecord) -> SampleRecord:
    """A tombstone has no body to name anybody."""
    if record.value is None:
        return record
    return keyless(record)._replace(value=json_bytes({**json.loads(record.value), field: names[tenant_of(record)]}))


def routed(route: str, records: list[SampleRecord]) -> list[SampleRecord]:
    names = {EAST: EAST, WEST: WEST}
    match route:
        case "topic":
            return [by_topic(one) for one in records]
        case "header":
            return [by_header(one) for one in records]
        case "body":
            return [registration(EAST), registration(WEST), *(by_body("client_id", names, one) for one in records)]
        case "cluster":
            named = {EAST: "east", WEST: "west"}
            return [registration(EAST, "east"), registration(WEST, "west"), *(by_body("cluster", named, one) for one in records)]
        case _:
            return records


@pytest.mark.parametrize("route", ["key", "topic", "header", "body", "cluster"])
def test_two_clusters_with_the_same_contents_stay_apart_by_every_route(world: World, route: str) -> None:
    records = keyed(sample_stream(clusters=2, resyncs=2, seed=21, poison_classes=0).records)
    if route == "cluster":
        # Logs of collectors and events in their shapes may use the field otherwise.
        records = [one for one in records if one.topic.startswith(("state.k8s", "events"))]
    if route == "topic":
        ensure_topics(world.brokers, sorted({one.topic for one in routed(route, records)}), partitions=1)
        records = [one for one in records if "prom" not in one.topic]
    world.produce(routed(route, records))

    report = world.run_job(PATTERN, *([] if route == "key" else ["--kafka_reader=bounded"]))

    assert report["rejected"] == 0, world.deadletters()[:2]
    assert set(report["tenants"]) == {EAST, WEST}
    assert report["read"] == sum(report["tenants"][one]["read"] for one in (EAST, WEST))
    assert world.cypher(CROSSING) == [{"crossing": 0}]
    assert world.digests() == expected_digests(records)


def test_a_cluster_that_appears_with_topics_of_its_own_is_found_without_a_restart(world: World) -> None:
    records = [one for one in keyed(sample_stream(clusters=2, resyncs=1, seed=4, poison_classes=0).records) if "prom" not in one.topic]
    east, west = ([one for one in records if tenant_of(one) == tenant] for tenant in (EAST, WEST))
    ensure_topics(world.brokers, sorted({by_topic(one).topic for one in east}), partitions=2)
    world.produce(map(by_topic, east))
    job = world.start_job("--follow", "--every_s=0.5", "--topic_per_cluster")
    try:
        await_that(lambda: world.digests() == expected_digests(east), 60, "the first cluster is in the graph")
        ensure_topics(world.brokers, sorted({by_topic(one).topic for one in west}), partitions=2)
        world.produce(map(by_topic, west))
        await_that(lambda: world.digests() == expected_digests(records), 60, "both clusters are in the graph")
    finally:
        job.terminate()
        out, err = job.communicate(timeout=60)
    assert job.returncode == 0, err[-2000:]
    assert json.loads(out)["read"] == len(records)


def spoofs(record: SampleRecord) -> list[SampleRecord]:
    """East's record, in each of the ways in which it may name West as well."""
    value = json_bytes({**json.loads(record.value or b""), "client_id": WEST})
    of_west, of_both = ("client_id", WEST.encode()), (("client_id", EAST.encode()), ("client_id", WEST.encode()))
    return [
        record._replace(value=value),
        record._replace(headers=(of_west,)),
        record._replace(topic=f"{WEST}.{record.topic}"),
        by_header(record)._replace(headers=of_both),
        by_header(record)._replace(value=value),
    ]


def test_a_spoofed_body_header_or_topic_never_lands_with_another_tenant(world: World) -> None:
    records = keyed(sample_stream(clusters=2, resyncs=1, seed=6, poison_classes=0).records)
    world.produce([registration(EAST), registration(WEST, "west"), *records])
    world.run_job()
    before = world.digests()
    states = [one for one in records if one.topic.startswith("state.k8s.resource") and one.value and tenant_of(one) == EAST][:40]
    spoofed = [one._replace(timestamp_ms=one.timestamp_ms + 3_600_000) for state in states for one in spoofs(state)]
    ensure_topics(world.brokers, {one.topic for one in spoofed}, partitions=1)
    world.produce(spoofed)

    report = world.run_job(PATTERN)

    assert (report["read"], report["rejected"]) == (len(spoofed), len(spoofed))
    assert {letter["reason"] for letter in world.deadletters()} == {"tenant_mismatch"}
    assert world.digests() == before


def test_the_registry_is_read_before_the_records_that_need_it(world: World) -> None:
    records = [one for one in keyed(sample_stream(clusters=1, resyncs=1, seed=6, poison_classes=0).records) if one.value is not None]
    world.produce([by_body("client_id", {EAST: EAST}, one) for one in records])
    world.produce([registration(EAST, "east", labels={"stage": "test"})])

    report = world.run_job("--slice_bytes=65536")

    assert report["rejected"] == 0
    assert report["control"] == 1
    (cluster,) = world.cypher("MATCH (c:Cluster) RETURN c {.client_id, .registered, .cluster, .labels, .state, .generation} AS c")
    labels = ["stage=test"]
    assert cluster["c"] == {"client_id": EAST, "registered": True, "cluster": "east", "labels": labels, "state": "ACTIVE", "generation": 1}


def test_a_tombstone_takes_the_registration_back_and_a_later_one_gives_it_again(world: World) -> None:
    world.produce([registration(EAST), heartbeat(WEST)])
    world.run_job()
    gone = SampleRecord(REGISTRY, EAST.encode(), None, now_ms())
    world.produce([gone, SampleRecord(REGISTRY, b"af-99", None, now_ms())])
    report = world.run_job()
    assert report["control"] == 2
    told = "MATCH (c:Cluster) RETURN c.client_id AS id, c.registered AS registered, c.deregistered_at >= c.created AS is_gone ORDER BY id"
    assert world.cypher(told) == [
        {"id": EAST, "registered": False, "is_gone": True},
        {"id": WEST, "registered": None, "is_gone": None},
    ], "who takes back what was never there makes no cluster; a heartbeat does"

    world.produce([registration(EAST)])
    world.run_job()
    assert world.cypher(told)[0] == {"id": EAST, "registered": True, "is_gone": None}


@pytest.mark.parametrize("skew_ms", [-600_000, 600_000])
def test_a_silent_tenant_becomes_stale_and_dead_and_no_clock_but_the_broker_s_counts(world: World, skew_ms: int) -> None:
    """One tenant's clock is ten minutes off; another falls silent, and the third is in time."""
    limits = ("--stale_after=2s", "--dead_after=5s")
    world.produce([heartbeat("silent"), heartbeat("skewed", skew_ms), heartbeat("in-time")])
    first = world.run_job(*limits)
    assert {row["state"] for row in world.cypher(STATES)} == {"ACTIVE"}
    assert first["transitions"] == []
    seen: list[tuple[str, str]] = []

    def go_on() -> bool:
        world.produce([heartbeat("skewed", skew_ms), heartbeat("in-time")])
        report = world.run_job(*limits, "--kafka_reader=bounded")
        seen.extend((one["client_id"], one["to"]) for one in report["transitions"])
        return ("silent", "DEAD") in seen

    await_that(go_on, 60, "the silent tenant is DEAD")
    assert seen in ([("silent", "STALE"), ("silent", "DEAD")], [("silent", "DEAD")]), "how long a run takes decides"
    states = {row["id"]: row["state"] for row in world.cypher(STATES)}
    assert states == {"silent": "DEAD", "skewed": "ACTIVE", "in-time": "ACTIVE"}
    told = world.cypher("MATCH (e:ClusterEpisode) RETURN e.client_id AS id, e.etype AS etype, e.reason AS reason ORDER BY e.at_ms")
    assert [(row["id"], row["reason"]) for row in told] == seen
    assert {row["etype"] for row in told} == {"cluster.state"}

    world.produce([heartbeat("silent")])
    back = world.run_job(*limits, "--kafka_reader=bounded")
    assert ("silent", "DEAD", "ACTIVE") in [(one["client_id"], one["from"], one["to"]) for one in back["transitions"]]


def test_nobody_ages_while_the_whole_bus_is_silent(world: World) -> None:
    limits = ("--stale_after=2s", "--dead_after=4s", "--kafka_reader=bounded")
    world.produce([heartbeat(EAST), heartbeat(WEST)])
    world.run_job(*limits)
    began = time.monotonic()
    while time.monotonic() - began < 6:
        assert world.run_job(*limits)["transitions"] == []
    world.produce([heartbeat(EAST)])
    assert world.run_job(*limits)["transitions"] == [], "the first sign after a silence of all ages nobody by more than one second"


def test_where_the_broker_stamps_records_its_time_is_what_counts(world: World) -> None:
    configure_topic(world.brokers, HEARTBEATS, message_timestamp_type="LogAppendTime")
    for reader, tenant in (("beam", EAST), ("bounded", WEST)):
        before = now_ms()
        world.produce([heartbeat(tenant, -600_000)])
        after = now_ms()
        world.run_job(f"--kafka_reader={reader}")
        (row,) = world.cypher("MATCH (c:Cluster {client_id: $id}) RETURN c.last_seen AS seen, c.first_seen AS first", id=tenant)
        assert before <= row["seen"] <= after, reader
        assert row["first"] == row["seen"]


def test_a_flood_of_invented_tenants_is_stopped_and_nothing_is_lost_once_the_limit_is_lifted(world: World) -> None:
    records = [one for one in keyed(sample_stream(clusters=1, resyncs=1, seed=6, poison_classes=0).records) if one.topic in TOPICS]
    one = next(record for record in records if record.topic.startswith("state.k8s.resource") and record.value)
    flood = [one._replace(key=f"invented-{number}::x".encode()) for number in range(30)]
    world.produce([registration(EAST), *flood, *records])

    report = world.run_job("--new_tenants_per_hour=5")

    assert report["rejected"] == 25
    assert {letter["reason"] for letter in world.deadletters()} == {"tenant_quota"}
    assert len(world.cypher(STATES)) == 6
    assert world.digests()[EAST] == expected_digests(records)[EAST]
    assert world.run_job("--new_tenants_per_hour=5")["read"] == 0

    replayed = json.loads(
        world.run("pipelines.deadletters", "replay", "--reason=tenant_quota", "--json", "--new_tenants_per_hour=0").stdout
    )
    assert (replayed["replayed"], replayed["written"]) == (25, 25)
    assert world.digests() == expected_digests([*flood, *records])
    assert world.run_job("--deny_tenants=invented-*")["read"] == 0


def test_denied_tenants_are_rejected_and_leave_no_trace_in_the_graph(world: World) -> None:
    records = keyed(sample_stream(clusters=2, resyncs=1, seed=6, poison_classes=0).records)
    world.produce([registration(EAST), registration(WEST), *records])

    report = world.run_job("--allow_tenants=af-*", "--deny_tenants=af-11")

    assert WEST not in report["tenants"], "whoever is not let in is counted under no name"
    assert report["tenants"]["-"]["rejected"] == len(world.deadletters()) > 0
    assert {letter["reason"] for letter in world.deadletters()} == {"tenant_denied"}
    assert [row["id"] for row in world.cypher(STATES)] == [EAST]
    assert world.digests() == {EAST: expected_digests(records)[EAST]}


def test_a_cluster_whose_lock_is_held_keeps_nobody_else_waiting(world: World) -> None:
    world.produce([heartbeat(EAST), heartbeat(WEST)])
    world.run_job()
    seen = "MATCH (c:Cluster {client_id: $id}) RETURN c.heard AS heard"
    before = {one: world.cypher(seen, id=one)[0]["heard"] for one in (EAST, WEST)}
    world.produce([heartbeat(EAST), heartbeat(WEST), registration(EAST), registration(WEST)])
    with locked(world, EAST):
        report = world.run_job("--kafka_reader=bounded")

    assert world.cypher(seen, id=WEST)[0]["heard"] > before[WEST]
    assert world.cypher(seen, id=EAST)[0]["heard"] == before[EAST]
    assert (report["control"], report["rejected"]) == (3, 1)
    assert [(letter["reason"], letter["topic"]) for letter in world.deadletters()] == [("graph_refused", REGISTRY)]
    replayed = json.loads(world.run("pipelines.deadletters", "replay", "--json").stdout)
    assert (replayed["replayed"], replayed["control"]) == (1, 1)
    assert world.cypher("MATCH (c:Cluster {registered: true}) RETURN c.client_id AS id ORDER BY id") == [{"id": EAST}, {"id": WEST}]


def test_a_clock_of_the_bus_that_is_held_stops_no_run_and_nobody_ages_by_it(world: World) -> None:
    world.produce([heartbeat(EAST)])
    world.run_job()
    world.produce([heartbeat(EAST), registration(EAST)])
    with world.graph.session() as session, session.begin_transaction() as held:
        held.run(tenancy.LOCK_BUS, client_id=NO_TENANT, name=BUS_NAME).consume()
        report = world.run_job("--kafka_reader=bounded")
        held.rollback()

    assert (report["read"], report["control"], report["transitions"]) == (2, 2, [])
    assert report["stderr"].count("clock of the bus locked") >= 2, "once where it is heard, once where it is judged"
    assert world.cypher(STATES) == [{"id": EAST, "state": "ACTIVE"}]


def test_candidates_are_read_off_topics_groups_and_members_and_label_nothing(world: World) -> None:
    world.produce([heartbeat(EAST)])
    world.run_job()
    ensure_topics(world.brokers, [f"{WEST}.events.normalized"], partitions=1)
    consumer = Consumer({"bootstrap.servers": world.brokers, "group.id": "graph-builder-af-12", "client.id": f"{EAST}-agent-1"})
    try:
        consumer.subscribe([TOPICS[0]])
        await_that(lambda: consumer.poll(0.2) is None and bool(consumer.assignment()), 60, "the consumer has joined")
        told = json.loads(world.run("pipelines.tenants", "discover", "--json").stdout)["candidates"]
    finally:
        consumer.close()

    assert told[EAST] == {"in_graph": True, "seen_in": [f"member of graph-builder-af-12: {EAST}-agent-1"]}
    assert told[WEST] == {"in_graph": False, "seen_in": [f"topic {WEST}.events.normalized"]}
    assert told["af-12"] == {"in_graph": False, "seen_in": ["group graph-builder-af-12"]}
    assert [row["id"] for row in world.cypher(STATES)] == [EAST]
