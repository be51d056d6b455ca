"""Tenants that are written together: one that cannot be written delays the others by a bounded number of transactions, and no more."""

from collections.abc import Callable, Sequence

import pytest

from tests.support.failing_store import Answer, FailingStore
from tests.support.wire import AT_MS, TARGETS, kafka_record
from transforms.io import unforeseen
from transforms.io.faults import InfrastructureFault
from transforms.io.graph_admin.quarantine import Quarantine
from transforms.io.neo4j.errors import NotTogether, RowRefused, TenantFault, TenantLocked, TenantOutOfTime
from transforms.planning.facts.changes import TenantBatch, TooMany
from transforms.planning.facts.mutations import DeleteReferrer, Mutation
from transforms.planning.merge.fold import Interpreted
from transforms.planning.scheduling.adaptive_batch_size import BatchSizeLimits
from transforms.planning.scheduling.grouping import GroupLimits
from transforms.records.outcomes import Outcome
from transforms.records.record import make_ver
from transforms.steps.write_group import Batch, GroupWriter, Turn
from transforms.steps.write_tenant import ALONE_BATCHES, Settled, TenantWriter

LIMITS = GroupLimits(rows=2000, size_bytes=1 << 20)


def batch(client_id: str, number: int = 2) -> tuple[str, Batch]:
    def one(at: int) -> Interpreted:
        ver = make_ver(AT_MS * 1000, TARGETS, 0, at)
        return Interpreted(DeleteReferrer(client_id, ver, "PromTarget", f"{client_id}-{at}"), kafka_record(TARGETS, b"x", offset=at))

    return client_id, Batch([one(at) for at in range(number)], number, 100)


def turn_of(number: int) -> Turn:
    return [batch(f"t{at}") for at in range(number)]


def writer(store: FailingStore, pace: BatchSizeLimits | None = None) -> GroupWriter:
    return GroupWriter(store, TenantWriter(store, Quarantine(store), 3, lambda _: None, pace), LIMITS, pace)


def written_out(one: GroupWriter, turn: Turn) -> list[Settled]:
    """All that becomes of a turn, as the queues do it."""
    waiting, done = [turn], []
    while waiting:
        ended = one.write(waiting.pop(0))
        done += ended.done
        waiting = ended.again + waiting
    return done


def at_fault(*client_ids: str, error: Callable[[], Exception]) -> Callable[[Sequence[Mutation]], Answer]:
    return lambda mutations: error() if any(one.client_id in client_ids for one in mutations) else None


def test_tenants_that_are_well_are_one_transaction_with_outcomes_row_by_row() -> None:
    store = FailingStore()

    done = written_out(writer(store), [batch("a", 3), batch("b", 1)])

    assert store.tried == ["group a b"]
    assert [(one.client_id, one.rows, [outcome for _, outcome in one.results]) for one in done] == [
        ("a", 3, [Outcome.WRITTEN] * 3),
        ("b", 1, [Outcome.WRITTEN]),
    ]
    assert [len(one.seconds) for one in done] == [1, 0], "one transaction, told once"


@pytest.mark.parametrize("poisoned", range(8))
def test_a_row_that_is_refused_is_found_by_halving_tenants_and_then_rows(poisoned: int) -> None:
    bad = f"t{poisoned}"
    store = FailingStore(writes=lambda found: RowRefused("no") if any(getattr(one, "key", "") == f"{bad}-1" for one in found) else None)

    done = written_out(writer(store), turn_of(8))

    refused = [(one.client_id, held.mutation.ver) for one in done for held, outcome in one.results if isinstance(outcome, RowRefused)]
    assert [client_id for client_id, _ in refused] == [bad]
    assert sum(len(one.results) for one in done) == 16
    assert len([said for said in store.tried if said.startswith("group")]) == 5, "8, 4 and 4, 2 and 2; then the two alone"


def test_for_a_lock_the_others_wait_once_and_then_go_alone() -> None:
    def error() -> Exception:
        return TenantLocked("a lock")

    store = FailingStore(writes=at_fault("t3", error=error), probes=lambda of: error() if of == "t3" else None)
    one = writer(store)

    ended = one.write(turn_of(8))
    assert (ended.done, ended.again) == ([], [[held] for held in turn_of(8)])
    done = written_out(one, turn_of(8))

    assert {held.client_id for held in done if held.set_aside} == {"t3"}
    assert sum(held.rows for held in done) == 14
    assert len([said for said in store.tried if said.startswith("group")]) == 2, "one for each turn"


def test_a_slow_tenant_is_found_by_quarters_and_the_others_are_written_without_it() -> None:
    def error() -> Exception:
        return TenantOutOfTime("slow")

    store = FailingStore(writes=at_fault("t3", error=error), probes=lambda of: error() if of == "t3" else None)

    done = written_out(writer(store), turn_of(8))

    assert {held.client_id for held in done if held.set_aside} == {"t3"}
    assert sum(held.rows for held in done) == 14
    groups = [said for said in store.tried if said.startswith("group")]
    assert groups[0] == "group t0 t1 t2 t3 t4 t5 t6 t7"
    assert sorted(groups[1:]) == ["group t0 t4", "group t1 t5", "group t2 t6", "group t3 t7"]


def test_where_the_server_is_slow_it_is_groups_that_are_written_in_the_end() -> None:
    store = FailingStore(groups=lambda found: TenantOutOfTime("slow") if len(found) > 2 else None)

    done = written_out(writer(store), turn_of(8))

    assert len(done) == 8
    assert [said for said in store.tried if not said.startswith("group")] == []


def test_tenants_that_the_store_names_go_alone_and_the_others_together() -> None:
    store = FailingStore(groups=lambda found: NotTogether(frozenset({"t1"})) if any(one.client_id == "t1" for one in found) else None)
    one = writer(store)

    done = written_out(one, turn_of(4))

    assert store.tried == ["group t0 t1 t2 t3", "group t0 t2 t3", "write 2"]
    assert sorted(held.client_id for held in done) == ["t0", "t1", "t2", "t3"]
    assert one.share(*batch("t1")) == 1.0, "it is not gathered with others for a while"
    assert one.share(*batch("t0")) < 0.1


def test_what_comes_to_too_many_rows_together_is_halved() -> None:
    store = FailingStore(groups=lambda found: TooMany(30_000) if len(found) > 2 else None)

    done = written_out(writer(store), turn_of(4))

    assert store.tried == ["group t0 t1 t2 t3", "group t0 t1", "group t2 t3"]
    assert len(done) == 4


def test_a_tenant_that_failed_alone_is_written_alone_until_it_was_well_for_a_while() -> None:
    answers = [RowRefused("no")]
    store = FailingStore(writes=lambda _: answers.pop() if answers else None)
    one = writer(store)

    one.write([batch("a", 1)])
    for _ in range(ALONE_BATCHES):
        assert one.share(*batch("a", 1)) == 1.0
        one.write([batch("a", 1)])

    assert one.share(*batch("a", 1)) < 0.1


def test_a_tenant_in_quarantine_is_left_and_the_others_are_written() -> None:
    store = FailingStore(writes=at_fault("t1", error=lambda: TenantFault("broken")), probes=lambda _: TenantFault("broken"))
    one = writer(store)
    one.write([batch("t1")])
    store.tried.clear()

    done = written_out(one, turn_of(3))

    assert [(held.client_id, bool(held.set_aside), len(held.left)) for held in done] == [
        ("t1", True, 2),
        ("t0", False, 0),
        ("t2", False, 0),
    ]
    assert store.tried == ["group t0 t2"]


def test_a_server_that_cannot_be_used_is_nobodys_fault() -> None:
    store = FailingStore(groups=lambda _: InfrastructureFault("away"))
    with pytest.raises(InfrastructureFault):
        writer(store).write(turn_of(3))
    assert store.marked == {}


def test_a_defect_of_a_group_is_found_tenant_by_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(unforeseen.SWITCH)

    class Defect(Exception):
        """What no line foresaw."""

    store = FailingStore(groups=lambda _: Defect())

    done = written_out(writer(store), turn_of(3))

    assert store.tried == ["group t0 t1 t2", "write 2", "write 2", "write 2"]
    assert len(done) == 3


def test_a_slow_server_is_given_smaller_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 5))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    store = FailingStore()
    one = writer(store, pace=BatchSizeLimits(2, 8, 1.0))

    written_out(one, turn_of(4))
    written_out(one, turn_of(4))

    assert store.tried == ["group t0 t1 t2 t3", "group t0 t1", "write 2", "write 2"]


def test_the_times_of_each_tenant_are_its_own() -> None:
    store = FailingStore(groups=None)
    first = [TenantBatch("a", [], 5), TenantBatch("b", [], None)]
    store.write_group(first)
    assert store.times == [5, None]
