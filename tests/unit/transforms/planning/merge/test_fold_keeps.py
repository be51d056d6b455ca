"""What is folded away in a stream and counts in another record stays at hand, and has no outcome before that has one."""

from tests.support.wire import AT_MS, EVENTS, TENANT, kafka_record
from transforms.planning.facts.mutations import UpsertReferrer
from transforms.planning.facts.occurrence_set import count_of, seen
from transforms.planning.merge.fold import Folded, Interpreted, fold
from transforms.records.record import make_ver


def occurrence(number: int, identity: str) -> Interpreted:
    """An occurrence of one episode, by a record of its own."""
    ver = make_ver((AT_MS + number) * 1000, EVENTS, 0, number)
    mutation = UpsertReferrer(TENANT, ver, "Episodic", "crash", "pod:shop:p", {}, b"", seen(identity))
    return Interpreted(mutation, kafka_record(EVENTS, b"x", offset=number))


def offsets(one: Interpreted) -> list[int]:
    return sorted(record.offset for record in (*([one.record] if one.record else []), *one.absorbed))


def test_losers_that_count_are_kept_with_the_winner() -> None:
    folded: Folded = {}
    assert fold(folded, [occurrence(1, "a"), occurrence(3, "c"), occurrence(2, "b")], keeps=True) == 0
    (one,) = folded.values()
    assert one.record is not None
    assert (one.record.offset, offsets(one)) == (3, [1, 2, 3])
    assert isinstance(one.mutation, UpsertReferrer)
    assert count_of(one.mutation.seen) == {"count": 3}


def test_a_loser_that_says_nothing_more_has_lost() -> None:
    folded: Folded = {}
    assert fold(folded, [occurrence(1, "a"), occurrence(2, "a")], keeps=True) == 1
    assert [offsets(one) for one in folded.values()] == [[2]]


def test_what_a_loser_had_absorbed_loses_with_it_only_if_the_winner_saw_it_all() -> None:
    left: Folded = {}
    right: Folded = {}
    fold(left, [occurrence(1, "a"), occurrence(2, "b")], keeps=True)
    fold(right, [occurrence(3, "a"), occurrence(4, "b"), occurrence(5, "c")], keeps=True)
    assert fold(left, right.values(), keeps=True) == 2
    assert [offsets(one) for one in left.values()] == [[3, 4, 5]]


def test_in_a_batch_run_nothing_is_kept() -> None:
    folded: Folded = {}
    assert fold(folded, [occurrence(1, "a"), occurrence(2, "b")]) == 1
    assert [offsets(one) for one in folded.values()] == [[2]]
