"""The fault suite's own checks fail where something does not hold, and its chances are drawn from the seed."""

from dataclasses import dataclass
from random import Random
from typing import cast

import pytest

from runners.local.stack import LocalStack
from scripts.faulting import suite
from scripts.faulting.job import OUTCOMES, Ended
from scripts.faulting.round import DoesNotHold, Round, Seen, must, must_be_the_graph_of
from scripts.faulting.suite import Suite, table_of
from scripts.faulting.table import FAULTS, Fault
from scripts.sampling.in_memory import expected_digests
from scripts.sampling.stream import sample_stream
from scripts.world import World
from transforms.io.faults import InfrastructureFault

RECORDS = sample_stream(clusters=2, resyncs=1, seed=3, poison_classes=0).records


@dataclass
class Graphs:
    """Answers as a world does whose graphs have these digests; it takes a stack's place too."""

    found: dict[str, str]

    def digests(self) -> dict[str, str]:
        return self.found

    def clear(self) -> None:
        """It is empty."""

    def close(self) -> None:
        """It has nothing open."""

    def up(self) -> None:
        """It is up."""


def test_equal_graphs_are_told_from_others_and_from_those_that_are_missing_or_too_many() -> None:
    right = expected_digests(RECORDS)

    must_be_the_graph_of(cast("World", Graphs(right)), RECORDS)
    for wrong in (right | {"af-10": "0"}, {"af-10": right["af-10"]}, right | {"af-99": "0"}):
        with pytest.raises(DoesNotHold, match="not those of a clean run"):
            must_be_the_graph_of(cast("World", Graphs(wrong)), RECORDS, within_s=0)


def test_what_records_come_to_is_the_same_however_many_are_written_together() -> None:
    assert len({str(expected_digests(RECORDS, at_once=at_once)) for at_once in (1, 7, 500)}) == 1


def test_how_a_run_ended_is_held_to_its_code_its_one_sentence_and_its_counts() -> None:
    counts = dict.fromkeys(OUTCOMES, 1)

    assert Ended(0, counts | {"read": len(OUTCOMES)}, "").must_be(0).must_count_every_record_once() == len(OUTCOMES)
    assert Ended(1, {}, "Kafka is away.\n").must_say_one_sentence("Neo4j", "Kafka is") == "Kafka is away."
    with pytest.raises(DoesNotHold, match="ended with 1 instead of 0"):
        Ended(1, {}, "").must_be(0)
    with pytest.raises(DoesNotHold, match="10 records were read and 9 outcomes counted"):
        Ended(0, counts | {"read": 10}, "").must_count_every_record_once()
    for said in ("", "Traceback", "Kafka is away.\nKafka is away."):
        with pytest.raises(DoesNotHold, match="instead of one sentence"):
            Ended(1, {}, said).must_say_one_sentence("Kafka is")


def run(monkeypatch: pytest.MonkeyPatch, *done: Exception | str) -> list[suite.Result]:
    """The results of a fault whose rounds go so."""

    def one_round(round_: Round) -> Seen:
        went = done[round_.number]
        if isinstance(went, Exception):
            raise went
        return Seen(f"{went} {round_.random.random()}")

    monkeypatch.setattr(suite, "World", lambda graphs, _launch: graphs)
    fault = Fault("broken", "this", "that", len(done), one_round)
    return list(Suite(cast("LocalStack", Graphs({})), 7, short=False).results([fault], lambda _line: None))


def test_a_round_that_does_not_hold_is_told_and_keeps_no_other_from_being_run(monkeypatch: pytest.MonkeyPatch) -> None:
    results = run(monkeypatch, "killed", DoesNotHold("it moved"), InfrastructureFault("Kafka is away."), "killed")

    assert [one.broken for one in results] == ["", "it moved", "Kafka is away.", ""]
    assert [one.holds for one in results] == [True, False, False, True]
    assert table_of(list(FAULTS), results).row_count == 0


def test_a_defect_of_the_suite_itself_is_not_taken_for_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        run(monkeypatch, ZeroDivisionError("ours"))


def test_the_same_seed_fault_and_round_draw_the_same_chances(monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = run(monkeypatch, "killed", "killed"), run(monkeypatch, "killed", "killed")

    assert [one.what for one in first] == [one.what for one in again]
    assert first[0].what != first[1].what
    assert first[0].what == f"killed {Random('7/broken/0').random()}"


def test_faults_have_names_of_their_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    must(all(fault.rounds > 0 and fault.done and fault.holds for fault in FAULTS), "every fault is described")
