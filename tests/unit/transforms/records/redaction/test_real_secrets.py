"""Of the objects, Events and logs of real clusters redaction takes out next to nothing: they hold few secrets, and many words like them."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.real_data import DUMPS, FOLDER, LOG_DUMPS, items, log_lines
from transforms.records.redaction.text import LAST_APPLIED, redact_text
from transforms.records.redaction.tree import redact_tree

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="needs the dumps of real clusters")
# Of all texts at most so many; a Secret's and a ConfigMap's data are meant to go.
MOST_LOST = 1 / 5000


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for field, one in value.items():
            yield from leaves(one, field)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one, name)
    else:
        yield name, value


def test_objects_and_events_lose_next_to_nothing() -> None:
    texts, lost = 0, Counter[str]()
    for dump in DUMPS:
        for item in items(dump):
            if item.get("kind") in ("ConfigMap", "Secret"):
                continue
            before = list(leaves(item))
            texts += len(before)
            for (name, one), (_, other) in zip(before, leaves(redact_tree(item)), strict=True):
                if one != other and name != LAST_APPLIED:
                    lost[f"{name}: {one}"[:200]] += 1
    assert texts > 400_000
    assert lost.total() <= texts * MOST_LOST, lost.most_common(10)


def test_lines_of_logs_lose_next_to_nothing() -> None:
    lines = [line.text for dump in LOG_DUMPS for number, line in enumerate(log_lines(dump)) if number % 8 == 0]
    lost = [line for line in lines if redact_text(line) != line]
    assert len(lines) > 4000
    assert len(lost) <= len(lines) * MOST_LOST, lost[:10]


@pytest.mark.parametrize(
    "body",
    [
        {"image": "registry/token-service@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
        {"uid": "0f9b3a52-7c1d-4e0a-9d57-3b1f6f1f2a10", "resourceVersion": "123456789"},
        {"resources": ["secrets", "tokenreviews"], "tokenReviews": "allowed", "secretName": "db-creds"},
        {"imagePullSecrets": [{"name": "regcred"}], "secrets": [{"name": "default-token-x7k2p"}], "automountServiceAccountToken": False},
        {"env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]},
        {"env": [{"name": "PASSWORD", "value": "$(OTHER)"}, {"name": "TOKEN_FILE", "value": "/var/run/token"}]},
        {"args": ["--port", "8080", "-p", "8080:80", "-port=80", "--tls-private-key-file=/etc/tls/tls.key", "-u", "1000:1000"]},
        {"volumes": [{"secret": {"secretName": "s"}}, {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}]},
        {"message": 'MountVolume.SetUp failed for volume "certs" : secret "serving-cert" not found'},
        {"message": "Failed to pull image: unauthorized: incorrect username or password", "reason": "FailedToRetrieveImagePullSecret"},
        {"url": "https://10.0.0.1:6443/api/v1/namespaces/kube-system/secrets?fieldSelector=type%3Dx&limit=500&resourceVersion=0"},
    ],
)
def test_what_is_called_like_a_secret_and_is_none_stays(body: dict[str, Any]) -> None:
    assert redact_tree(body) == body
