"""What cannot be read makes nobody silent: whom it may hide, and for how long it must have been hidden."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from pipelines.job.liveness_check import hidden_topics, judge_tenants
from pipelines.options.flow import WriteOptions
from pipelines.settings import FlowSettings
from runners.observe.metrics import Monitor
from runners.observe.unreadable_partitions import OutOfReach
from transforms.io.kafka.offsets import HeldBack, PartitionFault
from transforms.io.kafka.partitions import HeldBackWatch
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret
from transforms.planning.lifecycle.liveness import Limits
from transforms.records.dead_letters.selection import LetterPlace
from transforms.records.tenancy.tenant import TenantRules

LIMITS = Limits()
EVENTS = "events.normalized"
OWN = "af-11.events.normalized"
REFUSED = PartitionFault(EVENTS, 0, "not_readable")


@pytest.mark.parametrize(("for_s", "hides"), [(None, True), (0.0, False), (29.0, False), (30.0, True), (900.0, True)])
def test_what_is_held_back_for_a_moment_hides_nobody(for_s: float | None, hides: bool) -> None:
    assert hidden_topics([], [HeldBack(EVENTS, 0, 3, 7, for_s)], LIMITS) == ({EVENTS} if hides else set())


def test_what_is_left_out_hides_at_once() -> None:
    assert hidden_topics([REFUSED], [], LIMITS) == {EVENTS}


class Book:
    """Keeps whom it was told not to take for silent."""

    def __init__(self) -> None:
        self.may: dict[str, bool] = {}

    def judge(self, _limits: Limits, _concerns: Any, may_be_silent: Any) -> list[Any]:
        self.may = {client_id: may_be_silent(client_id) for client_id in ("af-10", "af-11")}
        return []


@pytest.mark.parametrize(
    ("hidden", "silent"),
    [((), ["af-10", "af-11"]), ((OWN,), ["af-10"]), ((EVENTS,), []), ((OWN, EVENTS), [])],
)
def test_a_shared_topic_hides_everybody_and_a_clusters_own_that_cluster(
    hidden: tuple[str, ...], silent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Book()
    monkeypatch.setattr("pipelines.job.liveness_check.process_tenant_registry", lambda _target: book)
    patterns = (r"(?P<client_id>[a-z0-9-]+)\.events\.normalized",)
    neo4j = Neo4jTarget("bolt://unused", "unused", Secret())
    flow = FlowSettings(
        KafkaTarget("unused", "unused"), neo4j, LetterPlace("letters"), TenantRules(), patterns, frozenset(), WriteOptions()
    )

    judge_tenants(flow, None, frozenset(hidden))

    assert [client_id for client_id, may in book.may.items() if may] == silent


def test_a_partition_is_told_when_it_is_set_aside_and_when_it_is_read_again_and_not_in_between() -> None:
    monitor = Monitor(60)
    seen = OutOfReach(monitor)
    value = monitor.registry.get_sample_value
    labels = {"topic": EVENTS, "partition": "0", "cause": "not_readable"}
    with capture_logs() as logs:
        for cannot in (True, True, False, True):
            seen.begin()
            monitor.planned({(EVENTS, 0): 5} if not cannot else {})
            if cannot:
                seen.aside(REFUSED)
            seen.end()
            assert value("graph_partitions_set_aside", labels) == (1 if cannot else 0)
    assert [log["event"] for log in logs] == ["partition left out", "partition is read again", "partition left out"]


def test_the_lag_of_a_partition_that_cannot_be_read_stays_what_was_last_known() -> None:
    monitor = Monitor(60)
    monitor.planned({(EVENTS, 0): 5, (EVENTS, 1): 4})
    monitor.aside([REFUSED])
    monitor.planned({})
    value = monitor.registry.get_sample_value
    assert value("graph_lag_offsets", {"topic": EVENTS, "partition": "0"}) == 5
    assert value("graph_lag_offsets", {"topic": EVENTS, "partition": "1"}) == 0


def test_what_is_held_back_is_a_metric_at_once_and_a_warning_once_it_is_stuck() -> None:
    monitor = Monitor(60)
    seen = OutOfReach(monitor)
    labels = {"topic": EVENTS, "partition": "0"}
    with capture_logs() as logs:
        for for_s in (None, 20.0, 60.0, 80.0):
            seen.held_back([HeldBack(EVENTS, 0, 3, 7, for_s)])
        assert monitor.registry.get_sample_value("graph_held_back_offsets", labels) == 7
        seen.held_back([])
        assert monitor.registry.get_sample_value("graph_held_back_offsets", labels) == 0
        seen.held_back([HeldBack(EVENTS, 0, 10, 7, 60.0)])
    assert [(log["event"], log["offset"]) for log in logs] == [("offsets held back", 3), ("offsets held back", 10)]
    assert "kafka-transactions.sh" in logs[0]["detail"]


def test_how_long_something_has_been_held_back_is_known_from_the_second_look_on() -> None:
    now = [100.0]
    watch = HeldBackWatch(lambda: now[0])
    place = (EVENTS, 0)
    found = []
    for stable, high in ((3, 10), (3, 12), (12, 20), (20, 20), (20, 25)):
        found.append([(one.first, one.offsets, one.for_s) for one in watch.look({place: (stable, high)})])
        now[0] += 10
    assert found == [[(3, 7, None)], [(3, 9, 10.0)], [(12, 8, 0.0)], [], [(20, 5, 0.0)]]
