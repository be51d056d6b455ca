"""A bounded run: what is committed, told and passed, with an in-memory group and finished pipelines made by hand."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runners.loops.bounded import BoundedRun, LostRecords, RunTotals, SliceReport
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import HeldBack, KafkaOffsets, OffsetGap, OffsetRange, PartitionFault, Place, ReadPlan
from transforms.model.metrics import OUTCOMES, PLANNED_ROWS, POSITION, READ, READ_BYTES, REJECT_REASONS, UNREADABLE
from transforms.planning.scheduling.slices import SlicePacer, SliceSize
from transforms.records.outcomes import Outcome

A: Place = ("state.k8s.resource", 0)
B: Place = ("state.k8s.resource", 1)


@dataclass
class Group:
    """Answers as KafkaOffsets does, from partitions that hold the offsets in `logs`; what it was told is in `told`.

    ends: where a log ends, if that is beyond its last record.
    """

    logs: dict[Place, list[int]]
    done: dict[Place, int] = field(default_factory=dict)
    first: dict[Place, int] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)
    gaps: list[OffsetGap] = field(default_factory=list)
    told: list[tuple[Any, ...]] = field(default_factory=list)
    unreadable: dict[Place, PartitionFault] = field(default_factory=dict)
    held_back: tuple[HeldBack, ...] = ()
    needs_refresh: bool = False

    @property
    def aside(self) -> tuple[PartitionFault, ...]:
        return tuple(self.unreadable[place] for place in sorted(self.unreadable))

    def set_aside(self, fault: PartitionFault) -> None:
        self.unreadable.setdefault(fault.place, fault)

    def refresh(self) -> None:
        self.told.append(("refresh",))
        self.needs_refresh = False

    def plan(self, _topics: Iterable[str]) -> ReadPlan:
        ranges = [OffsetRange(*place, self.done.get(place, 0), self.end(place)) for place in sorted(self.logs)]
        ranges = [one for one in ranges if one.lag > 0 and one.place not in self.unreadable]
        return ReadPlan(ranges, self.gaps, self.aside, self.held_back)

    def end(self, place: Place) -> int:
        return self.ends[place] if place in self.ends else self.logs[place][-1] + 1

    def earliest(self, places: list[Place]) -> dict[Place, int]:
        return {place: self.first.get(place, 0) for place in places if place in self.logs}

    def next_record(self, at: OffsetRange) -> int:
        log = self.logs[at.place]
        if self.end(at.place) < at.start:
            return min(log[0], at.end)
        return next((offset for offset in log if at.start <= offset < at.end), at.end)

    def commit(self, ends: dict[Place, int]) -> None:
        self.told.append(("commit", dict(ends)))
        self.done.update(ends)

    def resume(self, gap: OffsetGap) -> None:
        self.told.append(("resume", gap))
        self.done[gap.place] = gap.resumed


@dataclass
class Owner:
    """The run's owner and observer: may refuse a commit, asks to stop after so many slices."""

    group: Group
    slices: int = 1000
    refuses: bool = False
    reports: list[SliceReport] = field(default_factory=list)
    planned_lag: dict[Place, int] = field(default_factory=dict)

    def on_gap(self, gap: OffsetGap) -> None:
        self.group.told.append(("gap", gap))

    def before_commit(self) -> None:
        if self.refuses:
            raise InfrastructureFault("Another run has the group.")

    def on_aside(self, fault: PartitionFault) -> None:
        self.group.told.append(("aside", fault))

    def on_held_back(self, held: tuple[HeldBack, ...]) -> None:
        if held:
            self.group.told.append(("held back", held))

    def should_stop(self) -> bool:
        return len(self.reports) >= self.slices

    def planned(self, lag: dict[Place, int]) -> None:
        self.planned_lag = lag

    def committed(self, slice_: SliceReport) -> None:
        self.reports.append(slice_)


class Result:
    """A finished pipeline with these counters, by namespace and name."""

    def __init__(self, counters: dict[str, dict[str, int]], positions: dict[str, tuple[int, int]]) -> None:
        self._counters = counters
        self._positions = positions

    def metrics(self) -> "Result":
        return self

    def query(self, _asked: object = None) -> dict[str, list[Any]]:
        counters = [_metric(space, name, number) for space, found in self._counters.items() for name, number in found.items()]
        positions = [_metric(POSITION, name, SimpleNamespace(min=low, max=high)) for name, (low, high) in self._positions.items()]
        return {"counters": counters, "distributions": positions}


def _metric(namespace: str, name: str, result: Any) -> Any:
    return SimpleNamespace(key=SimpleNamespace(metric=SimpleNamespace(namespace=namespace, name=name)), result=result)


def read(group: Group, ranges: list[OffsetRange], most: int, **more: dict[str, int]) -> Result:
    """What a reader finds of the ranges, up to a number of records; each is written, of one tenant."""
    left, counters, positions = most, Counter[str](), {}
    for one in ranges:
        log = group.logs.get(one.place, [])
        found = [offset for offset in log if max(one.start, group.first.get(one.place, 0)) <= offset < one.end][:left]
        if found:
            left -= len(found)
            name = f"{one.topic}/{one.partition}"
            counters[name] = len(found)
            positions[name] = (found[0], found[-1] + 1)
    total = counters.total()
    return Result(
        {READ.namespace: dict(counters), OUTCOMES.namespace: {"af-10/written": total}, READ_BYTES.namespace: {"read": 10 * total}, **more},
        positions,
    )


Slice = Callable[[list[OffsetRange], SliceSize], Any]


def run_of(group: Group, owner: Owner | None = None, slice_: Slice | None = None, per_slice: int = 1000) -> BoundedRun:
    def default(ranges: list[OffsetRange], size: SliceSize) -> Any:
        return read(group, ranges, min(per_slice, size.max_records))

    pacer = SlicePacer(1 << 26, 10, most=per_slice)
    mine = owner or Owner(group)
    return BoundedRun(cast("KafkaOffsets", group), slice_ or default, pacer, mine, (mine,))


def log(number: int) -> list[int]:
    return list(range(number))


def test_slices_go_on_until_every_planned_end_is_reached() -> None:
    group = Group({A: log(7), B: log(4)})
    owner = Owner(group)

    totals = run_of(group, owner, per_slice=3).run(["state.k8s.resource"])

    assert (totals.read, totals.slices, totals.stopped) == (11, 4, False)
    assert totals.counts.outcomes == {("af-10", Outcome.WRITTEN): 11}
    assert group.done == {A: 7, B: 4}
    assert owner.planned_lag == {A: 7, B: 4}
    assert [sum(report.lag.values()) for report in owner.reports] == [8, 5, 2, 0]
    assert [report.size_bytes for report in owner.reports] == [30, 30, 30, 20]


def test_nothing_to_read_runs_no_slice() -> None:
    group = Group({A: log(7)}, done={A: 7})

    assert run_of(group).run([]) == RunTotals()
    assert group.told == []


def test_records_without_an_outcome_are_a_defect_and_nothing_is_committed() -> None:
    group = Group({A: log(3)})

    def loses_one(ranges: list[OffsetRange], _size: SliceSize) -> Any:
        return read(group, ranges, 1000, **{OUTCOMES.namespace: {"af-10/written": 2}})

    with pytest.raises(LostRecords, match="3 records were read, but 2 outcomes counted"):
        run_of(group, slice_=loses_one).run([])
    assert group.told == []


def test_a_run_that_may_not_commit_any_more_commits_nothing_and_keeps_what_was_done_before() -> None:
    group = Group({A: log(6)})
    owner = Owner(group)
    run = run_of(group, owner, per_slice=2)
    slices: Iterator[bool] = iter([False, True])

    def run_slice(ranges: list[OffsetRange], size: SliceSize) -> Any:
        owner.refuses = next(slices)
        return read(group, ranges, size.max_records)

    run.run_slice = run_slice
    with pytest.raises(InfrastructureFault):
        run.run([])

    assert group.told == [("commit", {A: 2})]
    assert (run.totals.read, run.totals.slices) == (2, 1)


def test_a_run_that_is_asked_to_stop_ends_after_its_slice_and_says_so() -> None:
    group = Group({A: log(9)})

    totals = run_of(group, Owner(group, slices=2), per_slice=3).run([])

    assert (totals.read, totals.stopped) == (6, True)
    assert group.done == {A: 6}


def test_a_run_that_is_asked_to_stop_in_its_last_slice_is_done() -> None:
    group = Group({A: log(6)})

    assert not run_of(group, Owner(group, slices=2), per_slice=3).run([]).stopped


def test_offsets_that_hold_no_record_are_passed() -> None:
    group = Group({A: [0, 1, 5]}, ends={A: 10})

    totals = run_of(group).run([])

    assert (totals.read, totals.gaps) == (3, [])
    assert group.done == {A: 10}


def test_a_gap_of_the_plan_is_told_recorded_and_resumed_before_anything_is_read() -> None:
    gap = OffsetGap(*A, 0, 3, 3)
    group = Group({A: [3, 4]}, done={A: 3}, gaps=[gap])

    totals = run_of(group).run([])

    assert group.told == [("gap", gap), ("resume", gap), ("commit", {A: 5})]
    assert (totals.gaps, totals.read) == ([gap], 2)


def test_a_run_that_may_not_commit_resumes_after_no_gap_either() -> None:
    group = Group({A: [3, 4]}, gaps=[OffsetGap(*A, 0, 3, 3)])

    with pytest.raises(InfrastructureFault):
        run_of(group, Owner(group, refuses=True)).run([])
    assert group.told == []


def test_what_was_deleted_between_planning_and_reading_is_a_gap() -> None:
    group = Group({A: log(9), B: log(2)})

    def deleted_meanwhile(ranges: list[OffsetRange], size: SliceSize) -> Any:
        group.first = {A: 4}
        return read(group, ranges, size.max_records)

    totals = run_of(group, slice_=deleted_meanwhile).run([])

    assert totals.gaps == [OffsetGap(*A, 0, 4, 4)]
    assert totals.read == 7
    assert group.done == {A: 9, B: 2}


def test_what_was_deleted_in_front_of_the_reader_is_a_gap() -> None:
    """The reader took two records, then retention overtook it; it ended there, and what is left begins later."""
    group = Group({A: log(9)})

    def overtaken(ranges: list[OffsetRange], size: SliceSize) -> Any:
        result = read(group, ranges, 2 if not group.first else size.max_records)
        group.first = {A: 5}
        group.logs[A] = [offset for offset in group.logs[A] if offset >= 5]
        return result

    totals = run_of(group, slice_=overtaken).run([])

    assert totals.gaps == [OffsetGap(*A, 2, 5, 5)]
    assert totals.read == 2 + 4
    assert group.done == {A: 9}


def test_a_log_that_was_cut_back_meanwhile_is_a_gap_and_left_to_the_next_run() -> None:
    group = Group({A: log(9), B: log(3)}, done={A: 5})

    def cut_back(ranges: list[OffsetRange], size: SliceSize) -> Any:
        group.logs[A] = log(2)
        return read(group, ranges, size.max_records)

    totals = run_of(group, slice_=cut_back).run([])

    assert totals.gaps == [OffsetGap(*A, 5, 5, 0)]
    assert group.done == {A: 0, B: 3}
    assert run_of(group).run([]).read == 2


def test_a_topic_that_is_gone_ends_there_and_the_others_go_on() -> None:
    group = Group({A: log(3), ("events.normalized", 0): log(2)})

    def deleted_after_reading(ranges: list[OffsetRange], size: SliceSize) -> Any:
        result = read(group, ranges, size.max_records)
        group.logs.pop(("events.normalized", 0), None)
        return result

    totals = run_of(group, slice_=deleted_after_reading).run([])

    assert totals.read == 5, "what was read before is in the graph"
    assert group.told == [("commit", {A: 3})], "Kafka takes no commit for a topic that is gone"
    assert not totals.gaps


def test_a_reader_that_never_delivers_is_told_after_some_rounds() -> None:
    group = Group({A: log(3)})
    owner = Owner(group)

    def nothing(_ranges: list[OffsetRange], _size: SliceSize) -> Any:
        return Result({}, {})

    with pytest.raises(InfrastructureFault, match=r"delivered nothing in 5 rounds although state\.k8s\.resource\[0\] has records from"):
        run_of(group, owner, nothing).run([])
    assert len(owner.reports) == 4
    assert group.done == {}


def test_a_reader_that_delivers_now_and_then_goes_on() -> None:
    group = Group({A: log(3)})
    rounds = iter(range(100))

    def seldom(ranges: list[OffsetRange], _size: SliceSize) -> Any:
        return read(group, ranges, 1 if next(rounds) % 4 == 3 else 0)

    assert run_of(group, slice_=seldom).run([]).read == 3


def test_reasons_are_reported_by_tenant() -> None:
    group = Group({A: log(1)})
    owner = Owner(group)

    def rejects(ranges: list[OffsetRange], size: SliceSize) -> Any:
        return read(
            group, ranges, size.max_records, **{OUTCOMES.namespace: {"-/rejected": 1}, REJECT_REASONS.namespace: {"-/tenant_missing": 1}}
        )

    run_of(group, owner, rejects).run([])

    assert owner.reports[0].counts.of(REJECT_REASONS) == {("-", "tenant_missing"): 1}
    assert owner.reports[0].counts.outcomes == {("-", Outcome.REJECTED): 1}


def test_totals_add_up_and_the_last_run_says_whether_it_was_stopped() -> None:
    totals = RunTotals()
    for run in (RunTotals(read=2, slices=1, stopped=True), RunTotals(read=3, slices=2, gaps=[OffsetGap(*A, 0, 1, 1)])):
        run.counts.add(OUTCOMES, ("af-10", Outcome.WRITTEN), run.read)
        totals.add(run)

    assert (totals.read, totals.slices, len(totals.gaps), totals.stopped) == (5, 3, 1, False)
    assert totals.counts.outcomes == {("af-10", Outcome.WRITTEN): 5}


def test_what_goes_first_is_read_to_its_end_before_anything_else_and_the_lag_told_is_that_of_all() -> None:
    registry: Place = ("cluster.registry", 0)
    group = Group({A: [0, 1], registry: [0, 1, 2]})
    owner = Owner(group)
    run = run_of(group, owner, per_slice=2)
    run.goes_first = lambda topic: topic == registry[0]

    totals = run.run(["any"])

    assert [told for told in group.told if told[0] == "commit"] == [
        ("commit", {registry: 2}),
        ("commit", {registry: 3}),
        ("commit", {A: 2}),
    ]
    assert owner.planned_lag == {A: 2, registry: 3}
    assert [report.lag for report in owner.reports] == [{registry: 1, A: 2}, {A: 2}, {}]
    assert totals.read == 5


def test_a_run_that_is_stopped_among_what_goes_first_reads_nothing_else() -> None:
    registry: Place = ("cluster.registry", 0)
    group = Group({A: [0], registry: [0, 1]})
    run = run_of(group, Owner(group, slices=1), per_slice=1)
    run.goes_first = lambda topic: topic == registry[0]

    assert run.run(["any"]).stopped
    assert A not in group.done


REFUSED = PartitionFault(*B, "not_readable")


def test_a_partition_that_cannot_be_read_is_told_and_the_others_are_read() -> None:
    group = Group({A: log(3), B: log(5)}, unreadable={B: REFUSED})

    totals = run_of(group).run([])

    assert group.told == [("aside", REFUSED), ("commit", {A: 3})]
    assert (totals.read, totals.left_out) == (3, [REFUSED])


def test_a_partition_that_a_reader_cannot_read_on_ends_there_and_what_was_read_of_it_is_committed() -> None:
    group = Group({A: log(9), B: log(5)})

    def refused_after_two(ranges: list[OffsetRange], size: SliceSize) -> Any:
        found = [one if one.place == A else one._replace(end=2) for one in ranges]
        return read(group, found, size.max_records, **{UNREADABLE.namespace: {f"{B[0]}/{B[1]}/not_readable": 1}})

    run = run_of(group, slice_=refused_after_two)
    totals = run.run([])

    assert group.done == {A: 9, B: 2}
    assert totals.left_out == [REFUSED]
    assert [told for told in group.told if told[0] == "aside"] == [("aside", REFUSED)], "told once"


def test_a_partition_that_cannot_be_read_when_its_gaps_are_looked_for_is_left_out() -> None:
    group = Group({A: log(3), B: []}, ends={B: 5})
    silent = PartitionFault(*B, "no_leader")
    asked: list[Place] = []

    def next_record(at: OffsetRange) -> int:
        asked.append(at.place)
        group.set_aside(silent)
        return at.start

    group.next_record = next_record  # type: ignore[method-assign]
    totals = run_of(group).run([])

    assert (asked, group.done, totals.left_out) == ([B], {A: 3}, [silent])


def test_a_reader_of_whole_topics_leaves_out_the_topic_of_a_partition_that_cannot_be_read() -> None:
    other: Place = ("events.normalized", 0)
    group = Group({A: log(3), B: log(5), other: log(2)}, unreadable={B: REFUSED})
    run = run_of(group)
    run.whole_topics = True

    totals = run.run([])

    assert group.done == {other: 2}
    assert [(one.place, one.cause) for one in totals.left_out] == [(B, "not_readable"), (A, "with_topic")]


def test_what_is_committed_is_committed_again_by_a_run_that_may_before_it_reads() -> None:
    group = Group({A: log(3)}, needs_refresh=True)

    run_of(group).run([])
    assert group.told == [("refresh",), ("commit", {A: 3})]

    group = Group({A: log(3)}, needs_refresh=True)
    with pytest.raises(InfrastructureFault):
        run_of(group, Owner(group, refuses=True)).run([])
    assert group.told == []


def test_what_open_transactions_hide_is_told_and_counts_as_that_of_the_last_run() -> None:
    hidden = (HeldBack(*A, 3, 7),)
    group = Group({A: log(3)}, held_back=hidden)

    totals = run_of(group).run([])

    assert (totals.held_back, group.told[0]) == ([*hidden], ("held back", hidden))
    totals.add(RunTotals())
    assert totals.held_back == []


def test_a_slice_that_was_cut_by_its_rows_asks_nobody_what_is_left() -> None:
    group = Group({A: log(6)})
    asked: list[OffsetRange] = []
    next_record = group.next_record
    group.next_record = lambda at: asked.append(at) or next_record(at)  # type: ignore[method-assign, func-returns-value]

    def cut(ranges: list[OffsetRange], size: SliceSize) -> Any:
        return read(group, ranges, 2, **{PLANNED_ROWS.namespace: {"rows": size.max_rows}})

    run = run_of(group, slice_=cut)

    assert run.run(["t"]).read == 6
    assert (group.done, asked) == ({A: 6}, [])
    assert run.pacer.next(10**9).max_records <= 2
