"""What counts as ailing, declared once: the server evaluates it in Cypher, and test doubles in Python.

The first declared sickness that holds names the reason. A stub has no state of its own: nothing described it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from transforms.model.kinds import KIND_OF_TOKEN


@dataclass(frozen=True, slots=True)
class Sickness:
    """A condition on the properties of the objects of some kinds; all that is declared must hold.

    one_of: the property has one of the values. none_of: it has a value, and none of these. has: its text contains one of these.
    more_than: it is a number greater than the other property, or than 0 where no other is named; a missing number is 0.
    zero: numbers that are missing or 0. reason: the text, or "" for the value of the property itself.
    """

    kinds: tuple[str, ...]
    of: str
    reason: str = ""
    one_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    more_than: str | None = None
    zero: tuple[str, ...] = ()
    is_true: bool = False


def condition(kind: str, status: str) -> str:
    """The condition as the canonical JSON text of `status` holds it: keys are sorted, so these two are neighbours."""
    return f'"status":"{status}","type":"{kind}"'


_PRESSURES: Final = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
SICKNESSES: Final = (
    Sickness(("Pod",), "waiting_reason", none_of=("ContainerCreating", "PodInitializing")),
    Sickness(("Pod",), "phase", one_of=("Failed", "Pending", "Unknown")),
    Sickness(("Pod",), "status", "NotReady", has=(f'"phase":"Running"|{condition("Ready", "False")}',)),
    Sickness(("Node",), "status", "NotReady", has=(condition("Ready", "False"), condition("Ready", "Unknown"))),
    Sickness(("Node",), "status", "Pressure", has=tuple(condition(one, "True") for one in _PRESSURES)),
    Sickness(("Node",), "unschedulable", "Cordoned", is_true=True),
    Sickness(("Deployment", "ReplicaSet", "StatefulSet"), "replicas", "NotAllReady", more_than="ready_replicas"),
    Sickness(("DaemonSet",), "number_unavailable", "NotAllReady", more_than=""),
    Sickness(("Job",), "failed", "Failed", more_than="", zero=("active", "succeeded")),
    Sickness(("PersistentVolumeClaim",), "phase", one_of=("Pending", "Lost")),
    Sickness(("PersistentVolume",), "phase", one_of=("Failed",)),
    Sickness(("Namespace",), "phase", one_of=("Terminating",)),
)
SICK_KINDS: Final = tuple(dict.fromkeys(kind for one in SICKNESSES for kind in one.kinds))


def _quoted(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(f"'{value}'" for value in values) + "]"


def _cypher(one: Sickness, variable: str) -> str:
    value = f"{variable}.{one.of}"
    # The server evaluates in order and stops early, so the cheap tests come first.
    tests = [f"{variable}:{'|'.join(one.kinds)}"]
    if one.one_of:
        tests.append(f"{value} IN {_quoted(one.one_of)}")
    if one.none_of:
        tests.append(f"NOT {value} IN {_quoted(one.none_of)}")
    if one.has:
        ways = (" AND ".join(f"{value} CONTAINS '{part}'" for part in way.split("|")) for way in one.has)
        tests.append(f"({' OR '.join(f'({way})' for way in ways)})")
    if one.more_than is not None:
        other = f"coalesce({variable}.{one.more_than}, 0)" if one.more_than else "0"
        tests.append(f"coalesce({value}, 0) > {other}")
    tests += [f"coalesce({variable}.{name}, 0) = 0" for name in one.zero]
    if one.is_true:
        tests.append(f"{value} = true")
    reason = f"'{one.reason}'" if one.reason else value
    return f"WHEN {' AND '.join(tests)} THEN {reason}"


def ailment(variable: str) -> str:
    """The Cypher expression of why a resource is ailing; null for one that is not, and for a stub."""
    rules = "\n    ".join(_cypher(one, variable) for one in SICKNESSES)
    return f"CASE WHEN {variable}.stub THEN NULL\n    {rules}\n  END"


def ailment_of(props: Mapping[str, Any]) -> str | None:
    """The same of a resource's properties."""
    if props.get("stub"):
        return None
    declared = KIND_OF_TOKEN.get(str(props.get("rid", "")).partition(":")[0])
    kind = declared.name if declared else ""
    for one in SICKNESSES:
        if kind in one.kinds and _holds(one, props):
            return one.reason or str(props[one.of])
    return None


def _holds(one: Sickness, props: Mapping[str, Any]) -> bool:
    value = props.get(one.of)
    tests = [
        not one.one_of or value in one.one_of,
        not one.none_of or (value is not None and value not in one.none_of),
        not one.has or (isinstance(value, str) and any(all(part in value for part in way.split("|")) for way in one.has)),
        one.more_than is None or (value or 0) > (props.get(one.more_than) or 0),
        all((props.get(name) or 0) == 0 for name in one.zero),
        not one.is_true or value is True,
    ]
    return all(tests)
