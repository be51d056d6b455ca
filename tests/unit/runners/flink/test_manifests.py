"""The manifests for Flink on Kubernetes: their shape, and that they say the same as each other and as the code."""

import copy
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from pipelines.graph_build import app
from runners.flink.settings import FLINK_VERSION, FlinkAddresses
from runners.local.flink_conf import OPENED, FlinkPorts, FlinkShape, cluster_settings
from tests.support.places import CHECKOUT
from tests.support.schema_check import violations

FOLDER = CHECKOUT / "deploy" / "flink"
SCHEMA = json.loads((CHECKOUT / "tests" / "support" / "flinkdeployment.schema.json").read_text())
AT = FlinkAddresses()


def load(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def cluster() -> dict[str, Any]:
    (found,) = load("cluster.yaml")
    return found


def watch() -> dict[str, Any]:
    (found,) = load("watch.yaml")
    return found


def containers() -> Iterator[dict[str, Any]]:
    spec = cluster()["spec"]
    base = spec["podTemplate"]["spec"]["containers"][0]
    for component in (spec["jobManager"], spec["taskManager"]):
        for one in component["podTemplate"]["spec"]["containers"]:
            yield (base | one | {"image": spec["image"]}) if one["name"] == base["name"] else one
    pod = watch()["spec"]["template"]["spec"]
    yield from pod["initContainers"] + pod["containers"]


def test_the_cluster_has_only_fields_that_the_operator_knows() -> None:
    assert list(violations(cluster(), SCHEMA, SCHEMA["definitions"])) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one["spec"].update(taskmanager={}), "$.spec has taskmanager, which is not known"),
        (lambda one: one["spec"].pop("image"), "$.spec lacks image"),
        (lambda one: one["spec"].update(flinkVersion="1.19"), "$.spec.flinkVersion is '1.19', not one of"),
        (lambda one: one["spec"]["flinkConfiguration"].update(slots=4), "$.spec.flinkConfiguration.slots is 4, not of the type string"),
        (lambda one: one["spec"]["taskManager"].update(replicas=True), "$.spec.taskManager.replicas is True, not of the type integer"),
        (
            lambda one: one["spec"]["taskManager"]["podTemplate"]["spec"]["containers"][1].update(arg=["pool"]),
            "$.spec.taskManager.podTemplate.spec.containers[1] has arg, which is not known",
        ),
    ],
)
def test_a_slip_of_the_pen_would_be_seen(change: Any, said: str) -> None:
    slipped = copy.deepcopy(cluster())
    change(slipped)

    (found,) = violations(slipped, SCHEMA, SCHEMA["definitions"])

    assert found.startswith(said)


def test_all_run_one_pinned_image_of_the_version_of_flink_that_the_runner_is_made_for() -> None:
    images = {one["image"] for one in containers()}

    assert len(images) == 1
    assert re.fullmatch(r"graph-build:\d+\.\d+\.\d+", images.pop())
    assert cluster()["spec"]["flinkVersion"] == "v" + FLINK_VERSION.replace(".", "_")
    bases = re.findall(r"^ARG \w+=(\S+)$", (FOLDER.parent / "Dockerfile").read_text(), re.MULTILINE)
    assert all(re.search(r":\d+\.\d+\.\d+-", one) for one in bases)
    assert len(bases) == 2


def test_nothing_runs_as_root_or_writes_to_its_image() -> None:
    for one in containers():
        locked = one["securityContext"]
        assert (locked["allowPrivilegeEscalation"], locked["readOnlyRootFilesystem"]) == (False, True), one["name"]
        assert locked["capabilities"] == {"drop": ["ALL"]}
    for pod in (cluster()["spec"]["podTemplate"]["spec"], watch()["spec"]["template"]["spec"]):
        assert pod["securityContext"]["runAsNonRoot"] is True
    user = re.search(r"^USER (\d+):", (FOLDER.parent / "Dockerfile").read_text(), re.MULTILINE)
    assert user is not None
    assert int(user.group(1)) == cluster()["spec"]["podTemplate"]["spec"]["securityContext"]["runAsUser"] > 0


def test_flink_is_set_up_as_the_local_cluster_is_but_for_addresses_folders_and_overhead(tmp_path: Path) -> None:
    tried = cluster_settings(tmp_path, FlinkPorts(), FlinkShape())
    deployed = cluster()["spec"]["flinkConfiguration"]

    differing = {name for name in deployed.keys() & tried.keys() if deployed[name] != tried[name]}

    assert differing == {
        "taskmanager.cpu.cores",
        "taskmanager.memory.jvm-overhead.min",
        "taskmanager.memory.jvm-overhead.max",
        "state.checkpoints.dir",
        "state.savepoints.dir",
        "io.tmp.dirs",
    }
    assert {name for name in tried if name.startswith("taskmanager.memory.")} <= deployed.keys()


def test_the_sizes_of_a_taskmanager_fit_its_memory_and_its_jvm() -> None:
    spec = cluster()["spec"]
    size = {name: int(value[:-1]) for name, value in spec["flinkConfiguration"].items() if name.startswith("taskmanager.memory.")}
    parts = [value for name, value in size.items() if not name.endswith(".min")]
    heap = size["taskmanager.memory.framework.heap.size"] + size["taskmanager.memory.task.heap.size"]
    (jvm,) = [one["env"][0]["value"] for one in spec["taskManager"]["podTemplate"]["spec"]["containers"] if "env" in one]

    assert f"{sum(parts)}m" == spec["taskManager"]["resource"]["memory"]
    assert f"-Xmx{heap}m" in jvm


def test_the_entry_point_serves_the_ports_and_the_read_that_the_job_takes_unless_told() -> None:
    script = (FOLDER.parent / "entrypoint.sh").read_text()

    for address, where in (
        (AT.expansion, r"services (\d+)"),
        (AT.job_endpoint, r"--job-port=(\d+)"),
        (AT.worker_pool, r"worker_pool --port=(\d+)"),
    ):
        found = re.search(where, script)
        assert found is not None
        assert address == f"127.0.0.1:{found.group(1)}"
    assert "--experiments=use_deprecated_read --defaultEnvironmentType=EMBEDDED" in script
    assert all(f"--add-opens={package}=ALL-UNNAMED" in script for package in OPENED)
    assert cluster()["spec"]["flinkConfiguration"]["kubernetes.entry.path"] == "/entrypoint.sh"


def test_every_role_that_a_manifest_starts_is_one_of_the_entry_point() -> None:
    roles = set(re.findall(r"^  ([a-z]+)\)$", (FOLDER.parent / "entrypoint.sh").read_text(), re.MULTILINE))
    started = {one["args"][0] for one in containers() if "args" in one} - {"python"}

    # The first two are what the operator starts in standalone mode.
    assert roles == {"jobmanager", "taskmanager"} | started


def test_the_entry_point_runs_any_other_command_as_it_is() -> None:
    done = subprocess.run([FOLDER.parent / "entrypoint.sh", "printf", "%s|", "a b", "c"], capture_output=True, text=True, check=True)

    assert done.stdout == "a b|c|"


def test_only_pods_of_the_project_and_the_operator_reach_flink() -> None:
    around = {one["kind"]: one for one in load("around.yaml") if one["metadata"]["name"] != "graph-watch-metrics"}
    ours = {"part-of": "graph-build"}

    assert around["NetworkPolicy"]["spec"]["podSelector"] == {}
    assert around["NetworkPolicy"]["spec"]["ingress"][0] == {"from": [{"podSelector": {"matchLabels": ours}}]}
    assert cluster()["spec"]["podTemplate"]["metadata"]["labels"] == ours
    assert ours.items() <= watch()["spec"]["template"]["metadata"]["labels"].items()
    named = {one["metadata"]["name"] for one in around.values()}
    claim = cluster()["spec"]["podTemplate"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert {claim, cluster()["spec"]["serviceAccount"], cluster()["metadata"]["namespace"]} <= named


def test_one_watch_runs_a_command_that_there_is_and_is_scraped() -> None:
    spec = watch()["spec"]
    (one,) = spec["template"]["spec"]["containers"]
    known = {name for parameter in typer.main.get_command(app).params for name in parameter.opts}

    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")
    assert one["args"][:3] == ["python", "-m", "pipelines.graph_build"]
    assert {word.partition("=")[0] for word in one["args"][3:]} <= known
    assert one["readinessProbe"]["httpGet"]["port"] == one["ports"][0]["name"]
    assert f"--metrics_port={one['ports'][0]['containerPort']}" in one["args"]


def test_the_watch_takes_its_secret_from_a_file_that_the_workers_have_too() -> None:
    env = {one["name"]: one["value"] for one in watch()["spec"]["template"]["spec"]["containers"][0]["env"]}
    pool = next(one for one in containers() if one["name"] == "python-pool")

    assert env["NEO4J_PASSWORD_FILE"].startswith("/secrets/")
    assert "/secrets" in {one["mountPath"] for one in pool["volumeMounts"]}
    assert not [name for name in env if name.endswith("PASSWORD")]


def test_neo4js_password_is_where_neo4j_is_spoken_to_and_nowhere_else() -> None:
    volumes = cluster()["spec"]["taskManager"]["podTemplate"]["spec"]["volumes"] + watch()["spec"]["template"]["spec"]["volumes"]
    files = {one["name"]: {item["path"] for item in one["secret"]["items"]} for one in volumes if "secret" in one}
    holding = {
        one["name"]
        for one in containers()
        for mount in one.get("volumeMounts", ())
        if mount["mountPath"] == "/secrets" and "neo4j-password" in files[mount["name"]]
    }

    assert holding == {"python-pool", "watch"}
    assert files["kafka-secret"] == {"kafka-sasl-password"}


def test_what_is_spoken_is_encrypted_and_logged_in() -> None:
    (one,) = watch()["spec"]["template"]["spec"]["containers"]
    env = {each["name"]: each["value"] for each in one["env"]}
    known = {str(parameter.envvar) for parameter in typer.main.get_command(app).params if parameter.envvar}

    assert env.keys() <= known
    assert env["NEO4J_URI"].startswith("neo4j+s://")
    assert (env["KAFKA_SECURITY_PROTOCOL"], env["KAFKA_SASL_MECHANISM"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert env["KAFKA_SASL_USERNAME"]
    assert env["KAFKA_SASL_PASSWORD_FILE"] == "/secrets/kafka-sasl-password"


def test_the_pods_reach_each_other_names_kafka_and_neo4j_alone_and_prometheus_reaches_the_metrics() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in load("around.yaml") if one["kind"] == "NetworkPolicy"}
    everything, metrics = policies["graph-flink"], policies["graph-watch-metrics"]
    (one,) = watch()["spec"]["template"]["spec"]["containers"]
    env = {each["name"]: each["value"] for each in one["env"]}
    spoken = {int(env[name].rpartition(":")[2]) for name in ("KAFKA_BROKERS", "NEO4J_URI")}

    assert everything["policyTypes"] == ["Ingress", "Egress"]
    assert {port["port"] for rule in everything["egress"] for port in rule.get("ports", ())} == {53} | spoken
    assert metrics["podSelector"]["matchLabels"].items() <= watch()["spec"]["template"]["metadata"]["labels"].items()
    (rule,) = metrics["ingress"]
    assert [port["port"] for port in rule["ports"]] == [one["ports"][0]["containerPort"]]
    assert "namespaceSelector" in rule["from"][0]


def test_what_goes_into_the_image_has_hashes() -> None:
    steps = (FOLDER.parent / "Dockerfile").read_text()
    jars = {line.split("  ")[1] for line in (FOLDER.parents[1] / "runners" / "java" / "flink" / "jars.sha256").read_text().splitlines()}

    assert "sha256sum --check --strict --quiet /src/jars.sha256" in steps
    assert len(jars) > 50
    assert all(("--require-hashes" in line) or ("--no-build-isolation" in line) for line in steps.splitlines() if "pip install" in line)
    assert "hatchling==" in (FOLDER.parents[1] / "requirements.lock").read_text()
