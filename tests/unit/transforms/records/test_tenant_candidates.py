"""Candidates are read off names, and a name that fits nothing names nobody."""

import pytest

from pipelines.options.tenants import PER_CLUSTER
from transforms.records.tenant_candidates import MEMBER_PATTERNS, candidates


@pytest.mark.parametrize(
    ("name", "client_id"),
    [
        ("graph-builder-af-10", "af-10"),
        ("kg-builder.af-10", "af-10"),
        ("af-10-graph-builder", "af-10"),
        ("af-10-agent-3", "af-10"),
        ("eu.west-1-consumer-group", "eu.west-1"),
        ("graph-build", None),
        ("console-consumer-12345", None),
        ("Graph-Builder-AF-10", None),
        ("graph-node", None),
    ],
)
def test_a_role_before_or_behind_makes_a_candidate_of_the_rest(name: str, client_id: str | None) -> None:
    found = candidates([], {name: ()}, (), MEMBER_PATTERNS)
    assert [one.client_id for one in found] == ([] if client_id is None else [client_id])


def test_topics_groups_and_members_are_told_together() -> None:
    groups = {"graph-builder-af-10": ("af-10-worker-1", "sarama"), "other": ("af-11-agent",)}
    found = candidates(["af-10.events.normalized", "events.normalized", "x.y"], groups, (PER_CLUSTER,), MEMBER_PATTERNS)
    assert {one.client_id: one.seen_in for one in found} == {
        "af-10": ("topic af-10.events.normalized", "group graph-builder-af-10", "member of graph-builder-af-10: af-10-worker-1"),
        "af-11": ("member of other: af-11-agent",),
    }
