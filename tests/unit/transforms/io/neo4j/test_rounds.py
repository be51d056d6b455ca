"""What several tenants ask is asked together, round by round, and each goes on with its own answer."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.io.neo4j.rounds import Ask, Question, Rows, by_tenant, in_rounds, merged


class Server:
    """Answers each question with its rows; notes what came together."""

    def __init__(self) -> None:
        self.rounds: list[dict[str, str]] = []

    def ask(self, questions: Mapping[str, Question]) -> dict[str, Rows]:
        self.rounds.append({client_id: one.statement for client_id, one in questions.items()})
        return {client_id: [(client_id, one.statement)] for client_id, one in questions.items()}


def asking(client_id: str, number: int) -> Callable[[Ask], list[Any]]:
    def work(ask: Ask) -> list[Any]:
        return [ask(Question(f"S{at}", [{"client_id": client_id}])) for at in range(number)]

    return work


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 5)))
def test_there_are_as_many_rounds_as_the_one_that_asks_most_has_questions(numbers: dict[str, int]) -> None:
    server = Server()

    found = in_rounds({client_id: asking(client_id, number) for client_id, number in numbers.items()}, server.ask)

    assert len(server.rounds) == max(numbers.values(), default=0)
    assert found == {client_id: [[(client_id, f"S{at}")] for at in range(number)] for client_id, number in numbers.items()}
    for at, together in enumerate(server.rounds):
        assert together == {client_id: f"S{at}" for client_id, number in numbers.items() if number > at}


@pytest.mark.parametrize("others", [0, 3])
def test_what_one_ends_with_is_its_own_and_the_others_go_on(others: int) -> None:
    def fails(ask: Ask) -> None:
        ask(Question("S0", []))
        raise LookupError("mine")

    found = in_rounds({"bad": fails, **{f"t{at}": asking(f"t{at}", 2) for at in range(others)}}, Server().ask)

    assert isinstance(found.pop("bad"), LookupError)
    assert all(len(answers) == 2 for answers in found.values() if isinstance(answers, list))
    assert len(found) == others


@pytest.mark.parametrize("names", ["a", "ab"])
def test_what_the_server_ends_with_is_raised_and_nobody_waits_any_longer(names: str) -> None:
    ended: list[str] = []

    def work(ask: Ask) -> None:
        try:
            ask(Question("S0", []))
        finally:
            ended.append("ended")

    def away(_: Mapping[str, Question]) -> dict[str, Rows]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        in_rounds(dict.fromkeys(names, work), away)
    assert ended == ["ended"] * len(names)


def test_questions_of_one_statement_are_one_and_rows_are_in_the_order_of_the_tenants() -> None:
    asked = {"b": Question("S", [{"key": 1}]), "a": Question("S", [{"key": 2}, {"key": 3}]), "c": Question("S", [{"key": 4}], most=8)}

    assert merged(asked) == {("S", 0): [{"key": 2}, {"key": 3}, {"key": 1}], ("S", 8): [{"key": 4}]}
    assert by_tenant([{"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "a", "n": 3}], "id") == {
        "a": [{"id": "a", "n": 1}, {"id": "a", "n": 3}],
        "b": [{"id": "b", "n": 2}],
    }
