"""Which Nodes a Pod may run on, as the scheduler judges it by selector, required affinity and taints."""

from typing import Any, Final

from transforms.planning.causes.statuses import Json
from transforms.planning.causes.world import Object

# What Kubernetes puts on Nodes that are cordoned or not well; other findings tell of that.
_OF_CONDITIONS: Final = "node.kubernetes.io/"
_REPELLING: Final = frozenset({"NoSchedule", "NoExecute"})


def asks_for_nodes(facts: Json) -> bool:
    return bool(facts.get("selector") or facts.get("affinity"))


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


def untolerated(facts: Json, node: Object) -> list[str]:
    """The taints that keep the Pod away, as kubectl writes them, less those that Kubernetes sets for conditions."""
    tolerations = facts.get("tolerations") or []
    repelling = (
        one for one in node.props.get("taints") or () if one.rpartition(":")[2] in _REPELLING and not one.startswith(_OF_CONDITIONS)
    )
    return [taint for taint in repelling if not any(_tolerates(one, taint) for one in tolerations)]


def _tolerates(toleration: Any, taint: str) -> bool:
    pair, _, effect = taint.rpartition(":")
    key, _, value = pair.partition("=")
    wanted_key, operator, wanted_value, wanted_effect = toleration
    if wanted_effect and wanted_effect != effect:
        return False
    if operator == "Exists":
        return not wanted_key or wanted_key == key
    return bool(wanted_key == key and wanted_value == value)
