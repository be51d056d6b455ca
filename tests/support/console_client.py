"""Asks a console in this process, as a browser or a program would."""

from typing import Any

from starlette.testclient import TestClient

from pipelines.console.app import build_app
from pipelines.console.auth import Anyone, Authenticator
from pipelines.console.guard import RateLimit
from pipelines.console.letters import LetterBook
from pipelines.console.site import SharedAnswers, Site
from tests.support.console_world import memory_source
from transforms.planning.views.source import GraphSource

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROGRAM = {"accept": "application/json"}


def client(
    source: GraphSource | None = None,
    authenticator: Authenticator | None = None,
    *,
    letters: LetterBook | None = None,
    rate: float = 10_000,
    hosts: frozenset[str] | None = None,
    shared_s: float = 0.0,
) -> TestClient:
    """A client of a console over the sample fleet, or over another source."""
    site = Site(source or memory_source(), letters, SharedAnswers(shared_s))
    app = build_app(site, authenticator or Anyone(), RateLimit(rate), hosts)
    return TestClient(app, base_url="http://localhost", follow_redirects=False, raise_server_exceptions=False)


def page(asked: TestClient, address: str, **headers: str) -> str:
    answer = asked.get(address, headers=BROWSER | headers)
    assert answer.status_code == 200, (address, answer.status_code, answer.text[:300])
    return str(answer.text)


def twin(asked: TestClient, address: str, **headers: str) -> Any:
    answer = asked.get(address, headers=PROGRAM | headers)
    assert answer.status_code == 200, (address, answer.status_code, answer.text[:300])
    return answer.json()
