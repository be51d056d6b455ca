"""What the findings on Services ask many times is found out once."""

from typing import Any

import pytest

from transforms.planning.causes import services
from transforms.planning.causes.services import is_near, workload_of
from transforms.planning.causes.world import Object, Rows, World


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

    monkeypatch.setattr(services, "_is_near", compared)

    assert not any(is_near("checkout", "x" * length) for length in range(20, 200))
