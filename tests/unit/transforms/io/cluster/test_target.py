"""Where the API server is: a Pod's service account, or a kubeconfig; what cannot be used is said in a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from transforms.io.cluster.target import from_kubeconfig, in_cluster
from transforms.io.faults import InfrastructureFault


def config(folder: Path, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> Path:
    path = folder / "config"
    found = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "agents"}}],
        "clusters": [{"name": "k", "cluster": {"server": "http://127.0.0.1:1", **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
    }
    path.write_text(json.dumps(found))
    return path


def test_a_token_of_a_kubeconfig_and_one_of_a_file_which_is_read_each_time(tmp_path: Path) -> None:
    assert from_kubeconfig(config(tmp_path, user={"token": "t"})).token() == "t"
    (tmp_path / "token").write_text("one\n")
    target = from_kubeconfig(config(tmp_path, user={"tokenFile": "token"}))
    assert target.token() == "one"
    (tmp_path / "token").write_text("two\n")
    assert target.token() == "two"
    assert target.namespace == "agents"


@pytest.mark.parametrize(
    ("cluster", "user", "said"),
    [
        ({}, {"exec": {"command": "aws"}}, "logs in with a program"),
        ({"insecure-skip-tls-verify": True}, {}, "does not check the server's certificate"),
        ({"server": "http://elsewhere:80"}, {}, "is no https URL"),
        ({"server": "https://x", "certificate-authority-data": "bm90IGEgY2VydA=="}, {}, "TLS to the API server cannot be set up"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], said: str) -> None:
    with pytest.raises(InfrastructureFault, match=said):
        from_kubeconfig(config(tmp_path, cluster, user))


def test_a_context_that_is_not_there_and_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureFault, match="no context named 'other'"):
        from_kubeconfig(config(tmp_path), "other")
    broken = tmp_path / "broken"
    broken.write_text("{")
    with pytest.raises(InfrastructureFault, match="is no YAML"):
        from_kubeconfig(broken)


def test_outside_of_a_pod_there_is_no_service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert in_cluster(tmp_path) is None
