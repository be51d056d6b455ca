"""What a status says, read with care: it is not validated, and any of it may have another form or be absent."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from transforms.planning.causes.moments import time_of

Json = dict[str, Any]


def members(value: Any, name: str) -> list[Json]:
    """The objects of the list `name`."""
    found = value.get(name) if isinstance(value, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def part(value: Any, *path: str) -> Json:
    """The object at the path; an empty one where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


class Condition(NamedTuple):
    """A condition of an object. since: when it became so; None where it does not say."""

    status: str
    reason: str
    message: str
    since: int | None


def conditions(status: Json) -> dict[str, Condition]:
    """By type."""
    return {
        text(one.get("type")): Condition(
            text(one.get("status")), text(one.get("reason")), text(one.get("message")), time_of(one.get("lastTransitionTime"))
        )
        for one in members(status, "conditions")
    }


class Container(NamedTuple):
    """A container's state. ended: how it ended last, now or before; at: when that was."""

    name: str
    image: str
    ready: bool
    restarts: int
    waiting: str
    message: str
    is_running: bool
    started: int | None
    ended: str
    exit_code: int
    ended_at: int | None
    is_over: bool


def containers(status: Json) -> Iterator[Container]:
    """Those of the Pod, those that begin it first."""
    for one in (*members(status, "initContainerStatuses"), *members(status, "containerStatuses")):
        state, last = part(one, "state"), part(one, "lastState")
        over = part(state, "terminated")
        ended = over or part(last, "terminated")
        waiting = part(state, "waiting")
        running = part(state, "running")
        yield Container(
            text(one.get("name")),
            text(one.get("image")),
            one.get("ready") is True,
            number(one.get("restartCount")),
            text(waiting.get("reason")),
            text(waiting.get("message")),
            "running" in state,
            time_of(running.get("startedAt")),
            text(ended.get("reason")),
            number(ended.get("exitCode")),
            time_of(ended.get("finishedAt")),
            bool(over),
        )
