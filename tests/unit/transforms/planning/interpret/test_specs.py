"""What each kind gives the graph by its spec: properties and relationships, golden; and what is a fault."""

from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec
import pytest

from tests.support.wire import AT, RESOURCES, TENANT, json_of, kafka_record
from transforms.model.kinds import KIND_OF_TOKEN, KINDS, Kind
from transforms.planning.facts.implied import parse_implied
from transforms.planning.facts.mutations import UpsertNode
from transforms.planning.interpret.dispatch import interpret
from transforms.records.decode import decode_record
from transforms.records.rejects import Fault, Reason
from transforms.records.specs.table import SPEC_OF_TOKEN

HIDDEN = "MARKED-VALUE"


class Golden(NamedTuple):
    """An object, and what the graph makes of it besides what it is called."""

    kind: str
    envelope: dict[str, Any]
    props: dict[str, Any]
    triples: Collection[tuple[str, str, str]] = ()


def node_of(kind: str, name: str = "x", **envelope: Any) -> UpsertNode:
    body = {"op": "UPSERT", "at": AT, "kind": kind, "namespace": "shop", "name": name}
    decoded = decode_record(kafka_record(RESOURCES, json_of(body, **envelope)))
    assert decoded.body is not None
    # What its status shows to be wrong comes behind it, as episodes.
    mutation, *_ = interpret(RESOURCES, decoded.body, TENANT, "v")
    assert isinstance(mutation, UpsertNode)
    return mutation


def triples_of(node: UpsertNode) -> set[tuple[str, str, str]]:
    return {one.triple(node.rid) for one in parse_implied(node.props.get("implies", []))}


def fault_of(kind: str, **envelope: Any) -> Fault:
    with pytest.raises(Fault) as raised:
        node_of(kind, **envelope)
    return raised.value


POD_SPEC: dict[str, Any] = {
    "serviceAccountName": "runner",
    "serviceAccount": "older",
    "imagePullSecrets": [{"name": "registry"}, {"name": ""}, {}],
    "volumes": [
        {"name": "a", "configMap": {"name": "settings", "items": [{"key": "k", "path": "p"}]}},
        {"name": "b", "secret": {"secretName": "certificate", "optional": True}},
        {"name": "c", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "d", "emptyDir": {}},
        {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
        {
            "name": "e",
            "projected": {"sources": [{"serviceAccountToken": {}}, {"configMap": {"name": "root-ca"}}, {"secret": {"name": "joined"}}]},
        },
    ],
    "initContainers": [{"name": "i", "envFrom": [{"configMapRef": {"name": "init"}}]}],
    "containers": [
        {
            "name": "c",
            "envFrom": [{"secretRef": {"name": "all-of-it"}}, {"configMapRef": {"name": "settings"}}],
            "env": [
                {"name": "PLAIN", "value": HIDDEN},
                {"name": "FIELD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "one", "key": "k"}}},
                {"name": "TWO", "valueFrom": {"secretKeyRef": {"name": "two", "key": "k"}}},
            ],
        }
    ],
    "ephemeralContainers": [{"name": "debug", "envFrom": [{"configMapRef": {"name": "debug"}}]}],
}
POD_STATUS: dict[str, Any] = {
    "phase": "Pending",
    "containerStatuses": [
        {"name": "a", "restartCount": 2, "state": {"running": {"startedAt": AT}}},
        {"name": "b", "restartCount": 5, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
    ],
}
POD, CLAIM, INGRESS = "pod:shop:x", "persistentvolumeclaim:shop:x", "ingress:shop:x"


def mounts(*others: str) -> set[tuple[str, str, str]]:
    return {("MOUNTS", POD, other) for other in others}


CALLING = {"containers": [{"name": "c", "env": [{"name": "CART", "value": "cart:7070"}, {"name": "KEY", "value": HIDDEN}]}]}
GOLDEN = [
    Golden(
        "Pod",
        {"spec": POD_SPEC, "status": POD_STATUS},
        {"phase": "Pending", "service_account": "runner", "restarts": 7, "waiting_reason": "CrashLoopBackOff"},
        mounts(*(f"configmap:shop:{name}" for name in ("settings", "root-ca", "init", "one", "debug")))
        | mounts(*(f"secret:shop:{name}" for name in ("certificate", "joined", "all-of-it", "two", "registry")))
        | mounts("persistentvolumeclaim:shop:data", "persistentvolumeclaim:shop:x-scratch")
        | {("USES", POD, "serviceaccount:shop:runner")},
    ),
    Golden("Pod", {"spec": {"serviceAccount": "older"}}, {"service_account": "older"}, {("USES", POD, "serviceaccount:shop:older")}),
    Golden(
        "Node",
        {
            "spec": {
                "unschedulable": True,
                "taints": [{"key": "k", "effect": "NoSchedule"}, {"key": "a", "value": "1", "effect": "NoExecute"}],
            }
        },
        {"unschedulable": True, "taints": ["a=1:NoExecute", "k:NoSchedule"]},
    ),
    *(
        Golden(kind, {"spec": {"template": {"spec": CALLING}}}, {}, {("CALLS", f"{kind.lower()}:shop:x", "service:shop:cart")})
        for kind in ("Deployment", "StatefulSet", "DaemonSet")
    ),
    *(Golden(kind, {"spec": {"template": {"spec": CALLING}}}, {}) for kind in ("ReplicaSet", "Job")),
    Golden("Service", {"spec": {"selector": {"b": "2", "a": "1"}}}, {"selector": ["a=1", "b=2"]}),
    Golden(
        "CronJob",
        {
            "spec": {"schedule": "*/5 * * * *", "suspend": False, "jobTemplate": {}},
            "status": {"active": [{"name": "a"}, {"name": "b"}], "lastScheduleTime": AT},
        },
        {"schedule": "*/5 * * * *", "suspend": False, "active": 2, "last_schedule": AT},
    ),
    Golden(
        "Endpoints",
        {
            "spec": {
                "subsets": [
                    {
                        "addresses": [
                            {"ip": "10.0.0.1", "targetRef": {"kind": "Pod", "namespace": "shop", "name": "p"}},
                            {"ip": "10.0.0.2", "targetRef": {"kind": "Pod", "namespace": "other", "name": "q"}},
                            {"ip": "10.0.0.3", "targetRef": {"kind": "Node", "name": "n"}},
                            {"ip": "10.0.0.4"},
                        ],
                        "notReadyAddresses": [{"ip": "10.0.0.5", "targetRef": {"kind": "Pod", "name": "late"}}],
                    }
                ]
            }
        },
        {"ready_addresses": 4, "unready_addresses": 1},
        {("CONTROLS", "service:shop:x", "endpoints:shop:x"), ("ROUTES", "endpoints:shop:x", "pod:shop:p")},
    ),
    Golden("Endpoints", {"spec": {"subsets": None}}, {"ready_addresses": 0, "unready_addresses": 0}),
    Golden(
        "EndpointSlice",
        {
            "labels": {"kubernetes.io/service-name": "cart"},
            "spec": {
                "addressType": "IPv4",
                "endpoints": [
                    {"addresses": ["10.0.0.1"], "conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": "p"}},
                    {"addresses": ["10.0.0.2"], "conditions": {"ready": None}, "targetRef": {"kind": "Pod", "name": "q"}},
                    {"addresses": ["10.0.0.3"], "targetRef": {"kind": "Pod", "name": "r"}},
                    {"addresses": ["10.0.0.4"], "conditions": {"ready": False}, "targetRef": {"kind": "Pod", "name": "late"}},
                ],
            },
        },
        {"labels": ["kubernetes.io/service-name=cart"], "ready_addresses": 3, "unready_addresses": 1},
        {("CONTROLS", "service:shop:cart", "endpointslice:shop:x")} | {("ROUTES", "endpointslice:shop:x", f"pod:shop:{p}") for p in "pqr"},
    ),
    Golden(
        "Ingress",
        {
            "spec": {
                "ingressClassName": "nginx",
                "defaultBackend": {"service": {"name": "rest", "port": {"number": 80}}},
                "tls": [{"hosts": ["shop.example"], "secretName": "shop-tls"}, {"hosts": ["plain.example"]}],
                "rules": [
                    {"host": "shop.example", "http": {"paths": [{"path": "/", "backend": {"service": {"name": "frontend"}}}]}},
                    {"host": "api.example", "http": {"paths": [{"path": "/", "backend": {"service": {"name": "frontend"}}}]}},
                    {"http": {"paths": [{"backend": {"resource": {"kind": "Bucket", "name": "b"}}}]}},
                    {"host": "api.example"},
                ],
            }
        },
        {"hosts": ["api.example", "shop.example"], "ingress_class": "nginx"},
        {("ROUTES", INGRESS, "service:shop:rest"), ("ROUTES", INGRESS, "service:shop:frontend"), ("USES", INGRESS, "secret:shop:shop-tls")},
    ),
    Golden(
        "Ingress",
        {
            "apiVersion": "extensions/v1beta1",
            "spec": {
                "backend": {"serviceName": "rest"},
                "rules": [{"http": {"paths": [{"backend": {"serviceName": "old", "servicePort": 80}}]}}],
            },
        },
        {"api_version": "extensions/v1beta1"},
        {("ROUTES", INGRESS, "service:shop:rest"), ("ROUTES", INGRESS, "service:shop:old")},
    ),
    Golden(
        "NetworkPolicy",
        {"spec": {"podSelector": {"matchLabels": {"app": "cart"}}, "policyTypes": ["Ingress", "Egress"]}},
        {"selector": ["app=cart"], "policy_types": ["Egress", "Ingress"]},
    ),
    Golden("NetworkPolicy", {"spec": {"podSelector": {}}}, {"selector": ["*"]}, {("SELECTS", "networkpolicy:shop:x", "namespace::shop")}),
    Golden("NetworkPolicy", {"spec": {"policyTypes": []}}, {}),
    Golden(
        "NetworkPolicy",
        {
            "spec": {
                "podSelector": {
                    "matchExpressions": [
                        {"key": "tier", "operator": "In", "values": ["web", "api"]},
                        {"key": "zone", "operator": "NotIn", "values": ["a"]},
                        {"key": "example.com/safe", "operator": "Exists"},
                        {"key": "legacy", "operator": "DoesNotExist", "values": []},
                    ]
                }
            }
        },
        {"selector": ["!legacy", "example.com/safe", "tier in (api,web)", "zone notin (a)"]},
    ),
    Golden("ConfigMap", {"spec": {"data": {"b": HIDDEN, "a": HIDDEN}, "binaryData": {"c": HIDDEN}}}, {"keys": ["a", "b", "c"]}),
    Golden(
        "Secret",
        {"spec": {"type": "kubernetes.io/tls", "data": {"tls.key": HIDDEN, "tls.crt": None}, "stringData": {"note": HIDDEN}}},
        {"keys": ["note", "tls.crt", "tls.key"], "secret_type": "kubernetes.io/tls"},
    ),
    Golden("Secret", {"data": {"password": HIDDEN}, "stringData": {"p": HIDDEN}}, {}),
    Golden(
        "ServiceAccount",
        {"spec": {"secrets": [{"name": "token"}], "imagePullSecrets": [{"name": "registry"}, {}]}},
        {},
        {("USES", "serviceaccount:shop:x", "secret:shop:token"), ("USES", "serviceaccount:shop:x", "secret:shop:registry")},
    ),
    Golden(
        "PersistentVolumeClaim",
        {
            "spec": {
                "volumeName": "pv-1",
                "storageClassName": "fast",
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "8Gi"}},
            },
            "status": {"phase": "Bound", "capacity": {"storage": "10Gi"}},
        },
        {
            "phase": "Bound",
            "capacity": "10Gi",
            "volume": "pv-1",
            "storage_class": "fast",
            "storage_request": "8Gi",
            "access_modes": ["ReadWriteOnce"],
        },
        {("CLAIMS", CLAIM, "persistentvolume::pv-1"), ("USES", CLAIM, "storageclass::fast")},
    ),
    Golden(
        "PersistentVolumeClaim",
        {"spec": {"storageClassName": "", "resources": {"requests": {"storage": 1024}}}, "status": {"phase": "Pending"}},
        {"phase": "Pending", "storage_request": "1024"},
    ),
    Golden(
        "PersistentVolume",
        {
            "spec": {
                "capacity": {"storage": "10Gi"},
                "claimRef": {"namespace": "shop", "name": "data", "uid": "u"},
                "storageClassName": "fast",
                "persistentVolumeReclaimPolicy": "Retain",
                "accessModes": ["ReadWriteOnce"],
                "csi": {"driver": "d"},
            },
            "status": {"phase": "Bound"},
        },
        {
            "phase": "Bound",
            "capacity": "10Gi",
            "claim": "shop/data",
            "storage_class": "fast",
            "reclaim_policy": "Retain",
            "access_modes": ["ReadWriteOnce"],
        },
        {("USES", "persistentvolume::x", "storageclass::fast")},
    ),
    Golden(
        "StorageClass",
        {
            "spec": {
                "provisioner": "ebs.csi.aws.com",
                "reclaimPolicy": "Delete",
                "volumeBindingMode": "WaitForFirstConsumer",
                "allowVolumeExpansion": True,
                "parameters": {"type": "gp3"},
            }
        },
        {"provisioner": "ebs.csi.aws.com", "reclaim_policy": "Delete", "binding_mode": "WaitForFirstConsumer", "expandable": True},
    ),
    Golden(
        "HorizontalPodAutoscaler",
        {
            "spec": {
                "minReplicas": 2,
                "maxReplicas": 9,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"},
                "metrics": [],
            },
            "status": {"currentReplicas": 3, "desiredReplicas": 4},
        },
        {"target": "Deployment/cart", "min_replicas": 2, "max_replicas": 9, "current_replicas": 3, "desired_replicas": 4},
        {("SCALES", "horizontalpodautoscaler:shop:x", "deployment:shop:cart")},
    ),
    Golden(
        "HorizontalPodAutoscaler",
        {"spec": {"scaleTargetRef": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "cart"}}},
        {"target": "Service/cart"},
        {("SCALES", "horizontalpodautoscaler:shop:x", "service.serving.knative.dev:shop:cart")},
    ),
]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.kind)
def test_an_object_has_the_properties_and_relationships_that_its_spec_says(golden: Golden) -> None:
    node = node_of(golden.kind, **golden.envelope)

    # Facts have tests of their own.
    apart = {"kind", "ns", "name", "implies", "status", "facts", "ailing"}
    assert {name: value for name, value in node.props.items() if name not in apart} == golden.props
    assert triples_of(node) == set(golden.triples)
    assert HIDDEN not in repr(node)


def test_every_kind_with_a_spec_has_a_golden_object() -> None:
    assert {golden.kind.lower() for golden in GOLDEN} == set(SPEC_OF_TOKEN) <= set(KIND_OF_TOKEN)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.spec], ids=lambda kind: kind.name)
def test_what_the_model_lists_is_what_the_spec_gives_even_when_it_says_nothing(kind: Kind) -> None:
    empty = SPEC_OF_TOKEN[kind.token]()
    assert {getattr(empty, name) in (None, [], 0) for name in kind.spec} == {True}


@pytest.mark.parametrize("kind", sorted(SPEC_OF_TOKEN))
@pytest.mark.parametrize("spec", [{"spec": {}}, {"spec": None}, {}, {"spec": {"no": "field", "of": ["ours"]}}])
def test_a_spec_that_says_nothing_implies_nothing(kind: str, spec: dict[str, Any]) -> None:
    node = node_of(kind, **spec)
    assert set(node.props) <= {"kind", "ns", "name", "ready_addresses", "unready_addresses"}


@pytest.mark.parametrize("kind", sorted(SPEC_OF_TOKEN))
def test_a_spec_whose_every_field_is_null_is_taken(kind: str) -> None:
    fields = msgspec.structs.fields(SPEC_OF_TOKEN[kind])
    assert triples_of(node_of(kind, spec={field.encode_name: None for field in fields})) == set()


@pytest.mark.parametrize(
    ("kind", "spec", "where"),
    [
        ("Pod", [], "`object`"),
        ("Pod", {"volumes": {}}, "$.volumes"),
        ("Pod", {"volumes": [{"secret": {"secretName": 7}}]}, "$.volumes[0].secret.secretName"),
        ("Pod", {"containers": [{"env": "x"}]}, "$.containers[0].env"),
        ("Service", {"selector": {"a": 1}}, "$.selector"),
        ("Ingress", {"rules": [{"http": {"paths": [{"backend": []}]}}]}, "$.rules[0].http.paths[0].backend"),
        ("Secret", {"data": HIDDEN}, "$.data"),
        ("Secret", {"type": [HIDDEN]}, "$.type"),
        ("ConfigMap", {"data": [HIDDEN]}, "$.data"),
        ("NetworkPolicy", {"podSelector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}}, "$.podSelector.matchExpressions[0]"),
        ("NetworkPolicy", {"podSelector": {"matchExpressions": [{"key": "a=b", "operator": "Exists"}]}}, "$.podSelector"),
        ("NetworkPolicy", {"podSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["x,y"]}]}}, "$.podSelector"),
        ("HorizontalPodAutoscaler", {"scaleTargetRef": {"kind": "Dep:loyment", "name": "x"}}, "$.scaleTargetRef.kind"),
        ("HorizontalPodAutoscaler", {"minReplicas": "2"}, "$.minReplicas"),
        ("Endpoints", {"subsets": [{"addresses": [{"targetRef": {"kind": "Pod", "namespace": "a:b"}}]}]}, "$.subsets"),
        ("PersistentVolumeClaim", {"resources": {"requests": {"storage": []}}}, "$.resources.requests.storage"),
    ],
)
def test_a_mistyped_field_is_a_fault_that_names_the_field_and_shows_no_value(kind: str, spec: Any, where: str) -> None:
    fault = fault_of(kind, spec=spec)
    assert fault.reason is Reason.WRONG_TYPE
    assert "`spec`: " in fault.detail
    assert where in fault.detail
    assert HIDDEN not in fault.detail


def test_the_spec_of_another_groups_kind_of_the_same_name_is_not_read() -> None:
    node = node_of("Ingress", apiVersion="config.openshift.io/v1", spec={"rules": 7, "backend": {"serviceName": "s"}})
    assert (node.rid, triples_of(node)) == ("ingress.config.openshift.io:shop:x", set())


def test_what_is_not_declared_is_not_read_whatever_its_kind() -> None:
    assert "implies" not in node_of("Deployment", spec={"template": {"spec": POD_SPEC}, "volumes": 7}).props


@pytest.mark.parametrize(
    "envelope", [{"node": "n\x1fx"}, {"ownerRefs": [{"kind": "Job", "name": "j\x1fx"}]}, {"spec": {"serviceAccountName": "a\x1f\x1fx"}}]
)
def test_a_name_that_would_split_what_is_implied_is_a_fault(envelope: dict[str, Any]) -> None:
    assert fault_of("Pod", **envelope).reason is Reason.BAD_VALUE


@pytest.mark.parametrize(
    ("status", "props"),
    [
        ({"containerStatuses": []}, {}),
        ({"containerStatuses": {"restartCount": 1}}, {}),
        ({"containerStatuses": [{"restartCount": 0}, {"restartCount": "x"}, "y", None]}, {"restarts": 0}),
        (
            {"containerStatuses": [{"state": {"waiting": {"reason": "A"}}}, {"state": {"waiting": {"reason": "B"}}}]},
            {"waiting_reason": "A"},
        ),
    ],
)
def test_a_path_through_lists_takes_what_is_there(status: dict[str, Any], props: dict[str, Any]) -> None:
    found = node_of("Pod", status=status).props
    assert {name: found[name] for name in ("restarts", "waiting_reason") if name in found} == props
