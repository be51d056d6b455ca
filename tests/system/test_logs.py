"""Logs of several tenants, end to end: what is filtered, what becomes an episode, and how it counts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from scripts.sampling.record import LOGS, SampleRecord, json_bytes
from tests.support.in_memory import expected_digests
from tests.system.world import World

TENANTS = ("af-10", "af-11", "af-12")
BEGIN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
REFUSED = "dial tcp 10.96.0.12:5432: connect: connection refused"
EPISODES = (
    "MATCH (e:Episodic {client_id: $client_id})-[:ABOUT]->(p:Pod {client_id: $client_id}) "
    "RETURN p.rid AS pod, e.event_time.minute AS minute, e.reason AS reason, e.severity AS severity, e.message AS message, "
    "e.count AS count ORDER BY minute, message"
)


def line(client_id: str, number: int, message: str, severity: str, minute: int = 0) -> SampleRecord:
    """A line at a time of its own, so that it means the same wherever it lies."""
    at = BEGIN + timedelta(minutes=minute, milliseconds=37 * number)
    body = {
        "event_id": f"log-{number}",
        "event_time": at.isoformat(),
        "etype": "k8s.log",
        "severity": severity,
        "message": message,
        "pod_uid": f"uid-of-{client_id}",
        "pod_namespace": "shop",
        "pod_name": "cart-0",
    }
    return SampleRecord(LOGS, f"{client_id}::uid-of-{client_id}".encode(), json_bytes(body), int(at.timestamp() * 1000) + 5)


def lines(client_id: str) -> list[SampleRecord]:
    """17 lines: 8 harmless, and of the failures 5 and 2 of one kind in two minutes, one of another, one that states ERROR alone."""
    harmless = [line(client_id, number, f"GET /items/{number} 200", "INFO") for number in range(8)]
    refused = [line(client_id, 10 + number, REFUSED, "WARNING", minute=number // 5) for number in range(7)]
    return [*harmless, *refused, line(client_id, 20, "panic: no", "", minute=2), line(client_id, 21, "order 7 failed", "ERROR", minute=3)]


def expected(of: str) -> list[dict[str, object]]:
    rows = [
        (0, "LOG_CONNECTION", "WARNING", REFUSED, 5),
        (1, "LOG_CONNECTION", "WARNING", REFUSED, 2),
        (2, "LOG_PANIC", "FATAL", "panic: no", 1),
        (3, "LOG_ERROR", "ERROR", "order 7 failed", 1),
    ]
    names = ("minute", "reason", "severity", "message", "count")
    return [{"pod": of, **dict(zip(names, row, strict=True))} for row in rows]


def test_lines_are_filtered_or_one_episode_a_minute_with_the_right_count(world: World) -> None:
    records = [one for client_id in TENANTS for one in lines(client_id)]
    world.produce(records)

    report = world.run_job("--kafka_reader=bounded")

    for client_id in TENANTS:
        counts = report["tenants"][client_id]
        assert (counts["read"], counts["filtered"], counts["written"], counts["superseded"]) == (17, 8, 4, 5)
        assert world.cypher(EPISODES, client_id=client_id) == expected("pod:shop:cart-0")
    assert world.digests() == expected_digests(records)

    world.produce(records)
    again = world.run_job("--kafka_reader=bounded")

    assert (again["read"], again["filtered"], again["written"]) == (3 * 17, 3 * 8, 0)
    assert again["unchanged"] + again["superseded"] == 3 * 9
    assert world.cypher(EPISODES, client_id="af-11") == expected("pod:shop:cart-0")


def test_lines_shuffled_doubled_and_in_many_slices_give_the_same_graph(world: World) -> None:
    records = [one for client_id in TENANTS for one in lines(client_id)]
    world.produce(records)
    world.run_job()
    in_order = world.digests()
    world.clear()

    shuffled = records * 2
    Random(11).shuffle(shuffled)
    for begin in range(0, len(shuffled), 40):
        world.produce(shuffled[begin : begin + 40])
        world.run_job("--kafka_reader=bounded")

    assert world.digests() == in_order
    assert in_order.keys() == set(TENANTS)


def test_failure_patterns_of_ones_own_make_episodes_and_bad_ones_are_wrong_usage(world: World, tmp_path: Path) -> None:
    world.produce([line("af-10", 1, "card visa declined", "INFO"), line("af-10", 2, "GET /items 200", "INFO")])
    own = tmp_path / "own.toml"
    own.write_text("[families]\nLOG_PAYMENT = ['card \\w+ (']\n")
    assert "of LOG_PAYMENT is no RE2 pattern" in world.run_job(FAILURE_PATTERNS=str(own), expect=2)["stderr"]

    own.write_text("[families]\nLOG_PAYMENT = ['card \\w+ declined']\n")
    report = world.run_job("--kafka_reader=bounded", f"--failure_patterns={own}")

    assert (report["written"], report["filtered"]) == (1, 1)
    assert [row["reason"] for row in world.cypher(EPISODES, client_id="af-10")] == ["LOG_PAYMENT"]
