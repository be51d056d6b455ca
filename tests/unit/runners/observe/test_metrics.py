"""What a supervisor sees: counters that add up, a lag that falls to 0, health over real HTTP."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runners.loops.bounded import SliceReport
from runners.observe.metrics import Monitor
from runners.observe.monitor_server import MonitorServer
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import OffsetGap, Place
from transforms.io.pulse import Pulse
from transforms.model.metrics import OUTCOMES, READ_BYTES, REJECT_REASONS
from transforms.records.counts import Counts
from transforms.records.outcomes import Outcome, Tally

A: Place = ("state.k8s.resource", 0)
B: Place = ("state.k8s.resource", 1)


@pytest.fixture
def monitor() -> Monitor:
    return Monitor(stale_s=60)


@contextmanager
def served(monitor: Monitor) -> Iterator[MonitorServer]:
    with MonitorServer(monitor, "127.0.0.1", 0) as server:
        yield server


def ask(server: MonitorServer, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def metrics(monitor: Monitor) -> dict[tuple[str, ...], float]:
    """Every sample over HTTP, by its name and the values of its labels, in the order of their names."""
    with served(monitor) as server:
        status, text = ask(server, "/metrics")
    assert status == 200
    families = text_string_to_metric_families(text)
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value for sample in samples}


def slice_of(records: int, lag: dict[Place, int], seconds: float = 0.3) -> SliceReport:
    outcomes = Tally({("af-10", Outcome.WRITTEN): records - 2, ("af-10", Outcome.REJECTED): 1, ("-", Outcome.CONTROL): 1})
    counts = Counts({OUTCOMES: outcomes, REJECT_REASONS: {("af-10", "malformed"): 1}, READ_BYTES: {(): 100 * records}})
    return SliceReport(records, seconds, lag, counts)


def test_outcomes_and_reasons_add_up_over_slices(monitor: Monitor) -> None:
    monitor.committed(slice_of(10, {}))
    monitor.committed(slice_of(5, {}, seconds=7))

    found = metrics(monitor)

    records = {labels[1:]: number for labels, number in found.items() if labels[0] == "graph_records_total"}
    assert records == {("af-10", "written"): 11, ("af-10", "rejected"): 2, ("-", "control"): 2}
    assert found["graph_rejects_total", "af-10", "malformed"] == 2
    assert found["graph_read_bytes_total",] == 1500
    assert found["graph_slice_seconds_count",] == 2
    assert found["graph_slice_seconds_bucket", "0.5"] == 1
    assert abs(found["graph_last_commit_timestamp_seconds",] - time.time()) < 60


def test_the_lag_falls_to_0_and_its_series_stay(monitor: Monitor) -> None:
    seen = []
    monitor.planned({A: 10, B: 4})
    seen.append(metrics(monitor))
    monitor.committed(slice_of(7, {A: 7}))
    seen.append(metrics(monitor))
    monitor.committed(slice_of(7, {}))
    monitor.planned({})
    seen.append(metrics(monitor))
    monitor.planned({B: 3})
    seen.append(metrics(monitor))

    lags = [tuple(found["graph_lag_offsets", str(partition), topic] for topic, partition in (A, B)) for found in seen]
    assert lags == [(10, 4), (7, 0), (0, 0), (0, 3)]


def test_lost_offsets_and_gaps_are_counted_a_log_that_was_cut_back_included(monitor: Monitor) -> None:
    monitor.lost(OffsetGap(*A, 2, 6, 6))
    monitor.lost(OffsetGap(*A, 9, 9, 0))

    found = metrics(monitor)

    assert found["graph_offsets_lost_total", "0", A[0]] == 4
    assert found["graph_gaps_total", "0", A[0]] == 2


def test_faults_are_counted_and_what_the_process_uses_is_told(monitor: Monitor) -> None:
    monitor.cycle_failed("Away.")

    found = metrics(monitor)

    assert found["graph_faults_total",] == 1
    assert found["process_resident_memory_bytes",] > 0


def test_health_is_ok_while_something_goes_through_and_503_with_the_fault_when_nothing_does(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    with served(monitor) as server:
        assert ask(server, "/healthz") == (200, "ok, 0 s since the last slice or micro-batch\n")
        monkeypatch.setattr("runners.observe.metrics.time.monotonic", lambda: now + 59)
        monitor.cycle_failed("Neo4j is away.")
        assert ask(server, "/healthz")[0] == 200
        monkeypatch.setattr("runners.observe.metrics.time.monotonic", lambda: now + 90)
        assert ask(server, "/healthz") == (503, "nothing went through for 90 s, more than 60 s. Neo4j is away.\n")
        monitor.cycle_done()
        assert ask(server, "/healthz")[0] == 200


def test_a_backlog_that_takes_one_long_micro_batch_is_healthy_as_long_as_slices_are_committed(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    for seconds in (50, 100, 150):
        monkeypatch.setattr("runners.observe.metrics.time.monotonic", lambda later=now + seconds: later)
        monitor.committed(slice_of(10, {A: 1000}))

    assert monitor.health()[0]


@pytest.mark.parametrize("path", ["/nope", "/", "/metrics/", "/healthz/x", "/readyz/"])
def test_any_other_path_is_not_found(monitor: Monitor, path: str) -> None:
    with served(monitor) as server:
        assert ask(server, path) == (404, "/metrics, /healthz or /readyz\n")


def test_a_client_that_connects_and_says_nothing_keeps_nobody_waiting(monitor: Monitor) -> None:
    started = time.monotonic()
    with served(monitor) as server, socket.create_connection(("127.0.0.1", server.port)):
        assert ask(server, "/healthz")[0] == 200

    assert time.monotonic() - started < 5


def test_a_port_that_is_taken_is_told_in_one_sentence(monitor: Monitor) -> None:
    with served(monitor) as server, pytest.raises(InfrastructureFault) as raised:
        MonitorServer(monitor, "127.0.0.1", server.port)

    assert raised.value.sentence == (
        f"The metrics port 127.0.0.1:{server.port} cannot be opened (Address already in use); "
        "choose another --metrics_port or --metrics_host."
    )


def test_a_tenant_that_is_got_on_with_is_progress_until_a_fault_ends_the_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Pulse()
    monitor = Monitor(60, progress)
    now = time.monotonic()
    monkeypatch.setattr("runners.observe.metrics.time.monotonic", lambda: now + 90)
    assert not monitor.health()[0]
    progress.at = now + 80
    assert monitor.health()[0], "one tenant is held up; the others' slice is not committed yet"
    monitor.cycle_failed("Neo4j is away.")
    assert not monitor.health()[0]


def test_readiness_tells_who_works_from_who_stands_by(monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(monitor) as server:
        assert ask(server, "/readyz") == (503, "starting\n")
        monitor.standing_by("pod-a")
        assert ask(server, "/readyz") == (200, "standby, pod-a is active\n")
        assert ask(server, "/healthz") == (200, "ok, 0 s since the last slice or micro-batch; standby, pod-a is active\n")
        assert "graph_active 0.0" in ask(server, "/metrics")[1]
        monitor.at_work()
        assert ask(server, "/readyz") == (200, "active\n")
        assert ask(server, "/healthz") == (200, "ok, 0 s since the last slice or micro-batch\n")
        assert "graph_active 1.0" in ask(server, "/metrics")[1]
        later = time.monotonic() + 90
        monkeypatch.setattr("runners.observe.metrics.time.monotonic", lambda: later)
        assert ask(server, "/readyz")[0] == 503


def test_open_incidents_are_shown_by_tenant_and_kind_and_those_that_are_over_as_0(monitor: Monitor) -> None:
    monitor.incidents({("af-10", "OOM_KILLED"): 2, ("af-11", "CRASH_LOOP"): 1})
    monitor.incidents({("af-10", "OOM_KILLED"): 1})
    shown = metrics(monitor)
    assert shown["graph_open_incidents", "af-10", "OOM_KILLED"] == 1
    assert shown["graph_open_incidents", "af-11", "CRASH_LOOP"] == 0
