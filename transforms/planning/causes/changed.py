"""What changed shortly before the first symptom: a rollout, an image, an object that was made or changed."""

from collections.abc import Iterator
from itertools import pairwise
from operator import attrgetter
from typing import Final, NamedTuple

from transforms.planning.causes.moments import MINUTE, SECOND
from transforms.planning.causes.statuses import Json
from transforms.planning.causes.world import Object, World, grouped

WITHIN: Final = 30 * MINUTE
_MOST: Final = 5
_KINDS: Final = ("resourcequota", "networkpolicy", "configmap", "secret", "node")
# What holds for all of a Namespace.
_OF_ALL: Final = frozenset(("resourcequota", "networkpolicy"))


class Change(NamedTuple):
    """at: when. rid: what changed. detail: in words."""

    at: int
    rid: str
    detail: str


def changes_before(world: World, rid: str, first: int) -> list[Change]:
    """What changed about a workload or a Namespace, and around it, in the half hour before, the latest first; at most five."""
    begin, end = first - WITHIN, first + MINUTE
    found = [one for one in _rollouts(world, rid) if begin <= one.at <= end]
    return sorted({*found, *_around(world, rid, begin, end)}, key=lambda one: (-one.at, one.rid))[:_MOST]


def _rollouts(world: World, workload: str) -> Iterator[Change]:
    """A ReplicaSet that was made for a new template: with the one before it tells what is new."""
    sets = [one for one in world.sets_of(workload) if one.created is not None]
    sets.sort(key=lambda one: (one.created or 0, one.rid))
    for before, after in pairwise(sets):
        yield Change(after.created or 0, after.rid, _difference(before, after))
    top = world.get(workload)
    if len(sets) == 1 and top is not None and top.created is not None and (sets[0].created or 0) - top.created > MINUTE:
        yield Change(sets[0].created or 0, sets[0].rid, f"a rollout, {sets[0].title}")


def _difference(before: Object, after: Object) -> str:
    old, new = _images(before.facts), _images(after.facts)
    parts = [f"image {_short(old[name], new[name])}" for name in sorted(new) if name in old and old[name] != new[name]]
    return f"a rollout, {after.title}{': ' if parts else ''}{', '.join(parts)}"


def _images(facts: Json) -> dict[str, str]:
    return {str(one.get("name")): str(one.get("image")) for one in facts.get("containers") or () if isinstance(one, dict)}


def _short(old: str, new: str) -> str:
    """Both images, without what they have in common before the tag."""
    (name, _, tag), (other, _, now) = old.rpartition(":"), new.rpartition(":")
    return f"{tag} → {now}" if name and name == other else f"{old} → {new}"


def _around(world: World, rid: str, begin: int, end: int) -> Iterator[Change]:
    """What was made or changed in that time that an object follows: of its Namespace, and of the cluster."""
    ns = rid.removeprefix("namespace::") if rid.startswith("namespace::") else rid.split(":", 2)[1]
    used = {one for pod in world.pods_of(rid) for one in world.mounted(pod.rid)}
    spaces = world.once(("followed",), lambda: grouped(world.of_kind(*_KINDS), attrgetter("ns")))
    for one in (*spaces.get("", ()), *(spaces.get(ns, ()) if ns else ())):
        if one.created is not None and begin <= one.created <= end:
            yield Change(one.created, one.rid, f"{one.title} was made")
        # Of what the workload does not use, a new version is no news to it.
        is_near = one.sort in _OF_ALL or one.rid in used
        if (
            is_near
            and one.changed is not None
            and begin <= one.changed <= end
            and (one.created is None or one.changed - one.created > SECOND)
        ):
            yield Change(one.changed, one.rid, f"{one.title} was changed")


def ago(us: int) -> str:
    """A length of time in words."""
    seconds = max(us, 0) // SECOND
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"  # noqa: PLR2004 - two hours
