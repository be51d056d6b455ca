"""An exception that nobody foresaw costs the record that it is about; in tests it goes on as it is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue
from structlog.testing import capture_logs

from tests.support.failing_store import FailingStore
from tests.support.wire import AT_MS, EVENT, EVENTS, POD, RESOURCES, TARGETS, TENANT, json_of, kafka_record
from transforms.io import unforeseen
from transforms.io.dead_letters import writer as deadletters
from transforms.io.dead_letters.writer import letter_of
from transforms.io.faults import InfrastructureFault
from transforms.io.graph_admin.quarantine import Quarantine
from transforms.io.neo4j.errors import RowRefused, TenantFault
from transforms.planning.archive.retained import Archiving
from transforms.planning.facts.mutations import DeleteReferrer
from transforms.planning.interpret.dispatch import interpret
from transforms.planning.merge.batches import cut_batches
from transforms.planning.merge.fold import Folded, Interpreted, fold
from transforms.records.archive_format.archived import Archived
from transforms.records.archive_format.runs import Gathering
from transforms.records.dead_letters.redacted import kept_value
from transforms.records.decode import Decoded, decode_record
from transforms.records.outcomes import Outcome
from transforms.records.record import KafkaRecord, make_ver
from transforms.records.rejects import Fault, Reason, Reject, Step
from transforms.records.tenancy.tenant import TenantRules
from transforms.steps import decode, key_by_tenant, plan, resolve_tenants
from transforms.steps import fold as fold_step
from transforms.steps.archive import ArchiveRecordsFn
from transforms.steps.decode import DecodeRecordsFn, WireSettings
from transforms.steps.elements import AcceptedChunk, DecodedChunk, RecordChunk, Resolved, ResolvedChunk, TenantMutations
from transforms.steps.fold import FoldMutationsFn
from transforms.steps.key_by_tenant import KeyByTenantFn
from transforms.steps.plan import PlanBatchesFn
from transforms.steps.resolve_tenants import ResolveTenantsFn
from transforms.steps.write import WriteGraphFn
from transforms.steps.write_tenant import MOST_DEFECTS, Settled, TenantWriter

BAD = 2
SECRET = "hunter2"


class Defect(ZeroDivisionError):
    """What no line of the job foresees."""


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production."""
    monkeypatch.delenv(unforeseen.SWITCH)
    monkeypatch.setattr(unforeseen, "_told", set())
    unforeseen.counted()


def pods(number: int = 4) -> list[KafkaRecord]:
    return [kafka_record(RESOURCES, json_of(POD, name=f"p{at}"), f"af-10::pod:shop:p{at}".encode(), offset=at) for at in range(number)]


def owned(number: int = 4) -> ResolvedChunk:
    return ResolvedChunk(Resolved(TENANT, decode_record(record)) for record in pods(number))


def rejects(given: Iterable[Any]) -> list[Reject]:
    found = [one.value for one in given if isinstance(one, TaggedOutput)]
    return [one.value if isinstance(one, WindowedValue) else one for one in found]


def are_internal(found: list[Reject], step: Step) -> bool:
    return [(one.record.offset, one.reason, one.step) for one in found] == [(BAD, Reason.INTERNAL, step)]


def fails_at(work: Callable[..., Any], is_bad: Callable[..., bool]) -> Callable[..., Any]:
    """The function with a defect."""

    def broken(*arguments: Any, **more: Any) -> Any:
        if is_bad(*arguments):
            raise Defect(SECRET)
        return work(*arguments, **more)

    return broken


def test_in_tests_it_goes_on_as_it_is_and_a_fault_of_the_infrastructure_always_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Defect):
        unforeseen.unforeseen(Defect(), Step.DECODE)
    monkeypatch.delenv(unforeseen.SWITCH)
    with pytest.raises(InfrastructureFault):
        unforeseen.unforeseen(InfrastructureFault("Neo4j is away."), Step.WRITE)


@pytest.mark.usefixtures("net")
def test_its_traceback_is_logged_once_and_nothing_of_the_record() -> None:
    with capture_logs() as logs:
        for _ in range(3):
            try:
                fails_at(len, lambda *_: True)()
            except Defect as error:
                fault = unforeseen.unforeseen(error, Step.DECODE, pods()[0], TENANT)
    (said,) = logs
    assert said["record"] == "state.k8s.resource[0]@0"
    assert "test_unforeseen.py" in said["traceback"]
    assert said["log_level"] == "error"
    assert fault.reason is Reason.INTERNAL
    assert "Defect at tests/unit/transforms/io/test_unforeseen.py:" in fault.detail
    assert SECRET not in fault.detail + str(logs)
    assert unforeseen.counted() == {Step.DECODE: 3}


@pytest.mark.usefixtures("net")
def test_decoding_fails_for_the_record_at_fault_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "decode_record", fails_at(decode_record, lambda record: record.offset == BAD))
    (found,) = DecodeRecordsFn("", WireSettings()).process(RecordChunk(pods()))
    assert [one.fault.reason if one.fault else None for one in found] == [None, None, Reason.INTERNAL, None]
    assert found[BAD].key.client_id == TENANT
    assert not getattr(found[BAD].fault, "parsed", True), "nobody has looked into it: a state record is withheld from the dead letters"


def test_in_tests_decoding_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "decode_record", fails_at(decode_record, lambda record: record.offset == BAD))
    with pytest.raises(Defect):
        list(DecodeRecordsFn("", WireSettings()).process(RecordChunk(pods())))


@pytest.mark.usefixtures("net")
def test_finding_the_tenant_fails_for_the_record_at_fault_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        resolve_tenants, "resolve", fails_at(resolve_tenants.resolve, lambda decoded, _resolver: decoded.record.offset == BAD)
    )
    step = ResolveTenantsFn(TenantRules(), None)
    step.start_bundle()
    given = list(step.process(DecodedChunk(map(decode_record, pods())), 0))
    assert are_internal(rejects(given), Step.RESOLVE_TENANT)
    assert [len(one) for one in given if isinstance(one, ResolvedChunk)] == [3]


@pytest.mark.usefixtures("net")
def test_interpreting_fails_for_the_record_at_fault_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = fails_at(interpret, lambda _topic, body, *_: body.name == f"p{BAD}")
    monkeypatch.setattr(key_by_tenant, "interpret", broken)
    given = keyed()
    assert are_internal(rejects(given), Step.INTERPRET)
    assert offsets_of(folded(given)) == [0, 1, 3]


@pytest.mark.usefixtures("net")
def test_what_cannot_be_sent_between_steps_is_rejected_and_the_rest_of_the_bundle_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_bad(ones: Sequence[Interpreted]) -> bool:
        return any(one.record is not None and one.record.offset == BAD for one in ones)

    monkeypatch.setattr(key_by_tenant, "_ENCODE", fails_at(key_by_tenant._ENCODE, is_bad))
    given = keyed()
    assert are_internal(rejects(given), Step.INTERPRET)
    assert offsets_of(folded(given)) == [0, 1, 3]


@pytest.mark.usefixtures("net")
def test_folding_fails_for_the_record_at_fault_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(into: Folded, more: Iterable[Interpreted], *, keeps: bool = False) -> int:
        held = list(more)
        for one in held:
            if one.record is not None and one.record.offset == BAD:
                raise Defect(SECRET)
            fold(into, (one,), keeps=keeps)
        return 0

    given = keyed()
    monkeypatch.setattr(fold_step, "fold", broken)
    after = list(FoldMutationsFn().process(((TENANT, 0), sent(given))))
    assert are_internal(rejects(after), Step.FOLD)
    assert offsets_of(after) == [0, 1, 3]


@pytest.mark.usefixtures("net")
def test_cutting_batches_fails_for_the_record_at_fault_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_bad(ones: Sequence[Interpreted], *_: int) -> bool:
        return any(one.record is not None and one.record.offset == BAD for one in ones)

    (whole,) = folded(keyed())
    monkeypatch.setattr(plan, "cut_batches", fails_at(cut_batches, is_bad))
    given = list(PlanBatchesFn(100, 1 << 20).process(whole))
    assert are_internal(rejects(given), Step.PLAN)
    assert offsets_of(given) == [0, 1, 3]


def keyed(number: int = 4) -> list[Any]:
    step = KeyByTenantFn(1)
    step.start_bundle()
    return [*step.process(owned(number), 0), *step.finish_bundle()]


def sent(given: Iterable[Any]) -> list[bytes]:
    return [one.value[1] for one in given if isinstance(one, WindowedValue)]


def folded(given: Iterable[Any]) -> list[TenantMutations]:
    return [one for one in FoldMutationsFn().process(((TENANT, 0), sent(given))) if isinstance(one, TenantMutations)]


def offsets_of(given: Iterable[Any]) -> list[int]:
    held = (one for batch in given if isinstance(batch, TenantMutations) for one in batch.mutations)
    return sorted(one.record.offset for one in held if one.record is not None)


def rows(number: int) -> list[Interpreted]:
    records = (kafka_record(TARGETS, b"x", offset=at) for at in range(number))
    return [
        Interpreted(DeleteReferrer(TENANT, make_ver(AT_MS * 1000, TARGETS, 0, one.offset), "PromTarget", f"key-{one.offset}"), one)
        for one in records
    ]


def keys(batch: Sequence[Any]) -> Iterator[str]:
    return (one.key for one in batch)


def test_a_row_at_which_the_job_fails_is_found_and_rejected_as_internal() -> None:
    store = FailingStore(writes=lambda batch: RowRefused("a defect", is_internal=True) if f"key-{BAD}" in keys(batch) else None)
    settled = TenantWriter(store, Quarantine(store), 3).write(TENANT, rows(8))
    step = WriteGraphFn.__new__(WriteGraphFn)
    step._rejects, step._touched = [], set()
    step._settle([settled])
    assert are_internal(step._rejects, Step.WRITE)
    assert (settled.rows, store.tried.count("probe")) == (7, 1)


def test_stored_state_that_cannot_be_understood_at_one_row_is_internal() -> None:
    store = FailingStore(writes=lambda batch: TenantFault("not understood", is_internal=True) if "key-0" in keys(batch) else None)
    settled = TenantWriter(store, Quarantine(store), 3, lambda _: None).write(TENANT, rows(2))
    assert [getattr(outcome, "is_internal", outcome) for _, outcome in settled.results] == [True, Outcome.WRITTEN]


def test_a_defect_that_too_many_rows_show_sets_the_tenant_aside_and_no_other() -> None:
    many = {f"key-{at}" for at in range(MOST_DEFECTS + 1)}
    store = FailingStore(writes=lambda batch: RowRefused("a defect", is_internal=True) if many & {*keys(batch)} else None)
    writer = TenantWriter(store, Quarantine(store), 3)
    settled = writer.write(TENANT, rows(200))
    assert settled == Settled(TENANT, [], 0, set_aside="a defect", left=rows(200))
    assert store.marked == {TENANT: "a defect"}
    assert writer.write("af-11", rows(200)[50:]).rows == 150


@pytest.mark.usefixtures("net")
def test_a_defect_that_no_row_explains_sets_the_tenant_aside_and_no_other() -> None:
    store = FailingStore(writes=lambda batch: Defect(SECRET) if len(batch) == 8 else None)
    writer = TenantWriter(store, Quarantine(store), 3)
    settled = writer.write(TENANT, rows(8))
    assert "Defect at tests/support/failing_store.py" in settled.set_aside
    assert {*store.marked} == {TENANT}
    assert writer.write("af-11", rows(7)).rows == 7


def test_in_tests_a_defect_of_the_writer_raises() -> None:
    store = FailingStore(writes=lambda _: Defect())
    with pytest.raises(Defect):
        TenantWriter(store, Quarantine(store), 3).write(TENANT, rows(1))


@pytest.mark.usefixtures("net")
def test_a_record_that_cannot_be_archived_is_archived_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Archiving, client_id: str, decoded: Decoded) -> Archived:
        if decoded.record.offset == BAD:
            raise Defect(SECRET)
        return Archived(decoded.record, client_id)

    monkeypatch.setattr(Archiving, "archived", broken)
    step = ArchiveRecordsFn("unused", "", WireSettings())
    step._archiving, step._gathering = Archiving(decode_record), Gathering()
    list(step.process(AcceptedChunk(owned())))
    gathered = step._gathering.taken()
    assert [(one.record.offset, one.record.value, one.withheld is not None) for one in gathered.others] == [(BAD, None, True)]
    assert sum(len(run.offsets) for run in gathered.runs) == 3


@pytest.mark.usefixtures("net")
def test_a_letter_that_cannot_be_redacted_is_written_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadletters, "kept_value", fails_at(kept_value, lambda *_: True))
    record = kafka_record(EVENTS, json_of(EVENT), offset=BAD)
    letter = letter_of(Reject(record, TENANT, Step.DECODE, Reason.BAD_TIME, "why"))
    assert (letter.reason, letter.offset, letter.value, letter.withheld) == ("bad_time", BAD, None, True)
    assert letter.value_bytes == len(record.value or b"")
    assert unforeseen.counted() == {Step.DEAD_LETTER: 1}


def test_faults_stay_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise Fault(Reason.BAD_VALUE, "as ever")

    monkeypatch.setattr(key_by_tenant, "interpret", refused)
    assert [one.reason for one in rejects(keyed(1))] == [Reason.BAD_VALUE]
