"""Snapshots: a complete one ends what it left out, an incomplete one nothing, in any order."""

from itertools import permutations

import pytest

from scripts.sampling.record import RESOURCES, SampleRecord, json_bytes
from tests.support.in_memory import played
from transforms.planning.facts.mutations import EndSnapshot, Mutation, UpsertEdge, UpsertReferrer
from transforms.planning.interpret.dispatch import interpret
from transforms.planning.merge.snapshots import end_before
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Filtered, Snapshot
from transforms.records.outcomes import Outcome
from transforms.records.record import KafkaRecord, make_ver
from transforms.records.rejects import Reason
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.steps.elements import Resolved
from transforms.steps.resolve_tenants import resolve
from transforms.testing.memory_graph import MemoryGraphStore

T_MS = 1_772_352_000_000


def at(second: int) -> str:
    return f"2026-03-01T08:00:{second:02d}Z"


def pod(name: str, second: int, kind: str = "Pod") -> SampleRecord:
    body = {"op": "UPSERT", "at": at(second), "kind": kind, "namespace": "shop", "name": name, "node": "n1"}
    return SampleRecord(RESOURCES, f"af-10::pod:shop:{name}".encode(), json_bytes(body), T_MS + 1000 * second)


def marker(op: str, second: int, **more: str) -> SampleRecord:
    body = {"op": op, "at": at(second), "kind": "Pod", **more}
    return SampleRecord(RESOURCES, b"af-10::snapshot:Pod", json_bytes(body), T_MS + 1000 * second)


def begin(second: int) -> SampleRecord:
    return marker("SNAPSHOT_BEGIN", second)


def end(second: int, began: int) -> SampleRecord:
    return marker("SNAPSHOT_END", second, began=at(began))


def live(store: MemoryGraphStore) -> set[str]:
    return {rid for rid, node in store.tenants["af-10"].resources.items() if "stub" not in node}


def test_what_a_complete_snapshot_left_out_is_gone_in_any_order() -> None:
    records = [pod("a", 1), pod("b", 1), pod("c", 1, kind="Service"), begin(10), pod("a", 11), end(12, began=10), pod("d", 20)]
    offsets = range(len(records))
    graphs = set()
    for order in list(permutations(zip(records, offsets, strict=True)))[::37]:
        store, rejects = played([record for record, _ in order], offsets=[offset for _, offset in order])
        assert rejects == []
        assert live(store) == {"pod:shop:a", "service:shop:c", "pod:shop:d"}
        graphs.add(store.digest("af-10").hexdigest())
    assert len(graphs) == 1


def test_a_snapshot_that_did_not_end_takes_nothing_away() -> None:
    store, _ = played([pod("a", 1), begin(10), pod("b", 11)])

    assert live(store) == {"pod:shop:a", "pod:shop:b"}


def test_an_object_reported_at_the_moment_of_the_beginning_is_in_the_snapshot() -> None:
    store, _ = played([pod("a", 10), pod("b", 9), end(12, began=10)])

    assert live(store) == {"pod:shop:a"}


def test_an_older_snapshot_that_ends_later_takes_nothing_more_away() -> None:
    store, _ = played([pod("a", 15), end(20, began=14), pod("b", 16), end(30, began=5)])

    assert live(store) == {"pod:shop:a", "pod:shop:b"}


def test_an_object_that_was_left_out_and_is_reported_again_lives_again() -> None:
    store, _ = played([pod("a", 1), end(12, began=10), pod("a", 30)])

    assert live(store) == {"pod:shop:a"}
    assert any(triple.type == "RUNS_ON" for triple in store.tenants["af-10"].triples())


def test_another_tenants_objects_and_other_kinds_stay() -> None:
    other = pod("a", 1)._replace(key=b"af-11::pod:shop:a")
    store, _ = played([pod("a", 1), other, pod("s", 1, kind="Deployment"), end(12, began=10)])

    assert live(store) == {"deployment:shop:s"}
    assert "pod:shop:a" in store.tenants["af-11"].resources


def decoded(record: SampleRecord) -> tuple[object, object]:
    found = decode_record(KafkaRecord(record.topic, 0, 7, record.timestamp_ms, record.key, record.value))
    return found.body, found.fault and found.fault.reason


def test_markers_are_read_and_counted_as_control() -> None:
    begun = decode_record(KafkaRecord(RESOURCES, 0, 7, T_MS, b"af-10::x", begin(0).value))
    assert begun.body == Filtered(is_control=True)
    assert resolve(begun, TenantResolver(TenantRules())) == ("af-10", Outcome.CONTROL)
    ended = decode_record(KafkaRecord(RESOURCES, 0, 7, T_MS + 9000, b"af-10::x", end(9, began=3).value))
    owned = resolve(ended, TenantResolver(TenantRules()))
    assert isinstance(owned, Resolved)
    assert isinstance(ended.body, Snapshot)
    (mutation,) = interpret(RESOURCES, ended.body, "af-10", ended.ver)
    assert mutation == EndSnapshot("af-10", make_ver(T_MS * 1000 + 3_000_000, RESOURCES, 0, 7), "pod")
    assert MemoryGraphStore().write_batch("af-10", [mutation]).outcomes == [Outcome.CONTROL]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (marker("SNAPSHOT_END", 9), Reason.MISSING_FIELD),
        (end(9, began=10), Reason.BAD_TIME),
        (marker("SNAPSHOT_STOP", 9), Reason.WRONG_TYPE),
        (marker("SNAPSHOT_END", 9, began="yesterday"), Reason.WRONG_TYPE),
    ],
)
def test_a_marker_that_ends_nothing_is_a_fault(record: SampleRecord, reason: Reason) -> None:
    assert decoded(record) == (None, reason)


def test_what_ends_before_a_moment_is_less_than_every_version_of_it() -> None:
    moment = make_ver(1_000, "a", 0, 0)

    assert make_ver(999, "zzz", 9, 9) < end_before(moment) < moment


def test_a_stub_that_only_an_episode_holds_is_still_ended_by_a_snapshot() -> None:
    """Its last relationship goes in a batch after which an episode alone refers to it."""

    def edge(offset: int, kind: str, source: str, target: str) -> UpsertEdge:
        return UpsertEdge("af-10", make_ver(1, "t", 0, offset), "e1", kind, source, target)

    line = UpsertReferrer("af-10", make_ver(1, "t", 0, 5), "Episodic", "line", "pod:a:x", {"subject": "pod:a:x"}, b"h")
    store = MemoryGraphStore()
    batches: list[list[Mutation]] = [
        [EndSnapshot("af-10", make_ver(2, "t", 0, 0), "widget"), edge(1, "RUNS_ON", "pod:a:x", "node::n")],
        [line, edge(9, "CONTROLS", "widget::w", "pod:a:x")],
        [EndSnapshot("af-10", make_ver(2, "t", 0, 1), "pod")],
    ]
    for batch in batches:
        store.write_batch("af-10", batch)
    assert store.tenants["af-10"].references == {}
