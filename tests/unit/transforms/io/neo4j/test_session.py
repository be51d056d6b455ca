"""What a transaction fails with is what the server said, whatever the driver makes of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, cast

import neo4j
import pytest
from neo4j.exceptions import Neo4jError, ResultFailedError

from transforms.io.faults import InfrastructureFault
from transforms.io.neo4j import session as under_test
from transforms.io.neo4j.errors import TenantOutOfTime
from transforms.io.neo4j.session import GraphSession
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret

OUT_OF_TIME = "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration"
DEADLOCK = "Neo.TransientError.Transaction.DeadlockDetected"


def said(code: str) -> Neo4jError:
    return Neo4jError._hydrate_neo4j(code=code, message="no")


def covered(cause: Exception) -> ResultFailedError:
    """As the driver raises it in place of the cause."""
    error = ResultFailedError(cast("neo4j.Result", None), "The result has failed.")
    error.__cause__ = cause
    return error


class Session:
    def __init__(self, answers: list[Any]) -> None:
        self._answers = answers

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute_write(self, _work: Callable[..., Any]) -> Any:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What each transaction comes to, in turn."""
    found: list[Any] = []
    monkeypatch.setattr(GraphSession, "_session", lambda _self: Session(found))
    monkeypatch.setattr(under_test, "_AGAIN_S", 0.0)
    return found


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[GraphSession]:
    monkeypatch.setenv("GRAPH_PASSWORD", "x")
    held = GraphSession(Neo4jTarget("bolt://127.0.0.1:1", "neo4j", Secret(env="GRAPH_PASSWORD"), retry_s=5))
    yield held
    held.close()


def test_a_transaction_out_of_time_is_its_tenants_fault_though_the_driver_covers_it(graph: GraphSession, answers: list[Any]) -> None:
    answers.append(covered(said(OUT_OF_TIME)))

    with pytest.raises(TenantOutOfTime):
        graph.ask_tenant("RETURN 1", "af-10", 1.0)


def test_what_the_driver_would_try_again_is_tried_again(graph: GraphSession, answers: list[Any]) -> None:
    answers.extend([covered(said(DEADLOCK)), covered(said(DEADLOCK)), [{"n": 1}]])

    assert graph.ask("RETURN 1") == [{"n": 1}]


def test_what_covers_no_answer_of_the_server_is_a_fault(graph: GraphSession, answers: list[Any]) -> None:
    answers.append(covered(ValueError("no")))

    with pytest.raises(InfrastructureFault, match="The result has failed"):
        graph.ask("RETURN 1")


def test_a_server_that_is_away_is_waited_for_about_as_long_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPH_PASSWORD", "not-a-real-password")
    away = GraphSession(Neo4jTarget("bolt://127.0.0.1:1", "neo4j", Secret(env="GRAPH_PASSWORD"), retry_s=3))
    began = time.monotonic()

    with closing(away), pytest.raises(InfrastructureFault, match=r"Neo4j at bolt://127\.0\.0\.1:1 cannot be used"):
        away.ask("RETURN 1")

    assert 2.5 < time.monotonic() - began < 5.2, "delays of 1, 2 and 4 s take 5.6 s at least"
