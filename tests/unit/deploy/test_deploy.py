"""What lies in deploy/: it parses, names commands and flags that exist, holds no secret and asks for no privilege."""

import ast
import importlib
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import typer
import yaml

from tests.support.places import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
CRONJOB = DEPLOY / "backfill" / "cronjob.yaml"
DAG = DEPLOY / "airflow" / "graph_backfill.py"


def container() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The CronJob's spec, its Pod's, and its container."""
    document, _ = yaml.safe_load_all(CRONJOB.read_text())
    assert (document["apiVersion"], document["kind"]) == ("batch/v1", "CronJob")
    pod = document["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (only,) = pod["containers"]
    return document["spec"], pod, only


def known_flags(command: str) -> set[str]:
    app: Any = typer.main.get_command(importlib.import_module("pipelines.backfill.commands").app)
    return {name for parameter in app.commands[command].params for name in parameter.opts}


def variables() -> set[str]:
    app: Any = typer.main.get_command(importlib.import_module("pipelines.backfill.commands").app)
    return {str(parameter.envvar) for parameter in app.commands["run"].params if parameter.envvar}


def test_runs_of_the_cron_job_never_overlap_and_end() -> None:
    spec, pod, _ = container()
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] > 0
    assert pod["restartPolicy"] == "Never"


def test_the_cron_job_has_limits_and_no_privilege() -> None:
    _, pod, one = container()
    assert one["resources"]["limits"].keys() == {"cpu", "memory"}
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert one["securityContext"]["privileged"] is False
    assert one["securityContext"]["allowPrivilegeEscalation"] is False
    assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not any("hostPath" in volume for volume in pod["volumes"])
    assert pod["automountServiceAccountToken"] is False


def test_the_cron_job_has_its_secrets_as_files_of_a_secret() -> None:
    _, pod, one = container()
    assert all("PASSWORD" not in each["name"] or each["name"].endswith("_FILE") for each in one["env"])
    mounted = {mount["name"]: mount["mountPath"] for mount in one["volumeMounts"]}
    (secret,) = (volume for volume in pod["volumes"] if "secret" in volume)
    files = [each["value"] for each in one["env"] if each["name"].endswith("_FILE")]
    assert files
    assert all(path.startswith(mounted[secret["name"]] + "/") for path in files)
    assert set(mounted) == {volume["name"] for volume in pod["volumes"]}


def test_the_cron_job_holds_no_more_secrets_than_it_asks_for_and_speaks_tls() -> None:
    _, pod, one = container()
    (secret,) = (volume["secret"] for volume in pod["volumes"] if "secret" in volume)
    env = {each["name"]: each["value"] for each in one["env"]}

    assert [item["path"] for item in secret["items"]] == [Path(env["NEO4J_PASSWORD_FILE"]).name]
    assert env["NEO4J_URI"].startswith("neo4j+s://")


def test_nobody_reaches_the_cron_jobs_pod_and_it_reaches_names_and_neo4j_alone() -> None:
    document, policy = yaml.safe_load_all(CRONJOB.read_text())
    spec = policy["spec"]

    assert spec["podSelector"]["matchLabels"] == document["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    assert (spec["policyTypes"], spec.get("ingress")) == (["Ingress", "Egress"], None)
    assert sorted(port["port"] for rule in spec["egress"] for port in rule["ports"]) == [53, 53, 7687]


def test_the_cron_job_runs_a_command_that_there_is() -> None:
    _, _, one = container()
    assert one["command"] == ["python", "-m", "pipelines.backfill", "run"]
    assert {word for word in one["args"] if word.startswith("--")} <= known_flags("run")
    assert {each["name"] for each in one["env"]} <= variables()


def test_the_dag_parses_and_runs_a_command_that_there_is() -> None:
    tree = ast.parse(DAG.read_text())
    (command,) = (ast.literal_eval(one.value) for one in tree.body if isinstance(one, ast.Assign))
    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "pipelines.backfill", "run"]
    assert {word for word in words if word.startswith("--")} <= known_flags("run")
    assert "data_interval_start" in command
    assert "data_interval_end" in command


def test_every_manifest_names_the_image_of_this_version() -> None:
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    files = [path for path in DEPLOY.rglob("*") if path.is_file()]
    named = {found for path in files for found in re.findall(r"graph-build:(\d[\w.]*)", path.read_text())}

    assert named == {version}
