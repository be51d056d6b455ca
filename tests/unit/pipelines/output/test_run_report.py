"""What a run says at its end, for people."""

from typing import Any

import pytest

from pipelines.output.run_report import print_replay, print_summary, replay_summary, run_summary
from runners.loops.bounded import RunTotals
from runners.loops.replay import ReplayTotals


def summary(read: int, rejected: int) -> dict[str, Any]:
    return {**run_summary(RunTotals(), 1.0), "read": read, "rejected": rejected}


def test_rejects_are_told_with_the_command_that_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(summary(9, 5), as_json=False)

    assert "5 rejected: `graph-build deadletters list` shows the reasons\n" in capsys.readouterr().out


@pytest.mark.parametrize(("rejected", "has_letters"), [(0, True), (5, False)])
def test_without_letters_of_this_run_no_letters_are_told_of(rejected: int, has_letters: bool, capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(summary(9, rejected), as_json=False, has_letters=has_letters)

    assert "deadletters" not in capsys.readouterr().out


@pytest.mark.parametrize(("read", "said"), [(1, "1 record in 1.0 s"), (2, "2 records in 1.0 s")])
def test_one_record_is_one(read: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(summary(read, 0), as_json=False)

    assert capsys.readouterr().out.endswith(f"{said}\n")


@pytest.mark.parametrize(
    ("before", "said"),
    [(1, "1 letter was replayed before; --again replays it too"), (2, "2 letters were replayed before; --again replays them too")],
)
def test_one_letter_is_one(before: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = {**replay_summary(ReplayTotals(), 1.0, dry_run=False), "replayed_before": before}

    print_replay(found, as_json=False)

    assert said in capsys.readouterr().out
