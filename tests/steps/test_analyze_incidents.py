"""The analysis behind the write: for tenants that were written, and never in the way of their records."""

import threading
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from runners.direct import run_pipeline
from tests.support.broken_cluster import TENANT, Bus, killed, node, pod, store_of, workload
from transforms.io.incident_analyst import Analyst, analysed
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
        self.seen: list[str] = []
        self._failing = failing

    def analyse(self, client_id: str) -> Analysed:
        self.seen.append(client_id)
        if client_id in self._failing:
            raise TenantFault("locked")
        return Analysed(0, 0)


def test_a_tenants_incidents_are_those_of_its_graph() -> None:
    bus = Bus().say(0, node("n1")).say(11, *workload("cart", ready=0), pod("cart", ready=False, since=10, state=killed(10)))
    store = store_of(bus.records)
    assert MemoryIncidents(store).analyse(TENANT) == Analysed(1, 1)
    (one,) = store.tenants[TENANT].incidents.values()
    assert one.props["kind"] == "OOM_KILLED"
    assert MemoryIncidents(store).analyse("nobody") == Analysed(0, 0)


@pytest.mark.parametrize("error", [TenantFault("locked"), ValueError("a defect"), KeyError("x")])
def test_a_failure_is_told_and_raises_nothing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)

    class Failing:
        def analyse(self, client_id: str) -> Analysed:
            raise error

    assert not analysed(Failing(), "af-10")


def test_each_tenant_is_analysed_once_a_bundle_whatever_fails() -> None:
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
    assert store.seen == ["af-10", "af-11"]


def test_in_a_stream_a_tenant_is_analysed_at_most_so_often_and_at_the_end_once_more() -> None:
    store, clock = Recording(), [0.0]
    done = threading.Event()

    class Told(Recording):
        def analyse(self, client_id: str) -> Analysed:
            found = store.analyse(client_id)
            done.set()
            return found

    analyst = Analyst(Told(), 10.0, clock=lambda: clock[0])
    analyst.submit("af-10")
    assert done.wait(30)
    for _ in range(5):
        analyst.submit("af-10")
    assert store.seen == ["af-10"]
    analyst.close()
    assert store.seen == ["af-10", "af-10"]


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
