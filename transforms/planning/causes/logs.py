"""Findings about what logs report: whom they blame, failures of their own, a Node that reaches nobody."""

from collections.abc import Iterator
from typing import Final

from transforms.planning.causes.blame import Blame, Blamed
from transforms.planning.causes.moments import SECOND
from transforms.planning.causes.services import workload_of
from transforms.planning.causes.table import Finding, weight
from transforms.planning.causes.world import World

_OWN: Final = frozenset({"LOG_PANIC", "LOG_OOM", "LOG_DISK", "LOG_PERMISSION", "LOG_CRASH", "LOG_FATAL"})
_LEAST_BLAMED: Final = 3
_LEAST_OWN: Final = 2
_MOST_SERVICES: Final = 3
_STILL: Final = 10 * SECOND


def logs(world: World, blame: Blame) -> Iterator[Finding]:
    yield from _blamed(world, blame)
    yield from _own(world, blame)


def _blamed(world: World, blame: Blame) -> Iterator[Finding]:
    found: dict[str, list[Blamed]] = {}
    for one in blame.all:
        target = world.get(one.target)
        if target is not None:
            group = workload_of(world, target) if target.sort == "service" else one.target
            found.setdefault(group, []).append(one)
    newest = blame.lines[-1].at if blame.lines else 0
    for group, told in sorted(found.items()):
        times = sum(one.episode.times for one in told)
        callers = sorted({one.logger for one in told})
        if times >= _LEAST_BLAMED and group.partition(":")[0] != "node":
            last = told[-1].episode
            goes_on = newest - last.at <= _STILL
            w = min(0.15 + 0.05 * len(callers), weight("BLAMED_BY_CALLERS")) if goes_on else 0.15
            detail = f"{times} lines of {', '.join(one.rpartition(':')[2] for one in callers[:3])}: {last.message}"
            evidence = tuple(one.episode.eid for one in told[-3:])
            yield Finding("BLAMED_BY_CALLERS", group, group, w, detail, told[0].episode.at, last.at, holds=False, evidence=evidence)


def _own(world: World, blame: Blame) -> Iterator[Finding]:
    found: dict[str, list[str]] = {}
    told = {line.eid: line for line in blame.lines if line.reason in _OWN}
    for line in told.values():
        found.setdefault(world.top(line.subject), []).append(line.eid)
    for workload, eids in sorted(found.items()):
        lines = [told[eid] for eid in eids]
        if sum(one.times for one in lines) >= _LEAST_OWN:
            last = lines[-1]
            detail = f"{sum(one.times for one in lines)} lines: {last.message}"
            yield Finding("LOG_FAILURES", workload, last.subject, 0.3, detail, lines[0].at, last.at, holds=False, evidence=tuple(eids[-3:]))


def unreachable(world: World, blame: Blame, faulty: set[str]) -> Iterator[Finding]:
    """A Node whose Pods do not reach Services that have ready Pods and no fault. faulty: workloads with a fault of their own."""
    found: dict[str, dict[str, list[Blamed]]] = {}
    dialled: dict[str, int] = {}
    newest = blame.lines[-1].at if blame.lines else 0
    for one in blame.all:
        target = world.get(one.target)
        if not one.node or target is None or target.sort != "service":
            continue
        if newest - one.episode.at > _STILL:
            continue
        dialled[one.node] = dialled.get(one.node, 0) + 1
        if workload_of(world, target) not in faulty and one.logger not in faulty and world.has_ready(one.target):
            found.setdefault(one.node, {}).setdefault(one.target, []).append(one)
    for node, targets in sorted(found.items()):
        if sum(map(len, targets.values())) * 2 <= dialled[node]:
            # Most of what its Pods report has another explanation.
            continue
        told = sorted((one for lines in targets.values() for one in lines), key=lambda one: (one.episode.at, one.episode.eid, one.target))
        reached = min(len(targets), _MOST_SERVICES)
        w = (0.6 if any(one.dials_time_out for one in told) else 0.3) + 0.05 * reached
        names = ", ".join(sorted(rid.rpartition(":")[2] for rid in targets)[:_MOST_SERVICES])
        detail = f"{len(told)} lines of its pods fail to reach {names}, which have ready pods"
        evidence = tuple(one.episode.eid for one in told[-3:])
        yield Finding(
            "NODE_CANNOT_REACH_SERVICES", node, node, w, detail, told[0].episode.at, told[-1].episode.at, holds=False, evidence=evidence
        )
