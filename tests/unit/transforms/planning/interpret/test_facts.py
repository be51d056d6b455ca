"""The facts that explain failures: what is kept of a spec, and what is not."""

import json
from typing import Any

import pytest

from tests.unit.transforms.planning.interpret.test_specs import HIDDEN, node_of
from transforms.records.specs.pod_facts import MOST_BYTES

PROBED: dict[str, Any] = {
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}, {"key": "node.kubernetes.io/not-ready", "operator": "Exists"}],
    "containers": [
        {
            "name": "web",
            "image": "shop/web:1.4",
            "ports": [{"containerPort": 8080, "name": "http"}],
            "resources": {"requests": {"cpu": "100m", "memory": 1024}, "limits": {"memory": "64Mi"}},
            "livenessProbe": {"httpGet": {"path": "/x", "port": 8081}, "periodSeconds": 5},
        }
    ],
}


def facts(kind: str, spec: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node_of(kind, spec=spec).props.get("facts", "{}"))
    return found


def test_a_pod_keeps_ports_probes_amounts_and_where_it_may_run() -> None:
    assert facts("Pod", PROBED) == {
        "selector": {"disk": "ssd"},
        "tolerations": [["gpu", "Exists", "", ""]],
        "containers": [
            {
                "name": "web",
                "image": "shop/web:1.4",
                "ports": [[8080, "TCP", "http"]],
                "requests": {"cpu": "100m", "memory": "1024"},
                "limits": {"memory": "64Mi"},
                "probes": {"liveness": ["http", 8081, None, None, 5, None]},
            }
        ],
    }


def test_a_workload_keeps_its_templates_facts_and_labels() -> None:
    found = facts("Deployment", {"template": {"metadata": {"labels": {"app": "web"}}, "spec": PROBED}})
    assert found["labels"] == {"app": "web"}
    assert found["containers"][0]["image"] == "shop/web:1.4"


@pytest.mark.parametrize(
    ("value", "call"),
    [
        ("cart:7070", ["cart", "", 7070, "A"]),
        ("http://cart.shop:80", ["cart", "shop", 80, "A"]),
        ("redis://cart.shop.svc.cluster.local:6379/", ["cart", "shop", 6379, "A"]),
        *((value, None) for value in ("cart", "cart:0", "cart:70700", "10.0.0.1:80", "localhost:80", "cart.example.com:443")),
        *(
            (value, None)
            for value in (f"http://user:{HIDDEN}@cart:80", f"cart:80/{HIDDEN}", f"cart:80 {HIDDEN}", f"{HIDDEN}:80", 7, None, ["cart:80"])
        ),
    ],
)
def test_an_environment_keeps_addresses_of_services_and_no_other_value(value: Any, call: list[Any] | None) -> None:
    spec = {"containers": [{"name": "c", "env": [{"name": "A", "value": value}]}]}
    node = node_of("Pod", spec=spec)
    assert facts("Pod", spec).get("calls") == ([call] if call else None)
    assert HIDDEN not in repr(node)


@pytest.mark.parametrize(
    "odd", [7, "x", [7], {"a": 7}, [[]], [{}], [{"key": 7}], {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": 7}}]
)
@pytest.mark.parametrize("field", ["nodeSelector", "affinity", "tolerations", "schedulingGates", "hostNetwork", "schedulerName"])
def test_what_has_another_form_than_kubernetes_gives_it_is_no_fault(field: str, odd: Any) -> None:
    assert facts("Pod", {"containers": [{"name": "c"}], field: odd})["containers"] == [{"name": "c"}]


def test_facts_that_are_too_many_are_left_out_as_a_whole() -> None:
    many = [{"name": f"c{at}", "image": "x" * 400} for at in range(30)]
    assert "facts" not in node_of("Pod", spec={"containers": many}).props
    assert len(node_of("Pod", spec={"containers": many[:9]}).props["facts"]) <= MOST_BYTES


def test_facts_stay_json_where_something_secret_is_taken_out() -> None:
    spec = {"template": {"metadata": {"labels": {"password": "hunter2hunter2"}}, "spec": {"containers": [{"name": "c"}]}}}
    found = facts("Deployment", spec)
    assert "hunter2" not in json.dumps(found)
    assert found["containers"] == [{"name": "c"}]


def test_a_service_keeps_its_ports_and_whether_it_has_an_address() -> None:
    ports = [{"port": 80, "targetPort": "http", "name": "web"}, {"port": 53, "protocol": "UDP"}, {"port": None}, 7]
    assert facts("Service", {"ports": ports, "clusterIP": "None"}) == {
        "ports": [[80, "TCP", "http", "web"], [53, "UDP", 53, ""]],
        "headless": True,
    }
