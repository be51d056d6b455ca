"""The analysis behind the write: for tenants that were written, and never in the way of their records."""

import threading
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from runners.direct import run_pipeline
from tests.support.broken_cluster import TENANT, Bus, event, killed, mutations_of, node, pod, store_of, workload
from transforms.io.incident_analyst import Analyst, analysed, restless
from transforms.io.neo4j.errors import TenantFault
from transforms.io.neo4j.time_limits import DEFAULT_LIMITS
from transforms.io.unforeseen import SWITCH
from transforms.planning.causes.incidents import Analysed
from transforms.steps.analyze_incidents import AnalyzeIncidents, AnalyzeIncidentsFn
from transforms.testing.memory_incidents import MemoryIncidents
from transforms.testing.memory_sink import MemorySink


class Recording:
    """Notes which tenants are analysed; fails for those named."""

    def __init__(self, *failing: str) -> None:
        self.seen: list[list[str]] = []
        self._failing = failing

    def analyse(self, client_ids: Iterable[str]) -> dict[str, Analysed | Exception]:
        wanted = list(client_ids)
        self.seen.append(wanted)
        return {one: TenantFault("locked") if one in self._failing else Analysed(0, 0) for one in wanted}

    def restless(self) -> list[str]:
        return []


def test_a_tenants_incidents_are_those_of_its_graph() -> None:
    bus = Bus().say(0, node("n1")).say(11, *workload("cart", ready=0), pod("cart", ready=False, since=10, state=killed(10)))
    store = store_of(bus.records)
    store.tenants[TENANT].incidents.clear()
    assert MemoryIncidents(store).analyse([TENANT, "nobody"]) == {TENANT: Analysed(1, 1, {"OOM_KILLED": 1}), "nobody": Analysed(0, 0)}
    (one,) = store.tenants[TENANT].incidents.values()
    assert one.props["kind"] == "OOM_KILLED"


@pytest.mark.parametrize("error", [TenantFault("locked"), ValueError("a defect"), KeyError("x")])
def test_a_failure_is_told_and_raises_nothing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)

    class Failing:
        def analyse(self, client_ids: Iterable[str]) -> dict[str, Analysed | Exception]:
            raise error

        def restless(self) -> list[str]:
            raise error

    class OfOne(Recording):
        def analyse(self, client_ids: Iterable[str]) -> dict[str, Analysed | Exception]:
            return {one: error if one == "af-10" else Analysed(0, 0) for one in client_ids}

    assert analysed(Failing(), ["af-10", "af-11"]) == {"af-10": None, "af-11": None}
    assert restless(Failing()) == []
    assert analysed(OfOne(), ["af-10", "af-11"]) == {"af-10": None, "af-11": Analysed(0, 0)}


def test_all_tenants_of_a_bundle_are_analysed_together_and_once() -> None:
    store = Recording("af-10")

    class Sink:
        def incidents(self, _limits: Any) -> Recording:
            return store

    step = AnalyzeIncidentsFn(Sink(), DEFAULT_LIMITS, streams=False)  # type: ignore[arg-type]
    step.setup()
    step.start_bundle()
    for one in ("af-11", "af-10", "af-11"):
        assert list(step.process(one)) == []
    step.finish_bundle()
    step.teardown()
    assert store.seen == [["af-10", "af-11"]]


def test_in_a_stream_a_tenant_is_analysed_at_most_so_often_and_at_the_end_once_more() -> None:
    store, clock = Recording(), [0.0]
    done = threading.Event()

    class Told(Recording):
        def analyse(self, client_ids: Iterable[str]) -> dict[str, Analysed | Exception]:
            found = store.analyse(client_ids)
            done.set()
            return found

    analyst = Analyst(Told(), 10.0, clock=lambda: clock[0])
    analyst.submit(["af-10"])
    assert done.wait(30)
    for _ in range(5):
        analyst.submit(["af-10"])
    assert store.seen == [["af-10"]]
    analyst.close()
    assert store.seen == [["af-10"], ["af-10"]]
    assert analyst.take_done() == [("af-10", True), ("af-10", True)]
    assert analyst.take_done() == []


def test_a_stream_begins_with_the_tenants_that_a_killed_process_may_have_owed() -> None:
    store = Recording()
    store.restless = lambda: ["af-10"]  # type: ignore[method-assign]
    Analyst(store, 10.0).close()
    assert store.seen == [["af-10"]]


def test_a_tenant_that_failed_is_analysed_again_after_a_pause_that_grows_and_others_are_not() -> None:
    clock, tried, done = [0.0], [], threading.Semaphore(0)

    class Told(Recording):
        def analyse(self, client_ids: Iterable[str]) -> dict[str, Analysed | Exception]:
            found = super().analyse(client_ids)
            tried.append((clock[0], sorted(found)))
            done.release()
            return found

    analyst = Analyst(Told("af-10"), 10.0, clock=lambda: clock[0])
    analyst.submit(["af-10", "af-11"])
    for later in (10.0, 30.0, 70.0):
        assert done.acquire(timeout=30)
        while (("af-10", False)) not in analyst.take_done():
            pass
        clock[0] = later
    assert done.acquire(timeout=30)
    analyst.close()
    assert tried[:4] == [(0.0, ["af-10", "af-11"]), (10.0, ["af-10"]), (30.0, ["af-10"]), (70.0, ["af-10"])]


def test_the_step_gives_nothing_and_analyses_what_the_graph_holds() -> None:
    sink = MemorySink("test_analyze")
    sink.clear()
    bus = Bus().say(0, node("n1")).say(11, *workload("cart", ready=0), pod("cart", ready=False, since=10, state=killed(10)))
    sink.graph.store.tenants = store_of(bus.records).tenants
    sink.graph.store.tenants[TENANT].incidents.clear()

    def build(pipeline: beam.Pipeline) -> None:
        found = pipeline | beam.Create([TENANT, TENANT]) | AnalyzeIncidents(sink, DEFAULT_LIMITS, streams=False)
        assert_that(found, equal_to([]))

    run_pipeline(build)
    assert len(sink.graph.store.tenants[TENANT].incidents) == 1


def test_a_tenant_in_which_nothing_is_wrong_is_analysed_no_more_until_something_is() -> None:
    store = store_of(Bus().say(0, node("n1"), *workload("cart"), pod("cart")).records)
    assert store.tenants[TENANT].is_quiet
    harmless, ailing = Bus().say(5, pod("cart", since=-60)), Bus().say(9, pod("cart", ready=False, since=8, state=killed(8)))
    assert store.write_batch(TENANT, mutations_of(harmless.records)).is_quiet
    assert not store.write_batch(TENANT, mutations_of(ailing.records)).is_quiet
    MemoryIncidents(store).analyse([TENANT])
    assert not store.write_batch(TENANT, mutations_of(Bus().say(11, node("n1")).records)).is_quiet


@pytest.mark.parametrize(
    ("kind", "reason", "wakes_it"), [("Warning", "BackOff", True), ("Normal", "Pulled", False), ("Normal", "Killing", True)]
)
def test_only_an_event_that_is_evidence_ends_a_tenants_quiet(kind: str, reason: str, wakes_it: bool) -> None:
    store = store_of(Bus().say(0, node("n1"), pod("cart")).records)
    told = event("a", pod("cart"), reason, "said", 5) | {"type": kind}
    assert store.write_batch(TENANT, mutations_of(Bus().say(6, told).records)).is_quiet is not wakes_it
