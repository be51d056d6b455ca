"""The chart of the agent: its tables derive from declarations, its variables are the agent's, and helm renders what Kubernetes takes."""

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from pipelines.agent.commands import app
from scripts.agent_kinds import document
from tests.support.kubernetes_schema import violations
from tests.support.places import CHECKOUT
from transforms.model.kinds import KINDS
from transforms.records.tenancy.tenant import is_tenant_id

CHART = CHECKOUT / "deploy" / "helm" / "graph-agent"
HELM = os.environ.get("HELM") or shutil.which("helm") or next(map(str, Path(os.environ.get("LAB", "/nonexistent")).glob("bin/helm")), "")
MINORS = range(27, 37)
REQUIRED = ("--set", "client.id=af-10", "--set", "kafka.brokers=kafka:9092")
SASL = "kafka.securityProtocol=SASL_SSL,kafka.sasl.secretName=login,kafka.sasl.username=agent,kafka.tls.secretName=tls"
SETTINGS = {
    "least": "",
    "sasl": SASL,
    "oauth": f"{SASL},kafka.sasl.mechanism=OAUTHBEARER,kafka.sasl.oauth.tokenUrl=https://sso/token,kafka.sasl.oauth.scope=kafka",
    "mutual-tls": "kafka.securityProtocol=SSL,kafka.tls.secretName=tls,kafka.tls.clientCertificate=true",
    "custom": "kinds={Pod,Node},customKinds={*.networking.istio.io,certificates.cert-manager.io},prometheus.url=http://prom:9090",
    "small": "agent.replicas=1,"
    + ",".join(f"{one}.enabled=false" for one in ("logs", "secrets", "calls", "events", "networkPolicy", "deregistration")),
    "own-topics": "kafka.topicPerCluster=true,logs.excludeNamespaces={kube-system,monitoring}",
}
needs_helm = pytest.mark.skipif(not HELM, reason="helm is not here: set HELM or LAB")


def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
    return found


def test_the_table_of_kinds_is_what_is_declared() -> None:
    text = (CHART / "files" / "kinds.yaml").read_text()
    assert text == "\n".join(document()) + "\n"
    assert set(yaml.safe_load(text)) == {kind.name for kind in KINDS}


@pytest.mark.parametrize("text", ["af-10", "a", "0.x", "a" * 63, "", "A", "-a", "a_b", "a" * 64, "a b", ".a", "a\n"])
def test_the_schema_takes_the_ids_that_the_job_takes(text: str) -> None:
    pattern = schema()["properties"]["client"]["properties"]["id"]["pattern"]
    assert bool(re.fullmatch(pattern.strip("^$"), text)) == is_tenant_id(text)


def test_every_value_of_the_defaults_is_in_the_schema() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(values) <= set(schema()["properties"])
    for name in ("client", "kafka", "secrets", "events", "prometheus", "deregistration"):
        assert set(values[name]) <= set(schema()["properties"][name]["properties"]), name


def test_every_variable_that_the_chart_sets_is_one_of_the_agents() -> None:
    command: Any = typer.main.get_command(app)
    known = {str(parameter.envvar) for parameter in command.commands["run"].params if parameter.envvar}
    text = (CHART / "templates" / "_helpers.tpl").read_text() + (CHART / "templates" / "deployment.yaml").read_text()
    assert set(re.findall(r"name: ([A-Z][A-Z_]+)", text)) - known == {"POD_IP"}


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    # A helm that was built from its module alone believes in a Kubernetes of years ago.
    return subprocess.run((HELM, *arguments, "--kube-version", "1.36.0"), capture_output=True, text=True, check=False)


@cache
def rendered(settings: str) -> list[dict[str, Any]]:
    more = ("--set", settings) if settings else ()
    done = helm("template", "graph-agent", str(CHART), "--namespace", "agents", *REQUIRED, *more)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


@needs_helm
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_helm_renders_what_every_kubernetes_takes(settings: str) -> None:
    for one in rendered(settings):
        assert [said for minor in MINORS for said in violations(one, minor)] == []
        pod = one["spec"]["template"]["spec"] if one["kind"] in ("Deployment", "Job") else None
        if pod is not None:
            assert pod["securityContext"]["runAsNonRoot"] is True
            (container,) = pod["containers"]
            assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
            assert container["securityContext"]["allowPrivilegeEscalation"] is False


@needs_helm
def test_the_rights_are_those_that_are_used() -> None:
    roles = [one for one in rendered(SETTINGS["custom"]) if one["kind"] == "ClusterRole"]
    rules = [rule for role in roles for rule in role["rules"] if "resources" in rule]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"list", "watch"}
    secrets = [rule for role in roles for rule in role["rules"] if "secrets" in rule.get("resources", ())]
    assert not secrets


@needs_helm
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("client.id=AF_10", "client"),
        ("client.id=node", "is the name of a kind"),
        ("kinds={Podd}", "it must be one of"),
        ("kafka.securityProtocol=SASL_SSL", "sasl.secretName is empty"),
        ("kafka.brokers=nowhere", "brokers"),
    ],
)
def test_a_wrong_value_is_said_in_a_sentence(settings: str, said: str) -> None:
    done = helm("template", "x", str(CHART), *REQUIRED, "--set", settings)
    assert done.returncode != 0
    assert said in done.stderr


@needs_helm
def test_helm_lint_finds_nothing() -> None:
    done = helm("lint", "--strict", str(CHART), *REQUIRED)
    assert done.returncode == 0, done.stdout
