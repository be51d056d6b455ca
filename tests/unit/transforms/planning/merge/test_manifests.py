"""Manifests: what they leave out is gone since their time, and nothing else; in any order."""

from itertools import permutations
from typing import Any

import pytest

from scripts.sampling.record import json_bytes
from tests.support.play import graph_of, live
from transforms.planning.facts.changes import Drift
from transforms.planning.facts.mutations import EndAbsent, Mutation, UpsertNode
from transforms.planning.facts.values import digest_of
from transforms.records.agent.markers import manifest_part
from transforms.records.decode import Decoded, decode_record
from transforms.records.envelopes.types import Manifest
from transforms.records.manifests import PART_ENTRIES, entry_of, parts_at, parts_of, rid_hash, split
from transforms.records.record import KafkaRecord, make_ver
from transforms.records.rejects import Reason
from transforms.records.topic_names import RESOURCES
from transforms.testing.memory_graph import MemoryGraphStore

T_MS = 1_767_225_600_000
TENANT = "af-10"


def pod(name: str, second: int, uid: str = "u") -> UpsertNode:
    props = {"kind": "Pod", "ns": "shop", "name": name, "uid": uid}
    return UpsertNode(
        TENANT, make_ver((T_MS + second * 1000) * 1000, RESOURCES, 0, second), f"pod:shop:{name}", uid, props, digest_of(props)
    )


def manifest(second: int, *alive: tuple[str, str], part: str = "") -> EndAbsent:
    entries = b"".join(sorted(entry_of(f"pod:shop:{name}", uid) for name, uid in alive))
    return EndAbsent(TENANT, make_ver((T_MS + second * 1000) * 1000, RESOURCES, 0, 1000 + second), "pod", part, entries)


def played(mutations: list[Mutation]) -> tuple[set[str], list[Drift]]:
    store = MemoryGraphStore()
    drifts = [store.write_batch(TENANT, [one]).drift for one in mutations]
    return {rid for rid, props in store.tenants[TENANT].resources.items() if not props.get("stub")}, drifts


def each_order(*world: Mutation) -> list[list[Mutation]]:
    return [list(order) for order in permutations(world)]


def test_what_a_manifest_leaves_out_is_gone_in_any_order() -> None:
    for order in each_order(pod("a", 1), pod("b", 2), manifest(5, ("a", "u")), pod("late", 6)):
        assert played(order)[0] == {"pod:shop:a", "pod:shop:late"}


def test_an_object_made_anew_under_its_name_is_another_one() -> None:
    for order in each_order(pod("a", 1, "first"), manifest(5, ("a", "second")), pod("a", 2, "second")):
        assert played(order)[0] == {"pod:shop:a"}
    assert played([pod("a", 1, "first"), manifest(5, ("a", "second"))])[0] == set()


def test_a_later_manifest_that_names_it_again_wins_whatever_comes_first() -> None:
    for order in each_order(pod("a", 1), manifest(5), manifest(9, ("a", "u"))):
        assert played(order)[0] == {"pod:shop:a"}


def test_a_part_speaks_for_its_own_objects_alone_and_the_newest_granularity_wins() -> None:
    part = parts_at("pod:shop:a")[1]
    other = next(name for name in (f"p{n}" for n in range(100)) if parts_at(f"pod:shop:{name}")[1] != part)
    for order in each_order(pod("a", 1), pod(other, 1), manifest(5, part=part)):
        assert played(order)[0] == {f"pod:shop:{other}"}
    for order in each_order(pod("a", 1), manifest(5, part=part), manifest(7, ("a", "u"))):
        assert played(order)[0] == {"pod:shop:a"}


def test_both_sides_are_compared() -> None:
    _, drifts = played([pod("a", 1), pod("b", 2), manifest(5, ("a", "u"), ("never-told", "u"))])
    assert drifts == [Drift(), Drift(), Drift(gone=1, missing=1)]
    assert played([pod("a", 1), manifest(5, ("a", "u"))])[1][-1] == Drift()


def test_a_manifest_costs_24_bytes_an_object_and_its_parts_are_all_of_it() -> None:
    for number in (0, 1, PART_ENTRIES, PART_ENTRIES + 1, 70_000):
        entries = [entry_of(f"pod:ns:{n}", str(n)) for n in range(number)]
        parts = dict(parts_of(entries))
        assert len(parts) == (1 if number <= PART_ENTRIES else 16 if number <= 16 * PART_ENTRIES else 256)
        assert sorted(one for held in parts.values() for one in split(held)) == sorted(entries)
        wire = sum(len(manifest_part("Pod", "v1", T_MS, part, held)) for part, held in parts.items())
        assert wire <= 24 * number + 150 * len(parts)


def read(value: bytes, at_ms: int = T_MS) -> Decoded:
    return decode_record(KafkaRecord(RESOURCES, 0, 1, at_ms, b"af-10::manifest:pod", value))


def told(**fields: Any) -> Decoded:
    body = {"op": "MANIFEST", "at": "2026-01-01T00:00:00Z", "kind": "Pod", "apiVersion": "v1", "part": "", "alive": ""} | fields
    return read(json_bytes(body))


def test_what_an_agent_writes_is_read() -> None:
    entries = [entry_of(f"pod:shop:{n}", str(n)) for n in range(50)]
    ((part, held),) = parts_of(entries)
    decoded = read(manifest_part("Pod", "v1", T_MS, part, held), T_MS + 9000)
    assert isinstance(decoded.body, Manifest)
    assert decoded.ver.startswith(make_ver(T_MS * 1000, "", 0, 0)[:18])
    assert decoded.key.client_id == TENANT


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"alive": "zz"}, Reason.BAD_VALUE),
        ({"alive": "00" * 11}, Reason.BAD_VALUE),
        ({"alive": "AA" * 12}, Reason.BAD_VALUE),
        ({"alive": "02" * 12 + "01" * 12}, Reason.BAD_VALUE),
        ({"alive": "01" * 12 + "01" * 12}, Reason.BAD_VALUE),
        ({"alive": "01" * 12, "part": "f"}, Reason.BAD_VALUE),
        ({"part": "F"}, Reason.BAD_VALUE),
        ({"part": "000"}, Reason.BAD_VALUE),
        ({"alive": 7}, Reason.WRONG_TYPE),
        ({"kind": "po:d"}, Reason.WRONG_TYPE),
        ({"at": "2031-01-01T00:00:00Z"}, Reason.BAD_TIME),
    ],
)
def test_what_is_no_manifest_is_rejected(fields: dict[str, Any], reason: Reason) -> None:
    fault = told(**fields).fault
    assert fault is not None
    assert fault.reason is reason


def test_too_many_entries_are_rejected() -> None:
    entries = sorted(rid_hash(str(n)) + b"0000" for n in range(20_001))
    fault = told(alive=b"".join(entries).hex()).fault
    assert fault is not None
    assert fault.reason is Reason.BAD_VALUE


def test_an_object_that_holds_the_word_is_an_object() -> None:
    body = {"op": "UPSERT", "at": "2026-01-01T00:00:00Z", "kind": "Widget", "apiVersion": "x.io/v1", "name": "a", "replicas": "MANIFEST"}
    graph = graph_of((RESOURCES, "widget.x.io::a", body))
    assert "widget.x.io::a" in live(graph)
