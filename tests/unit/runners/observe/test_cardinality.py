"""Names that anybody can invent have no series of metrics and no lines of the log of their own."""

from collections.abc import Iterable
from typing import Any

import pytest
from apache_beam.pvalue import TaggedOutput
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from runners.loops.bounded import SliceReport
from runners.observe import metrics as monitoring
from runners.observe.metrics import Monitor
from tests.support.wire import COMMANDS, HEARTBEATS, POD, RESOURCES, json_of, kafka_record
from transforms.model.metrics import INTERNAL, OUTCOMES, REJECT_REASONS
from transforms.records.counts import Counts
from transforms.records.decode import decode_record
from transforms.records.outcomes import Outcome, Tally
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault, Reason, Reject, Step, reject
from transforms.records.tenancy.directory import Directory
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.steps import reject as reject_step
from transforms.steps import resolve_tenants
from transforms.steps.elements import DecodedChunk
from transforms.steps.lines import LineLimit
from transforms.steps.reject import Rejections
from transforms.steps.resolve_tenants import ResolveTenantsFn

KNOWN = Directory(known=frozenset({"af-10"}), registered=frozenset({"af-11"}))


def bad(key: bytes) -> KafkaRecord:
    return kafka_record(RESOURCES, b"{not json", key)


def good(key: bytes, name: str = "p") -> KafkaRecord:
    return kafka_record(RESOURCES, json_of(POD, name=name), key)


def resolved(
    records: Iterable[KafkaRecord],
    monkeypatch: pytest.MonkeyPatch,
    rules: TenantRules = TenantRules(),  # noqa: B008 - frozen
) -> tuple[list[Reject], Tally]:
    counted = Tally()
    monkeypatch.setattr(resolve_tenants, "count_outcomes", counted.update)
    step = ResolveTenantsFn(rules, None)
    step.start_bundle()
    step._resolver = TenantResolver(rules, KNOWN)
    given: list[Any] = list(step.process(DecodedChunk(map(decode_record, records)), 0))
    return [one.value for one in given if isinstance(one, TaggedOutput) and isinstance(one.value, Reject)], counted


def test_a_reject_is_counted_under_its_tenant_where_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [b"af-10::x", b"af-11::x", b"invented-1::x", b"invented-2::x", b"no tenant"]
    rejects, _ = resolved(map(bad, keys), monkeypatch)
    assert [one.counted_as for one in rejects] == ["af-10", "af-11", "-", "-", "-"]
    assert [one.client_id for one in rejects] == ["af-10", "af-11", "invented-1", "invented-2", ""], "their letters still say it"


def test_a_tenant_that_is_let_in_now_is_known_from_now_on(monkeypatch: pytest.MonkeyPatch) -> None:
    rejects, _ = resolved([bad(b"af-12::x"), good(b"af-12::pod:shop:p")], monkeypatch)
    assert [one.counted_as for one in rejects] == ["af-12"]


@pytest.mark.parametrize("rules", [TenantRules(deny=("invented-*",)), TenantRules(new_per_hour=1)])
def test_tenants_that_are_not_let_in_are_counted_together(rules: TenantRules, monkeypatch: pytest.MonkeyPatch) -> None:
    rejects, _ = resolved([good(b"af-12::x"), *(good(f"invented-{at}::x".encode()) for at in range(5))], monkeypatch, rules)
    assert [one.counted_as for one in rejects] == ["-"] * 5


def test_what_ends_without_a_tenant_s_being_looked_for_is_counted_under_no_invented_name(monkeypatch: pytest.MonkeyPatch) -> None:
    command = json_of({"command": "ENSURE_SCHEMA"})
    records = [kafka_record("other.topic", b"x", b"invented-1::x"), kafka_record(COMMANDS, command, b"invented-2::x")]
    _, counted = resolved([*records, kafka_record(COMMANDS, command, b"af-10::x")], monkeypatch)
    assert counted == {("-", Outcome.UNDECODED): 1, ("-", Outcome.CONTROL): 1, ("af-10", Outcome.CONTROL): 1}
    _, counted = resolved([good(b"invented-3::x"), good(b"af-11::x")], monkeypatch, TenantRules(client_id="af-10"))
    assert counted == {("-", Outcome.SKIPPED): 1, ("af-11", Outcome.SKIPPED): 1}


def test_a_heartbeat_of_a_tenant_that_is_let_in_is_counted_under_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _, counted = resolved([kafka_record(HEARTBEATS, b"{}", b"af-12")], monkeypatch)
    assert counted == {("af-12", Outcome.CONTROL): 1}


def rejected(client_id: str, reason: Reason = Reason.NOT_JSON, *, is_known: bool = False) -> Reject:
    one = reject(bad(b"k"), client_id, Step.DECODE, Fault(reason, "why"))
    return Reject(one.record, one.client_id, one.step, one.reason, one.detail, one.parsed, is_known)


def test_invented_tenants_share_the_lines_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reject_step, "LINES", LineLimit())
    told = Rejections("rejected")
    with capture_logs() as logs:
        for number in range(40_000):
            told.add(rejected(f"invented-{number}"))
        told.count()
    assert [log["event"] for log in logs] == ["rejected"] * 10 + ["more rejected"]
    assert (logs[-1]["more"], logs[-1]["client_id"]) == (39_990, None)


def test_lines_are_limited_in_all_too_whoever_and_whatever_they_are_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reject_step, "LINES", LineLimit())
    with capture_logs() as logs:
        for _ in range(5):
            told = Rejections("rejected")
            for number in range(1000):
                told.add(rejected(f"af-{number}", list(Reason)[number % 10], is_known=True))
            told.count()
    assert len(logs) == 100


def test_room_comes_back_after_a_minute() -> None:
    now = [0.0]
    lines = LineLimit(each=2, in_all=3, now=lambda: now[0])
    assert [lines.has_room("a", "x") for _ in range(3)] == [True, True, False]
    assert [lines.has_room("b", "x") for _ in range(2)] == [True, False]
    now[0] = 60.0
    assert lines.has_room("b", "x")


def test_only_so_many_tenants_have_series_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "MOST_TENANTS", 3)
    monitor = Monitor(60)
    for number in range(10):
        tally = Tally({(f"af-{number}", Outcome.WRITTEN): 2})
        counts = Counts({OUTCOMES: tally, REJECT_REASONS: {(f"af-{number}", "bad_key"): 1}, INTERNAL: {("decode",): 1}})
        monitor.committed(SliceReport(2, 0.1, {}, counts))
    told = generate_latest(monitor.registry).decode()
    assert 'graph_records_total{client_id="af-1",outcome="written"} 2.0' in told
    assert 'graph_records_total{client_id="-",outcome="written"} 16.0' in told
    assert 'graph_rejects_total{client_id="-",reason="bad_key"} 8.0' in told
    assert 'graph_internal_faults_total{step="decode"} 10.0' in told
    assert told.count("graph_records_total{") == 3
