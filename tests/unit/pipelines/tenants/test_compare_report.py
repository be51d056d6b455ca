"""What a comparison tells: as JSON whole, as text with its examples, and nothing that a terminal would obey."""

from typing import Any

import pytest

from pipelines.tenants.compare_report import comparison_object, print_comparison
from transforms.io.graph_admin.compare import Pair, TenantComparison, compare_tenant
from transforms.model.graph import RESOURCE, NodeLabel
from transforms.model.graph_mapping import parse_mapping
from transforms.planning.diff.comparison import Begins, Line


class HeldGraph:
    """A side that holds the resources of one tenant; written counts up with each look where it is busy."""

    def __init__(self, client_id: str, *lines: Line, is_busy: bool = False) -> None:
        self._client_id, self._lines, self._is_busy, self._looks = client_id, lines, is_busy, 0

    def tenants(self) -> list[str]:
        return [self._client_id]

    def writes(self, client_id: str) -> int | None:
        assert client_id == self._client_id
        self._looks += self._is_busy
        return self._looks

    def nodes(self, node: NodeLabel, client_id: str) -> Any:
        assert client_id == self._client_id
        return iter(self._lines if node is RESOURCE else ())

    def close(self) -> None:
        """Nothing is open."""


OLD = (Line("pod:shop:a", {"image": "x:1"}, [Begins("RUNS_ON", "Resource", "node::n")]), Line("pod:shop:b\x1b[31m", {}, []))
NEW = (Line("pod:shop:a", {"image": "x:2"}, []),)
SECRET = "password=hunter2hunter2"


def compared(left: HeldGraph, right: HeldGraph, pair: Pair, limit: int = 20) -> TenantComparison:
    return compare_tenant(left, right, pair, None, limit, lambda _number: None)


def test_equal_graphs_of_a_renamed_tenant_are_equal() -> None:
    one = compared(HeldGraph("af-10", *OLD), HeldGraph("eu-1", *OLD), Pair("af-10", "eu-1"))

    found = comparison_object([one], None)

    assert (one.is_equal, found["equal"]) == (True, True)
    (tenant,) = found["tenants"]
    assert tenant["left"] == {**tenant["right"], "client_id": "af-10"}
    assert (tenant["left"]["nodes"], tenant["left"]["relationships"]) == (2, 1)
    assert (tenant["nodes"], tenant["node_examples"], tenant["relationship_examples"]) == (
        {"only_left": 0, "only_right": 0, "differing": 0, "by": {}},
        [],
        [],
    )


def test_the_json_tells_counts_and_examples() -> None:
    one = compared(HeldGraph("a1", *OLD), HeldGraph("a1", *NEW, is_busy=True), Pair("a1", "a1"))

    found = comparison_object([one], None)

    assert found["equal"] is False
    assert found["compared"]["relationships"] == "all"
    (tenant,) = found["tenants"]
    assert tenant["nodes"] == {
        "only_left": 1,
        "only_right": 0,
        "differing": 1,
        "by": {"Resource": {"only_left": 1, "only_right": 0, "differing": 1}},
    }
    assert tenant["relationships"] == {"only_left": 1, "only_right": 0, "by": {"RUNS_ON": {"only_left": 1, "only_right": 0}}}
    assert tenant["node_examples"][0] == {
        "where": "differing",
        "label": "Resource",
        "key": "pod:shop:a",
        "properties": [{"name": "image", "left": "x:1", "right": "x:2", "withheld": False}],
    }
    assert tenant["relationship_examples"] == [{"where": "only_left", "type": "RUNS_ON", "from": "pod:shop:a", "to": "node::n"}]
    assert tenant["written_meanwhile"] == ["right"]
    assert tenant["left"]["digest"] != tenant["right"]["digest"]


def test_the_text_tells_the_same_and_obeys_no_graph(capsys: pytest.CaptureFixture[str]) -> None:
    one = compared(HeldGraph("a1", *OLD), HeldGraph("a1", *NEW, is_busy=True), Pair("a1", "a1"))

    print_comparison([one], None)
    out = capsys.readouterr().out

    assert "a1: differs: Resource pod:shop:a: image 'x:1', 'x:2'" in out
    assert "a1: only left: Resource pod:shop:b\\x1b[31m\n" in out
    assert "a1: only left: pod:shop:a -RUNS_ON-> node::n" in out
    assert "a1: written meanwhile on the right: compare again" in out
    assert out.rstrip().endswith("different: 1 of 1 tenant")
    assert "\x1b" not in out


def test_no_more_examples_than_asked_for_and_the_rest_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    many = [Line(f"pod:shop:{at}", {}, []) for at in range(5)]

    print_comparison([compared(HeldGraph("a1", *many), HeldGraph("a1"), Pair("a1", "a1"), limit=2)], None)

    out = capsys.readouterr().out
    assert out.count("only left: ") == 2
    assert "a1: and 3 more; --limit tells of more of them" in out


def test_secrets_are_in_neither(capsys: pytest.CaptureFixture[str]) -> None:
    left, right = (HeldGraph("a1", Line("pod:shop:a", {"status": text}, [])) for text in (SECRET, "password=REDACTED"))
    one = compared(left, right, Pair("a1", "a1"))

    print_comparison([one], None)

    assert "hunter2" not in capsys.readouterr().out + str(comparison_object([one], None))


def test_with_a_mapping_the_report_says_what_was_compared(capsys: pytest.CaptureFixture[str]) -> None:
    node = {"label": "Resource", "key": "{rid}", "properties": {"image": "img"}}
    mapping = parse_mapping({"nodes": {"Resource": node}, "relationships": {"RUNS_ON": "R"}})
    one = compare_tenant(HeldGraph("", *OLD), HeldGraph("a1", *OLD), Pair("", "a1"), mapping, 20, lambda _number: None)

    print_comparison([one], mapping)

    assert comparison_object([one], mapping)["compared"] == {"nodes": {"Resource": ["image"]}, "relationships": ["RUNS_ON"]}
    out = capsys.readouterr().out
    assert "compared by the mapping alone: Resource by key and image; relationships RUNS_ON" in out
    assert "equal: 1 tenant" in out
