"""Findings about Nodes and about what runs on every one of them."""

import re
from collections.abc import Iterator
from typing import Final

from transforms.planning.causes.ailing import BAD_WHEN_TRUE
from transforms.planning.causes.moments import MINUTE, SECOND
from transforms.planning.causes.pod_state import shown_by
from transforms.planning.causes.table import Finding, weight
from transforms.planning.causes.waits import cordoned_for
from transforms.planning.causes.world import RECENT, Object, World

_RUNTIME_REASONS: Final = frozenset(
    {"ContainerGCFailed", "ImageGCFailed", "KubeletSetupFailed", "SystemOOM", "ContainerdUnhealthy", "DockerUnhealthy"}
)
_RUNTIME_WITHIN: Final = 4 * MINUTE
_SOCKET: Final = re.compile(r"(?:containerd|crio|dockershim|cri-dockerd|docker)\.sock")
_SILENT_FOR: Final = 20 * SECOND
_SCHEDULER: Final = "kube-scheduler"
# A name of Kubernetes with more parts than this is nobody's scheduler.
_MOST_WORDS: Final = 16
_SEVERAL: Final = 3
_NEARLY_ALL: Final = 0.8


def nodes(world: World) -> Iterator[Finding]:
    for node in world.of_kind("node"):
        yield from _by_conditions(node)
        yield from _by_events(world, node)
    yield from _by_sockets(world)
    yield from _pods_down(world)
    yield from _cordoned(world)
    yield from _silent_scheduler(world)


def _by_conditions(node: Object) -> Iterator[Finding]:
    ready = node.conditions.get("Ready")
    if ready is not None and ready.status != "True":
        detail = f"Ready is {ready.status}: {ready.reason} {ready.message}".strip()
        yield Finding("NODE_NOT_READY", node.rid, node.rid, weight("NODE_NOT_READY"), detail, ready.since, evidence=(node.rid,))
    for name in BAD_WHEN_TRUE:
        found = node.conditions.get(name)
        if found is not None and found.status == "True":
            detail = f"{name}: {found.message or found.reason}"
            yield Finding("NODE_PRESSURE", node.rid, node.rid, weight("NODE_PRESSURE"), detail, found.since, evidence=(node.rid,))


def _by_events(world: World, node: Object) -> Iterator[Finding]:
    told = [one for one in world.about(node.rid) if one.reason in _RUNTIME_REASONS and world.now - one.at <= _RUNTIME_WITHIN]
    if told:
        last = told[-1]
        w = 0.45 if node.is_ready else weight("NODE_RUNTIME_ERROR")
        evidence = tuple(one.eid for one in told[-3:])
        yield Finding(
            "NODE_RUNTIME_ERROR", node.rid, node.rid, w, f"{last.reason}: {last.message}", told[0].first, last.at, evidence=evidence
        )


def _by_sockets(world: World) -> Iterator[Finding]:
    """Pods that cannot be made since the runtime's socket does not answer; a Pod that is ready by now is past that."""
    found: dict[str, list[tuple[int, int, str, str]]] = {}
    for pod in world.of_kind("pod"):
        if pod.is_ready or not pod.node:
            continue
        for one in world.about(pod.rid):
            if one.reason.startswith("Failed") and world.now - one.at <= RECENT and _SOCKET.search(one.message):
                found.setdefault(pod.node, []).append((one.at, one.first, one.eid, one.message))
    for node, told in sorted(found.items()):
        told.sort()
        first, last = min(one[1] for one in told), told[-1]
        evidence = tuple(one[2] for one in told[-3:])
        yield Finding("RUNTIME_UNREACHABLE", node, node, weight("RUNTIME_UNREACHABLE"), last[3], first, last[0], evidence=evidence)


def _pods_down(world: World) -> Iterator[Finding]:
    """A Node on which workloads are down that have nothing in common but the Node."""
    down: dict[str, list[Object]] = {}
    homes = set()
    for pod in world.of_kind("pod"):
        if not pod.node or "Ready" not in pod.conditions or pod.phase in ("Succeeded", "Failed"):
            continue
        homes.add(pod.node)
        if not pod.is_ready and not any(True for _ in shown_by(pod.containers, pod.conditions)):
            down.setdefault(pod.node, []).append(pod)
    everywhere = sum(map(len, down.values()))
    for node, found in sorted(down.items()):
        tops = {world.top(pod.rid) for pod in found}
        if len(homes) > 1 and len(tops) >= _SEVERAL and len(found) >= _NEARLY_ALL * everywhere:
            since = min((at for pod in found if (at := pod.conditions["Ready"].since) is not None), default=None)
            detail = f"{len(found)} pods of {len(tops)} workloads are not ready, {everywhere - len(found)} on other nodes"
            evidence = tuple(sorted(pod.rid for pod in found)[:3])
            yield Finding("NODE_PODS_DOWN", node, node, weight("NODE_PODS_DOWN"), detail, since, evidence=evidence)


def _cordoned(world: World) -> Iterator[Finding]:
    """Cordoned Nodes that a pending Pod needs; any other may be cordoned as its owner likes."""
    for rid, pods in sorted(cordoned_for(world).items()):
        more = f" and {len(pods) - 1} more" if len(pods) > 1 else ""
        detail = f"cordoned, and {pods[0].title}{more} may run nowhere else"
        since = min((pod.created for pod in pods if pod.created is not None), default=None)
        evidence = (rid, *(pod.rid for pod in pods[:3]))
        yield Finding("NODE_CORDONED", rid, rid, weight("NODE_CORDONED"), detail, since, evidence=evidence)


def _silent_scheduler(world: World) -> Iterator[Finding]:
    silent = []
    for pod in world.pending:
        seen = pod.seen or world.now
        waited = pod.created is not None and seen - pod.created > _SILENT_FOR
        if not waited or pod.facts.get("gates") or "PodScheduled" in pod.conditions:
            continue
        if not any(one.reason in ("FailedScheduling", "Scheduled") for one in world.about(pod.rid)):
            silent.append((pod, str(pod.facts.get("scheduler") or _SCHEDULER), seen))
    homes = _homes(world, {name for _, name, _ in silent}) if silent else {}
    for pod, name, seen in silent:
        detail = f"{pod.title} has waited for {(seen - (pod.created or seen)) // SECOND} s, and {name} has said nothing of it"
        yield Finding("SCHEDULER_SILENT", homes[name], pod.rid, weight("SCHEDULER_SILENT"), detail, pod.created, evidence=(pod.rid,))


def _homes(world: World, schedulers: set[str]) -> dict[str, str]:
    """The Node that each scheduler runs on; the Namespace of the control plane where no Pod of it is known."""
    control = [one for one in world.of_kind("node") if one.is_control_plane]
    elsewhere = control[0].rid if len(control) == 1 else "namespace::kube-system"
    found: dict[str, str] = {}
    for pod in world.of_kind("pod"):
        if not pod.node:
            continue
        words = pod.name.split("-")
        named = {"-".join(words[:end]) for end in range(1, len(words) + 1)} if len(words) <= _MOST_WORDS else {pod.name}
        named.add(pod.label("component") or "")
        for name in named & schedulers:
            found.setdefault(name, pod.node)
    return {name: found.get(name, elsewhere) for name in schedulers}
