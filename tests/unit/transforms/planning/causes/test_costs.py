"""What an analysis costs: what is asked many times is found out once, and pairs of objects are compared as far as there is time."""

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest

from tests.support.hostile_worlds import WORLDS
from transforms.planning.causes import alike, services
from transforms.planning.causes import world as world_of_causes
from transforms.planning.causes.alike import is_near
from transforms.planning.causes.effort import Effort
from transforms.planning.causes.graph_rows import incident_rows
from transforms.planning.causes.incidents import analyse
from transforms.planning.causes.services import workload_of
from transforms.planning.causes.world import Object, Rows, World

pytestmark = pytest.mark.slow


def world(workloads: int) -> World:
    resources: dict[str, dict[str, Any]] = {f"deployment:shop:w{n}": {"kind": "Deployment", "ns": "shop"} for n in range(workloads)}
    resources["service:shop:cart"] = {"kind": "Service", "ns": "shop", "selector": ["app=cart"]}
    return World(Rows(resources, (), (), 0))


def test_the_workload_behind_a_service_is_sought_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sought: list[str] = []
    of = services._workload_of

    def counted(world: World, service: Object) -> str:
        sought.append(service.rid)
        return of(world, service)

    monkeypatch.setattr(services, "_workload_of", counted)
    held = world(50)
    service = held.get("service:shop:cart")
    assert service is not None

    assert {workload_of(held, service) for _ in range(1000)} == {"service:shop:cart"}
    assert sought == ["service:shop:cart"]


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("cart", "cart", True),
        ("", "", False),
        ("cart", "", False),
        ("shippingservice", "shipingservice", True),
        ("shippingservice", "cart", False),
        ("a" * 253, "a" * 252 + "b", True),
        ("a" * 10_000, "a" * 9_999 + "b", False),
    ],
)
def test_names_are_near_where_little_differs_and_none_is_longer_than_a_name_may_be(one: str, other: str, near: bool) -> None:
    assert is_near(one, other) is near
    assert is_near(other, one) is near


def test_most_pairs_of_names_are_told_apart_by_their_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    def compared(one: str, other: str) -> bool:
        raise AssertionError(f"{one} and {other} are compared")

    monkeypatch.setattr(alike, "_is_near", compared)

    assert not any(is_near("checkout", "x" * length) for length in range(20, 200))


def test_what_one_subject_has_used_up_is_left_to_the_others() -> None:
    effort = Effort(10)
    assert [effort.affords("names", 6), effort.affords("names", 6), effort.affords("names", 4)] == [True, False, True]
    assert effort.affords("volumes", 10)
    assert effort.is_spent


def lines_run(rows: Rows) -> int:
    """How many lines of the analysis' own code run: a measure of time that is the same on any machine."""
    number = 0

    def traced(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal number
        if "/causes/" not in frame.f_code.co_filename:
            return None
        number += event == "line"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        incident_rows(analyse("af-1", rows))
    finally:
        sys.settrace(before)
    return number


@pytest.mark.parametrize("made", WORLDS, ids=lambda made: made.__name__)
def test_twice_as_many_objects_cost_about_twice_as_much_however_they_are_paired(
    made: Callable[[int], Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once an effort is used up, which is sooner here, costs grow no faster than the objects."""
    monkeypatch.setattr(world_of_causes, "Effort", partial(Effort, 20_000))
    assert lines_run(made(400)) <= 2.5 * lines_run(made(200))


@pytest.mark.parametrize("made", WORLDS, ids=lambda made: made.__name__)
def test_hostile_neighbourhoods_give_the_same_incidents_in_any_order(made: Callable[[int], Rows]) -> None:
    rows = made(60)
    turned = rows._replace(
        resources=dict(reversed(list(rows.resources.items()))),
        edges=list(reversed(list(rows.edges))),
        episodes=list(reversed(list(rows.episodes))),
    )
    assert incident_rows(analyse("af-1", turned)) == incident_rows(analyse("af-1", rows))
