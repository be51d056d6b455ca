"""Workloads whose labels a selector matches or nearly matches, and Services whose names are nearly one that was called."""

from collections.abc import Callable
from difflib import SequenceMatcher
from functools import lru_cache, partial
from typing import Final

from transforms.planning.causes.world import Object, World

_NEAR: Final = 0.75
_LONGEST: Final = 253
_SUBJECT: Final = "names"
# Pairs of characters that are compared within one unit of effort.
_CHARACTERS: Final = 8
_A_COMPARISON: Final = 20


def labels_of(world: World, workload: Object) -> frozenset[str]:
    """The labels of the workload's Pods, by its template and by its first Pod."""

    def found() -> frozenset[str]:
        labels = world.template(workload.rid).get("labels")
        pairs = {f"{key}={value}" for key, value in labels.items()} if isinstance(labels, dict) else set()
        return frozenset(pairs.union(*(pod.labels for pod in world.pods_of(workload.rid)[:1])))

    return world.once(("labels", workload.rid), found)


def matched(world: World, ns: str, wanted: frozenset[str]) -> list[Object]:
    """The workloads of a Namespace that a selector matches: sought among those that have the rarest of its labels."""
    if not wanted:
        return []

    def found() -> list[Object]:
        held = world.once(("labelled", ns), lambda: _labelled(world, ns))
        rarest = min((held.get(label, []) for label in sorted(wanted)), key=len)
        if not world.effort.affords(_SUBJECT, len(rarest)):
            return []
        return [one for one in rarest if wanted <= labels_of(world, one)]

    return world.once(("matched", ns, *sorted(wanted)), found)


def _labelled(world: World, ns: str) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for one in world.workloads_in(ns):
        for label in labels_of(world, one):
            found.setdefault(label, []).append(one)
    return found


def nearly(world: World, ns: str, wanted: frozenset[str]) -> list[Object]:
    """The workloads of a Namespace that have each wanted pair with a value that differs little, or under another key."""
    pairs = [(key, value) for key, _, value in (one.partition("=") for one in sorted(wanted) if "=" in one)]
    if not pairs:
        return []

    def found() -> list[Object]:
        here = world.workloads_in(ns)
        if not world.effort.affords(_SUBJECT, len(here) * len(pairs)):
            return []
        return [one for one in here if _has_nearly(world, one, pairs)]

    return world.once(("nearly", ns, *sorted(wanted)), found)


def _has_nearly(world: World, workload: Object, pairs: list[tuple[str, str]]) -> bool:
    def values() -> tuple[dict[str, str], frozenset[str]]:
        by_key = dict(one.split("=", 1) for one in sorted(labels_of(world, workload)) if "=" in one)
        return by_key, frozenset(by_key.values())

    by_key, has = world.once(("values", workload.rid), values)
    return all(value in has or _near(world, value, by_key.get(key, "")) for key, value in pairs)


def service_near(world: World, ns: str, name: str) -> Object | None:
    """The first Service of a Namespace whose name differs little from one that does not exist."""

    def found() -> Object | None:
        here = world.services_in(ns)
        if not world.effort.affords(_SUBJECT, len(here)):
            return None
        return next((one for one in here if one.name != name and _near(world, one.name, name)), None)

    return world.once(("service near", ns, name), found)


def _near(world: World, one: str, other: str) -> bool:
    """Whether two names are near, as far as there is time to find out."""
    return is_near(one, other, partial(world.effort.affords, _SUBJECT))


def is_near(one: str, other: str, affords: Callable[[int], bool] = lambda _: True) -> bool:
    """Whether two names differ by little, as a slip of the pen makes them. affords: whether a comparison of that cost may be made."""
    if one == other:
        return bool(one)
    return _may_be_near(one, other) and affords(_A_COMPARISON + len(one) * len(other) // _CHARACTERS) and _is_near(one, other)


def _may_be_near(one: str, other: str) -> bool:
    # Two names share at most the shorter one; most pairs end here. Names of Kubernetes are no longer, and a comparison is quadratic.
    shorter, longer = sorted((len(one), len(other)))
    return longer <= _LONGEST and 2 * shorter >= _NEAR * (shorter + longer)


@lru_cache(maxsize=1 << 16)
def _is_near(one: str, other: str) -> bool:
    return SequenceMatcher(None, one, other).ratio() >= _NEAR
