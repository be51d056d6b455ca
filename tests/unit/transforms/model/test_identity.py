"""One object has one rid, however a record spells it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.model.identity import Rid, is_cluster_scoped, kind_token, label_of, looks_like_uid, make_rid, parse_rid


@pytest.mark.parametrize(
    ("kind", "api_version", "token"),
    [
        ("Pod", "", "pod"),
        ("Pod", "v1", "pod"),
        ("POD", "v1", "pod"),
        ("Deployment", "apps/v1", "deployment"),
        ("Deployment", "APPS/v1", "deployment"),
        ("Deployment", "extensions/v1beta1", "deployment"),
        ("StatefulSet", "extensions/v1beta1", "statefulset.extensions"),
        ("Service", "serving.knative.dev/v1", "service.serving.knative.dev"),
        ("Job", "batch.volcano.sh/v1alpha1", "job.batch.volcano.sh"),
        ("Deployment", "v1", "deployment.core"),
        ("Role", "rbac.authorization.k8s.io/v1", "role"),
        ("Role", "", "role"),
        ("Role", "iam.example.com/v1", "role.iam.example.com"),
        ("Role", "v1", "role.core"),
        ("ClusterRole", "iam.example.com/v1", "clusterrole.iam.example.com"),
        ("Event", "v1", "event"),
        ("Event", "events.k8s.io/v1", "event"),
        ("Event", "eventing.example.com/v1", "event.eventing.example.com"),
        ("Ingress", "extensions/v1beta1", "ingress"),
        ("Ingress", "networking.k8s.io/v1", "ingress"),
        ("Ingress", "config.openshift.io/v1", "ingress.config.openshift.io"),
        ("Secret", "example.com/v1", "secret.example.com"),
        ("Widget", "example.com/v1", "widget.example.com"),
        ("Gateway", "gateway.networking.k8s.io/v1", "gateway.gateway.networking.k8s.io"),
        ("Route", "v1", "route"),
        ("Scale", "autoscaling/v1", "scale"),
        ("IPAddress", "networking.k8s.io/v1", "ipaddress"),
        ("Widget", "", "widget"),
    ],
)
def test_a_kind_of_kubernetes_outside_its_home_group_bears_the_group(kind: str, api_version: str, token: str) -> None:
    assert kind_token(kind, api_version) == token


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "api_version", "rid"),
    [
        ("Pod", "shop", "p", "v1", "pod:shop:p"),
        ("Pod", "", "p", "v1", "pod::p"),
        ("Node", "", "n1", "v1", "node::n1"),
        ("Node", "shop", "n1", "v1", "node::n1"),
        ("ClusterRole", "shop", "system:node", "rbac.authorization.k8s.io/v1", "clusterrole::system:node"),
        ("Role", "shop", "system:leader", "", "role:shop:system:leader"),
        ("Role", "shop", "r", "iam.example.com/v1", "role.iam.example.com:shop:r"),
        ("ClusterRole", "shop", "r", "iam.example.com/v1", "clusterrole.iam.example.com:shop:r"),
        ("Service", "shop", "cart", "serving.knative.dev/v1", "service.serving.knative.dev:shop:cart"),
        ("Node", "shop", "n1", "example.com/v1", "node.example.com:shop:n1"),
        ("Widget", "shop", "w", "example.com/v1", "widget.example.com:shop:w"),
    ],
)
def test_a_rid_is_kind_namespace_and_name_without_a_namespace_for_cluster_scope(
    kind: str, namespace: str, name: str, api_version: str, rid: str
) -> None:
    assert str(make_rid(kind, namespace, name, api_version)) == rid


@pytest.mark.parametrize(
    ("text", "rid"),
    [
        ("pod:shop:p", Rid("pod", "shop", "p")),
        ("Pod:shop:P", Rid("pod", "shop", "P")),
        ("pod:shop:a:b::c", Rid("pod", "shop", "a:b::c")),
        ("node::n1", Rid("node", "", "n1")),
        ("node:n1", Rid("node", "", "n1")),
        ("node:shop:n1", Rid("node", "", "n1")),
        ("clusterrole::system:node", Rid("clusterrole", "", "system:node")),
        ("clusterrole:system:node", Rid("clusterrole", "", "system:node")),
        ("ClusterRole:system:node", Rid("clusterrole", "", "system:node")),
        ("clusterrole:system:controller:job", Rid("clusterrole", "", "system:controller:job")),
        ("clusterrole:view", Rid("clusterrole", "", "view")),
        ("clusterrolebinding:a:b", Rid("clusterrolebinding", "", "a:b")),
        ("clusterrolebinding::a:b", Rid("clusterrolebinding", "", "a:b")),
        ("clusterrole.iam.example.com:shop:r", Rid("clusterrole.iam.example.com", "shop", "r")),
        ("role:shop:system:leader", Rid("role", "shop", "system:leader")),
        ("persistentvolume:shop:v", Rid("persistentvolume", "", "v")),
        ("service.serving.knative.dev:shop:cart", Rid("service.serving.knative.dev", "shop", "cart")),
        ("widget:w", Rid("widget", "", "w")),
    ],
)
def test_every_form_of_the_grammar_names_its_object(text: str, rid: Rid) -> None:
    assert parse_rid(text) == rid


@pytest.mark.parametrize("text", ["", "pod", ":", "::", ":shop:p", "::p", "pod:", "pod::", "pod:shop:"])
def test_a_text_without_kind_or_name_names_no_object(text: str) -> None:
    assert parse_rid(text) is None


_WORD = st.text(alphabet="ab.-:", min_size=1, max_size=6)


@given(kind=st.sampled_from(["Pod", "node", "Widget", "CLUSTERROLE"]), namespace=st.text(alphabet="ab-", max_size=4), name=_WORD)
def test_a_rid_parsed_again_is_itself(kind: str, namespace: str, name: str) -> None:
    rid = make_rid(kind, namespace, name)
    assert parse_rid(str(rid)) == rid


@pytest.mark.parametrize(
    ("rid", "label"),
    [
        ("pod:shop:p", "Pod"),
        ("node::n1", "Node"),
        ("replicaset:shop:r", "ReplicaSet"),
        ("widget:shop:w", ""),
        ("service.serving.knative.dev:shop:cart", ""),
        ("configmap:shop:c", "ConfigMap"),
        ("gadget:shop:g", ""),
        ("Pod`:shop:p", ""),
    ],
)
def test_labels_come_from_the_closed_map_alone(rid: str, label: str) -> None:
    assert label_of(rid) == label


@pytest.mark.parametrize(
    ("text", "is_uid"),
    [
        ("0f9b3a52-7c1d-4e0a-9d57-3b1f6f1f2a10", True),
        ("0F9B3A52-7C1D-4E0A-9D57-3B1F6F1F2A10", True),
        ("d41d8cd98f00b204e9800998ecf8427e", True),
        ("D41D8CD98F00B204E9800998ECF8427E", False),
        ("0f9b3a52-7c1d-4e0a-9d57-3b1f6f1f2a10\n", False),
        ("0f9b3a52-7c1d-4e0a-9d57-3b1f6f1f2a1", False),
        ("0f9b3a52-7c1d-4e0a-9d57-3b1f6f1f2a1g", False),
        ("x0f9b3a52-7c1d-4e0a-9d57-3b1f6f1f2a10", False),
        ("0f9b3a527c1d-4e0a-9d57-3b1f6f1f2a10", False),
        ("", False),
        ("frontend-7c9d8b6f5-abcde", False),
    ],
)
def test_a_uid_is_an_rfc_4122_uuid_or_a_bare_hash(text: str, is_uid: bool) -> None:
    assert looks_like_uid(text) is is_uid


@pytest.mark.parametrize(
    ("token", "cluster_scoped"), [("node", True), ("clusterrole", True), ("pod", False), ("secret", False), ("widget", False)]
)
def test_only_kinds_known_to_be_cluster_scoped_are(token: str, cluster_scoped: bool) -> None:
    assert is_cluster_scoped(token) is cluster_scoped
