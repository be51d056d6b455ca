"""The plan of slices, the loop over them, the options, and what is filtered by tenant."""

from collections import Counter
from typing import Any

import pytest
import typer

from pipelines.backfill.commands import app
from pipelines.backfill.report import Ran, ran_object
from pipelines.options.backfill import IntoOptions, ScheduleOptions, SpanOptions, moment_ms
from runners.loops.backfill import BackfillTotals, SliceDone, SliceProgress, backfill
from transforms.io.archive.avro_files import AvroFile
from transforms.io.backfill.ledger import BackfillState
from transforms.io.backfill.source import INFLATES, ranges_between, slices_of_files, slices_of_ranges
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import OffsetRange
from transforms.model.metrics import OUTCOMES, REJECT_REASONS
from transforms.planning.scheduling.backfill_plan import Scope
from transforms.records.counts import Counts
from transforms.records.decode import decode_record
from transforms.records.outcomes import Outcome
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reject
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.steps.backfill import within
from transforms.steps.elements import Resolved
from transforms.steps.resolve_tenants import resolve

NOW = 1_800_000_000_000
REGISTRY = "cluster.registry"


def first(topic: str) -> bool:
    return topic == REGISTRY


# Plans


def test_a_range_begins_where_the_time_is_reached_and_ends_with_the_partition() -> None:
    held = [OffsetRange("t", 0, 5, 100), OffsetRange("t", 1, 0, 10), OffsetRange("t", 2, 0, 10)]
    begins = {("t", 0): 40, ("t", 1): 2}
    assert ranges_between(held, begins, {}) == [OffsetRange("t", 0, 40, 100), OffsetRange("t", 1, 2, 10)]
    assert ranges_between(held, begins, {("t", 0): 60, ("t", 1): 2}) == [OffsetRange("t", 0, 40, 60)]


def test_slices_of_offsets_cover_the_ranges_registrations_first() -> None:
    ranges = [OffsetRange("a", 0, 0, 25), OffsetRange("a", 1, 3, 8), OffsetRange(REGISTRY, 0, 0, 4)]

    slices = slices_of_ranges(ranges, 10, first)

    assert [one.number for one in slices] == list(range(len(slices)))
    assert all(one.units <= 10 for one in slices)
    assert slices[0].ranges[0].topic == REGISTRY
    covered = sorted((held.place, at) for one in slices for held in one.ranges for at in range(held.start, held.end))
    assert covered == sorted((one.place, at) for one in ranges for at in range(one.start, one.end))
    # The reader takes one range a partition.
    assert all(len({held.place for held in one.ranges}) == len(one.ranges) for one in slices)


def file(topic: str, hour_ms: int, size: int, name: str = "x") -> AvroFile:
    return AvroFile(f"{topic}/{hour_ms}/{name}", "af-10", topic, 0, 0, 9, hour_ms, size)


def test_slices_of_files_go_by_hour_registrations_first() -> None:
    files = [file("a", 2, 60), file("a", 1, 60), file("b", 1, 30), file(REGISTRY, 9, 5), file("c", 3, 500)]

    slices = slices_of_files(files, 100 * INFLATES, first)

    assert [[(one.topic, one.hour_ms) for one in held.files] for held in slices] == [
        [(REGISTRY, 9), ("a", 1), ("b", 1)],
        [("a", 2)],
        [("c", 3)],
    ]
    assert [one.units for one in slices] == [95, 60, 500]


def test_a_span_has_its_beginning_and_not_its_end() -> None:
    records = [KafkaRecord("t", 0, at, at, None, b"") for at in (9, 10, 19, 20, 11)]
    assert [one.timestamp_ms for one in within(records, (10, 20))] == [10, 19, 11]


# The loop


class Ledger:
    """A ledger in memory."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []

    def turn_slice(self, number: int, state: str, **_told: Any) -> None:
        self.told.append((number, state))


def slices(number: int) -> list[BackfillState]:
    return [BackfillState(at, 10, "planned") for at in range(number)]


def done(_number: int) -> SliceDone:
    return SliceDone(10, Counts({OUTCOMES: {("af-10", Outcome.WRITTEN): 10}}))


def test_each_slice_is_entered_once_it_is_done() -> None:
    ledger, totals, passed = Ledger(), BackfillTotals(), Counter[str]()

    def advance(units: int) -> None:
        passed["units"] += units

    backfill(slices(3), done, ledger, totals, SliceProgress(30, advance), should_stop=lambda: False, before_done=lambda: None)

    assert ledger.told == [(0, "done"), (1, "done"), (2, "done")]
    assert (totals.read, totals.slices, totals.stopped, passed["units"]) == (30, 3, False, 30)


def test_what_fails_is_entered_as_failed_and_ends_the_run() -> None:
    ledger, totals = Ledger(), BackfillTotals()

    def run(number: int) -> SliceDone:
        if number == 1:
            raise InfrastructureFault("Neo4j is away.")
        return done(number)

    with pytest.raises(InfrastructureFault, match="away"):
        backfill(slices(3), run, ledger, totals, SliceProgress(30, len_of), should_stop=lambda: False, before_done=lambda: None)

    assert ledger.told == [(0, "done"), (1, "failed")]
    assert totals.read == 10


def len_of(_units: int) -> None:
    """Tells nobody."""


def test_a_lost_lock_leaves_the_slice_undone() -> None:
    ledger = Ledger()

    def lost() -> None:
        raise InfrastructureFault("the lock is gone")

    with pytest.raises(InfrastructureFault):
        backfill(slices(1), done, ledger, BackfillTotals(), SliceProgress(10, len_of), should_stop=lambda: False, before_done=lost)
    assert ledger.told == []


def test_asked_to_stop_it_ends_before_the_next_slice() -> None:
    ledger, totals = Ledger(), BackfillTotals()
    asked = iter([False, True])
    backfill(slices(3), done, ledger, totals, SliceProgress(30, len_of), should_stop=lambda: next(asked), before_done=lambda: None)
    assert (ledger.told, totals.stopped) == ([(0, "done")], True)


def test_the_report_adds_up_over_runs() -> None:
    outcomes = {("af-10", Outcome.WRITTEN): 8, ("af-11", Outcome.REJECTED): 2}
    totals = BackfillTotals(10, Counts({OUTCOMES: outcomes, REJECT_REASONS: {("af-11", "bad_time"): 2}}))
    found = ran_object([Ran(Scope(0, 5), totals, 1.0), Ran(Scope(5, 9), totals, 2.0)])
    assert (found["read"], found["written"], found["rejected"], found["seconds"]) == (20, 16, 4, 3.0)
    assert found["rejected_why"] == {"bad_time": 4}
    assert [one["from"] for one in found["runs"]] == ["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.005Z"]


# Options


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2h", NOW - 7_200_000),
        ("2026-03-01T08:00:00Z", 1_772_352_000_000),
        ("2026-03-01T10:00:00+02:00", 1_772_352_000_000),
        ("2026-03-01T08:00:00.250Z", 1_772_352_000_250),
    ],
)
def test_times_have_a_zone_or_go_back_from_now(text: str, at_ms: int) -> None:
    assert moment_ms("--from", text, NOW) == at_ms


@pytest.mark.parametrize("text", ["2026-03-01T08:00:00", "2026-03-01", "yesterday", "", "2099-01-01T00:00:00Z", "1969-01-01T00:00:00Z"])
def test_other_times_are_errors_of_use(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="--from"):
        moment_ms("--from", text, NOW)


def test_what_is_to_be_done_must_be_told() -> None:
    for span, into, said in (
        (SpanOptions(), "", "--from is missing"),
        (SpanOptions(as_of="2h"), "", "needs --into"),
        (SpanOptions(as_of="2h", from_="3h"), "/x", "leave --from and --to out"),
        (SpanOptions(from_="2h", to="3h"), "", "is not before"),
        (SpanOptions(from_="2h", source="archive"), "", "needs --archive"),
        (SpanOptions(from_="2h", source="tape"), "", "must be one of archive, kafka"),
        (SpanOptions(from_="2h", client_id=[" "]), "", "names nothing"),
        (SpanOptions(from_="2h", client_id=["Node"]), "", "tenant id"),
    ):
        with pytest.raises(typer.BadParameter, match=said):
            span.scope(NOW, into=into)
    with pytest.raises(typer.BadParameter, match="leave --to"):
        ScheduleOptions(catch_up=True).check(SpanOptions(to="2h"))


def test_what_is_told_is_what_is_done() -> None:
    assert SpanOptions().scope(NOW, into="bolt://x:1") == Scope(0, NOW)
    assert SpanOptions(from_="2h", client_id=["af-11, af-10", "af-10"]).scope(NOW, into="").client_ids == ("af-10", "af-11")
    assert SpanOptions(from_="2h", archive="/a").scope(NOW, into="").source == "archive"
    assert SpanOptions(from_="2h", archive="/a", source="kafka").scope(NOW, into="").archive == ""
    as_of = SpanOptions(as_of="2026-03-01T08:00:00Z").scope(NOW, into="/x")
    assert (as_of.from_ms, as_of.to_ms, as_of.as_of) == (0, 1_772_352_000_001, True)


def test_run_need_not_be_named() -> None:
    group: Any = typer.main.get_command(app)
    context = group.make_context("backfill", ["--from", "2h"])
    assert [*context._protected_args, *context.args] == ["run", "--from", "2h"]
    context = group.make_context("backfill", ["status", "--json"])
    assert [*context._protected_args, *context.args] == ["status", "--json"]


def test_a_password_within_into_is_never_repeated() -> None:
    with pytest.raises(typer.BadParameter, match="NEO4J_INTO_PASSWORD") as found:
        IntoOptions(into="bolt://neo4j:hunter2@host:7687").target(None)  # type: ignore[arg-type]
    assert "hunter2" not in str(found.value)


# By tenant


def test_records_of_others_and_of_nobody_are_passed_over_and_none_is_relabelled() -> None:
    resolver = TenantResolver(TenantRules(only=frozenset({"af-10"})))
    body = b'{"op":"UPSERT","at":"2026-03-01T08:00:00Z","kind":"Pod","namespace":"shop","name":"a"}'

    def found(key: bytes | None, value: bytes = body) -> Any:
        return resolve(decode_record(KafkaRecord("state.k8s.resource", 0, 7, 1_772_352_000_000, key, value)), resolver)

    assert isinstance(found(b"af-10::pod:shop:a"), Resolved)
    assert isinstance(found(b"af-10::pod:shop:a", b"{"), Reject)
    assert found(b"af-11::pod:shop:a") == ("af-11", Outcome.SKIPPED)
    assert found(b"af-11::pod:shop:a", b"{") == ("af-11", Outcome.SKIPPED)
    assert found(b"pod:shop:a") == ("-", Outcome.SKIPPED)
    assert found(None, b"{") == ("-", Outcome.SKIPPED)
