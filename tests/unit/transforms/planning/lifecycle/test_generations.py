"""Generations: what ends a purge first, what begins a generation, and when it has come whole."""

import pytest

from transforms.planning.facts.changes import Floors
from transforms.planning.facts.mutations import DeleteEdge, DeleteNode, EndSnapshot, Mutation, UpsertEdge, UpsertNode, UpsertReferrer
from transforms.planning.lifecycle.generations import RESYNC_MS, Generation, begun, generation_of, is_resynced, must_wait
from transforms.records.outcomes import Outcome
from transforms.records.record import make_ver, time_limit

TENANT = "af-10"
FLOOR_MS = 1_000_000
FLOORS = Floors(time_limit(FLOOR_MS * 1000), time_limit(FLOOR_MS * 1000))
PURGING = Generation(FLOORS, purging=True)
PURGED = Generation(FLOORS, is_purged=True)


def ver(ms: int) -> str:
    return make_ver(ms * 1000, "t", 0, 0)


def node(ms: int) -> UpsertNode:
    return UpsertNode(TENANT, ver(ms), "pod:a:x", "", {}, b"")


def gone(ms: int) -> DeleteNode:
    return DeleteNode(TENANT, ver(ms), "pod:a:x")


def test_the_row_of_the_lock_may_lack_everything_but_counts() -> None:
    row = dict.fromkeys(("floor", "episode_floor", "swept", "purging", "purged_generation", "resync_needed", "generation_from"))

    assert generation_of(row) == Generation()
    assert generation_of(row | {"purging": True, "floor": "f"}) == Generation(Floors("f", ""), purging=True)
    assert generation_of(row | {"purged_generation": 1}).is_purged


@pytest.mark.parametrize(
    ("batch", "waits"),
    [
        ([], False),
        ([node(FLOOR_MS - 1), gone(FLOOR_MS)], False),
        ([node(FLOOR_MS), node(FLOOR_MS + 1)], True),
        ([gone(FLOOR_MS + 1)], True),
    ],
)
def test_only_what_does_not_belong_to_the_past_waits_for_the_end_of_a_purge(batch: list[Mutation], waits: bool) -> None:
    assert must_wait(PURGING, batch) is waits
    assert must_wait(PURGED, batch) is must_wait(Generation(), batch) is False


def test_the_first_life_after_a_purge_begins_a_generation_with_the_time_of_its_first_record() -> None:
    now = begun(PURGED, [node(FLOOR_MS - 5), node(FLOOR_MS + 9), node(FLOOR_MS + 7), gone(FLOOR_MS + 1)])

    assert now == Generation(FLOORS, resync_needed=True, from_ms=FLOOR_MS + 7)
    assert begun(now, [node(FLOOR_MS + 8)]) == now


@pytest.mark.parametrize(
    "life",
    [
        UpsertEdge(TENANT, ver(FLOOR_MS + 1), "e", "RUNS_ON", "pod:a:x", "node::n"),
        UpsertReferrer(TENANT, ver(FLOOR_MS + 1), "Episodic", "e", "", {}, b""),
        EndSnapshot(TENANT, ver(FLOOR_MS + 1), "pod"),
    ],
)
def test_whatever_says_that_something_lives_begins_a_generation(life: Mutation) -> None:
    assert begun(PURGED, [life]).from_ms == FLOOR_MS + 1


@pytest.mark.parametrize("batch", [[], [node(FLOOR_MS)], [gone(FLOOR_MS + 1), DeleteEdge(TENANT, ver(FLOOR_MS + 1), "e")]])
def test_neither_the_past_nor_deletes_begin_one(batch: list[Mutation]) -> None:
    assert begun(PURGED, batch) == PURGED


NEEDING = Generation(FLOORS, resync_needed=True, from_ms=FLOOR_MS)
LATER = FLOOR_MS + RESYNC_MS


@pytest.mark.parametrize(
    ("one", "outcome", "whole"),
    [
        (node(LATER), Outcome.UNCHANGED, True),
        (node(LATER - 1), Outcome.UNCHANGED, False),
        (node(LATER), Outcome.WRITTEN, False),
        (node(LATER), Outcome.SUPERSEDED, False),
        (gone(LATER), Outcome.UNCHANGED, False),
        (UpsertEdge(TENANT, ver(LATER), "e", "RUNS_ON", "pod:a:x", "node::n"), Outcome.UNCHANGED, False),
        (EndSnapshot(TENANT, ver(FLOOR_MS + 1), "pod"), Outcome.CONTROL, True),
        (EndSnapshot(TENANT, ver(FLOOR_MS), "pod"), Outcome.SUPERSEDED, False),
    ],
)
def test_a_snapshot_or_the_same_again_two_intervals_later_is_a_full_resync(one: Mutation, outcome: Outcome, whole: bool) -> None:
    batch, outcomes = [node(FLOOR_MS + 1), one], [Outcome.WRITTEN, outcome]

    assert is_resynced(NEEDING, batch, outcomes) is whole
    assert not is_resynced(NEEDING._replace(resync_needed=False), batch, outcomes)
