"""The chart renders to objects that Kubernetes takes, runs commands that there are, and holds no secret and no privilege."""

import copy
import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
import yaml

from scripts.chart import CHART, files, schema
from tests.support.helm import NEEDED, merged, of_kind, refused, rendered
from tests.support.kubernetes_schema import violations
from tests.support.places import CHECKOUT
from tests.support.pod_security import breaches

EVERYTHING = {
    "archive": {"existingClaim": "graph-archive"},
    "cronJobs": {name: {"enabled": True} for name in ("sweep", "reap", "backfill", "compact")},
    "metrics": {
        "podMonitor": {"enabled": True, "labels": {"release": "p"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "p"}},
    },
    "kafka": {"caSecretKey": "kafka-ca", "peers": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "topics": "a,b"},
    "neo4j": {"caSecretKey": "neo4j-ca", "peers": [{"namespaceSelector": {"matchLabels": {"name": "neo4j"}}}]},
    "image": {"pullSecrets": ["registry"], "digest": "sha256:" + "a" * 64},
    "podLabels": {"team": "graph"},
    "podAnnotations": {"note": "x"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "networkPolicy": {"extraEgress": [{"ports": [{"port": 8081, "protocol": "TCP"}]}]},
    "serviceAccount": {"annotations": {"a": "b"}},
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}}],
    "global": {"anything": {"goes": True}},
}
FLINK = {"mode": "flink", "flink": {"storageClass": "nfs", "savepointPath": "file:///flink/savepoints/x", "taskManagers": 2}}
FORMS: dict[str, dict[str, Any]] = {
    "default": {},
    "everything": EVERYTHING,
    "flink": FLINK,
    "flink with everything": merged(EVERYTHING, FLINK),
}
# Kinds of Kubernetes itself; the others are the operators'.
OPERATORS = {"PodMonitor", "PrometheusRule", "FlinkDeployment"}


def pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Each pod of the objects: its object's name, its labels and its spec."""
    for one in objects:
        spec = one.get("spec", {})
        name = f"{one['kind']} {one['metadata']['name']}"
        if one["kind"] == "Pod":
            yield name, one["metadata"], spec
        elif one["kind"] == "CronJob":
            template = spec["jobTemplate"]["spec"]["template"]
            yield name, template["metadata"], template["spec"]
        elif one["kind"] == "FlinkDeployment":
            base = spec["podTemplate"]
            for part in ("jobManager", "taskManager"):
                yield f"{name} {part}", base["metadata"], as_operator_merges(base["spec"], spec[part]["podTemplate"]["spec"])
        elif "template" in spec:
            yield name, spec["template"]["metadata"], spec["template"]["spec"]


def as_operator_merges(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """A pod template of a component over the common one: containers and volumes by name."""
    found = copy.deepcopy(base)
    for part in ("containers", "volumes"):
        by_name = {one["name"]: one for one in found.get(part, ())}
        for one in more.get(part, ()):
            by_name[one["name"]] = {**by_name.get(one["name"], {}), **one}
        found[part] = list(by_name.values())
    return found


def flags_and_variables(module: str, command: str = "") -> tuple[set[str], set[str]]:
    app: Any = typer.main.get_command(importlib.import_module(module).app)
    parameters = app.commands[command].params if command else app.params
    return {name for one in parameters for name in one.opts}, {str(one.envvar) for one in parameters if one.envvar}


COMMANDS = {
    "pipelines.graph_build": ("pipelines.graph_build", ""),
    "pipelines.doctor": ("pipelines.doctor.commands", ""),
    **{f"pipelines.tenants {name}": ("pipelines.tenants.commands", name) for name in ("sweep", "reap", "schema")},
    **{f"pipelines.backfill {name}": ("pipelines.backfill.commands", name) for name in ("run", "compact")},
}


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_every_generated_file_is_as_the_values_say(path: Any) -> None:
    assert path.read_text() == files()[path], "run python -m scripts.chart"


def test_the_charts_version_is_the_packages() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert f'version = "{chart["version"]}"' in (CHECKOUT / "pyproject.toml").read_text()
    assert chart["appVersion"] == chart["version"]


def test_every_value_is_read_by_a_template() -> None:
    text = "".join(path.read_text() for path in (CHART / "templates").rglob("*") if path.is_file())
    values: dict[str, Any] = schema((CHART / "values.yaml").read_text())

    def leaves(place: dict[str, Any], path: str) -> Iterator[str]:
        for name, one in place["properties"].items():
            yield from leaves(one, f"{path}.{name}") if "properties" in one else [f"{path}.{name}"]

    unread = {path for path in leaves(values, "") if path not in text and not path.startswith((".global", ".cronJobs."))}
    assert unread == set()


@pytest.mark.parametrize(
    ("form", "minor"),
    [("everything", minor) for minor in range(27, 37)] + [("flink with everything", minor) for minor in range(29, 37)],
)
def test_kubernetes_knows_every_field(form: str, minor: int) -> None:
    objects = [one for one in rendered(FORMS[form]) if one["kind"] not in OPERATORS]

    assert [said for one in objects for said in violations(one, minor)] == []


def test_a_field_that_kubernetes_does_not_know_would_be_seen() -> None:
    slipped = copy.deepcopy(of_kind(rendered(), "Deployment")[0])
    slipped["spec"]["template"]["spec"]["containers"][0]["arg"] = ["x"]

    assert any("'arg' was unexpected" in said for said in violations(slipped, 36))


def test_flink_is_refused_where_kubernetes_has_no_native_sidecars() -> None:
    assert "needs Kubernetes 1.29" in refused(merged(NEEDED, FLINK), "--kube-version", "1.28.0")
    assert of_kind(rendered(FLINK, "--kube-version", "1.29.0"), "FlinkDeployment")


@pytest.mark.parametrize("form", FORMS)
def test_every_pod_is_restricted_and_writes_to_no_image(form: str) -> None:
    found = list(pods(rendered(FORMS[form])))
    assert len(found) >= 4

    for name, _, spec in found:
        assert list(breaches(spec)) == [], name
        assert spec.get("automountServiceAccountToken", False) is False or "Flink" in name
        for one in (*spec.get("initContainers", ()), *spec["containers"]):
            assert one["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert "FlinkDeployment" in name or one["resources"]["limits"]["memory"]


@pytest.mark.parametrize("form", FORMS)
def test_every_command_exists_with_its_flags_and_variables(form: str) -> None:
    for name, _, spec in pods(rendered(FORMS[form])):
        for one in spec["containers"]:
            args = one.get("args", [])
            if args[:2] != ["python", "-m"]:
                continue
            words = [word for word in args[2:] if not word.startswith("-")]
            flags, variables = flags_and_variables(*COMMANDS[" ".join(words)])
            assert {word.partition("=")[0] for word in args[3:] if word.startswith("--")} <= flags, name
            assert {each["name"] for each in one["env"]} <= variables, name


@pytest.mark.parametrize("form", FORMS)
def test_secrets_are_files_of_the_named_secret_and_each_pod_has_only_what_it_asks_for(form: str) -> None:
    for name, _, spec in pods(rendered(FORMS[form])):
        if "FlinkDeployment" in name:
            continue
        (volume,) = [each["secret"] for each in spec["volumes"] if each["name"] == "secrets"] or [
            {"secretName": "graph-build", "items": []}
        ]
        assert volume["secretName"] == "graph-build"
        for one in spec["containers"]:
            values = {each["name"]: each["value"] for each in one["env"]}
            assert not [each for each in values if each.endswith("PASSWORD")]
            asked = {value for each, value in values.items() if each.endswith("_FILE")}
            assert asked == {f"/secrets/{item['path']}" for item in volume["items"]}, name
            assert {mount["name"] for mount in one["volumeMounts"]} <= {each["name"] for each in spec["volumes"]}


def environment(values: dict[str, Any]) -> dict[str, str]:
    (job,) = of_kind(rendered(values), "Deployment")
    return {each["name"]: each["value"] for each in job["spec"]["template"]["spec"]["containers"][0]["env"]}


@pytest.mark.parametrize(
    ("values", "kafka", "neo4j"),
    [
        ({}, "SASL_SSL", "neo4j+s://neo4j.example:7687"),
        ({"kafka": {"sasl": {"username": ""}}}, "SSL", "neo4j+s://neo4j.example:7687"),
        ({"kafka": {"plaintext": True}}, "SASL_PLAINTEXT", "neo4j+s://neo4j.example:7687"),
        ({"kafka": {"plaintext": True, "sasl": {"username": ""}}, "neo4j": {"plaintext": True}}, "PLAINTEXT", "neo4j://neo4j.example:7687"),
        ({"neo4j": {"caSecretKey": "ca"}}, "SASL_SSL", "neo4j://neo4j.example:7687"),
    ],
)
def test_what_is_spoken_is_encrypted_unless_a_value_says_otherwise(values: dict[str, Any], kafka: str, neo4j: str) -> None:
    found = environment(values)

    assert (found["KAFKA_SECURITY_PROTOCOL"], found["NEO4J_URI"]) == (kafka, neo4j)
    # The driver speaks TLS for the plain scheme where certificates are named, and only there.
    assert ("NEO4J_CA_FILE" in found) == ("caSecretKey" in values.get("neo4j", {}))
    assert ("KAFKA_SASL_USERNAME" in found) == kafka.startswith("SASL")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kafka": {"brokers": "b:1"}}, "neo4j.host must name"),
        ({"neo4j": {"host": "h"}}, "kafka.brokers must name"),
        (merged(NEEDED, {"kafka": {"plain": True}}), "plain"),
        (merged(NEEDED, {"mode": "batch"}), "mode"),
        (merged(NEEDED, {"job": {"replicas": "two"}}), "replicas"),
        (merged(NEEDED, {"image": {"digest": "latest"}}), "digest"),
        (merged(NEEDED, {"runAsUser": 0}), "runAsUser"),
        (merged(NEEDED, {"cronJobs": {"compact": {"enabled": True}}}), "archive.existingClaim"),
        (merged(NEEDED, {"typo": 1}), "typo"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(values: dict[str, Any], said: str) -> None:
    assert said in refused(values)


def test_cron_jobs_never_overlap_and_end() -> None:
    jobs = of_kind(rendered(EVERYTHING), "CronJob")

    assert {one["metadata"]["name"] for one in jobs} == {f"graph-graph-build-{name}" for name in ("sweep", "reap", "backfill", "compact")}
    for one in jobs:
        assert one["spec"]["concurrencyPolicy"] == "Forbid"
        assert one["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] > 0
    assert len(of_kind(rendered(), "CronJob")) == 2, "what needs an archive or a decision is off"


def test_two_replicas_stand_by_for_each_other_and_are_told_apart() -> None:
    objects = rendered()
    (job,) = of_kind(objects, "Deployment")
    (one,) = job["spec"]["template"]["spec"]["containers"]

    assert job["spec"]["replicas"] == 2
    assert {"--follow", "--standby"} <= {*one["args"]}
    assert (one["livenessProbe"]["httpGet"]["path"], one["readinessProbe"]["httpGet"]["path"]) == ("/healthz", "/readyz")
    (budget,) = of_kind(objects, "PodDisruptionBudget")
    assert budget["spec"]["selector"] == job["spec"]["selector"]
    assert of_kind(rendered({"job": {"replicas": 1}}), "PodDisruptionBudget") == []


def test_the_pods_reach_names_kafka_and_neo4j_alone_and_are_all_held_to_it() -> None:
    objects = rendered(EVERYTHING)
    (policy,) = of_kind(objects, "NetworkPolicy")
    spec = policy["spec"]

    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert [[port["port"] for port in rule["ports"]] for rule in spec["egress"]] == [[53, 53], [9093], [7687], [8081]]
    assert spec["egress"][1]["to"] == EVERYTHING["kafka"]["peers"]  # type: ignore[index]
    assert spec["egress"][2]["to"] == EVERYTHING["neo4j"]["peers"]  # type: ignore[index]
    assert [[port["port"] for port in rule["ports"]] for rule in spec["ingress"]] == [[9464]]
    for name, metadata, _ in pods(objects):
        assert spec["podSelector"]["matchLabels"].items() <= metadata["labels"].items(), name
        assert metadata["labels"]["team"] == "graph"
    assert of_kind(rendered({"networkPolicy": {"enabled": False}}), "NetworkPolicy") == []


def test_every_pods_service_account_is_there() -> None:
    objects = rendered(EVERYTHING)
    (account,) = of_kind(objects, "ServiceAccount")

    assert account["automountServiceAccountToken"] is False
    assert {spec["serviceAccountName"] for _, _, spec in pods(objects)} == {account["metadata"]["name"]}


def test_every_pod_runs_the_image_that_is_named() -> None:
    for values, image in (
        ({}, "graph-build:0.2.0"),
        (EVERYTHING, f"graph-build@sha256:{'a' * 64}"),
        ({"image": {"tag": "x"}}, "graph-build:x"),
    ):
        for form in (values, merged(values, FLINK)):
            for name, _, spec in pods(rendered(form)):
                named = {one.get("image") for one in (*spec.get("initContainers", ()), *spec["containers"])}
                assert named - {None} == ({image} if named != {None} else set()), name


def test_the_schema_job_and_the_doctor_are_hooks() -> None:
    objects = rendered()
    (job,), (doctor,) = of_kind(objects, "Job"), of_kind(objects, "Pod")

    assert job["metadata"]["annotations"]["helm.sh/hook"] == "post-install,post-upgrade"
    assert job["spec"]["template"]["spec"]["containers"][0]["args"][2:] == ["pipelines.tenants", "schema"]
    assert doctor["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert doctor["spec"]["containers"][0]["args"][2:] == ["pipelines.doctor", "--follow"]
    assert of_kind(rendered({"schemaJob": {"enabled": False}}), "Job") == []


def test_prometheus_and_grafana_have_what_the_checkout_has() -> None:
    objects = rendered(EVERYTHING)
    (monitor,), (rules,), (board,) = (
        of_kind(objects, kind, name) for kind, name in (("PodMonitor", ""), ("PrometheusRule", ""), ("ConfigMap", "-dashboard"))
    )
    (job,) = of_kind(objects, "Deployment")
    folder = CHECKOUT / "deploy" / "monitoring"

    assert rules["spec"] == yaml.safe_load((folder / "alerts.yaml").read_text())
    assert board["data"]["graph-build.json"].strip() == (folder / "dashboard.json").read_text().strip()
    assert monitor["spec"]["selector"]["matchLabels"].items() <= job["spec"]["template"]["metadata"]["labels"].items()
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] == job["spec"]["template"]["spec"]["containers"][0]["ports"][0]["name"]
    assert [one["metadata"]["labels"]["release"] for one in (monitor, rules)] == ["p", "p"]
    assert of_kind(rendered(), "PodMonitor") == of_kind(rendered(), "PrometheusRule") == []


def test_on_flink_the_release_has_its_own_names_and_no_deployment_of_the_job() -> None:
    objects = rendered(FLINK)
    (cluster,), (watch,), (claim,) = (of_kind(objects, kind) for kind in ("FlinkDeployment", "Deployment", "PersistentVolumeClaim"))
    args = watch["spec"]["template"]["spec"]["containers"][0]["args"]
    master = f"{cluster['metadata']['name']}-rest:8081"

    assert watch["metadata"]["name"] == "graph-graph-build-watch"
    assert f"--flink_master={master}" in args
    assert {"name": "FLINK_MASTER", "value": master} in watch["spec"]["template"]["spec"]["initContainers"][0]["env"]
    assert "--savepoint_path=file:///flink/savepoints/x" in args
    assert cluster["spec"]["taskManager"]["replicas"] == 2
    assert cluster["spec"]["podTemplate"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["storageClassName"] == "nfs"
    assert {one["metadata"].get("namespace", "graph") for one in objects} == {"graph"}
    assert not re.search(r"secretName: (?!graph-build\b)", yaml.safe_dump(objects))


def test_nothing_of_a_release_is_named_like_another_release(tmp_path: Any) -> None:
    first = {(one["kind"], one["metadata"]["name"]) for one in rendered(EVERYTHING)}
    second = {(one["kind"], one["metadata"]["name"]) for one in rendered(EVERYTHING, "--name-template", "other")}

    assert first & second == set()
