"""Whether an object's own record says that something is wrong with it.

The search for causes begins at such objects, so that a healthy tenant costs next to nothing. What shows only beside other objects,
a selector that matches nothing say, is found from the episodes and from its neighbours.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from transforms.planning.causes.quantities import amount
from transforms.planning.causes.statuses import Json, conditions, containers, number, part

NEARLY: Final = 0.8
_DONE: Final = ("Succeeded",)
# Restarts of long ago are no news, but when they were is not known to the record alone.
BAD_WHEN_TRUE: Final = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")


def ails(kind: str, status: Json, props: Mapping[str, Any]) -> bool:
    """kind: as a rid has it. props: the node's properties."""
    look = _LOOKS.get(kind)
    return look is not None and look(status, props)


def _pod(status: Json, _props: Mapping[str, Any]) -> bool:
    if status.get("phase") in _DONE:
        return False
    found = conditions(status)
    ready = found.get("Ready")
    if ready is None:
        return status.get("phase") in ("Pending", "Failed", "Unknown") or any(one.waiting for one in containers(status))
    return ready.status != "True" or any(one.restarts or one.waiting for one in containers(status))


def _node(status: Json, props: Mapping[str, Any]) -> bool:
    found = conditions(status)
    ready = found.get("Ready")
    is_bad = any(name in found and found[name].status == "True" for name in BAD_WHEN_TRUE)
    return is_bad or bool(props.get("unschedulable")) or (ready is not None and ready.status != "True")


def _replicated(status: Json, props: Mapping[str, Any]) -> bool:
    wanted = number(props.get("replicas"))
    return wanted > number(status.get("readyReplicas")) or any(
        name == "ReplicaFailure" and one.status == "True" for name, one in conditions(status).items()
    )


def _daemon(status: Json, _props: Mapping[str, Any]) -> bool:
    return number(status.get("desiredNumberScheduled")) > number(status.get("numberReady"))


def _quota(status: Json, _props: Mapping[str, Any]) -> bool:
    hard, used = part(status, "hard"), part(status, "used")
    pairs = ((amount(hard[name]), amount(used.get(name))) for name in hard)
    return any(most is not None and now is not None and now >= NEARLY * most and now > 0 for most, now in pairs)


def _claim(status: Json, _props: Mapping[str, Any]) -> bool:
    return status.get("phase") not in (None, "Bound")


_LOOKS: Final[dict[str, Callable[[Json, Mapping[str, Any]], bool]]] = {
    "pod": _pod,
    "node": _node,
    **dict.fromkeys(("deployment", "replicaset", "statefulset"), _replicated),
    "daemonset": _daemon,
    "resourcequota": _quota,
    "persistentvolumeclaim": _claim,
}
