"""A tenant that cannot be written is quarantined after so many failures that no row explains; a row that can be found is."""

from collections.abc import Iterator, Sequence

import pytest
from structlog.testing import capture_logs

from tests.support.failing_store import Answer, FailingStore
from tests.support.wire import AT_MS, TARGETS, TENANT, kafka_record
from transforms.io.faults import InfrastructureFault
from transforms.io.graph_admin.quarantine import Quarantine, QuarantinedTenant, read_quarantined, release
from transforms.io.neo4j.errors import RowRefused, TenantFault, TenantLocked, TenantOutOfTime
from transforms.planning.facts.mutations import DeleteReferrer, Mutation
from transforms.planning.merge.fold import Interpreted
from transforms.planning.scheduling.adaptive_batch_size import BatchSizeLimits
from transforms.records.outcomes import Outcome
from transforms.records.record import make_ver
from transforms.steps.write_tenant import Settled, TenantWriter


def rows(number: int) -> list[Interpreted]:
    def one(at: int) -> Interpreted:
        ver = make_ver(AT_MS * 1000, TARGETS, 0, at)
        return Interpreted(DeleteReferrer(TENANT, ver, "PromTarget", f"key-{at}"), kafka_record(TARGETS, b"x", offset=at))

    return [one(at) for at in range(number)]


def has(key: str, mutations: Sequence[Mutation]) -> bool:
    return any(isinstance(one, DeleteReferrer) and one.key == key for one in mutations)


def writer(store: FailingStore, max_failures: int = 3) -> tuple[TenantWriter, Quarantine, list[float]]:
    waits: list[float] = []
    quarantine = Quarantine(store)
    return TenantWriter(store, quarantine, max_failures, waits.append), quarantine, waits


def in_turn(*answers: Answer) -> Iterator[Answer]:
    yield from answers
    while True:
        yield None


def locked() -> TenantFault:
    return TenantFault("Neo.ClientError.Transaction.LockClientStopped")


def test_a_row_that_neo4j_refuses_is_found_and_the_others_are_written() -> None:
    store = FailingStore(writes=lambda batch: RowRefused("too long") if has("key-5", batch) else None)
    one, _, waits = writer(store)

    settled = one.write(TENANT, rows(8))

    refused = [held.record.offset for held, outcome in settled.results if isinstance(outcome, RowRefused) and held.record]
    assert refused == [5]
    assert (settled.rows, len(settled.results), settled.set_aside) == (7, 8, "")
    assert store.tried.count("probe") == 1, "the tenant is asked for once a batch, not at every half"
    assert waits == []


def test_a_tenant_that_fails_without_any_row_is_set_aside_after_so_many_failures() -> None:
    store = FailingStore(writes=lambda _: locked(), probes=lambda _: locked())
    one, _, waits = writer(store)

    with capture_logs() as logs:
        settled = one.write(TENANT, rows(4))

    assert settled == Settled(TENANT, [], 0, (), "Neo.ClientError.Transaction.LockClientStopped", rows(4))
    assert store.tried == ["write 4", "probe", "server", "probe", "server", "probe", "server", "mark"]
    assert waits == [1, 2]
    assert store.marked == {TENANT: "Neo.ClientError.Transaction.LockClientStopped"}
    (said,) = [log for log in logs if log["event"] == "tenant quarantined"]
    assert (said["client_id"], said["failures"], said["cause"]) == (TENANT, 3, "Neo.ClientError.Transaction.LockClientStopped")


def test_later_batches_of_a_tenant_set_aside_are_left_and_other_tenants_written() -> None:
    store = FailingStore(writes=lambda batch: locked() if has("key-0", batch) else None, probes=lambda _: locked())
    one, _, _ = writer(store, max_failures=1)
    one.write(TENANT, rows(1))
    store.tried.clear()

    assert one.write(TENANT, rows(3)[1:]).set_aside
    assert store.tried == []
    assert one.write("af-11", rows(3)[1:]).rows == 2


def test_a_slow_server_is_given_shorter_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 5))
    monkeypatch.setattr("transforms.steps.write_tenant.time.perf_counter", lambda: float(next(clock)))
    store = FailingStore(writes=lambda _: None)
    one = TenantWriter(store, Quarantine(store), 3, pace=BatchSizeLimits(2, 8, 1.0))

    settled = one.write(TENANT, rows(16))
    other = one.write("af-11", rows(8))

    assert store.tried == ["write 8", "write 4", "write 2", "write 2", "write 8"]
    assert [held.record.offset for held, _ in settled.results if held.record] == list(range(16))
    assert settled.seconds == (5.0,) * 4
    assert len(other.results) == 8, "another tenant has a pace of its own"


def test_a_lock_that_is_let_go_of_costs_no_row() -> None:
    answers, probes = in_turn(locked()), in_turn(locked(), locked())
    store = FailingStore(writes=lambda _: next(answers), probes=lambda _: next(probes))
    one, quarantine, waits = writer(store)

    settled = one.write(TENANT, rows(1))

    assert [outcome for _, outcome in settled.results] == [Outcome.WRITTEN]
    assert waits == [1, 2]
    assert quarantine.failed(TENANT) == 1, "what goes through starts the count anew"


def test_a_lock_is_no_rows_fault_and_no_half_of_the_batch_waits_for_it() -> None:
    store = FailingStore(writes=lambda _: TenantLocked("a lock"))
    beats: list[str] = []
    waits: list[float] = []
    one = TenantWriter(store, Quarantine(store), 3, waits.append, progress=lambda: beats.append("beat"))

    settled = one.write(TENANT, rows(2000))

    assert (settled.results, len(settled.left), settled.set_aside) == ([], 2000, "a lock")
    assert store.tried == ["write 2000", "server", "write 2000", "server", "write 2000", "server", "mark"]
    assert waits == [], "each try has waited for the lock itself"
    assert len(beats) == 3, "a server that takes the others' writes is a sign of life"


def test_a_lock_that_is_let_go_of_in_time_costs_nothing_and_a_row_at_fault_behind_it_is_found() -> None:
    answers = in_turn(TenantLocked("a lock"))
    store = FailingStore(writes=lambda batch: next(answers) or (RowRefused("too long") if has("key-2", batch) else None))
    one, _, waits = writer(store)

    settled = one.write(TENANT, rows(4))

    assert [held.record.offset for held, outcome in settled.results if isinstance(outcome, RowRefused) and held.record] == [2]
    assert waits == []


def test_a_row_that_takes_too_long_is_found_in_less_time_for_each_half() -> None:
    store = FailingStore(writes=lambda batch: TenantOutOfTime("too long") if has("key-0", batch) else None)
    one, _, _ = writer(store)

    settled = one.write(TENANT, rows(8))

    assert [str(outcome) for _, outcome in settled.results].count("too long") == 1
    of_key_0 = [part for tried, part in zip([t for t in store.tried if t.startswith("write")], store.parts, strict=True)]
    assert of_key_0[:5] == [1.0, 0.5, 0.25, 0.125, 0.0625]


def test_failures_of_several_batches_in_a_row_add_up() -> None:
    store = FailingStore(writes=lambda _: locked(), probes=lambda _: locked())
    one, quarantine, _ = writer(store)
    assert [quarantine.failed(TENANT), quarantine.failed(TENANT)] == [1, 2]

    assert one.write(TENANT, rows(1)).set_aside
    assert store.tried.count("probe") == 1


def test_a_single_row_is_at_fault_only_if_its_transaction_fails_twice_while_the_tenant_is_sound() -> None:
    store = FailingStore(writes=lambda batch: TenantFault("too long a plan") if has("key-1", batch) else None)
    one, quarantine, _ = writer(store)

    settled = one.write(TENANT, rows(2))

    assert [str(outcome) for _, outcome in settled.results] == ["written", "too long a plan"]
    assert store.tried.count("write 1") == 3
    assert quarantine.failed(TENANT) == 1, "a row that is at fault is no failure of its tenant"


def test_a_tenant_that_fails_in_the_middle_of_a_split_is_set_aside_whole() -> None:
    probes = in_turn(None, locked())
    store = FailingStore(writes=lambda batch: locked() if has("key-3", batch) else None, probes=lambda _: next(probes))
    one, _, _ = writer(store, max_failures=1)

    settled = one.write(TENANT, rows(4))

    assert (settled.results, settled.left) == ([], rows(4))
    assert settled.set_aside


def test_a_tenant_that_is_released_is_written_again() -> None:
    store = FailingStore(writes=lambda batch: locked() if has("key-0", batch) else None, probes=lambda _: locked())
    one, _, _ = writer(store, max_failures=1)
    assert one.write(TENANT, rows(1)).set_aside

    one.heed(lambda: {TENANT: "still"})
    assert one.write(TENANT, rows(3)[1:]).set_aside
    one.heed(dict)
    assert one.write(TENANT, rows(3)[1:]).rows == 2


def test_a_server_that_takes_no_write_is_no_tenants_fault() -> None:
    away = InfrastructureFault("Neo4j takes no write.")
    store = FailingStore(writes=lambda _: locked(), probes=lambda _: locked(), server=lambda: away)
    one, quarantine, _ = writer(store)

    with pytest.raises(InfrastructureFault):
        one.write(TENANT, rows(1))

    assert store.marked == {}
    assert quarantine.failed(TENANT) == 1


def test_a_tenant_that_cannot_be_marked_is_aside_here_and_marked_with_the_next_chance() -> None:
    marks = in_turn(locked())
    store = FailingStore(marks=lambda _: next(marks))
    now = [100.0]
    quarantine = Quarantine(store, lambda: now[0])

    quarantine.set_aside(TENANT, "locked")
    assert (store.marked, quarantine.causes(released=False)) == ({}, {TENANT: "locked"})
    now[0] += 59
    quarantine.mark()
    assert store.tried == ["mark"], "each try costs the others seconds"
    now[0] += 2
    quarantine.mark()
    assert store.marked == {TENANT: "locked"}
    assert read_quarantined(store) == [QuarantinedTenant(TENANT, "locked", 5, 7)]


def test_a_tenant_released_in_the_graph_is_taken_in_again_by_the_process_that_set_it_aside() -> None:
    store = FailingStore()
    quarantine = Quarantine(store)
    quarantine.set_aside(TENANT, "locked")
    assert quarantine.causes(released=False) == {TENANT: "locked"}

    assert [release(store, TENANT), release(store, TENANT)] == [True, False]

    assert quarantine.causes(released=False) == {}


def test_a_replay_heeds_only_what_it_set_aside_itself() -> None:
    store = FailingStore(marked={"af-20": "an older cause"})
    quarantine = Quarantine(store)
    assert (quarantine.causes(released=True), quarantine.causes(released=False)) == ({}, {"af-20": "an older cause"})

    quarantine.set_aside("af-20", "as before")

    assert quarantine.causes(released=True) == {"af-20": "as before"}
