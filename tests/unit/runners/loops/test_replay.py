"""A replay goes through its letters in slices, adds up what became of them, and ends after a slice where it is asked to."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.output.run_report import replay_summary
from runners.loops.bounded import LostRecords
from runners.loops.replay import SLICE_LETTERS, ReplaySlice, ReplayTotals, replay, slice_of
from transforms.io.faults import InfrastructureFault
from transforms.model.metrics import OUTCOMES, REJECT_REASONS, RESTORED, UNAVAILABLE, WRITE_US, WRITTEN_ROWS
from transforms.records.counts import Counts
from transforms.records.dead_letters.letters import Wanted
from transforms.records.dead_letters.selection import Coordinates
from transforms.records.outcomes import Outcome


def wanted(number: int, size_bytes: int = 10) -> list[Wanted]:
    return [Wanted(Coordinates("graph.deadletter", 0, at), Coordinates("t", 0, at), "-", size_bytes, 0) for at in range(number)]


def ran(letters: list[Wanted], slice_bytes: int = 30, stops_after: int = 99) -> tuple[ReplayTotals, list[int]]:
    """The totals, and how many letters each slice was of; the first letter of a slice is unavailable."""
    totals, sizes = ReplayTotals(), list[int]()

    def run_slice(portion: list[Wanted]) -> ReplaySlice:
        replayed = len(portion) - 1
        counts = Counts({OUTCOMES: {("af-10", Outcome.WRITTEN): replayed}, UNAVAILABLE: {("-", "gone"): 1}})
        counts.update(Counts({WRITTEN_ROWS: {(): 2 * replayed}, WRITE_US: {(): 500_000}}))
        return ReplaySlice(replayed, counts)

    replay(letters, run_slice, slice_bytes, totals, should_stop=lambda: len(sizes) >= stops_after, advance=sizes.append)
    return totals, sizes


def test_slices_hold_so_many_bytes_and_their_counts_add_up() -> None:
    totals, sizes = ran(wanted(8))

    assert sizes == [3, 3, 2]
    assert (totals.replayed, totals.slices, totals.stopped) == (5, 3, False)
    assert totals.counts.reported().items() >= {"rows_written": 10, "write_seconds": 1.5}.items()
    assert totals.counts.outcomes == {("af-10", Outcome.WRITTEN): 5}
    assert totals.counts.of(UNAVAILABLE) == {("-", "gone"): 3}


def test_letters_without_a_size_are_cut_by_their_number() -> None:
    assert ran(wanted(SLICE_LETTERS + 1, 0))[1] == [SLICE_LETTERS, 1]


def test_nothing_wanted_runs_no_slice() -> None:
    assert ran([]) == (ReplayTotals(), [])


def test_a_replay_that_is_asked_to_stop_ends_after_its_slice_and_says_so() -> None:
    totals, sizes = ran(wanted(8), stops_after=2)
    assert (sizes, totals.stopped) == ([3, 3], True)
    assert not ran(wanted(8), stops_after=3)[0].stopped, "all was done when it was asked"


def test_a_fault_keeps_what_was_done_before_it() -> None:
    totals = ReplayTotals()
    slices = iter([ReplaySlice(3, Counts())])

    def run_slice(_portion: list[Wanted]) -> ReplaySlice:
        try:
            return next(slices)
        except StopIteration:
            raise InfrastructureFault("Away.") from None

    with pytest.raises(InfrastructureFault):
        replay(wanted(8), run_slice, 30, totals, should_stop=lambda: False, advance=lambda _: None)
    assert (totals.replayed, totals.slices) == (3, 1)


class Result:
    """A finished pipeline with these counters, by namespace and name."""

    def __init__(self, **counters: dict[str, int]) -> None:
        self._counters = counters

    def metrics(self) -> "Result":
        return self

    def query(self) -> dict[str, list[Any]]:
        found = [
            (SimpleNamespace(namespace=space, name=name), one) for space, named in self._counters.items() for name, one in named.items()
        ]
        return {"counters": [SimpleNamespace(key=SimpleNamespace(metric=metric), result=one) for metric, one in found]}


def test_a_slice_is_what_its_pipeline_counted() -> None:
    result = Result(
        restored={"records": 4},
        outcome={"af-10/written": 3, "-/rejected": 1},
        reason={"-/tenant_missing": 1},
        unavailable={"-/gone": 1, "af-11/another_record": 1},
        write={"rows": 9, "us": 500_000},
    )

    assert slice_of(result, 6) == ReplaySlice(
        4,
        Counts(
            {
                RESTORED: {(): 4},
                OUTCOMES: {("af-10", Outcome.WRITTEN): 3, ("-", Outcome.REJECTED): 1},
                REJECT_REASONS: {("-", "tenant_missing"): 1},
                UNAVAILABLE: {("-", "gone"): 1, ("af-11", "another_record"): 1},
                WRITTEN_ROWS: {(): 9},
                WRITE_US: {(): 500_000},
            }
        ),
    )


@pytest.mark.parametrize(("restored", "written", "gone"), [(4, 3, 1), (3, 4, 2), (4, 4, 0), (5, 5, 1)])
def test_letters_or_records_whose_end_nobody_counted_are_a_defect(restored: int, written: int, gone: int) -> None:
    result = Result(restored={"records": restored}, outcome={"af-10/written": written}, unavailable={"-/gone": gone})

    with pytest.raises(LostRecords, match=r"^5 letters gave "):
        slice_of(result, 5)


def test_the_summary_adds_up_for_the_whole_and_counts_by_tenant_what_each_is_about() -> None:
    totals = ReplayTotals(
        letters=Counter({"-": 5, "af-11": 2}),
        replayed=4,
        counts=Counts(
            {
                OUTCOMES: {("af-10", Outcome.WRITTEN): 3, ("af-11", Outcome.REJECTED): 1},
                REJECT_REASONS: {("af-11", "bad_time"): 1},
                UNAVAILABLE: {("-", "gone"): 1, ("af-11", "gone"): 1},
            }
        ),
        gaps=Counter({"-": 1}),
    )

    told = replay_summary(totals, 1.5, dry_run=False)

    assert (told["letters"], told["replayed"], told["unavailable"], told["gaps"]) == (7, 4, 2, 1)
    assert (told["written"], told["rejected"], told["rejected_why"], told["unavailable_why"]) == (3, 1, {"bad_time": 1}, {"gone": 2})
    assert list(told["tenants"]) == ["-", "af-10", "af-11"]
    shown = ("letters", "replayed", "written", "rejected", "unavailable", "gaps")
    assert [[counts[name] for name in shown] for counts in told["tenants"].values()] == [
        [5, 0, 0, 0, 1, 1],
        [0, 3, 3, 0, 0, 0],
        [2, 1, 0, 1, 1, 0],
    ]
