"""What explains what: a Node its Pods, a Namespace's quota what it refuses, a callee its callers."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from transforms.planning.causes.blame import Blame
from transforms.planning.causes.placement import MOST_NODES
from transforms.planning.causes.score import KIND_OF_EVIDENCE, Effect
from transforms.planning.causes.services import workload_of
from transforms.planning.causes.table import Finding
from transforms.planning.causes.waits import cordoned_for, not_ready_for
from transforms.planning.causes.world import Object, World

_MOST_HOPS: Final = 3
_SUBJECT: Final = "calls"
# Of the workloads that one blames in its lines, the first by name.
_MOST_BLAMED: Final = 64
_OF_NETWORK: Final = frozenset({"SLOW_ALONE", "SLOW_WITH_CALLEES"})
_DISTURBED: Final = frozenset({"NODE_NETWORK_ALERT", "NODE_CANNOT_REACH_SERVICES", "TRAFFIC_DROPS_EVERYWHERE"})
_FULL: Final = frozenset({"QUOTA_FULL", "QUOTA_NEARLY_FULL"})
_OF_OBJECT: Final = frozenset({"QUOTA_EXCEEDED", "QUOTA_REFUSES_SERVICE", "QUOTA_REFUSES_CLAIM", "SCHEDULER_SILENT"})

Held = Mapping[str, list[Finding]]


def effects(world: World, blame: Blame, findings: Iterable[Finding]) -> set[Effect]:
    """Each once; only objects with findings count as causes and effects."""
    held: dict[str, list[Finding]] = {}
    for one in findings:
        held.setdefault(one.rid, []).append(one)
    found = {*_of_nodes(world, held), *_of_networks(held), *_of_namespaces(world, held), *_of_calls(world, blame, held)}
    return {one for one in found if one.cause != one.effect}


def _of_nodes(world: World, held: Held) -> Iterator[Effect]:
    """A Node explains the workloads with a Pod on it that is not well, and those that wait for it or for its scheduler."""
    told_at = {rid: {one.at for one in found} for rid, found in held.items()}
    for rid, found in held.items():
        if not rid.startswith("node::"):
            continue
        names = {one.name for one in found}
        is_network = bool(names & _DISTURBED)
        for pod in world.pods_on(rid):
            top = world.top(pod.rid)
            if top in held and (is_network or not pod.is_ready or pod.rid in told_at[top]):
                yield Effect(rid, top, by_call=False)
        waiting: list[Object] = []
        if "NODE_CORDONED" in names:
            waiting += cordoned_for(world).get(rid, ())
        node = world.get(rid)
        if node is not None and not node.is_ready:
            waiting += not_ready_for(world).get(rid, ())
        yield from (Effect(rid, top, by_call=False) for top in {world.top(pod.rid) for pod in waiting})
        yield from (Effect(rid, world.top(one.at), by_call=False) for one in found if one.name == "SCHEDULER_SILENT")


def _of_networks(held: Held) -> Iterator[Effect]:
    """The Nodes with the most disturbed networks explain what is slow, and the Nodes with less disturbed ones."""
    disturbed = [rid for rid, found in held.items() if rid.startswith("node::") and any(one.name in _DISTURBED for one in found)]
    if not disturbed:
        return
    alerted = {rid: _alerted(found) for rid, found in held.items() if rid.startswith("node::")}
    slow = [rid for rid, found in held.items() if not rid.startswith("node::") and any(one.name in _OF_NETWORK for one in found)]
    for rid in sorted(disturbed, key=lambda one: (-alerted[one], one))[:MOST_NODES]:
        yield from (Effect(rid, one, by_call=False) for one in slow)
        yield from (Effect(rid, one, by_call=False) for one, w in alerted.items() if 0 < w < alerted[rid])


def _alerted(found: Iterable[Finding]) -> float:
    """How much an alert says that the Node's network is disturbed; 0 where none does."""
    return max((one.weight for one in found if one.name == "NODE_NETWORK_ALERT"), default=0.0)


def _of_namespaces(world: World, held: Held) -> Iterator[Effect]:
    """A quota explains the workloads that it refuses, by the finding's own object."""
    spaces = [rid for rid in held if rid.startswith("namespace::")]
    short: dict[str, list[str]] = {}
    for rid, told in held.items() if spaces else ():
        if any(one.name == "PODS_MISSING" for one in told):
            short.setdefault(rid.split(":", 2)[1], []).append(rid)
    for rid in spaces:
        found = held[rid]
        if any(one.name in _FULL and one.weight >= KIND_OF_EVIDENCE for one in found):
            yield from (Effect(rid, one, by_call=False) for one in short.get(rid.partition("::")[2], ()))
        for one in found:
            if one.name in _OF_OBJECT:
                top = world.top(one.at)
                yield Effect(rid, top, by_call=False)
                if one.name == "QUOTA_REFUSES_SERVICE":
                    service = f"service:{top.split(':', 2)[1]}:{top.split(':', 2)[2]}"
                    callers = world.callers.get(service, [])
                    if world.effort.affords(_SUBJECT, len(callers)):
                        yield from (Effect(rid, caller, by_call=False) for caller in callers)


def _callees(world: World) -> dict[str, list[str]]:
    """The workloads that count for the Services which each workload calls, sorted, by caller."""
    found = {}
    for caller, calls in world.calls.items():
        services = (world.get(name) for name in {call.service for call in calls})
        found[caller] = sorted({workload_of(world, service) for service in services if service is not None and not service.is_stub})
    return found


def _of_callees(world: World, caller: str, callees: Mapping[str, list[str]], held: Held) -> Iterator[Effect]:
    """The callees with findings; those of a callee that says nothing, too, for it may hand on what it is given."""
    seen = {caller}
    front: list[tuple[str, tuple[str, ...]]] = [(one, ()) for one in callees[caller]]
    for hop in range(_MOST_HOPS):
        silent = []
        for callee, via in front:
            if callee in seen:
                continue
            seen.add(callee)
            if callee in held:
                yield Effect(callee, caller, by_call=True, via=via)
            elif hop + 1 < _MOST_HOPS:
                silent += [(one, (callee, *via)) for one in callees.get(callee, ())]
        if not world.effort.affords(_SUBJECT, len(silent)):
            return
        front = silent


def _of_calls(world: World, blame: Blame, held: Held) -> Iterator[Effect]:
    """A callee explains its callers: those whose environment names it, and those whose lines do."""
    callees = world.once(("callees",), lambda: _callees(world))
    blamed = world.once(("blamed by",), lambda: _blamed_by(world, blame))
    for caller in held:
        if caller in callees:
            yield from _of_callees(world, caller, callees, held)
        yield from (Effect(target, caller, by_call=True) for target in blamed.get(caller, ()))


def _blamed_by(world: World, blame: Blame) -> dict[str, list[str]]:
    """The workloads that each workload's lines blame."""
    found: dict[str, set[str]] = {}
    for one in blame.all:
        target = world.get(one.target)
        if target is not None:
            found.setdefault(one.logger, set()).add(workload_of(world, target) if target.sort == "service" else one.target)
    return {logger: sorted(targets)[:_MOST_BLAMED] for logger, targets in found.items()}
