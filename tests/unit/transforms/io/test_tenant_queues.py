"""Queues of tenants: order within a tenant, turns between them, bounded memory, and faults that surface."""

import threading
from collections.abc import Callable, Iterator

import pytest

from transforms.io.tenant_queues import Ended, TenantQueues

Batch = tuple[str, int]
Turn = list[Batch]
Open = Callable[[Callable[[str, int], Batch], int, int], TenantQueues[int, Batch]]


def alone(write: Callable[[str, int], Batch]) -> Callable[[Turn], Ended[int, Batch]]:
    """Each batch is a turn of its own."""

    def work(turn: Turn) -> Ended[int, Batch]:
        (one,) = turn
        return Ended([write(*one)], [])

    return work


@pytest.fixture
def opened() -> Iterator[Open]:
    queues: list[TenantQueues[int, Batch]] = []

    def make(write: Callable[[str, int], Batch], writers: int, most: int) -> TenantQueues[int, Batch]:
        queues.append(TenantQueues(alone(write), writers, most))
        return queues[-1]

    yield make
    for one in queues:
        one.close()


def test_every_batch_is_written_once_and_each_tenants_in_order(opened: Open) -> None:
    written: list[Batch] = []
    at_once: dict[str, int] = {}

    def write(client_id: str, batch: int) -> Batch:
        at_once[client_id] = at_once.get(client_id, 0) + 1
        assert at_once[client_id] == 1, "a tenant has one writer at a time"
        written.append((client_id, batch))
        at_once[client_id] -= 1
        return client_id, batch

    queues = opened(write, 4, 8)
    submitted = [(f"af-{number % 5}", number) for number in range(400)]
    done = [one for batch in submitted for one in queues.submit(*batch)] + queues.drain()

    assert sorted(done) == sorted(submitted)
    for client_id in {client_id for client_id, _ in submitted}:
        assert [one for one in written if one[0] == client_id] == [one for one in submitted if one[0] == client_id]
    assert queues.drain() == []


def test_two_tenants_are_written_at_the_same_time(opened: Open) -> None:
    both = threading.Barrier(2, timeout=20)

    def write(client_id: str, batch: int) -> Batch:
        both.wait()
        return client_id, batch

    queues = opened(write, 2, 4)
    queues.submit("af-10", 1)
    queues.submit("af-11", 2)

    assert sorted(queues.drain()) == [("af-10", 1), ("af-11", 2)]
    assert queues.busy_s > 0


def test_a_loud_tenant_delays_the_others_by_one_batch(opened: Open) -> None:
    written: list[str] = []
    may_go = threading.Event()

    def write(client_id: str, batch: int) -> Batch:
        may_go.wait(20)
        written.append(client_id)
        return client_id, batch

    queues = opened(write, 1, 20)
    for number in range(10):
        queues.submit("loud", number)
    queues.submit("quiet", 0)
    may_go.set()
    queues.drain()

    assert written.index("quiet") <= 1


def test_submitting_waits_while_too_many_batches_are_held(opened: Open) -> None:
    may_go = threading.Event()
    submitted: list[int] = []

    def write(client_id: str, batch: int) -> Batch:
        may_go.wait(20)
        return client_id, batch

    queues = opened(write, 1, 3)

    def submit_all() -> None:
        for number in range(6):
            queues.submit(f"af-{number}", number)
            submitted.append(number)
            if number == 2:
                full.set()

    full = threading.Event()
    thread = threading.Thread(target=submit_all)
    thread.start()
    assert full.wait(20)
    thread.join(0.2)
    assert submitted == [0, 1, 2]
    may_go.set()
    thread.join(20)
    assert submitted == [0, 1, 2, 3, 4, 5]


class Refused(Exception):
    """What a store may raise."""


def test_a_fault_is_raised_once_lets_go_of_what_waits_and_the_queues_serve_again(opened: Open) -> None:
    written: list[int] = []

    def write(client_id: str, batch: int) -> Batch:
        if batch == 0:
            raise Refused(client_id)
        written.append(batch)
        return client_id, batch

    queues = opened(write, 1, 50)

    def bundle() -> None:
        for number in range(20):
            queues.submit("af-10", number)
        queues.drain()

    with pytest.raises(Refused, match="af-10"):
        bundle()
    assert queues.drain() == [], "what was written of a bundle that failed is not told: the bundle is begun anew"
    written.clear()

    queues.submit("af-11", 7)
    assert queues.drain() == [("af-11", 7)]
    assert written == [7]


def test_tenants_that_are_held_up_keep_no_other_from_being_written_nor_queued() -> None:
    lock = threading.Event()
    written: list[Batch] = []

    def write(client_id: str, batch: int) -> Batch:
        if client_id.startswith("held"):
            assert lock.wait(20)
        written.append((client_id, batch))
        return client_id, batch

    queues: TenantQueues[int, Batch] = TenantQueues(alone(write), writers=2, most=4, held_up_s=0.05)
    try:
        # Both writers are held up, and as many batches as may be held lie behind them.
        for number in range(3):
            queues.submit("held-1", number)
            queues.submit("held-2", number)
        for number in range(20):
            queues.submit("af-10", number)
        assert [one for one in written if one[0] == "af-10"][:10] == [("af-10", number) for number in range(10)]
        lock.set()
        queues.drain()
    finally:
        lock.set()
        queues.close()
    assert [number for client_id, number in written if client_id == "held-1"] == [0, 1, 2]
    assert len(written) == 26


def test_what_lies_behind_tenants_that_are_held_up_is_bounded() -> None:
    lock = threading.Event()
    queues: TenantQueues[int, Batch] = TenantQueues(
        alone(lambda client_id, batch: (client_id, lock.wait(20) and batch)), 1, 2, held_up_s=0.05
    )
    queued: list[int] = []

    def submit() -> None:
        for number in range(20):
            queues.submit("held", number)
            queued.append(number)

    thread = threading.Thread(target=submit, daemon=True)
    thread.start()
    thread.join(2.5)
    assert 2 < len(queued) <= 8
    lock.set()
    thread.join(20)
    queues.drain()
    queues.close()
    assert len(queued) == 20


def grouping(write: Callable[[Turn], Ended[int, Batch]], writers: int = 1, most: int = 8, share: float = 0.25) -> TenantQueues[int, Batch]:
    """Batches of which several are a turn; those from 100 on are one by themselves."""
    return TenantQueues(write, writers, most, lambda _, batch: 1.0 if batch >= 100 else share)


def all_done(turn: Turn) -> Ended[int, Batch]:
    return Ended(list(turn), [])


def test_small_batches_of_different_tenants_are_written_in_one_turn_and_large_ones_alone() -> None:
    turns: list[Turn] = []

    def write(turn: Turn) -> Ended[int, Batch]:
        turns.append(turn)
        return all_done(turn)

    queues = grouping(write)
    submitted = [("a", 1), ("b", 2), ("large", 100), ("c", 3), ("d", 4), ("e", 5)]
    done = [one for batch in submitted for one in queues.submit(*batch)] + queues.drain()
    queues.close()

    assert sorted(done) == sorted(submitted)
    assert turns == [[("large", 100)], [("a", 1), ("b", 2), ("c", 3), ("d", 4)], [("e", 5)]]


def test_a_turn_has_one_batch_of_a_tenant_and_its_next_one_comes_later() -> None:
    turns: list[Turn] = []

    def write(turn: Turn) -> Ended[int, Batch]:
        turns.append(turn)
        return all_done(turn)

    queues = grouping(write)
    for batch in (("a", 1), ("a", 2), ("b", 1), ("a", 3)):
        queues.submit(*batch)
    queues.drain()
    queues.close()

    assert all(len({client_id for client_id, _ in turn}) == len(turn) for turn in turns)
    assert [batch for turn in turns for client_id, batch in turn if client_id == "a"] == [1, 2, 3]


def test_what_is_gathered_is_cut_among_idle_writers() -> None:
    both = threading.Barrier(2, timeout=20)
    turns: list[Turn] = []

    def write(turn: Turn) -> Ended[int, Batch]:
        both.wait()
        turns.append(turn)
        return all_done(turn)

    queues = grouping(write, writers=2, share=0.1)
    for number in range(8):
        queues.submit(f"t{number}", number)
    done = queues.drain()
    queues.close()

    assert len(done) == 8
    assert sorted(map(len, turns)) == [4, 4]


def test_what_could_not_be_written_together_is_written_in_smaller_turns_before_what_waits_and_in_order() -> None:
    written: list[Turn] = []

    def write(turn: Turn) -> Ended[int, Batch]:
        if ("bad", 1) in turn and len(turn) > 1:
            return Ended([], [[one] for one in turn])
        written.append(turn)
        return all_done(turn)

    queues = grouping(write)
    submitted = [("a", 1), ("bad", 1), ("bad", 2), ("b", 1), ("c", 1), ("d", 1), ("bad", 3)]
    done = [one for batch in submitted for one in queues.submit(*batch)] + queues.drain()
    queues.close()

    assert sorted(done) == sorted(submitted)
    order = [one for turn in written for one in turn]
    assert [batch for client_id, batch in order if client_id == "bad"] == [1, 2, 3]
    assert [("bad", 1)] in written
    assert order.index(("b", 1)) < order.index(("d", 1)), "before what waits"


def test_memory_is_bounded_by_shares_and_a_submission_that_waits_sends_what_was_gathered() -> None:
    may_go = threading.Event()
    turns: list[Turn] = []
    queued: list[int] = []

    def write(turn: Turn) -> Ended[int, Batch]:
        may_go.wait(20)
        turns.append(turn)
        return all_done(turn)

    queues = grouping(write, most=2)

    def submit() -> None:
        for number in range(40):
            queues.submit(f"t{number}", number)
            queued.append(number)

    thread = threading.Thread(target=submit)
    thread.start()
    thread.join(0.3)
    assert len(queued) == 8, "two full turns"
    may_go.set()
    thread.join(20)
    assert len(queues.drain() + [one for turn in turns for one in turn]) >= 40
    queues.close()
    assert sorted(one for turn in turns for one in turn) == sorted((f"t{number}", number) for number in range(40))


def test_a_fault_of_a_group_lets_go_of_all_that_waits_and_the_queues_serve_again() -> None:
    written: list[Batch] = []

    def write(turn: Turn) -> Ended[int, Batch]:
        if any(batch == 7 for _, batch in turn):
            raise Refused("group")
        written.extend(turn)
        return all_done(turn)

    queues = grouping(write)

    def bundle() -> None:
        for number in range(30):
            queues.submit(f"t{number % 10}", number)
        queues.drain()

    with pytest.raises(Refused, match="group"):
        bundle()
    assert queues.drain() == []
    written.clear()
    queues.submit("t1", 8)
    queues.submit("t2", 9)
    assert sorted(queues.drain()) == sorted(written) == [("t1", 8), ("t2", 9)]
    queues.close()
