"""What a backfill tells people of one thing and of several."""

from typing import Any

import pytest

from pipelines.backfill.report import Ran, print_plan, print_ran, ran_object
from runners.loops.backfill import BackfillTotals
from transforms.io.backfill.ledger import Slice
from transforms.io.kafka.offsets import OffsetRange
from transforms.planning.scheduling.backfill_plan import Scope

SCOPE = Scope(1_772_352_000_000, 1_772_355_600_000)


@pytest.mark.parametrize(("number", "said"), [(1, "in 1 slice"), (2, "in 2 slices"), (1200, "in 1,200 slices")])
def test_a_plan_counts_its_slices(number: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    slices = [Slice(at, [OffsetRange("t", 0, at, at + 1)]) for at in range(number)]

    print_plan([(SCOPE, slices)], as_json=False)

    title = capsys.readouterr().out.partition("┏")[0]
    assert " ".join(title.split()).endswith(said)


@pytest.mark.parametrize(("number", "s"), [(1, ""), (2, "s")])
def test_what_was_done_is_counted_in_the_singular_for_one(number: int, s: str, capsys: pytest.CaptureFixture[str]) -> None:
    totals = BackfillTotals()
    totals.before = totals.lost = number
    told: dict[str, Any] = ran_object([Ran(SCOPE, totals, 1.0)]) | {"unavailable_why": {"withheld": number, "damaged": number}}
    told["runs"][0]["read"] = number

    print_ran(told, as_json=False)

    printed = capsys.readouterr().out
    assert f"from kafka: {number} record{s}\n" in printed
    assert f"{number} slice{s} done before; --again does all of it anew.\n" in printed
    assert f"not in the archive: {number} record{s}, withheld\n" in printed
    assert f"not in the archive: {number} block{s}, damaged\n" in printed
    assert f"lost: {number} offset{s}, deleted by Kafka" in printed
