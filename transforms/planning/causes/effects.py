"""What explains what: a Node its Pods, a Namespace's quota what it refuses, a callee its callers."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from transforms.planning.causes.blame import Blame
from transforms.planning.causes.placement import asks_for_nodes, fits
from transforms.planning.causes.score import KIND_OF_EVIDENCE, Effect
from transforms.planning.causes.services import workload_of
from transforms.planning.causes.table import Finding
from transforms.planning.causes.world import Call, World


def effects(world: World, blame: Blame, findings: Iterable[Finding]) -> set[Effect]:
    """Each once; only objects with findings count as causes and effects."""
    held: dict[str, list[Finding]] = {}
    for one in findings:
        held.setdefault(one.rid, []).append(one)
    found = set(_of_nodes(world, held)) | set(_of_namespaces(world, held)) | set(_of_calls(world, blame, held))
    return {one for one in found if one.cause != one.effect}


_MOST_HOPS: Final = 3
_OF_NETWORK: Final = frozenset({"SLOW_ALONE", "SLOW_WITH_CALLEES"})
_DISTURBED: Final = frozenset({"NODE_NETWORK_ALERT", "NODE_CANNOT_REACH_SERVICES", "TRAFFIC_DROPS_EVERYWHERE"})


def _of_nodes(world: World, held: dict[str, list[Finding]]) -> Iterator[Effect]:
    """A Node explains the workloads with a Pod on it that is not well, and those that wait for it or for its scheduler."""
    for rid, found in held.items():
        if not rid.startswith("node::"):
            continue
        is_network = any(one.name in _DISTURBED for one in found)
        for pod in world.pods_on(rid):
            top = world.top(pod.rid)
            if top in held and (is_network or not pod.is_ready or any(one.at == pod.rid for one in held[top])):
                yield Effect(rid, top, by_call=False)
        if is_network:
            slow = (one for one, told in held.items() if not one.startswith("node::") and {f.name for f in told} & _OF_NETWORK)
            yield from (Effect(rid, one, by_call=False) for one in slow)
            yield from (Effect(rid, one, by_call=False) for one in held if one.startswith("node::") and _is_lesser(held[one], found))
        yield from _of_waiting(world, rid, found)


def _of_waiting(world: World, rid: str, found: list[Finding]) -> Iterator[Effect]:
    """Pods that wait for the Node, or for what runs on it."""
    for one in found:
        if one.name == "SCHEDULER_SILENT":
            yield Effect(rid, world.top(one.at), by_call=False)
        if one.name == "NODE_CORDONED":
            yield from (Effect(rid, world.top(pod), by_call=False) for pod in one.evidence if pod.startswith("pod:"))
    node = world.get(rid)
    if node is not None and not node.is_ready:
        waiting = (pod for pod in world.pending if asks_for_nodes(pod.facts) and fits(pod.facts, node))
        yield from (Effect(rid, world.top(pod.rid), by_call=False) for pod in waiting)


def _is_lesser(told: list[Finding], than: list[Finding]) -> bool:
    """Whether a Node's network is less disturbed than another's."""
    mine, theirs = (max((one.weight for one in found if one.name == "NODE_NETWORK_ALERT"), default=0.0) for found in (told, than))
    return 0 < mine < theirs


def _of_namespaces(world: World, held: dict[str, list[Finding]]) -> Iterator[Effect]:
    """A quota explains the workloads that it refuses, by the finding's own object."""
    for rid, found in held.items():
        if not rid.startswith("namespace::"):
            continue
        if any(one.name in ("QUOTA_FULL", "QUOTA_NEARLY_FULL") and one.weight >= KIND_OF_EVIDENCE for one in found):
            ns = rid.partition("::")[2]
            short = (one for one, told in held.items() if one.split(":", 2)[1] == ns and any(f.name == "PODS_MISSING" for f in told))
            yield from (Effect(rid, one, by_call=False) for one in short)
        for one in found:
            if one.name in ("QUOTA_EXCEEDED", "QUOTA_REFUSES_SERVICE", "QUOTA_REFUSES_CLAIM", "SCHEDULER_SILENT"):
                top = world.top(one.at)
                yield Effect(rid, top, by_call=False)
                if one.name == "QUOTA_REFUSES_SERVICE":
                    service = f"service:{top.split(':', 2)[1]}:{top.split(':', 2)[2]}"
                    yield from (
                        Effect(rid, caller, by_call=False)
                        for caller, calls in world.calls.items()
                        if any(c.service == service for c in calls)
                    )


def _callees(world: World, calls: Iterable[Call]) -> list[str]:
    found = (world.get(call.service) for call in calls)
    return sorted({workload_of(world, service) for service in found if service is not None and not service.is_stub})


def _of_callees(caller: str, callees: Mapping[str, list[str]], held: Mapping[str, list[Finding]]) -> Iterator[Effect]:
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
        front = silent


def _of_calls(world: World, blame: Blame, held: dict[str, list[Finding]]) -> Iterator[Effect]:
    """A callee explains its callers: those whose environment names it, and those whose lines do."""
    callees = {caller: _callees(world, calls) for caller, calls in world.calls.items()}
    for caller in callees:
        if caller in held:
            yield from _of_callees(caller, callees, held)
    for one in blame.all:
        target = world.get(one.target)
        if target is not None:
            yield Effect(workload_of(world, target) if target.sort == "service" else one.target, one.logger, by_call=True)
