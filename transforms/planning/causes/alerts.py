"""Findings that alerts make: those of kubernetes-mixin by name, others by the words that their names and messages are made of."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from transforms.planning.causes.services import workload_of
from transforms.planning.causes.table import Finding, weight
from transforms.planning.causes.world import RECENT, Episode, World

_OF_NAME: Final = {
    "KubeNodeNotReady": "NODE_NOT_READY",
    "KubeNodeUnreachable": "NODE_NOT_READY",
    "KubeletDown": "COMPONENT_DOWN",
    "KubeProxyDown": "COMPONENT_DOWN",
    "KubeSchedulerDown": "COMPONENT_DOWN",
    "CPUThrottlingHigh": "CPU_THROTTLED",
    "KubeQuotaExceeded": "QUOTA_FULL",
    "KubeQuotaFullyUsed": "QUOTA_FULL",
    "KubeQuotaAlmostFull": "QUOTA_NEARLY_FULL",
    "KubePodCrashLooping": "CRASH_LOOP",
    "KubePodNotReady": "POD_NOT_READY",
    "KubeContainerWaiting": "POD_NOT_READY",
    "KubeDeploymentReplicasMismatch": "UNAVAILABLE",
    "KubeStatefulSetReplicasMismatch": "UNAVAILABLE",
    "KubeDaemonSetRolloutStuck": "UNAVAILABLE",
    "NodeNetworkReceiveErrs": "NODE_NETWORK_ALERT",
    "NodeNetworkTransmitErrs": "NODE_NETWORK_ALERT",
}
_THROTTLED: Final = re.compile(r"throttl|cfs", re.IGNORECASE)
_LATENCY: Final = re.compile(r"latency|slow|duration_high|response.?time", re.IGNORECASE)
_NETWORK: Final = re.compile(r"network|retrans|packet|tcp", re.IGNORECASE)
_SATURATED: Final = re.compile(r"saturat|utili[sz]ation|overload|pressure|load.?high|high.?load", re.IGNORECASE)
_DROPS: Final = re.compile(r"\bdrop|throughput", re.IGNORECASE)
_CURRENT: Final = re.compile(r"(?:current|val(?:ue)?)\s*[=:]\s*([0-9]+(?:\.[0-9]+)?)", re.IGNORECASE)
_EVERYWHERE: Final = 0.9
_LEAST_WORKLOADS: Final = 4


class _Alert(NamedTuple):
    group: str
    is_node: bool
    text: str
    episode: Episode

    @property
    def value(self) -> float:
        """How great what it measures is; 0 where it does not say."""
        said = self.episode.props.get("value")
        if isinstance(said, int | float):
            return float(said)
        found = [float(one) for one in _CURRENT.findall(self.episode.message)]
        return max(found, default=0.0)


def alerts(world: World) -> Iterator[Finding]:
    raised = list(_raised(world))
    for one in raised:
        name = _OF_NAME.get(one.episode.reason)
        if name:
            yield _finding(name, one, weight(name))
    others = [one for one in raised if one.episode.reason not in _OF_NAME]
    yield from _of_workloads(world, [one for one in others if not one.is_node])
    yield from _of_nodes([one for one in others if one.is_node])
    yield from _drops(world, [one for one in others if not one.is_node])


def _raised(world: World) -> Iterator[_Alert]:
    """Alerts that fire, about objects that are known."""
    for one in world.episodes:
        if (
            one.etype != "prom.alert"
            or world.now - one.at > RECENT
            or one.props.get("state") == "pending"
            or one.severity in ("INFO", "DEBUG")
        ):
            continue
        target = world.get(one.subject)
        if target is None:
            continue
        group = (
            workload_of(world, target)
            if target.sort == "service"
            else target.rid
            if target.sort in ("node", "namespace")
            else world.top(target.rid)
        )
        yield _Alert(group, target.sort == "node", f"{one.reason} {one.message}", one)


def _finding(name: str, one: _Alert, w: float) -> Finding:
    at = one.episode
    return Finding(
        name,
        one.group,
        at.subject,
        w,
        at.message or at.reason,
        at.first,
        at.at,
        holds=at.props.get("state") == "firing",
        evidence=(at.eid,),
    )


def _of_workloads(world: World, raised: list[_Alert]) -> Iterator[Finding]:
    slow = {one.group for one in raised if _LATENCY.search(one.text)}
    for one in raised:
        if _THROTTLED.search(one.text):
            yield _finding("CPU_THROTTLED", one, weight("CPU_THROTTLED"))
        elif _SATURATED.search(one.text):
            yield _finding("SATURATED", one, weight("SATURATED"))
        elif _LATENCY.search(one.text):
            name = "SLOW_WITH_CALLEES" if _has_slow_callee(world, one.group, slow) else "SLOW_ALONE"
            yield _finding(name, one, weight(name))
        else:
            yield _finding("ALERT_FIRES", one, weight("ALERT_FIRES"))


def _has_slow_callee(world: World, group: str, slow: set[str]) -> bool:
    """Whether a workload behind a Service that this one calls is slow, itself aside."""

    def behind(service: str) -> frozenset[str]:
        return world.once(("slow behind", service), lambda: world.tops_behind(service) & slow)

    return any(found and (len(found) > 1 or group not in found) for found in (behind(call.service) for call in world.calls.get(group, ())))


def _of_nodes(raised: list[_Alert]) -> Iterator[Finding]:
    judged = [(one, one.value if _NETWORK.search(one.text) else None) for one in raised]
    most = max((value for _, value in judged if value is not None), default=0.0)
    for one, value in judged:
        if value is not None:
            yield _finding("NODE_NETWORK_ALERT", one, weight("NODE_NETWORK_ALERT") if value >= most else 0.45)
        else:
            yield _finding("NODE_LOAD_ALERT", one, weight("NODE_LOAD_ALERT"))


def _drops(world: World, raised: list[_Alert]) -> Iterator[Finding]:
    """Where nearly all workloads of a Namespace lose traffic, the Nodes that have most of them."""
    dropping = {one.group: one for one in raised if _DROPS.search(one.text)}
    spaces = sorted({rid.split(":", 2)[1] for rid in dropping})
    evidence = tuple(sorted(one.episode.eid for one in dropping.values())[:3])
    last = max((one.episode.at for one in dropping.values()), default=0)
    for space in spaces:
        served = {workload_of(world, one) for one in world.services_in(space) if world.selected(one.rid)}
        losing = {rid for rid in served if rid in dropping}
        if len(served) < _LEAST_WORKLOADS or len(losing) < _EVERYWHERE * len(served):
            continue
        hosted: dict[str, int] = {}
        for rid in losing:
            for pod in world.pods_of(rid):
                if pod.node:
                    hosted[pod.node] = hosted.get(pod.node, 0) + 1
        most = max(hosted.values(), default=0)
        for node in sorted(rid for rid, number in hosted.items() if number == most):
            detail = f"{len(dropping)} of {len(served)} workloads lose traffic"
            yield Finding("TRAFFIC_DROPS_EVERYWHERE", node, node, 0.3, detail, last, last, holds=False, evidence=evidence)
