"""The closed map of kinds is consistent with itself and with what nodes hold."""

import re

import pytest

from transforms.model.graph import NODES
from transforms.model.kinds import (
    COLON_NAMED_TOKENS,
    HOME_GROUPS_OF_TOKEN,
    KIND_OF_TOKEN,
    KINDS,
    RESERVED_TOKENS,
    SCOPE_OF_TOKEN,
    Kind,
    Scope,
)
from transforms.records.tenancy.tenant import is_tenant_id

# What a resource record itself puts on a node; a promoted status property by one of these names would hide it.
_OWN_PROPERTIES = {
    *("client_id", "rid", "kind", "ns", "name", "uid", "api_version", "labels", "selector", "owners", "node"),
    *("pod_ip", "image", "replicas", "service_ips", "status", "stub", "ver", "hash", "implies"),
}


def test_no_two_kinds_share_a_token() -> None:
    assert len(KIND_OF_TOKEN) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_label_is_a_plain_identifier(kind: Kind) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z]{0,62}", kind.name)
    assert kind.groups


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_promoted_properties_are_plain_unique_and_hide_nothing(kind: Kind) -> None:
    promoted = [one.name for one in kind.status] + [*kind.spec]
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in promoted)
    assert len(set(promoted)) == len(promoted)
    assert not _OWN_PROPERTIES & set(promoted)
    assert not set(kind.bulky) & {one.path[0] for one in kind.status}


@pytest.mark.parametrize(
    ("token", "scope"),
    [
        ("pod", Scope.NAMESPACED),
        ("node", Scope.CLUSTER),
        ("namespace", Scope.CLUSTER),
        ("service", Scope.NAMESPACED),
        ("deployment", Scope.NAMESPACED),
        ("replicaset", Scope.NAMESPACED),
        ("statefulset", Scope.NAMESPACED),
        ("daemonset", Scope.NAMESPACED),
        ("job", Scope.NAMESPACED),
        ("persistentvolume", Scope.CLUSTER),
        ("persistentvolumeclaim", Scope.NAMESPACED),
        ("secret", Scope.NAMESPACED),
        ("storageclass", Scope.CLUSTER),
        ("serviceaccount", Scope.NAMESPACED),
        ("horizontalpodautoscaler", Scope.NAMESPACED),
    ],
)
def test_scopes_are_those_of_kubernetes(token: str, scope: Scope) -> None:
    assert SCOPE_OF_TOKEN[token] is scope


@pytest.mark.parametrize(
    ("token", "groups"),
    [
        ("pod", {""}),
        ("deployment", {"apps", "extensions"}),
        ("configmap", {""}),
        ("event", {"", "events.k8s.io"}),
        ("ingress", {"extensions", "networking.k8s.io"}),
        ("networkpolicy", {"extensions", "networking.k8s.io"}),
        ("endpointslice", {"discovery.k8s.io"}),
        ("storageclass", {"storage.k8s.io"}),
        ("horizontalpodautoscaler", {"autoscaling"}),
        ("cronjob", {"batch"}),
        ("role", {"rbac.authorization.k8s.io"}),
        ("clusterrole", {"rbac.authorization.k8s.io"}),
        ("customresourcedefinition", {"apiextensions.k8s.io"}),
    ],
)
def test_home_groups_are_those_of_kubernetes(token: str, groups: set[str]) -> None:
    assert HOME_GROUPS_OF_TOKEN[token] == groups


def test_every_kind_of_kubernetes_has_a_scope_and_a_home_group() -> None:
    assert set(HOME_GROUPS_OF_TOKEN) == set(SCOPE_OF_TOKEN) == RESERVED_TOKENS
    assert all(HOME_GROUPS_OF_TOKEN.values())
    assert all(HOME_GROUPS_OF_TOKEN[kind.token] == set(kind.groups) for kind in KINDS)


def test_the_names_that_may_hold_colons_are_those_of_cluster_scoped_rbac() -> None:
    assert {"clusterrole", "clusterrolebinding"} == COLON_NAMED_TOKENS
    assert {SCOPE_OF_TOKEN[token] for token in COLON_NAMED_TOKENS} == {Scope.CLUSTER}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            "deployment",
            {"ready_replicas": ("readyReplicas",), "available_replicas": ("availableReplicas",), "updated_replicas": ("updatedReplicas",)},
        ),
        (
            "pod",
            {
                "phase": ("phase",),
                "qos_class": ("qosClass",),
                "restarts": ("containerStatuses", "*", "restartCount"),
                "waiting_reason": ("containerStatuses", "*", "state", "waiting", "reason"),
            },
        ),
        ("job", {"active": ("active",), "succeeded": ("succeeded",), "failed": ("failed",)}),
    ],
)
def test_status_counters_are_promoted_in_snake_case(kind: str, names: dict[str, tuple[str, ...]]) -> None:
    assert {one.name: one.path for one in KIND_OF_TOKEN[kind].status} == names


def test_no_kind_can_be_a_tenant() -> None:
    assert set(KIND_OF_TOKEN) | {"secret", "event", "configmap", "lease"} <= RESERVED_TOKENS
    assert not [token for token in RESERVED_TOKENS if is_tenant_id(token)]
    assert all(token == token.lower() for token in RESERVED_TOKENS)


def test_no_kind_has_the_label_of_another_node() -> None:
    """The two would share a constraint, and resources would be taken for what the job keeps for itself."""
    assert not {kind.name for kind in KINDS} & {node.label for node in NODES}
