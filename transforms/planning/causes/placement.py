"""Which Nodes a Pod may run on, as the scheduler judges it by selector, required affinity and taints.

Pods of one template need the same, so what fits is found once for each need.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

import msgspec

from transforms.planning.causes.quantities import amount
from transforms.planning.causes.statuses import Json
from transforms.planning.causes.world import Object, World, grouped

# What Kubernetes puts on Nodes that are cordoned or not well; other findings tell of that.
_OF_CONDITIONS: Final = "node.kubernetes.io/"
_REPELLING: Final = frozenset({"NoSchedule", "NoExecute"})
_SUBJECT: Final = "placement"
# Of the Nodes that a need leads to, so many count as what it waits for, the first by name.
MOST_NODES: Final = 20
_MOST_NAMED: Final = 5
# What a Node costs whether or not it fits.
_A_NODE: Final = 4
_ENCODE: Final = msgspec.json.Encoder(order="sorted").encode


def asks_for_nodes(facts: Json) -> bool:
    return bool(facts.get("selector") or facts.get("affinity"))


class Places:
    """The Nodes that selector and affinity of a need take, sorted by rid."""

    def __init__(self, fitting: list[Object]) -> None:
        self.fitting = fitting
        self._largest: dict[str, float | None] = {}

    @cached_property
    def open_to(self) -> list[Object]:
        """Those that are not cordoned."""
        return [node for node in self.fitting if not node.props.get("unschedulable")]

    @cached_property
    def is_any_ready(self) -> bool:
        return any(node.is_ready for node in self.open_to)

    @cached_property
    def by_taints(self) -> Mapping[tuple[str, ...], list[Object]]:
        """The open Nodes by their taints, control planes aside where there are others."""
        workers = [node for node in self.open_to if not node.is_control_plane] or self.open_to
        found: dict[tuple[str, ...], list[Object]] = {}
        for node in workers:
            found.setdefault(tuple(node.props.get("taints") or ()), []).append(node)
        return found

    @cached_property
    def workers(self) -> list[str]:
        """The names of these Nodes, sorted."""
        return sorted(node.name for nodes in self.by_taints.values() for node in nodes)

    def largest(self, resource: str) -> float | None:
        """The most of a resource that an open Node has to give; None where none says."""
        if resource not in self._largest:
            has = (amount(node.allocatable.get(resource)) for node in self.open_to)
            self._largest[resource] = max((one for one in has if one is not None), default=None)
        return self._largest[resource]


class Waiting(NamedTuple):
    """Pods without a Node that need the same. places: None where it would take too long to find out."""

    pods: list[Object]
    places: Places | None


def places_of(world: World, facts: Json) -> Places | None:
    """None where it would take too long to find out."""
    return world.once(("places", _need(facts)), lambda: _places(world, facts))


def waiting(world: World) -> list[Waiting]:
    """The Pods that wait for a Node, by what they need, in the order of the first of each."""

    def found() -> list[Waiting]:
        by_need = grouped(world.pending, lambda pod: _need(pod.facts))
        return [Waiting(pods, places_of(world, pods[0].facts)) for pods in by_need.values()]

    return world.once(("waiting",), found)


def names_of(nodes: Sequence[Object]) -> str:
    """The first names, and how many more there are."""
    return listed([node.name for node in nodes])


def listed(names: Sequence[str]) -> str:
    """The first ones, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _need(facts: Json) -> bytes:
    """What Pods that need the same have in common."""
    return _ENCODE([facts.get("selector"), facts.get("affinity")])


def _places(world: World, facts: Json) -> Places | None:
    nodes = world.of_kind("node")
    selector, terms = facts.get("selector"), facts.get("affinity")
    asked = len(selector) if isinstance(selector, dict) else 0
    asked += sum(len(term) for term in terms if isinstance(term, list)) if isinstance(terms, list) else 0
    if not world.effort.affords(_SUBJECT, len(nodes) * (_A_NODE + 2 * asked)):
        return None
    return Places([node for node in nodes if fits(facts, node)])


def fits(facts: Json, node: Object) -> bool:
    """Whether selector and required affinity take the Node; with neither, every Node fits."""
    selector = facts.get("selector")
    if isinstance(selector, dict) and any(f"{key}={value}" not in node.labels for key, value in selector.items()):
        return False
    terms = facts.get("affinity")
    return not isinstance(terms, list) or not terms or any(_holds(term, node) for term in terms)


def _holds(term: Any, node: Object) -> bool:
    return isinstance(term, list) and bool(term) and all(_expression(one, node) for one in term)


def _expression(one: Any, node: Object) -> bool:
    key, operator, values = one
    value = node.name if key == "metadata.name" else node.label(key)
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    try:
        return value is not None and (int(value) > int(values[0]) if operator == "Gt" else int(value) < int(values[0]))
    except (ValueError, IndexError):
        return False


def repelling(world: World, facts: Json, places: Places) -> list[str]:
    """The taints that keep a Pod from every open Node, sorted; none where it may run on one of them."""
    tolerations = facts.get("tolerations") or []
    kinds = places.by_taints
    cost = sum(len(taints) for taints in kinds) * (1 + len(tolerations))
    if not kinds or not world.effort.affords(_SUBJECT, cost):
        return []
    found = [untolerated(tolerations, taints) for taints in kinds]
    return sorted({taint for taints in found for taint in taints}) if all(found) else []


def untolerated(tolerations: Iterable[Any], taints: Iterable[str]) -> list[str]:
    """The taints that keep the Pod away, as kubectl writes them, less those that Kubernetes sets for conditions."""
    keeping = (one for one in taints if one.rpartition(":")[2] in _REPELLING and not one.startswith(_OF_CONDITIONS))
    held = list(tolerations)
    return [taint for taint in keeping if not any(_tolerates(one, taint) for one in held)]


def _tolerates(toleration: Any, taint: str) -> bool:
    pair, _, effect = taint.rpartition(":")
    key, _, value = pair.partition("=")
    wanted_key, operator, wanted_value, wanted_effect = toleration
    if wanted_effect and wanted_effect != effect:
        return False
    if operator == "Exists":
        return not wanted_key or wanted_key == key
    return bool(wanted_key == key and wanted_value == value)
