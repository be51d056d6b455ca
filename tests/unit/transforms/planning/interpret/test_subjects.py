"""Labels name an object only where that is certain, and of several the most specific."""

import pytest

from transforms.planning.interpret.subjects import concerned_object, scraped_object

META = "__meta_kubernetes_"
POD = {"namespace": "shop", "pod": "cart-1"}
SERVICE = {"namespace": "shop", "service": "cart"}
NODE = {"node": "n1"}
KUBELET = {"job": "kubelet"}
TELLER = {"job": "kube-state-metrics", "namespace": "shop", "pod": "ksm-7", "service": "ksm"}


@pytest.mark.parametrize(
    ("labels", "rid"),
    [
        ({}, ""),
        ({"job": "node", "instance": "demo.example:9100"}, ""),
        (POD, "pod:shop:cart-1"),
        (POD | SERVICE | NODE, "pod:shop:cart-1"),
        (SERVICE | NODE, "service:shop:cart"),
        (NODE, "node::n1"),
        ({"namespace": "shop"}, ""),
        ({"pod": "cart-1"}, ""),
        ({"service": "cart"}, ""),
        ({"pod": "cart-1", "node": "n1"}, "node::n1"),
        ({"namespace": "shop", "pod_name": "cart-1"}, "pod:shop:cart-1"),
        ({"kubernetes_namespace": "shop", "kubernetes_pod_name": "cart-1", "kubernetes_name": "cart"}, "pod:shop:cart-1"),
        ({"kubernetes_namespace": "shop", "kubernetes_name": "cart", "kubernetes_node": "n1"}, "service:shop:cart"),
        ({"kubernetes_node": "n1"}, "node::n1"),
        ({"namespace": "shop", "kubernetes_pod_name": "cart-1"}, ""),
        ({f"{META}namespace": "shop", f"{META}pod_name": "cart-1", f"{META}service_name": "cart"}, "pod:shop:cart-1"),
        (SERVICE | {f"{META}namespace": "shop", f"{META}pod_name": "cart-1"}, "pod:shop:cart-1"),
        ({f"{META}namespace": "shop", f"{META}service_name": "cart"}, "service:shop:cart"),
        ({f"{META}node_name": "n1"}, "node::n1"),
        ({f"{META}pod_node_name": "n1"}, ""),
        ({"namespace": "shop", "deployment": "cart"}, ""),
        (POD | {"pod": ""}, ""),
        (POD | {"pod": "{{ $labels.pod }}"}, ""),
        (POD | {"pod": "Not A Name"}, ""),
        (POD | {"namespace": "a:b"}, ""),
        (POD | {"pod": "x" * 254}, ""),
        (KUBELET | {"instance": "n1"}, "node::n1"),
        (KUBELET | {"instance": "n1.example.com:10250"}, "node::n1.example.com"),
        (KUBELET | {"namespace": "kube-system", "service": "kubelet", "node": "n2", "instance": "n1:10250"}, "node::n2"),
        (KUBELET | {"namespace": "kube-system", "service": "kubelet", "instance": "10.0.0.1:10250"}, "service:kube-system:kubelet"),
        ({"job": "kubernetes-nodes-cadvisor", "instance": "n1"}, "node::n1"),
        *(
            (KUBELET | {"instance": instance}, "")
            for instance in ("10.0.0.1:10250", "[fe80::1]:10250", "localhost:10250", "", "http://n1/")
        ),
        ({"job": "other", "instance": "n1"}, ""),
    ],
)
def test_a_target_scrapes_the_most_specific_object_that_its_labels_name(labels: dict[str, str], rid: str) -> None:
    assert scraped_object(labels) == rid


@pytest.mark.parametrize(
    ("labels", "rid"),
    [
        ({}, ""),
        ({"severity": "critical"}, ""),
        ({"namespace": "shop"}, "namespace::shop"),
        ({"namespace": "{{ $labels.namespace }}"}, ""),
        (POD | {"deployment": "cart"}, "pod:shop:cart-1"),
        ({"namespace": "shop", "deployment": "cart", "service": "cart"}, "deployment:shop:cart"),
        ({"namespace": "shop", "statefulset": "redis"}, "statefulset:shop:redis"),
        ({"namespace": "shop", "daemonset": "agent"}, "daemonset:shop:agent"),
        ({"namespace": "shop", "job_name": "nightly"}, "job:shop:nightly"),
        ({"namespace": "shop", "job": "nightly"}, "namespace::shop"),
        (SERVICE | NODE, "service:shop:cart"),
        (NODE | {"namespace": "monitoring"}, "node::n1"),
        (TELLER | {"deployment": "cart"}, "deployment:shop:cart"),
        (TELLER | {"node": "n1"}, "node::n1"),
        (TELLER | {"job_name": "nightly"}, "job:shop:nightly"),
        (TELLER | {"pod": "cart-1"}, "pod:shop:cart-1"),
        (POD | {"exported_namespace": "web", "exported_pod": "front-1"}, "pod:web:front-1"),
        (POD | {"exported_namespace": "web"}, "pod:shop:cart-1"),
        (POD | {"exported_pod": "front-1"}, "pod:shop:cart-1"),
        (TELLER | {"exported_namespace": "web", "exported_service": "front"}, "service:web:front"),
        (POD | {"exported_node": "n1"}, "node::n1"),
        (KUBELET | SERVICE | NODE, "node::n1"),
        (KUBELET | POD | NODE, "pod:shop:cart-1"),
    ],
)
def test_a_rule_or_alert_concerns_the_most_specific_object_that_its_labels_name(labels: dict[str, str], rid: str) -> None:
    assert concerned_object(labels) == rid
