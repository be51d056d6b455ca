"""Renders the chart with Helm itself; tests that need it are skipped where it is not."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.places import CHECKOUT

CHART = CHECKOUT / "deploy" / "helm" / "graph-build"
NEEDED: Mapping[str, Any] = {"kafka": {"brokers": "kafka.example:9093"}, "neo4j": {"host": "neo4j.example"}}


def helm() -> str:
    """The program, by the variable HELM or on the PATH."""
    for found in (os.environ.get("HELM"), shutil.which("helm")):
        if found and Path(found).exists():
            return found
    return pytest.skip("helm is not here: put helm 3.19 on the PATH, or set HELM to it")


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The values of both, those of `more` first."""
    found = dict(base)
    for name, value in more.items():
        both = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = merged(found[name], value) if both else value
    return found


def template(values: Mapping[str, Any], *flags: str) -> subprocess.CompletedProcess[str]:
    # A helm that was built from its module alone believes in a Kubernetes of years ago.
    versioned = flags if "--kube-version" in flags else (*flags, "--kube-version", "1.33.0")
    return _template(helm(), json.dumps(values, sort_keys=True), *versioned)


@cache
def _template(program: str, values: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """The chart does not change while tests run, and the same values give the same objects."""
    name = () if "--name-template" in flags else ("graph",)
    command = [program, "template", *name, str(CHART), "--namespace", "graph", "--values", "-", *flags]
    return subprocess.run(command, input=values, capture_output=True, text=True, check=False)


def rendered(values: Mapping[str, Any] | None = None, *flags: str) -> list[dict[str, Any]]:
    """The objects of the chart, with what it cannot do without and these values."""
    done = template(merged(NEEDED, values or {}), *flags)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def refused(values: Mapping[str, Any], *flags: str) -> str:
    """What Helm says of values that the chart does not take."""
    done = template(values, *flags)
    assert done.returncode != 0, done.stdout
    return done.stderr


def of_kind(objects: list[dict[str, Any]], kind: str, name: str = "") -> list[dict[str, Any]]:
    return [one for one in objects if one["kind"] == kind and one["metadata"]["name"].endswith(name)]
