"""The trial with compose: commands and variables that there are, nothing published beyond this machine, no secret in it."""

import importlib
import re
from typing import Any

import pytest
import typer
import yaml

from tests.support.places import CHECKOUT

COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "deploy" / "compose" / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("graph-build:")}
MODULES = {"pipelines.graph_build": "pipelines.graph_build", "pipelines.tenants": "pipelines.tenants.commands"}


@pytest.mark.parametrize("name", OURS)
def test_every_command_exists_with_its_flags_and_variables(name: str) -> None:
    python, minus_m, module, *words = OURS[name]["command"]
    app: Any = typer.main.get_command(importlib.import_module(MODULES[module]).app)
    command = app if module == "pipelines.graph_build" else app.commands[words[0]]
    flags = {flag for one in command.params for flag in one.opts}
    variables = {str(one.envvar) for one in command.params if one.envvar}

    assert (python, minus_m) == ("python", "-m")
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= flags
    # What a command does not read, the others of the same environment do.
    assert {"NEO4J_URI", "NEO4J_PASSWORD_FILE"} <= OURS[name]["environment"].keys() & variables
    assert "CLIENT_ID" not in OURS[name]["environment"]


def test_nothing_is_published_beyond_this_machine() -> None:
    published = [port for one in SERVICES.values() for port in one.get("ports", ())]

    assert len(published) >= 4
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_job_writes_to_no_image_and_has_no_privilege() -> None:
    for one in OURS.values():
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in one["security_opt"]


def test_the_password_is_a_secret_that_git_does_not_take() -> None:
    assert COMPOSE["secrets"] == {"neo4j-password": {"file": "./secrets/neo4j-password"}}
    assert "deploy/compose/secrets/" in (CHECKOUT / ".gitignore").read_text().splitlines()
    for one in SERVICES.values():
        assert not [each for each in one.get("environment", {}) if "PASSWORD" in each and not each.endswith("_FILE")]


def test_images_have_exact_tags_and_servers_are_waited_for() -> None:
    assert all(re.search(r":\d+\.\d+\.\d+(-\w+)?$", one["image"]) for one in SERVICES.values())
    assert SERVICES["job"]["depends_on"] == {name: {"condition": "service_healthy"} for name in ("kafka", "neo4j")}
    assert all("healthcheck" in SERVICES[name] for name in ("kafka", "neo4j", "job"))
