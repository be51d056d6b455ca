"""Ask for several tenants at once what the planning of each asks for itself.

Planning is plain functions that ask a stored graph and go on with the answer. Here each tenant's planning runs until it asks,
and waits; when all have asked or ended, what they ask is asked together, and they go on. So a group of tenants costs as many
round trips as the one of them that asks most often, not as all of them together. Greenlets hold the functions that wait: they
are all of one thread, one of them runs at a time, and none of it shows in the planning.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")
Rows = list[Any]


class Question(NamedTuple):
    """A statement of the model's that reads, and the rows to run it over, of one tenant. most: `$most`, where it has one; else 0."""

    statement: str
    rows: list[dict[str, Any]]
    most: int = 0


Ask = Callable[[Question], Rows]
# Questions by tenant to answers by tenant.
AskTogether = Callable[[Mapping[str, Question]], Mapping[str, Rows]]


def in_rounds(works: Mapping[str, Callable[[Ask], T]], ask: AskTogether) -> dict[str, T | Exception]:
    """What each work comes to, or the exception that it ended with.

    works: by tenant; each is given what asks for it. ask: answers all that wait; what it raises ends them all, and is raised.
    """
    found: dict[str, T | Exception] = {}
    lets = {client_id: greenlet(_ended) for client_id in works}
    try:
        asked: dict[str, Question] = {}
        for client_id, work in works.items():
            _note(client_id, lets, lets[client_id].switch(work, _wait), asked, found)
        while asked:
            answers = ask(asked)
            now, asked = asked, {}
            for client_id in now:
                _note(client_id, lets, lets[client_id].switch(answers.get(client_id, [])), asked, found)
    finally:
        for one in lets.values():
            if not one.dead:
                one.throw()
    return found


def _note(client_id: str, lets: Mapping[str, greenlet], said: Any, asked: dict[str, Question], found: dict[str, Any]) -> None:
    """Take in what a work came to, or what it waits for."""
    if lets[client_id].dead:
        found[client_id] = said
    else:
        asked[client_id] = said


def _wait(question: Question) -> Rows:
    """Let the others go on until there is an answer."""
    answer: Rows = getcurrent().parent.switch(question)
    return answer


def _ended(work: Callable[[Ask], T], ask: Ask) -> T | Exception:
    try:
        return work(ask)
    except Exception as error:  # noqa: BLE001 - it is the tenant's; who asked for all of them decides what it means
        return error


def merged(questions: Mapping[str, Question]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """The questions as statements, each with the rows of all tenants that ask it, in the order of the tenants."""
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for client_id in sorted(questions):
        one = questions[client_id]
        found.setdefault((one.statement, one.most), []).extend(one.rows)
    return found


def by_tenant(rows: Sequence[Any], key: str) -> dict[str, Rows]:
    """Rows by the tenant that each bears under `key`."""
    found: dict[str, Rows] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found
