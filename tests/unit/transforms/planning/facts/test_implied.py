"""What an object implies: its owners with their scope, and the node it runs on."""

import pytest

from transforms.model.identity import Rid
from transforms.planning.facts.implied import Implied, implied_by, parse_implied
from transforms.planning.facts.stored import Triple
from transforms.records.envelopes.types import OwnerRef

POD = Rid("pod", "shop", "p")


def owner_of(child: Rid, owner: OwnerRef) -> Implied:
    (found,) = parse_implied(implied_by(child, None, [owner]) or [])
    return found


@pytest.mark.parametrize(
    ("child", "owner", "other", "owner_uid"),
    [
        (POD, OwnerRef("ReplicaSet", "r", "apps/v1", "u"), "replicaset:shop:r", ""),
        (POD, OwnerRef("replicaset", "r", "", "u"), "replicaset:shop:r", ""),
        (POD, OwnerRef("Node", "n", "v1", "u"), "node::n", ""),
        (POD, OwnerRef("Widget", "w", "example.com/v1", "u"), "widget.example.com:shop:w", "u"),
        (POD, OwnerRef("Widget", "w", "example.com/v1"), "widget.example.com:shop:w", ""),
        (POD, OwnerRef("Service", "s", "serving.knative.dev/v1", "u"), "service.serving.knative.dev:shop:s", "u"),
        (Rid("clusterrole", "", "system:x"), OwnerRef("Widget", "w", "example.com/v1", "u"), "widget.example.com::w", ""),
    ],
)
def test_an_owner_is_named_by_the_model_or_guessed_in_the_childs_namespace(child: Rid, owner: OwnerRef, other: str, owner_uid: str) -> None:
    assert owner_of(child, owner) == Implied("CONTROLS", other, owner_uid)


def test_a_pod_runs_on_its_node_and_an_owner_controls_its_child() -> None:
    found = parse_implied(implied_by(POD, "n1", [OwnerRef("Job", "j")]) or [])

    assert [one.triple(str(POD)) for one in found] == [
        Triple("CONTROLS", "job:shop:j", "pod:shop:p"),
        Triple("RUNS_ON", "pod:shop:p", "node::n1"),
    ]


def test_only_pods_run_on_nodes_and_nothing_implied_leaves_no_property() -> None:
    assert implied_by(Rid("deployment", "shop", "d"), "n1", []) is None
    assert implied_by(POD, "", []) is None


def test_the_same_owner_twice_is_implied_once() -> None:
    assert implied_by(POD, None, [OwnerRef("Job", "j"), OwnerRef("Job", "j", "batch/v1")]) == ["CONTROLS\x1fjob:shop:j\x1f"]
