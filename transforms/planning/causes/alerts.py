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
            is_alone = not slow.intersection(world.callees(one.group) - {one.group})
            name = "SLOW_ALONE" if is_alone else "SLOW_WITH_CALLEES"
            yield _finding(name, one, weight(name))
        else:
            yield _finding("ALERT_FIRES", one, weight("ALERT_FIRES"))


def _of_nodes(raised: list[_Alert]) -> Iterator[Finding]:
    network = [one for one in raised if _NETWORK.search(one.text)]
    most = max((one.value for one in network), default=0.0)
    for one in raised:
        if one in network:
            yield _finding("NODE_NETWORK_ALERT", one, weight("NODE_NETWORK_ALERT") if one.value >= most else 0.45)
        else:
            yield _finding("NODE_LOAD_ALERT", one, weight("NODE_LOAD_ALERT"))


def _drops(world: World, raised: list[_Alert]) -> Iterator[Finding]:
    """Where nearly all workloads of a Namespace lose traffic, the Nodes that have most of them."""
    dropping = {one.group: one for one in raised if _DROPS.search(one.text)}
    spaces = sorted({rid.split(":", 2)[1] for rid in dropping})
    for space in spaces:
        served = {workload_of(world, one) for one in world.of_kind("service") if one.ns == space and world.selected(one.rid)}
        if len(served) < _LEAST_WORKLOADS or len(served & set(dropping)) < _EVERYWHERE * len(served):
            continue
        hosted: dict[str, int] = {}
        for rid in served & set(dropping):
            for pod in world.pods_of(rid):
                if pod.node:
                    hosted[pod.node] = hosted.get(pod.node, 0) + 1
        most = max(hosted.values(), default=0)
        evidence = tuple(sorted(one.episode.eid for one in dropping.values())[:3])
        for node in sorted(rid for rid, number in hosted.items() if number == most):
            detail = f"{len(dropping)} of {len(served)} workloads lose traffic"
            last = max(one.episode.at for one in dropping.values())
            yield Finding("TRAFFIC_DROPS_EVERYWHERE", node, node, 0.3, detail, last, last, holds=False, evidence=evidence)
