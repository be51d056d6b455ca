"""Findings about probes: a port that nothing exposes, a protocol that the port does not speak, time that is too short."""

import re
from collections.abc import Iterator
from typing import Any, Final

from transforms.planning.causes.moments import MINUTE
from transforms.planning.causes.statuses import Json
from transforms.planning.causes.table import Finding, weight
from transforms.planning.causes.world import Episode, Object, World

# Of service meshes, whose sidecars take the probes over.
_MESH_PORTS: Final = frozenset({15020, 15021, 15090, 4191})
_FAILING_WITHIN: Final = 3 * MINUTE
_KILLED_WITHIN: Final = 5 * MINUTE
_MALFORMED: Final = re.compile(
    r"malformed HTTP|server gave HTTP response to HTTPS client|does not look like a TLS|frame header looked like an HTTP",
    re.IGNORECASE,
)
_FEW: Final = 3


def probes(world: World) -> Iterator[Finding]:
    for workload in world.workloads:
        found = world.pods_of(workload.rid)
        is_down = not any(pod.is_ready for pod in found)
        for pod in found:
            yield from _of_pod(world, workload.rid, pod, is_down=is_down)


def _of_pod(world: World, workload: str, pod: Object, *, is_down: bool) -> Iterator[Finding]:
    told = world.about(pod.rid)
    unhealthy = [one for one in told if one.reason in ("Unhealthy", "ProbeError") and world.now - one.at <= _FAILING_WITHIN]
    kills = [one for one in told if one.reason == "Killing" and "liveness probe" in one.message and world.now - one.at <= _KILLED_WITHIN]
    restarts = sum(one.restarts for one in pod.containers)
    fails = (bool(unhealthy) and (not pod.is_ready or (restarts > 0 and _times(unhealthy) >= _FEW))) or bool(kills)
    yield from _ports(workload, pod, unhealthy + kills, fails=fails, is_down=is_down)
    if not fails:
        return
    malformed = [one for one in unhealthy if _MALFORMED.search(one.message)]
    if malformed:
        yield _finding("PROBE_WRONG_PROTOCOL", workload, pod, malformed)
    if kills:
        yield _finding("LIVENESS_KILLS", workload, pod, kills)
    if unhealthy:
        yield _finding("PROBE_FAILING", workload, pod, unhealthy)


def _times(told: list[Episode]) -> int:
    return sum(one.times for one in told)


def _finding(name: str, workload: str, pod: Object, told: list[Episode], w: float | None = None, detail: str = "") -> Finding:
    last = told[-1]
    said = detail or f"{last.message} ({_times(told)} times)"
    evidence = tuple(one.eid for one in told[-3:])
    return Finding(
        name, workload, pod.rid, weight(name) if w is None else w, said, min(one.first for one in told), last.at, evidence=evidence
    )


def _ports(workload: str, pod: Object, told: list[Episode], *, fails: bool, is_down: bool) -> Iterator[Finding]:
    """A mismatch speaks for the Pod only where the probe fails, or where no Pod is ready."""
    exposed, names = exposed_ports(pod.facts)
    if not exposed or not any(one.is_running or one.restarts for one in pod.containers):
        return
    for container in pod.spec_containers():
        probed = container.get("probes")
        for probe, (_, port, *_) in sorted(probed.items()) if isinstance(probed, dict) else ():
            if (
                port is None
                or port in exposed
                or port in names
                or port in _MESH_PORTS
                or (isinstance(port, str) and port.isdecimal() and int(port) in exposed)
            ):
                continue
            detail = f"its {probe} probe asks port {port}, the container exposes {', '.join(map(str, sorted(exposed)))}"
            naming = [one for one in told if re.search(rf":{port}\b", one.message)] if isinstance(port, int) else []
            if fails and (naming or not isinstance(port, int)):
                yield _finding("PROBE_PORT_NOT_EXPOSED", workload, pod, naming or told, detail=detail)
            elif is_down:
                yield Finding("PROBE_PORT_NOT_EXPOSED", workload, pod.rid, 0.45, detail, evidence=(pod.rid,))


def exposed_ports(facts: Json) -> tuple[set[int], set[str]]:
    """The ports of all containers, by number and by name."""
    numbers: set[int] = set()
    names: set[str] = set()
    for container in facts.get("containers") or ():
        for one in _lists(container.get("ports")):
            if isinstance(one[0], int):
                numbers.add(one[0])
            if one[2]:
                names.add(one[2])
    return numbers, names


def _lists(value: Any) -> Iterator[list[Any]]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, list) and len(one) == 3:  # noqa: PLR2004 - number, protocol, name
            yield one
