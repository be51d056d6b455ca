"""The digest follows its published definition: equal exactly for equal live graphs, whatever the order."""

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.io.neo4j.digest import GraphDigest, combined
from transforms.model.graph import EPISODIC, RESOURCE, RULE, NodeLabel

_MOMENT = datetime(2026, 3, 1, 8, 0, 0, 5, tzinfo=UTC)


def _as_defined(nodes: int, relationships: int, lines: list[list[Any]]) -> str:
    """The definition in the module's docstring, written a second time with the standard library."""

    def text(value: Any) -> bytes:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    total = sum(int(sha256(text(line)).hexdigest(), 16) for line in lines) % 2**256
    return sha256(text([1, nodes, relationships, f"{total:064x}"])).hexdigest()


def _of(*nodes: tuple[NodeLabel, str, dict[str, Any]], edges: tuple[tuple[str, str, str], ...] = ()) -> str:
    digest = GraphDigest()
    for node, key, props in nodes:
        digest.add_node(node, key, props)
    for kind, source, target in edges:
        digest.add_relationship(kind, "Resource", source, "Resource", target)
    return digest.hexdigest()


def test_the_digest_is_what_its_definition_says() -> None:
    digest = GraphDigest()
    held = {"client_id": "af-10", "rid": "pod:shop:pä", "ver": "v", "hash": b"h", "name": "pä", "labels": ["b=1", "a=2"], "replicas": 3}
    digest.add_node(RESOURCE, "pod:shop:pä", held)
    digest.add_node(EPISODIC, "ev-1", {"eid": "ev-1", "event_time": _MOMENT, "count": 1})
    digest.add_relationship("ABOUT", "Episodic", "ev-1", "Resource", "pod:shop:pä")
    assert (digest.nodes, digest.relationships) == (2, 1)
    assert digest.hexdigest() == _as_defined(
        2,
        1,
        [
            ["node", "Resource", "pod:shop:pä", {"name": "pä", "labels": ["b=1", "a=2"], "replicas": 3}],
            ["node", "Episodic", "ev-1", {"event_time": "2026-03-01T08:00:00.000005+00:00", "count": 1}],
            ["rel", "ABOUT", "Episodic", "ev-1", "Resource", "pod:shop:pä"],
        ],
    )


def test_an_empty_graph_has_a_digest() -> None:
    assert GraphDigest().hexdigest() == _as_defined(0, 0, [])


@given(st.permutations([(RESOURCE, key, {"name": key}) for key in "abcd"]), st.permutations([("RUNS_ON", "a", "b"), ("SELECTS", "c", "d")]))
def test_the_order_of_nodes_and_relationships_does_not_count(
    nodes: list[tuple[NodeLabel, str, dict[str, Any]]], edges: list[tuple[str, str, str]]
) -> None:
    ordered = [(RESOURCE, key, {"name": key}) for key in "abcd"]
    assert _of(*nodes, edges=tuple(edges)) == _of(*ordered, edges=(("RUNS_ON", "a", "b"), ("SELECTS", "c", "d")))


@pytest.mark.parametrize("props", [{"ver": "x"}, {"hash": b"x"}, {"client_id": "x"}, {"rid": "x"}])
def test_versions_hashes_tenant_and_key_property_do_not_count(props: dict[str, Any]) -> None:
    assert _of((RESOURCE, "a", {"name": "a"} | props)) == _of((RESOURCE, "a", {"name": "a"}))


@pytest.mark.parametrize(
    "changed",
    [
        (RESOURCE, "b", {"name": "a", "n": 1}),
        (RULE, "a", {"name": "a", "n": 1}),
        (RESOURCE, "a", {"name": "b", "n": 1}),
        (RESOURCE, "a", {"name": "a", "n": 2}),
        (RESOURCE, "a", {"name": "a", "n": "1"}),
        (RESOURCE, "a", {"name": "a", "n": True}),
        (RESOURCE, "a", {"name": "a", "n": [1]}),
        (RESOURCE, "a", {"name": "a"}),
        (RESOURCE, "a", {"name": "a", "n": 1, "stub": True}),
        (RESOURCE, "a", {"name": "a", "n": 1, "subject": ""}),
    ],
)
def test_every_other_difference_of_a_node_counts(changed: tuple[NodeLabel, str, dict[str, Any]]) -> None:
    assert _of(changed) != _of((RESOURCE, "a", {"name": "a", "n": 1}))


@pytest.mark.parametrize("edges", [(), (("SELECTS", "a", "b"),), (("RUNS_ON", "b", "a"),), (("RUNS_ON", "a", "b"), ("RUNS_ON", "a", "b"))])
def test_every_difference_of_a_relationship_counts(edges: tuple[tuple[str, str, str], ...]) -> None:
    assert _of(edges=edges) != _of(edges=(("RUNS_ON", "a", "b"),))


def test_a_moment_counts_as_itself_in_every_zone() -> None:
    elsewhere = _MOMENT.astimezone(timezone(timedelta(hours=-5, minutes=-30)))
    assert _of((EPISODIC, "e", {"event_time": elsewhere})) == _of((EPISODIC, "e", {"event_time": _MOMENT}))
    assert _of((EPISODIC, "e", {"event_time": _MOMENT + timedelta(microseconds=1)})) != _of((EPISODIC, "e", {"event_time": _MOMENT}))


def test_the_combined_digest_counts_which_tenant_has_which() -> None:
    assert combined({"a": "1", "b": "2"}) == combined({"b": "2", "a": "1"})
    assert len({combined({"a": "1", "b": "2"}), combined({"a": "2", "b": "1"}), combined({"a": "1"}), combined({})}) == 4
