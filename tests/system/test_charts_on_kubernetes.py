"""Both charts on a real API server: taken field by field, admitted under PodSecurity restricted, upgraded, rolled back and removed."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from scripts.control_plane.kube import Kube, Object
from scripts.control_plane.plane import ControlPlane
from tests.system.lab_world import CHART, await_true, helm
from tests.system.world import CHECKOUT

pytestmark = pytest.mark.timeout(1800)
BUILD = CHECKOUT / "deploy" / "helm" / "graph-build"
NAMESPACE = "charts"
# The agent's containers are played here: nothing of it runs.
AGENT = ("client.id=af-10", "kafka.brokers=kafka:9092", "agent.image.repository=played/graph-agent")
JOB = ("kafka.brokers=kafka.example:9093", "neo4j.host=neo4j.example")
POLICIES = ("enforce", "warn", "audit")


def flags(values: tuple[str, ...], *more: str) -> list[str]:
    return ["--namespace", NAMESPACE, *(word for value in (*values, *more) for word in ("--set", value))]


@pytest.fixture
def restricted(kube: Kube) -> Iterator[str]:
    """A namespace that admits nothing but what PodSecurity's `restricted` allows."""
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in POLICIES}
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    yield NAMESPACE
    kube.delete(f"/api/v1/namespaces/{NAMESPACE}", missing_ok=True)


def of_release(kube: Kube, name: str) -> dict[str, Object]:
    """The workloads of a release, by kind and name."""
    found: dict[str, Object] = {}
    kinds = (("apps/v1", "Deployment"), ("batch/v1", "CronJob"), ("policy/v1", "PodDisruptionBudget"), ("v1", "ServiceAccount"))
    for version, kind in kinds:
        for one in kube.objects(kube.collection(version, kind, NAMESPACE), labelSelector=f"app.kubernetes.io/instance={name}"):
            found[f"{kind} {one['metadata']['name']}"] = one
    return found


@pytest.mark.parametrize(("chart", "values"), [(CHART, AGENT), (BUILD, JOB)], ids=["graph-agent", "graph-build"])
def test_the_api_server_takes_every_object_of_the_chart(plane: ControlPlane, kube: Kube, restricted: str, chart: Any, values: Any) -> None:
    rendered = helm(plane, "template", "x", str(chart), "--kube-version", "1.36.0", *flags(values))
    objects = [one for one in yaml.safe_load_all(rendered) if one]
    assert len(objects) > 5
    # Admission looks up the account of a Pod.
    accounts = [one for one in objects if one["kind"] == "ServiceAccount"]
    kube.apply(*({**one, "metadata": {**one["metadata"], "namespace": restricted}} for one in accounts))
    for one in [one for one in objects if one["kind"] != "ServiceAccount"]:
        at = kube.collection(one["apiVersion"], one["kind"], restricted)
        made = kube.ask("POST", at, one, asked={"dryRun": "All", "fieldValidation": "Strict"})
        assert made["metadata"]["name"] == one["metadata"]["name"]


def test_both_charts_are_installed_upgraded_rolled_back_and_removed_beside_each_other(
    plane: ControlPlane, kube: Kube, restricted: str
) -> None:
    agent, build = ("graph-agent", str(CHART)), ("graph-build", str(BUILD))
    helm(plane, "install", *agent, *flags(AGENT, "logs.enabled=false"), "--wait", "--timeout", "300s")
    helm(plane, "install", *build, *flags(JOB), "--wait", "--timeout", "300s")
    pods = kube.objects(f"/api/v1/namespaces/{restricted}/pods")
    assert {pod["metadata"]["labels"]["app.kubernetes.io/instance"] for pod in pods} == {"graph-agent", "graph-build"}
    before = {name: {*of_release(kube, name)} for name in ("graph-agent", "graph-build")}

    helm(plane, "upgrade", *build, *flags(JOB, "job.replicas=1", "cronJobs.sweep.enabled=false"), "--wait", "--timeout", "300s")
    changed = of_release(kube, "graph-build")
    assert [one["spec"]["replicas"] for what, one in changed.items() if what.startswith("Deployment")] == [1]
    assert not [what for what in changed if what.startswith(("CronJob graph-build-sweep", "PodDisruptionBudget"))]
    helm(plane, "rollback", "graph-build", "1", "--namespace", restricted, "--wait", "--timeout", "300s")
    assert {*of_release(kube, "graph-build")} == before["graph-build"]
    helm(plane, "upgrade", *agent, *flags(AGENT, "logs.enabled=false", "manifestSeconds=60"), "--wait", "--timeout", "300s")
    helm(plane, "test", "graph-build", "--namespace", restricted, "--timeout", "120s")

    # The hook's container is played, and succeeds.
    helm(plane, "uninstall", "graph-agent", "--namespace", restricted, "--wait", "--timeout", "300s")
    assert {*of_release(kube, "graph-build")} == before["graph-build"], "one release goes, the other stays"
    helm(plane, "uninstall", "graph-build", "--namespace", restricted, "--wait", "--timeout", "300s")
    await_true(lambda: not of_release(kube, "graph-build") and not of_release(kube, "graph-agent"))
    left = kube.objects("/apis/rbac.authorization.k8s.io/v1/clusterroles", labelSelector="app.kubernetes.io/managed-by=Helm")
    assert [one["metadata"]["name"] for one in left if one["metadata"]["name"].startswith(restricted)] == []


def rules_of(plane: ControlPlane, kube: Kube, namespace: str, account: str) -> set[tuple[str, str, str, str]]:
    """What a ServiceAccount may do in a namespace, as (verb, group, resource, name)."""
    spec = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    token = kube.ask("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token", spec)["status"]["token"]
    client = plane.kube(token)
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
    try:
        found = client.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", review)["status"]["resourceRules"]
    finally:
        client.close()
    return {
        (verb, group, resource, name)
        for rule in found
        for verb in rule["verbs"]
        for group in rule.get("apiGroups") or [""]
        for resource in rule.get("resources") or []
        for name in rule.get("resourceNames") or [""]
    }


def test_the_agents_account_may_do_what_the_agent_does_and_nothing_else(plane: ControlPlane, kube: Kube, restricted: str) -> None:
    helm(plane, "install", "graph-agent", str(CHART), *flags(AGENT, "logs.enabled=false"))
    await_true(lambda: len(kube.objects(f"/api/v1/namespaces/{restricted}/serviceaccounts")) == 2)
    mine = rules_of(plane, kube, restricted, "graph-agent") - rules_of(plane, kube, restricted, "default")
    leases = ("coordination.k8s.io", "leases")
    of_lease = {("get", *leases, "graph-agent"), ("update", *leases, "graph-agent"), ("create", *leases, "")}
    assert mine >= of_lease
    assert {verb for verb, *_ in mine - of_lease} == {"list", "watch"}
    assert {("list", "", "secrets", ""), ("watch", "", "pods", "")} <= mine
    helm(plane, "upgrade", "graph-agent", str(CHART), *flags(AGENT, "logs.enabled=false", "secrets.enabled=false"))
    assert not [rule for rule in rules_of(plane, kube, restricted, "graph-agent") if rule[2] == "secrets"]


def test_a_pod_that_restricted_refuses_is_refused_here(plane: ControlPlane, kube: Kube, restricted: str) -> None:
    """Else the test above would prove nothing."""
    rendered = helm(plane, "template", "x", str(CHART), "--kube-version", "1.36.0", *flags(AGENT))
    (logs,) = [one for one in yaml.safe_load_all(rendered) if one and one["kind"] == "DaemonSet"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "logs"},
        "spec": logs["spec"]["template"]["spec"] | {"serviceAccountName": "default"},
    }
    with pytest.raises(Exception, match="violates PodSecurity"):
        kube.ask("POST", f"/api/v1/namespaces/{restricted}/pods", pod, asked={"dryRun": "All"})
